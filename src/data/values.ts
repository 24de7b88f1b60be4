/** A source of values that a program holds in memory: arrays of any kind of item. */
import { ShapeError } from '../core/errors.ts';
import { type ItemKind, type ItemShape, itemSize } from '../core/item-shape.ts';
import { sha256 } from './hash.ts';
import type { Source } from './item.ts';

export interface ValuesSourceOptions {
  readonly kind: ItemKind;
  /** Of one item. */
  readonly shape: ItemShape;
  /** Items one after the other. Kept, not copied. */
  readonly values: Float32Array;
  /** Default `values`. */
  readonly name?: string;
  /** 1 = anomalous, an item each; all normal unless given. */
  readonly labels?: ArrayLike<number>;
  /** Default their positions from 0. */
  readonly ids?: readonly string[];
}

/** Wraps values as a Source, all items of the training part. Throws ShapeError when their number does not fit the shape. */
export async function valuesSource(options: ValuesSourceOptions): Promise<Source> {
  const { kind, shape, values, name = 'values', labels, ids } = options;
  const size = itemSize(shape);
  const count = values.length / size;
  if (!Number.isInteger(count)) {
    throw new ShapeError(`Items of ${shape.join('x')} need a multiple of ${size} values, got ${values.length}.`);
  }
  if (labels && labels.length !== count) {
    throw new ShapeError(`${count} items need ${count} labels, got ${labels.length}.`);
  }
  const classes = labels ? ['normal', 'anomalous'] : ['normal'];
  const items = Array.from({ length: count }, (_, i) => ({
    id: ids?.[i] ?? String(i),
    class: labels ? Number(labels[i] !== 0) : 0,
    part: 'train' as const,
  }));
  const bytes = new Uint8Array(values.buffer as ArrayBuffer, values.byteOffset, values.byteLength);
  const facts = JSON.stringify({
    kind,
    shape,
    labels: labels ? Array.from(labels) : null,
    values: await sha256(bytes),
  });
  return {
    name,
    kind,
    title: name,
    licence: 'that of the caller',
    shape,
    classes,
    normalClass: 0,
    items,
    hash: await sha256(facts),
    async read(indices, out) {
      if (out.length !== indices.length * size) {
        throw new ShapeError(
          `${name}: ${indices.length} items need ${indices.length * size} values, got ${out.length}.`,
        );
      }
      for (let k = 0; k < indices.length; k++) {
        const from = indices[k] * size;
        if (!(from >= 0 && from < values.length)) {
          throw new ShapeError(`${name}: item numbers must be in 0 … ${count - 1}, got ${indices[k]}.`);
        }
        out.set(values.subarray(from, from + size), k * size);
      }
    },
  };
}
