/**
 * Sizes of a batch by name, and items in the range and at the sides that a network wants. What is said of images leaves
 * rows as they are.
 */
import * as g from '../../graph/ops/index.ts';
import type { Value } from '../../graph/value.ts';
import type { ImageShape } from '../define.ts';

/** N of a training batch, where it is a number. */
export const countOf = (x: Value) => x.shape[0] as number;

/** Shape of one item of a batch: `[C, H, W]` of images, `[D]` of rows. */
export const itemShapeOf = (x: Value) => x.shape.slice(1) as number[];

/** `[C, H, W]` of a batch of images. */
export const imageShapeOf = (x: Value) => x.shape.slice(1) as unknown as ImageShape;

/** C of images and of grids of features, D of rows. */
export const channelsOf = (x: Value) => x.shape[1] as number;

/** Height and width of images or of grids of features. */
export const sidesOf = (x: Value) => x.shape.slice(2) as [number, number];

/** Values of one item of a batch. */
export const sizeOf = (x: Value) => itemShapeOf(x).reduce((n, d) => n * d, 1);

const ofImages = (x: Value, f: (images: Value) => Value): Value => (x.shape.length === 4 ? f(x) : x);

/** [0, 1] → [−1, 1]. */
export const signed = (x: Value): Value => g.sub(g.mul(x, 2), 1);

/** [−1, 1] → [0, 1]. */
export const unsigned = (x: Value): Value => g.mul(g.add(x, 1), 0.5);

/** Images in [−1, 1], as generators that end in tanh make them. */
export const signedItems = (x: Value): Value => ofImages(x, signed);

/** Generated images in [0, 1]. */
export const unsignedItems = (x: Value): Value => ofImages(x, unsigned);

/** Differences of images in [−1, 1], in units of [0, 1]. */
export const unsignedDifference = (d: Value): Value => ofImages(d, (images) => g.mul(images, 0.5));

/** Images with black pixels on the right and below, up to whole multiples of `step`. */
export function padTo(x: Value, step: number): Value {
  return ofImages(x, (images) => {
    const [down, right] = sidesOf(images).map((side) => Math.ceil(side / step) * step - side);
    return g.padAll(images, [0, 0, 0, 0], [0, 0, down, right]);
  });
}

/** Takes such padding off: the upper left part of images, at the given height and width. */
export function cropTo(x: Value, [height, width]: readonly number[]): Value {
  return ofImages(x, (images) => g.slice(images, { 2: [0, height], 3: [0, width] }));
}

/** Images in [−1, 1], padded with black to whole multiples of `step`. */
export const toSigned = (x: Value, step: number): Value => signedItems(padTo(x, step));

/** What `toSigned` did undone: the upper left part at the sides of `like`, in [0, 1]. */
export const fromSigned = (x: Value, like: Value): Value => unsignedItems(cropTo(x, sidesOf(like)));
