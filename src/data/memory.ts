/** A source whose pixels are bytes in memory; they become float32 while they are read. */
import { DataError, ShapeError } from '../core/errors.ts';
import type { ImageShape } from '../core/item-shape.ts';
import { sha256 } from './hash.ts';
import type { Source, SourceItem } from './item.ts';

/** Images of one part of a data set. The arrays are kept, not copied: do not change them afterwards. */
export interface MemoryPart {
  readonly part: 'train' | 'test';
  /** Class number of each image. */
  readonly labels: Uint8Array;
  /** Bytes of all images, image after image, NCHW. */
  readonly pixels: Uint8Array;
  /** Masks of all images, `H · W` bytes of 0 or 1 each. */
  readonly masks?: Uint8Array;
}

/** What `memorySource` needs to know. */
export interface MemorySourceOptions extends Pick<Source, 'name' | 'title' | 'licence' | 'classes'> {
  readonly shape: ImageShape;
  readonly parts: readonly MemoryPart[];
}

/** byte / 255 as float32. */
const unit = Float32Array.from({ length: 256 }, (_, v) => v / 255);

/** Copies bytes as numbers in [0, 1]. A function of its own: inside the closures below it took twice as long. */
function toUnit(bytes: Uint8Array, from: number, out: Float32Array, to: number, count: number): void {
  for (let i = 0; i < count; i++) out[to + i] = unit[bytes[from + i]];
}

/** Wraps bytes as a Source. Throws DataError when pixels, labels and classes do not fit together. */
export async function memorySource(options: MemorySourceOptions): Promise<Source> {
  const { name, title, licence, shape, classes, parts } = options;
  const [channels, height, width] = shape;
  const size = channels * height * width;
  const area = height * width;

  const items: SourceItem[] = [];
  const digests: string[] = [];
  for (const { part, labels, pixels, masks } of parts) {
    if (pixels.length !== labels.length * size || (masks && masks.length !== labels.length * area)) {
      throw new DataError(
        'count-mismatch',
        `${name}: ${labels.length} labels of ${part} need ${labels.length * size} pixels, got ${pixels.length}` +
          `${masks ? ` (and ${masks.length} mask pixels)` : ''}. Images and labels are not of the same set.`,
      );
    }
    for (let i = 0; i < labels.length; i++) {
      if (labels[i] >= classes.length) {
        throw new DataError(
          'labels',
          `${name}: class numbers must be below ${classes.length}, got ${labels[i]} at ${part}/${i}. The label file is corrupt.`,
        );
      }
      items.push({ id: `${part}/${i}`, class: labels[i], part });
    }
    digests.push(`${part} ${await sha256(labels)} ${await sha256(pixels)}${masks ? ` ${await sha256(masks)}` : ''}`);
  }
  const hash = await sha256(JSON.stringify({ shape, classes, parts: digests }));

  /** Calls `copy(part, position in the part, position in the output)` for every index. */
  function visit(
    indices: ArrayLike<number>,
    length: number,
    perItem: number,
    copy: (part: MemoryPart, from: number, to: number) => void,
  ) {
    if (length !== indices.length * perItem) {
      throw new ShapeError(`${name}: ${indices.length} items need ${indices.length * perItem} values, got ${length}.`);
    }
    for (let k = 0; k < indices.length; k++) {
      if (!(indices[k] >= 0 && indices[k] < items.length)) {
        throw new ShapeError(`${name}: item numbers must be in 0 … ${items.length - 1}, got ${indices[k]}.`);
      }
      let from = indices[k];
      let p = 0;
      while (from >= parts[p].labels.length) from -= parts[p++].labels.length;
      copy(parts[p], from, k);
    }
  }

  return {
    name,
    kind: 'image',
    title,
    licence,
    shape,
    classes,
    items,
    hash,
    async read(indices, out) {
      visit(indices, out.length, size, ({ pixels }, from, to) => {
        toUnit(pixels, from * size, out, to * size, size);
      });
    },
    ...(parts.length > 0 &&
      parts.every((p) => p.masks) && {
        async readMasks(indices: ArrayLike<number>, out: Uint8Array) {
          visit(indices, out.length, area, ({ masks }, from, to) => {
            out.set(masks!.subarray(from * area, (from + 1) * area), to * area);
          });
        },
      }),
  };
}
