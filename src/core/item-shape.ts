/**
 * Shapes of items: an image `[C, H, W]`, a row of a table `[D]`, a window of a series `[L, D]`. The number of axes says
 * which it is, so nothing else has to.
 */
import { ShapeError } from './errors.ts';

/** Channels, height, width. */
export type ImageShape = readonly [number, number, number];

/** Shape of one item of any kind. */
export type ItemShape = readonly number[];

export type ItemKind = 'image' | 'table' | 'series';

const kinds: readonly ItemKind[] = ['table', 'series', 'image'];

/** What an item of this shape is. Throws ShapeError for shapes of no kind. */
export function kindOf(shape: ItemShape): ItemKind {
  const kind = kinds[shape.length - 1];
  if (kind) return kind;
  throw new ShapeError(`An item must be [C,H,W], [L,D] or [D], got [${shape.join(',')}].`);
}

export function isImage(shape: ItemShape): shape is ImageShape {
  return shape.length === 3;
}

/** Values of one item. */
export function itemSize(shape: ItemShape): number {
  return shape.reduce((n, d) => n * d, 1);
}

/** Values of one map: a pixel of an image has one, whatever its channels; of other items every value has its own. */
export function mapSize(shape: ItemShape): number {
  return isImage(shape) ? shape[1] * shape[2] : itemSize(shape);
}
