/**
 * The left matrix profile of a stream (Yeh et al. 2016, its update as in Zimmerman et al. 2019): the z-normalised distance of
 * the newest window to the nearest earlier one. The rules are those of the batch profile (`leftMatrixProfile` of the models): no
 * partners within ⌈L/4⌉ steps, two flat windows are at distance 0, a flat and another one at √L. Of several channels the mean
 * of their distances. Left out: pruning (DAMP), several neighbours.
 */
import * as z from 'zod';
import { defineStreamDetector } from './define.ts';

const config = z
  .strictObject({
    length: z.int().min(2).max(100_000).describe('L, steps of a window.'),
    history: z.int().min(4).max(10_000_000).default(10_000).describe('Last steps whose windows are compared.'),
  })
  .refine(({ length, history }) => history >= 2 * length, {
    path: ['history'],
    error: 'at least two windows long',
  });

/** Covariances are summed anew after so many steps: no rounding is carried further. */
const RENEW = 4096;
/** Steps kept beyond the history, so that arrays move rarely. */
const SLACK = 1024;

/** What the windows of a channel need; entry i is of step i or of the window that begins there. */
interface Channel {
  /** Less the level. */
  readonly values: Float64Array;
  readonly mean: Float64Array;
  /** 1 / ‖window − mean‖; 0 where the window is flat. */
  readonly inverseNorm: Float64Array;
  /** Factors of the update of covariances, see `updateFactors` of the batch profile. */
  readonly df: Float64Array;
  readonly dg: Float64Array;
  /** Of each window with the newest one. */
  readonly covariance: Float64Array;
  /** The mean of the first window, which is taken off all values, and the number of last values that are equal. */
  readonly numbers: Float64Array;
}

const fields = ['values', 'mean', 'inverseNorm', 'df', 'dg', 'covariance'] as const;

/** A new channel whose arrays are views of those that are saved. */
function channelOf(arrays: Record<string, Float64Array>, c: number, size: number): Channel {
  const view = (name: string, length: number) => arrays[name].subarray(c * length, (c + 1) * length);
  const [values, mean, inverseNorm, df, dg, covariance] = fields.map((name) => view(name, size));
  return { values, mean, inverseNorm, df, dg, covariance, numbers: view('numbers', 2) };
}

/** Mean, norm and update factors of window n, the newest; a window of equal values is flat exactly, whatever its norm. */
function addWindow({ values, mean, inverseNorm, df, dg, numbers }: Channel, n: number, length: number): void {
  let sum = 0;
  for (let t = n; t < n + length; t++) sum += values[t];
  mean[n] = sum / length;
  let squares = 0;
  for (let t = n; t < n + length; t++) squares += (values[t] - mean[n]) * (values[t] - mean[n]);
  inverseNorm[n] = numbers[1] >= length || squares === 0 ? 0 : 1 / Math.sqrt(squares);
  if (n === 0) return;
  const [enters, leaves] = [values[n + length - 1], values[n - 1]];
  df[n] = (enters - leaves) / 2;
  dg[n] = enters - mean[n] + (leaves - mean[n - 1]);
}

/** Σ (a − mean a)(b − mean b) over windows i and j. */
function covarianceAt({ values, mean }: Channel, i: number, j: number, length: number): number {
  let sum = 0;
  for (let k = 0; k < length; k++) sum += (values[i + k] - mean[i]) * (values[j + k] - mean[j]);
  return sum;
}

/** The covariances of windows `from` … n with window n, from those with window n − 1. */
function updateCovariances(channel: Channel, from: number, n: number, length: number, isAnew: boolean): void {
  const { covariance, df, dg } = channel;
  if (isAnew) {
    for (let j = from; j <= n; j++) covariance[j] = covarianceAt(channel, n, j, length);
    return;
  }
  const [dfn, dgn] = [df[n], dg[n]];
  for (let j = n; j > Math.max(0, from - 1); j--) covariance[j] = covariance[j - 1] + dfn * dg[j] + df[j] * dgn;
  if (from === 0) covariance[0] = covarianceAt(channel, n, 0, length);
}

/** The window among `from` … `to` that is nearest to window n; −1 where there is none. */
function nearest({ covariance, inverseNorm }: Channel, from: number, to: number, n: number): number {
  let [best, index, flat, other] = [Number.NEGATIVE_INFINITY, -1, -1, -1];
  for (let j = from; j <= to; j++) {
    const inverse = inverseNorm[j];
    if (inverse === 0) {
      if (flat < 0) flat = j;
    } else if (other < 0) other = j;
    if (covariance[j] * inverse > best) {
      best = covariance[j] * inverse;
      index = j;
    }
  }
  if (inverseNorm[n] === 0) return flat >= 0 ? flat : other;
  // A distance of √L is a correlation of one half.
  return best * inverseNorm[n] < 0.5 && flat >= 0 ? flat : index;
}

/** The distance of windows n and j by the definition. */
function distanceAt({ values, mean, inverseNorm }: Channel, n: number, j: number, length: number): number {
  let sum = 0;
  for (let k = 0; k < length; k++) {
    const difference = (values[n + k] - mean[n]) * inverseNorm[n] - (values[j + k] - mean[j]) * inverseNorm[j];
    sum += difference * difference;
  }
  return Math.sqrt(sum * length);
}

/** The last value of window j, brought to the mean and deviation of window n. */
function lastAlike({ values, mean, inverseNorm, numbers }: Channel, n: number, j: number, length: number): number {
  const scaled = inverseNorm[n] > 0 ? ((values[j + length - 1] - mean[j]) * inverseNorm[j]) / inverseNorm[n] : 0;
  return numbers[0] + mean[n] + scaled;
}

/** Left matrix profile: distance 0 to 2 √L; no score until a window has an earlier partner. */
export const leftProfile = defineStreamDetector({
  name: 'left-profile',
  title: 'Left matrix profile',
  summary: 'The distance of the newest window to the nearest earlier one; finds shapes that were not seen before.',
  config,
  learn({ length, history }, channels) {
    const size = history + SLACK;
    const arrays: Record<string, Float64Array> = {};
    for (const name of fields) arrays[name] = new Float64Array(channels * size);
    arrays.numbers = new Float64Array(channels * 2);
    const all = Array.from({ length: channels }, (_, c) => channelOf(arrays, c, size));
    /** Steps held, and windows since covariances were summed anew. */
    const counters = new Int32Array(2);
    const first = Math.ceil(length / 4) + 1;

    const makeRoom = () => {
      for (const channel of all) for (const name of fields) channel[name].copyWithin(0, SLACK);
      counters[0] -= SLACK;
    };

    const append = (channel: Channel, value: number, t: number) => {
      const { values, numbers } = channel;
      // The level is that of the first window, once there is one.
      values[t] = value - numbers[0];
      numbers[1] = t > 0 && values[t] === values[t - 1] ? numbers[1] + 1 : 1;
      if (t !== length - 1) return;
      let level = 0;
      for (let k = 0; k < length; k++) level += values[k] / length;
      for (let k = 0; k < length; k++) values[k] -= level;
      numbers[0] = level;
    };

    return {
      arrays: { counters, ...arrays },
      push(point) {
        if (counters[0] === size) makeRoom();
        const t = counters[0];
        const n = t - length + 1;
        counters[0] += 1;
        for (let c = 0; c < channels; c++) append(all[c], point[c], t);
        if (n < 0) return { score: null };
        const isAnew = counters[1] % RENEW === 0;
        counters[1] = (counters[1] % RENEW) + 1;
        const from = Math.max(0, counters[0] - history);
        const parts = new Float64Array(channels);
        const expected = new Float64Array(channels);
        let score = 0;
        for (let c = 0; c < channels; c++) {
          const channel = all[c];
          addWindow(channel, n, length);
          updateCovariances(channel, from, n, length, isAnew);
          const partner = nearest(channel, from, n - first, n);
          if (partner < 0) continue;
          parts[c] = distanceAt(channel, n, partner, length) / channels;
          expected[c] = lastAlike(channel, n, partner, length);
          score += parts[c];
        }
        return n < first ? { score: null } : { score, expected, parts };
      },
    };
  },
});
