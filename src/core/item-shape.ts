/**
 * Shapes of items: an image `[C, H, W]`, a row of a table `[D]`, a window of a series `[L, D]` or of a clip `[L, C, H, W]`. The
 * number of axes says which it is, so nothing else has to.
 */
/** Channels, height, width. */
export type ImageShape = readonly [number, number, number];

/** Frames, channels, height, width. */
export type ClipShape = readonly [number, number, number, number];

/** Shape of one item of any kind. */
export type ItemShape = readonly number[];

/** Name of a kind of item: `image`, `table`, `series`, `clip`, or one of a plugin (`src/kinds`). */
export type ItemKind = 'image' | 'table' | 'series' | 'clip' | (string & {});

export function isImage(shape: ItemShape): shape is ImageShape {
  return shape.length === 3;
}

export function isClip(shape: ItemShape): shape is ClipShape {
  return shape.length === 4;
}

/** The shape of an image, or of one frame of a window of a clip; undefined for items without pixels. */
export function pictureShape(shape: ItemShape): ImageShape | undefined {
  return isImage(shape) ? shape : isClip(shape) ? [shape[1], shape[2], shape[3]] : undefined;
}

/** Values of one item. */
export function itemSize(shape: ItemShape): number {
  return shape.reduce((n, d) => n * d, 1);
}
