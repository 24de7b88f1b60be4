/**
 * A threshold that is a quantile of the last scores: the plainest one that follows a stream. Scores above it are learnt like all
 * others, so it rises with a lasting change and alarms end. Left out: an interval for the rate.
 */
import * as z from 'zod';
import { defineStreamThreshold } from './define.ts';
import { quantileOf } from './spot.ts';

const config = z.strictObject({
  window: z.int().min(2).max(1_000_000).default(1000).describe('Last scores of which the quantile is taken.'),
  quantile: z.number().min(0.5).max(1).default(0.99).describe('Share of these scores at or below the threshold.'),
  calibration: z.int().min(2).max(1_000_000).default(100).describe('Scores before there is a threshold.'),
});

/** The first place of a sorted array, of which `count` values are used, whose value is not below `value`. */
function placeOf(sorted: Float64Array, count: number, value: number): number {
  let [low, high] = [0, count];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The quantile of the last scores before a score; the score exceeds it where it is larger. */
export const rollingQuantile = defineStreamThreshold({
  name: 'rolling-quantile',
  title: 'Rolling quantile',
  summary: 'A quantile of the last scores.',
  config,
  learn({ window, quantile, calibration }) {
    const least = Math.min(window, calibration);
    /** The last scores in their order, round and round, and the same sorted. */
    const last = new Float64Array(window);
    const sorted = new Float64Array(window);
    /** Scores held, and the place of the next. */
    const counters = new Int32Array(2);
    return {
      arrays: { counters, last, sorted },
      push(score) {
        const held = counters[0];
        const threshold = held < least ? null : quantileOf(sorted.subarray(0, held), quantile);
        if (held === window)
          sorted.copyWithin(placeOf(sorted, held, last[counters[1]]), placeOf(sorted, held, last[counters[1]]) + 1);
        const kept = Math.min(held, window - 1);
        const place = placeOf(sorted, kept, score);
        sorted.copyWithin(place + 1, place, kept);
        sorted[place] = score;
        last[counters[1]] = score;
        counters.set([kept + 1, (counters[1] + 1) % window]);
        return { threshold, exceeds: threshold !== null && score > threshold };
      },
    };
  },
});
