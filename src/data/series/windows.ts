/**
 * Windows of a series and the way back: from scores of windows to scores of steps. Windows are `[N, L, D]`, step after step,
 * and begin at every `stride`-th step; one more ends with the series where the stride would leave steps uncovered. So every
 * step lies in at least one window, and each way back gives every step a finite score. Left out: padding of the series.
 */
import { InternalError } from '../../core/errors.ts';
import { stepsAtLeast } from './check.ts';

/** Where the window of step t begins, inside of the steps from `from` to before `to`. */
export const windowStart = (t: number, window: number, from: number, to: number): number =>
  Math.min(Math.max(t - stepsBefore(window), from), to - window);

/** Steps before t that its window begins, where it can. */
export const stepsBefore = (window: number): number => Math.ceil((window - 1) / 2);

/** How windows lie in a series of `steps` steps. */
export interface WindowLayout {
  /** T. */
  readonly steps: number;
  /** L, at most T. */
  readonly length: number;
  /** Steps from the start of a window to that of the next, 1 to L. */
  readonly stride: number;
}

/** The first step of each window, in order. */
export function windowStarts({ steps, length, stride }: WindowLayout): Int32Array {
  if (!(length >= 1 && length <= steps && stride >= 1 && stride <= length))
    throw new InternalError(`windows of ${length} steps, stride ${stride}, of a series of ${steps}`);
  const last = steps - length;
  const starts = Int32Array.from({ length: Math.floor(last / stride) + 1 }, (_, i) => i * stride);
  return last % stride === 0 ? starts : Int32Array.of(...starts, last);
}

/**
 * Windows `[N, L, D]` of a series `[T, D]`. DataError where the series is shorter than a window, or a value is not finite,
 * with the step.
 */
export function windowsOf(
  values: Float64Array,
  { length, stride = 1, channels = 1 }: { length: number; stride?: number; channels?: number },
): Float64Array {
  const steps = stepsAtLeast(values, length, `A window of ${length} steps`, channels);
  const starts = windowStarts({ steps, length, stride });
  const size = length * channels;
  const out = new Float64Array(starts.length * size);
  for (let i = 0; i < starts.length; i++)
    out.set(values.subarray(starts[i] * channels, starts[i] * channels + size), i * size);
  return out;
}

/** Scores of steps `[T]`: the mean over the windows that cover a step, from scores of windows `[N]`. */
export function meanOfWindows(scores: Float64Array, layout: WindowLayout): Float64Array {
  const starts = startsFor(scores, layout);
  const { steps, length } = layout;
  const [sums, counts] = [new Float64Array(steps), new Int32Array(steps)];
  for (let i = 0; i < starts.length; i++) {
    for (let t = starts[i]; t < starts[i] + length; t++) {
      sums[t] += scores[i];
      counts[t] += 1;
    }
  }
  return sums.map((sum, t) => sum / counts[t]);
}

/** Maps of steps `[T, D]`: the mean over the windows that cover a step, from maps of windows `[N, L, D]`. */
export function meanOfMaps(maps: Float64Array, layout: WindowLayout, channels = 1): Float64Array {
  const { steps, length } = layout;
  const size = length * channels;
  const starts = windowStarts(layout);
  if (maps.length !== starts.length * size)
    throw new InternalError(`${maps.length} values for ${starts.length} windows of ${length}x${channels}`);
  const [sums, counts] = [new Float64Array(steps * channels), new Int32Array(steps)];
  for (let i = 0; i < starts.length; i++) {
    const to = starts[i] * channels;
    for (let k = 0; k < size; k++) sums[to + k] += maps[i * size + k];
    for (let t = starts[i]; t < starts[i] + length; t++) counts[t] += 1;
  }
  return sums.map((sum, k) => sum / counts[Math.floor(k / channels)]);
}

/**
 * Scores of steps `[T]`: the score of a window stands at its middle, ⌈(L − 1)/2⌉ steps after its start. A step between two
 * middles takes the nearer one, the earlier of two as near; steps before the first and after the last take theirs.
 */
export function centredScores(scores: Float64Array, layout: WindowLayout): Float64Array {
  const starts = startsFor(scores, layout);
  const middle = stepsBefore(layout.length);
  let i = 0;
  return new Float64Array(layout.steps).map((_, t) => {
    while (i + 1 < starts.length && starts[i + 1] + middle - t < t - (starts[i] + middle)) i++;
    return scores[i];
  });
}

/**
 * Scores of steps `[T]` that use no later step: the score of the last window that has ended. The first L − 1 steps have none
 * and take that of the first window.
 */
export function lastStepScores(scores: Float64Array, layout: WindowLayout): Float64Array {
  const starts = startsFor(scores, layout);
  let i = 0;
  return new Float64Array(layout.steps).map((_, t) => {
    while (i + 1 < starts.length && starts[i + 1] + layout.length - 1 <= t) i++;
    return scores[i];
  });
}

function startsFor(scores: Float64Array, layout: WindowLayout): Int32Array {
  const starts = windowStarts(layout);
  if (scores.length !== starts.length)
    throw new InternalError(`${scores.length} scores for ${starts.length} windows of ${layout.length} steps`);
  return starts;
}
