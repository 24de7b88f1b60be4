/**
 * Shapes of items: an image `[C, H, W]`, a row of a table `[D]`, a window of a series `[L, D]`. The number of axes says
 * which it is, so nothing else has to.
 */
/** Channels, height, width. */
export type ImageShape = readonly [number, number, number];

/** Shape of one item of any kind. */
export type ItemShape = readonly number[];

/** Name of a kind of item: `image`, `table`, `series`, or one of a plugin (`src/kinds`). */
export type ItemKind = 'image' | 'table' | 'series' | (string & {});

export function isImage(shape: ItemShape): shape is ImageShape {
  return shape.length === 3;
}

/** Values of one item. */
export function itemSize(shape: ItemShape): number {
  return shape.reduce((n, d) => n * d, 1);
}
