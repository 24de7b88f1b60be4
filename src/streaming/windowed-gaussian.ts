/**
 * The windowed Gaussian of the Numenta Anomaly Benchmark, its baseline: mean and deviation of the last values (6,400; while there
 * are fewer, of all; then renewed after every 100), and the score 1 − Q(|z|) with Q the tail of the normal distribution. Ours: the
 * first value has no score instead of 0, and of several channels the largest score counts.
 */
import * as z from 'zod';
import { defineStreamDetector } from './define.ts';

const config = z.strictObject({
  window: z.int().min(2).max(1_000_000).default(6400).describe('Values of which mean and deviation are taken.'),
  step: z.int().min(1).max(1_000_000).default(100).describe('Values after which a full window moves on.'),
});

/** The deviation of equal values, as published. */
const LEAST_DEVIATION = 1e-6;

/** Distances are cut here, so that their squares stay finite. */
const FARTHEST = 1e100;

/** The probability of a normal value above z ≥ 0; relative error below 1e-10. */
export function normalTail(z: number): number {
  const density = Math.exp(-0.5 * z * z) / Math.sqrt(2 * Math.PI);
  if (z > 4) {
    // Continued fraction of Laplace.
    let fraction = z;
    for (let k = 60; k >= 1; k--) fraction = z + k / fraction;
    return density / fraction;
  }
  let [term, sum] = [z, z];
  for (let k = 1; term > 1e-17 * sum; k++) {
    term *= (z * z) / (2 * k + 1);
    sum += term;
  }
  return 0.5 - density * sum;
}

/** Windowed Gaussian: score 0.5 to 1. */
export const windowedGaussian = defineStreamDetector({
  name: 'windowed-gaussian',
  title: 'Windowed Gaussian',
  summary: 'How far a value lies from the mean of the last values, as a probability; the baseline of NAB.',
  config,
  learn({ window, step }, channels) {
    const values = new Float64Array(window * channels);
    const waiting = new Float64Array(step * channels);
    /** Points in the window, and waiting to enter it. */
    const counters = new Int32Array(2);
    const mean = new Float64Array(channels);
    const deviation = new Float64Array(channels);

    const renew = () => {
      const count = counters[0];
      for (let c = 0; c < channels; c++) {
        let sum = 0;
        for (let i = c; i < count * channels; i += channels) sum += values[i];
        mean[c] = sum / count;
        let squares = 0;
        for (let i = c; i < count * channels; i += channels) squares += (values[i] - mean[c]) ** 2;
        deviation[c] = Math.sqrt(squares / count) || LEAST_DEVIATION;
      }
    };

    const learn = (point: Float64Array) => {
      if (counters[0] < window) {
        values.set(point, counters[0] * channels);
        counters[0] += 1;
        renew();
        return;
      }
      waiting.set(point, counters[1] * channels);
      counters[1] += 1;
      if (counters[1] < step) return;
      const entering = waiting.subarray(Math.max(0, waiting.length - values.length));
      values.copyWithin(0, entering.length);
      values.set(entering, values.length - entering.length);
      counters[1] = 0;
      renew();
    };

    return {
      arrays: { counters, values, waiting, mean, deviation },
      push(point) {
        if (counters[0] === 0) {
          learn(point);
          return { score: null };
        }
        const distances = point.map((value, c) => Math.min(FARTHEST, Math.abs(value - mean[c]) / deviation[c]));
        let [largest, squares] = [0, 0];
        for (let c = 0; c < channels; c++) {
          largest = Math.max(largest, distances[c]);
          squares += distances[c] ** 2;
        }
        const score = 1 - normalTail(largest);
        // By squared distance; all alike where every value is the mean.
        const parts = distances.map((z) => score * (squares > 0 ? z ** 2 / squares : 1 / channels));
        const expected = mean.slice();
        learn(point);
        return { score, expected, parts };
      },
    };
  },
});
