/** Depths and widths of networks that fit themselves to an image. */
import type { ImageShape } from '../../define.ts';

/** Halvings that leave at least `least` of a side: ⌊log₂(side / least)⌋. */
export const halvingsAbove = (side: number, least: number): number => Math.floor(Math.log2(side / least));

/** Halvings that leave at most `most` of a side: ⌈log₂(side / most)⌉. */
export const halvingsBelow = (side: number, most: number): number => Math.ceil(Math.log2(side / most));

/** Filters at a level from 0: each level has twice as many as the one before, up to 2^doublings times the first. */
export const filtersAt = (width: number, level: number, doublings = 3): number => width << Math.min(level, doublings);

/** `filtersAt` of all levels. */
export const widthsOf = (width: number, levels: number): number[] =>
  Array.from({ length: levels }, (_, level) => filtersAt(width, level));

/** Sizes at which a U-Net works, each half of the one before: such that the smallest is about 4 pixels or more. */
export const levelsFor = (side: number, most: number): number =>
  Math.max(1, Math.min(most, halvingsAbove(side, 4) + 1));

/** Halvings until the shorter side is 4 to 7 pixels: 28 → 14 → 7, 64 → 4. */
export const depthOf = ([, height, width]: ImageShape): number =>
  Math.max(1, halvingsAbove(Math.min(height, width), 4));

/** Height and width after `depth` halvings, rounded up: what a generator makes too large is cut off. */
export const shrunk = ([, height, width]: ImageShape, depth: number): number[] =>
  [height, width].map((side) => Math.ceil(side / 2 ** depth));
