/** Images `[C, H, W]` in [0, 1]: from files, Blobs and pixels to values; from maps to regions. */
import { DataError, ShapeError } from '../core/errors.ts';
import type { ImageShape } from '../core/item-shape.ts';
import { fitImage, type Pixels, withoutAlpha, writeUnit } from '../data/pure.ts';
import { regionsAbove } from '../metrics/index.ts';
import { defineKind, type FittedImage, type ImageRegion, type ReadContext, type Size } from './define.ts';

/**
 * Pixels, row by row from the top left, the channels of a pixel side by side, as in a page's `ImageData`: 1 grey, 3 red,
 * green and blue, or 4 with an alpha: what is transparent is laid over white. Bytes (0 to 255), 16 bits (0 to 65535) or
 * floats in [0, 1].
 */
export interface RawImage {
  readonly data: Uint8Array | Uint8ClampedArray | Uint16Array | Float32Array;
  readonly width: number;
  readonly height: number;
}

/** An image as a caller has it: a path or URL, the bytes of a file (a Buffer), a Blob or File, or pixels. */
export type ImageInput = string | URL | Uint8Array | Blob | RawImage;

export const image = defineKind<ImageInput>({
  name: 'image',
  axes: 3,
  words: { item: 'image', items: 'images', data: 'images', place: 'pixel', places: 'pixels' },
  input: { name: 'image', layout: 'NCHW', range: [0, 1] },
  batch: 256,
  mapShape: ([, height, width]) => [height, width],

  async read(item, context) {
    const shape = context.shape as ImageShape;
    const { data, height, width, isRaw } = await fitted(item, shape, context);
    const values = new Float32Array(data.length);
    if (isRaw && !context.valueRange) checkUnitRange(data as Float32Array);
    // Floats that a program passes are [0, 1] already.
    writeUnit(data, values, 0, data instanceof Float32Array && !isRaw ? undefined : context.valueRange);
    return { values, size: { height, width } };
  },

  locate(map, { shape, mapThreshold, size }) {
    if (mapThreshold === null) return { regions: [] };
    const [, height, width] = shape;
    return { regions: regionsOf(map, mapThreshold, { height, width }, size ?? { height, width }) };
  },
});

async function fitted(item: ImageInput, shape: ImageShape, { readImage, fitFile }: ReadContext): Promise<FittedImage> {
  if (fitFile && typeof item === 'string' && isPath(item)) return fitFile(item, shape);
  const pixels = await pixelsOf(item, readImage);
  const { height, width, isRaw } = pixels;
  return { data: fitImage(pixels, shape), height, width, ...(isRaw && { isRaw }) };
}

/** True for a text that is a path and no URL. */
export const isPath = (text: string): boolean => !/^(https?|data|blob|file):/.test(text);

/** Decodes what is no pixels yet, and checks what is. */
export async function pixelsOf(item: ImageInput, readImage: ReadContext['readImage']): Promise<Pixels> {
  if (!isRawImage(item)) {
    if (readImage) return readImage(item);
    throw new DataError('no-decoder', 'Image files cannot be decoded here. Pass pixels: {data, width, height}.');
  }
  const { data, width, height } = item;
  const channels = data.length / (width * height);
  if (!(width > 0 && height > 0) || (channels !== 1 && channels !== 3 && channels !== 4)) {
    throw new ShapeError(
      `An image of ${width} x ${height} (width x height) must have 1, 3 or 4 values per pixel, got ${data.length} values in total.`,
    );
  }
  if (data instanceof Float32Array) checkUnitRange(data);
  const plain = data instanceof Uint8ClampedArray ? new Uint8Array(data.buffer, data.byteOffset, data.length) : data;
  if (channels !== 4) return { data: plain, width, height, channels };
  return { data: withoutAlpha(plain, 4, 'white'), width, height, channels: 3 };
}

/** Throws DataError `value-range` or `not-finite` unless all values are in [0, 1]. */
export function checkUnitRange(values: Float32Array): void {
  for (let i = 0; i < values.length; i++) {
    const v = values[i];
    if (v >= 0 && v <= 1) continue;
    if (!Number.isFinite(v)) {
      throw new DataError(
        'not-finite',
        `Images must have finite values, found ${v} at position ${i}. Leave broken images out.`,
      );
    }
    throw new DataError(
      'value-range',
      `Images must have values in [0, 1], found ${v} at position ${i}. ` +
        (v > 1 ? 'Divide bytes by 255, or pass them as a Uint8Array.' : 'Shift and scale them to [0, 1].'),
    );
  }
}

function isRawImage(item: ImageInput): item is RawImage {
  return typeof item === 'object' && 'data' in item && 'width' in item && 'height' in item;
}

/** Connected regions of the map at or above a threshold, in pixels of the image. */
function regionsOf(map: Float32Array, threshold: number, mapSize: Size, size: Size): ImageRegion[] {
  const [across, down] = [size.width / mapSize.width, size.height / mapSize.height];
  return regionsAbove(map, threshold, mapSize.height, mapSize.width)
    .regions.map((r) => {
      const [x, y] = [Math.floor(r.x * across), Math.floor(r.y * down)];
      return {
        x,
        y,
        width: Math.ceil((r.x + r.width) * across) - x,
        height: Math.ceil((r.y + r.height) * down) - y,
        area: Math.round(r.area * across * down),
        peak: r.peak!,
      };
    })
    .sort((a, b) => b.peak - a.peak);
}
