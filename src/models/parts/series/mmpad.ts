/**
 * The k-th neighbour of each window by correlation, neighbours not overlapping each other (MMPAD: Yeh et al. 2024, arXiv
 * 2409.09298, and 2604.02445). A motif that repeats a few times does not hide an anomaly that comes twice. Several channels:
 * per pair of windows the correlations of the channels are sorted, and the one at `fraction` of them from below counts
 * (multidimensional matrix profile, Yeh et al. 2017, for discords).
 *
 * Deviations, because the published program divides rounding by a floor there: channels that are constant throughout are left
 * out; a window whose standard deviation is below a millionth of its channel's is flat, two flat windows have correlation 1 and
 * a flat and another one 0. Left out: the published halving of series of more than three million steps.
 */
import { stepsAtLeast } from '../../../data/series/check.ts';
import { meanOfWindows } from '../../../data/series/windows.ts';
import { CovarianceRows } from './correlation-rows.ts';
import { type WindowStatistics, windowStatistics } from './window-statistics.ts';

export interface MmpadOptions {
  /** L, at least 2; the published rule is `mmpadLength`. */
  readonly length: number;
  /** k; published: 5 for one channel, 15 for several. */
  readonly neighbours: number;
  /** D of values `[T, D]`, default 1. */
  readonly channels?: number;
  /** Share of the channels, 0 to 1, by the rank of which a pair counts; published: .7. */
  readonly fraction?: number;
}

/** The window length of MMPAD for a series whose period is `period` steps. */
export const mmpadLength = (period: number): number => Math.max(64, period);

/** Standard deviation of a window, as a share of its channel's, below which it is flat. */
const FLAT = 1e-6;
/** Correlations whose largest is kept, so that a row is not searched k times. */
const BLOCK = 64;

/** Pairs of windows that `mmpadProfile` compares: an estimate of its cost, which is that many times the channels. */
export function mmpadPairs(steps: number, length: number): number {
  return (steps - length + 1) ** 2;
}

/**
 * Scores of steps `[T]` in [0, 1] of a series `[T, D]`: `mmpadProfile` scaled to [0, 1], and the mean over the windows that
 * cover a step. All 0 where no channel varies.
 */
export function mmpadScores(values: Float64Array, options: MmpadOptions): Float64Array {
  const profile = mmpadProfile(values, options);
  let [least, largest] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const score of profile) {
    if (score < least) least = score;
    if (score > largest) largest = score;
  }
  const range = largest - least;
  const scaled = profile.map((score) => (range > 0 ? (score - least) / range : 0));
  const steps = values.length / (options.channels ?? 1);
  return meanOfWindows(scaled, { steps, length: options.length, stride: 1 });
}

/**
 * The negative correlation of each window with its k-th neighbour, `[T − L + 1]` in [−1, 1]; the last that was found where
 * there are fewer. DataError where a window has no neighbour or a value is not finite.
 */
export function mmpadProfile(values: Float64Array, options: MmpadOptions): Float64Array {
  const { length, neighbours, channels = 1, fraction = 0.7 } = options;
  const apart = Math.floor(length / 2);
  const steps = stepsAtLeast(values, length + 2 * apart, `A neighbour for each window of ${length} steps`, channels);
  const windows = varying(values, channels).map(({ x, std }) => windowStatistics(x, length, FLAT * std));
  const count = steps - length + 1;
  if (windows.length === 0) return new Float64Array(count);
  const rows = windows.map((channel) => new CovarianceRows(channel));
  const rank = Math.max(Math.ceil(fraction * windows.length), 1) - 1;
  const similarity = new Float64Array(count);
  const largest = new Float64Array(Math.ceil(count / BLOCK));
  const out = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    const covariances = rows.map((row) => row.next());
    if (windows.length === 1) correlations(windows[0], i, covariances[0], similarity);
    else rankedCorrelations(windows, i, covariances, rank, similarity);
    out[i] = 0 - kthLargest(similarity, largest, { at: i, apart, k: neighbours });
  }
  return out;
}

/** The channels that are not constant, with their standard deviations. */
function varying(values: Float64Array, channels: number): { x: Float64Array; std: number }[] {
  const steps = values.length / channels;
  return Array.from({ length: channels }, (_, c) => {
    const x = channels === 1 ? values : new Float64Array(steps).map((_, t) => values[t * channels + c]);
    let [mean, squares] = [0, 0];
    for (const value of x) mean += value / steps;
    for (const value of x) squares += (value - mean) ** 2 / steps;
    return { x, std: Math.sqrt(squares) };
  }).filter(({ x }) => x.some((value) => value !== x[0]));
}

/** Correlations of window i with all windows of a channel. */
function correlations(windows: WindowStatistics, i: number, covariance: Float64Array, out: Float64Array): void {
  const { inverseNorm, flat, count } = windows;
  if (flat[i]) {
    for (let j = 0; j < count; j++) out[j] = flat[j];
    return;
  }
  const own = inverseNorm[i];
  for (let j = 0; j < count; j++) out[j] = covariance[j] * own * inverseNorm[j];
}

/** Per window, the correlation of this rank from below among the channels. */
function rankedCorrelations(
  windows: readonly WindowStatistics[],
  i: number,
  covariances: readonly Float64Array[],
  rank: number,
  out: Float64Array,
): void {
  const sorted = new Float64Array(windows.length);
  for (let j = 0; j < out.length; j++) {
    for (let c = 0; c < windows.length; c++) {
      const { inverseNorm, flat } = windows[c];
      const value = flat[i] ? flat[j] : covariances[c][j] * inverseNorm[i] * inverseNorm[j];
      // Insertion: there are few channels.
      let at = c;
      for (; at > 0 && sorted[at - 1] > value; at--) sorted[at] = sorted[at - 1];
      sorted[at] = value;
    }
    out[j] = sorted[rank];
  }
}

/**
 * The k-th largest value of `row`, of those that lie `apart` from `at` and from each other; the last found where there are
 * fewer. Overwrites `row`; `largest` holds the maxima of its blocks.
 */
function kthLargest(
  row: Float64Array,
  largest: Float64Array,
  { at, apart, k }: { at: number; apart: number; k: number },
): number {
  row.fill(Number.NEGATIVE_INFINITY, Math.max(0, at - apart), at + apart);
  for (let block = 0; block < largest.length; block++) largest[block] = largestOf(row, block);
  let found = Number.NEGATIVE_INFINITY;
  for (let turn = 0; turn < k; turn++) {
    let best = 0;
    for (let block = 1; block < largest.length; block++) if (largest[block] > largest[best]) best = block;
    if (largest[best] === Number.NEGATIVE_INFINITY) break;
    found = largest[best];
    if (turn === k - 1) break;
    const j = row.indexOf(found, best * BLOCK);
    const [from, to] = [Math.max(0, j - apart), Math.min(row.length, j + apart)];
    row.fill(Number.NEGATIVE_INFINITY, from, to);
    for (let block = Math.floor(from / BLOCK); block * BLOCK < to; block++) largest[block] = largestOf(row, block);
  }
  return found;
}

function largestOf(row: Float64Array, block: number): number {
  const end = Math.min((block + 1) * BLOCK, row.length);
  let best = Number.NEGATIVE_INFINITY;
  for (let j = block * BLOCK; j < end; j++) if (row[j] > best) best = row[j];
  return best;
}
