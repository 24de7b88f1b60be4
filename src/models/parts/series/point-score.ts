/**
 * The point score: how unusual a step from one value to the next is, in robust units. Finds isolated points and sudden jumps, and
 * knows nothing of shapes. The first differences are divided by their own spread about their median (1.4826 times the median
 * absolute deviation, or the standard deviation where more than half of them are equal), and the largest over a period counts.
 */
import { stepsAtLeast } from '../../../data/series/check.ts';

/** 1 / the 75th percentile of the standard normal distribution: makes the median absolute deviation a standard deviation. */
export const NORMAL_MAD = 1.4826;

/** The median of finite values; the mean of the two middle ones where their count is even. */
export function medianOf(values: Float64Array): number {
  const sorted = values.slice().sort();
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/**
 * Scores of steps `[T]`, at least 0, of a series `[T]`: the largest within ⌊`period` / 2⌋ steps on either side. A constant series
 * scores 0. DataError where the series has fewer than two steps or a value is not finite.
 */
export function pointScores(values: Float64Array, period: number): Float64Array {
  const steps = stepsAtLeast(values, 2, 'A point score');
  const changes = new Float64Array(steps - 1).map((_, t) => values[t + 1] - values[t]);
  const middle = medianOf(changes);
  const sizes = changes.map((change) => Math.abs(change - middle));
  const mad = NORMAL_MAD * medianOf(sizes);
  const spread = mad > 0 ? mad : Math.sqrt(sizes.reduce((sum, size) => sum + size ** 2 / sizes.length, 0));
  const scores = new Float64Array(steps);
  if (spread === 0) return scores;
  for (let t = 0; t + 1 < steps; t++) scores[t + 1] = sizes[t] / spread;
  return largestWithin(scores, Math.floor(period / 2));
}

/** The largest of the values `[T]` within `reach` places on either side: a queue of falling values, each entering once. */
export function largestWithin(values: Float64Array, reach: number): Float64Array {
  const queue = new Int32Array(values.length);
  let [first, end, next] = [0, 0, 0];
  return values.map((_, t) => {
    for (; next < values.length && next <= t + reach; next++) {
      while (end > first && values[queue[end - 1]] <= values[next]) end--;
      queue[end++] = next;
    }
    while (queue[first] < t - reach) first++;
    return values[queue[first]];
  });
}
