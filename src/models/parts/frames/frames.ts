/** Frames of a batch of clips `[N, L, C, H, W]`: which one a window stands for, and frames at a size of their own. */
import { stepsBefore } from '../../../data/pure.ts';
import * as g from '../../../graph/ops/index.ts';
import type { Value } from '../../../graph/value.ts';

/** L. */
export const framesIn = (x: Value): number => x.shape[1] as number;

/** The frame at a place of each window, `[N, C, H, W]`. */
export const frameAt = (x: Value, at: number): Value => g.pick(x, 1, at);

/** The frame that each window stands for, or one some frames before or behind it: `[N, C, H, W]`. */
export const judgedFrame = (x: Value, offset = 0): Value => frameAt(x, stepsBefore(framesIn(x)) + offset);

/** The mean over channels of frames, brought to a square of `side` pixels without aliasing: `[N, 1, side, side]`. */
export const greySquare = (frame: Value, side: number): Value =>
  g.resizeBilinear(g.reduceMean(frame, { axes: [1], keep: true }), [side, side], { antialias: true });
