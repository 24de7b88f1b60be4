/** Windows whose frames are skipped, so that all in them moves too fast: pseudo-anomalies of STEAL Net (Astrid et al. 2021). */
import { stepsBefore } from '../../../data/pure.ts';
import * as g from '../../../graph/ops/index.ts';
import type { Value } from '../../../graph/value.ts';
import { framesIn } from './frames.ts';

/** Frames from one to the next that is taken. */
const STRIDES = [2, 3, 4, 5];

/**
 * The frames of a window of L at a stride about the one that it stands for, which stays: `[L]` places. Those outside of the
 * window are mirrored at its ends.
 */
export function skippedPlaces(length: number, stride: number): number[] {
  const middle = stepsBefore(length);
  const period = 2 * (length - 1);
  return Array.from({ length }, (_, i) => {
    const place = (((middle + stride * (i - middle)) % period) + period) % period;
    return Math.min(place, period - place);
  });
}

/**
 * Windows `[N, L, C, H, W]`, L at least 2, a `share` of them with skipped frames: those whose number in [0, 1) of `uniform`
 * `[N]` is below it, at strides from 2 to 5 that are equally likely.
 */
export function skipFrames(x: Value, uniform: Value, share: number): Value {
  const u = g.reshape(uniform, [x.shape[0], 1, 1, 1, 1]);
  const length = framesIn(x);
  return STRIDES.reduceRight((y, stride, i) => {
    const below = g.greater((share * (i + 1)) / STRIDES.length, u);
    return g.where(below, g.gather(x, skippedPlaces(length, stride), 1), y);
  }, x);
}
