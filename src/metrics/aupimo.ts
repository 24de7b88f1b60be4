/**
 * AUPIMO, the area under the per-image overlap curve (Bertoldo et al., AUPIMO: redefining anomaly localization benchmarks
 * with high speed and low tolerance, BMVC 2024, arXiv 2401.01984): how much of the defect of each image is found at
 * thresholds at which next to no pixel of a normal image is. Only normal images say what a threshold costs, and each
 * anomalous image has a value of its own, so that a mean cannot hide the images in which nothing is found.
 *
 *     FPR(t) = mean over the normal images of the share of their pixels with a score >= t
 *     TPR_i(t) = share of the anomalous pixels of image i with a score >= t
 *     AUPIMO_i = 1 / ln(U / L) · ∫ TPR_i d ln FPR for FPR from L to U, [L, U] = [1e-5, 1e-4]
 *
 * Thresholds are spaced evenly between the least and the largest score of normal images, as in the authors' code; the
 * range runs from the threshold with the rate nearest to U to the one nearest to L. Left out: rates outside of anomalous
 * images, and the authors' pairwise tests of detectors.
 */
import { ConfigError } from '../core/errors.ts';
import { defineMetric, type MapAccumulator } from './define.ts';
import { mustCover } from './regions.ts';

/** How AUPIMO is computed; the defaults are the authors'. */
export interface AupimoOptions {
  /** L and U, rates of false-positive pixels with 0 < L < U <= 1; [1e-5, 1e-4] when left out. */
  readonly bounds?: readonly [lower: number, upper: number];
  /** Number of thresholds, at least 2; 300,000 when left out. */
  readonly thresholds?: number;
  /** Thresholds that the range must have at least; 31 when left out. */
  readonly leastPoints?: number;
  /** Anomalous pixels up to which every value is exact; 2^25 when left out, 4 bytes each. */
  readonly exactPixels?: number;
}

/** What maps come to. */
export interface Aupimo {
  /** A value in [0, 1] for each map in the order in which they were added; NaN for normal ones, and where there is none. */
  readonly perMap: Float64Array;
  /** Their mean over the anomalous ones; null when undefined. */
  readonly mean: number | null;
  /** Thresholds in the range. */
  readonly points: number;
  /** Why there are no values, as a sentence; null where there are. */
  readonly reason: string | null;
  /** Said where the range has few thresholds, below 300: the values are coarse. Null otherwise. */
  readonly warning: string | null;
}

/** Below so many thresholds values are called coarse. */
const FEW_POINTS = 300;
/** Anomalous pixels of an image that stay apart when there are too many of all. */
const KEPT_APART = 4096;

/** The scores of one map that are kept, falling; each stands for `each` pixels of `total`. */
interface Kept {
  values: Float32Array;
  each: number;
  readonly total: number;
}

/**
 * An accumulator of AUPIMO. Maps without an anomalous pixel are the normal ones; pixels of theirs that `counted` leaves
 * out do not count. Keeps the highest scores of each normal map and the scores of anomalous pixels.
 * @throws ConfigError for bounds and numbers out of range.
 */
export function aupimo(options: AupimoOptions = {}): MapAccumulator<Aupimo> {
  const { bounds = [1e-5, 1e-4], thresholds = 300_000, leastPoints = 31, exactPixels = 2 ** 25 } = options;
  const [lower, upper] = bounds;
  if (!(lower > 0 && lower < upper && upper <= 1))
    throw new ConfigError(
      'bounds',
      `The bounds of AUPIMO must be 0 < lower < upper <= 1, got ${bounds.join(' and ')}.`,
    );
  if (!(Number.isInteger(thresholds) && thresholds >= 2))
    throw new ConfigError('thresholds', `The number of thresholds must be a whole number from 2, got ${thresholds}.`);
  // The mean over n images reaches U before one of them has more than the share n · U above: exact up to 500 such images.
  const share = Math.min(1, 500 * upper);
  const normals: Kept[] = [];
  const anomalous: { readonly at: number; readonly kept: Kept }[] = [];
  let [maps, low, high, pixels, notNumbers, apart] = [0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, 0, 0];
  return {
    add({ map, mask, height, width, counted }) {
      mustCover('A map', map, height, width);
      mustCover('A mask', mask, height, width);
      if (counted) mustCover('What is counted', counted, height, width);
      pixels += map.length;
      let [defects, left] = [0, 0];
      for (let i = 0; i < map.length; i++) {
        if (mask[i] !== 0) defects++;
        if (counted?.[i] === 0) left++;
      }
      if (defects > 0) {
        const own = chosen(map, defects, (i) => mask[i] !== 0);
        notNumbers += own.reduce((n, v) => (Number.isNaN(v) ? n + 1 : n), 0);
        anomalous.push({ at: maps, kept: { values: own.sort().reverse(), each: 1, total: own.length } });
        apart += own.length;
        while (apart > exactPixels) {
          const before = apart;
          apart = anomalous.reduce((sum, { kept }) => sum + thin(kept), 0);
          if (apart === before) break;
        }
      } else if (map.length > left) {
        const own = left === 0 ? map : chosen(map, map.length - left, (i) => counted![i] !== 0);
        const range = rangeOf(own);
        notNumbers += range.notNumbers;
        if (range.low < low) low = range.low;
        if (range.high > high) high = range.high;
        const top = Math.max(1, Math.ceil(share * own.length));
        normals.push({ values: highest(own, top, range), each: 1, total: own.length });
      }
      maps++;
    },
    result() {
      const perMap = new Float64Array(maps).fill(Number.NaN);
      const none = (reason: string, points = 0): Aupimo => ({ perMap, mean: null, points, reason, warning: null });
      if (maps === 0) return none('There are no maps with masks.');
      if (notNumbers > 0) return none(`${notNumbers} of ${pixels} pixels of the maps are not a number.`);
      if (anomalous.length === 0) return none('No map has an anomalous pixel.');
      if (normals.length === 0) return none('There are no maps of normal images.');
      if (low === high) return none('The maps of the normal images are constant.');
      if (!Number.isFinite(high - low)) return none('The maps of the normal images have infinite values.');
      const step = (high - low) / (thresholds - 1);
      const levels = { count: thresholds, at: (k: number) => (k === thresholds - 1 ? high : low + k * step) };
      const rates = ratesBetween(normals, levels, lower, upper);
      const points = rates.values.length;
      if (points < leastPoints) {
        const few = `Only ${points} of ${thresholds} thresholds have between ${lower} and ${upper} false-positive pixels`;
        return none(`${few}; at least ${leastPoints} are needed: more or larger normal images.`, points);
      }
      for (const { at, kept } of anomalous) perMap[at] = areaOf(kept, levels, rates, Math.log(upper / lower));
      const mean = anomalous.reduce((sum, { at }) => sum + perMap[at], 0) / anomalous.length;
      const isCoarse = points < FEW_POINTS;
      const warning = `AUPIMO is coarse: its range has only ${points} thresholds. More normal images make it finer.`;
      return { perMap, mean, points, reason: null, warning: isCoarse ? warning : null };
    },
  };
}

/** The values whose place is chosen, of which there are `count`. */
function chosen(values: Float32Array, count: number, isChosen: (i: number) => boolean): Float32Array {
  const own = new Float32Array(count);
  for (let i = 0, k = 0; k < count; i++) if (isChosen(i)) own[k++] = values[i];
  return own;
}

/** The least and the largest value, and how many are no numbers. */
function rangeOf(values: Float32Array): { low: number; high: number; notNumbers: number } {
  let [low, high, notNumbers] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0];
  for (let i = 0; i < values.length; i++) {
    const v = values[i];
    if (v < low) low = v;
    if (v > high) high = v;
    if (Number.isNaN(v)) notNumbers++;
  }
  return { low, high, notNumbers };
}

/** Bins by which the highest values are found. */
const BINS = 1024;

/** The `count` highest values, falling. Only those in the bins that hold them are sorted. */
function highest(values: Float32Array, count: number, { low, high }: { low: number; high: number }): Float32Array {
  const scale = (BINS - 1) / (high - low);
  if (!(scale > 0 && Number.isFinite(scale))) return values.slice().sort().reverse().subarray(0, count);
  const bins = new Uint32Array(BINS);
  for (let i = 0; i < values.length; i++) bins[((values[i] - low) * scale) | 0]++;
  let [cut, found] = [BINS, 0];
  while (cut > 0 && found < count) found += bins[--cut];
  const top = chosen(values, found, (i) => (((values[i] - low) * scale) | 0) >= cut);
  return top.sort().reverse().slice(0, count);
}

/** Leaves every second score, from an even rank, to stand for two; returns how many there are. */
function thin(kept: Kept): number {
  if (kept.values.length > KEPT_APART) {
    kept.values = kept.values.filter((_, i) => i % 2 === 1);
    kept.each *= 2;
  }
  return kept.values.length;
}

interface Levels {
  readonly count: number;
  at(k: number): number;
}

/** The shared false-positive rates of the thresholds of the range, falling, and which the first of them is. */
interface Rates {
  readonly first: number;
  readonly values: Float64Array;
}

function ratesBetween(normals: readonly Kept[], levels: Levels, lower: number, upper: number): Rates {
  const rateAt = (k: number) => {
    const level = levels.at(k);
    return normals.reduce((sum, { values, total }) => sum + reaching(values, level) / total, 0) / normals.length;
  };
  /** The first threshold whose rate is at most this. */
  const firstAtMost = (rate: number) => {
    let [from, to] = [0, levels.count];
    while (from < to) {
      const middle = (from + to) >> 1;
      if (rateAt(middle) <= rate) to = middle;
      else from = middle + 1;
    }
    return from;
  };
  /** The first of the thresholds whose rate is nearest to this. */
  const nearest = (rate: number) => {
    const after = firstAtMost(rate);
    if (after === 0) return 0;
    const before = rateAt(after - 1);
    const isAfter = after < levels.count && rate - rateAt(after) < before - rate;
    return isAfter ? after : firstAtMost(before);
  };
  const [first, last] = [nearest(upper), nearest(lower)];
  // The few pixels that reach the lowest of these, so that the walk over thresholds looks at each once.
  const least = levels.at(first);
  const above = normals.flatMap(({ values, total }) =>
    Array.from(values.subarray(0, reaching(values, least)), (value) => ({ value, weight: 1 / total })),
  );
  above.sort((a, b) => a.value - b.value);
  const rates: number[] = [];
  let [i, sum] = [above.length - 1, 0];
  for (let k = last; k >= first; k--) {
    for (; i >= 0 && above[i].value >= levels.at(k); i--) sum += above[i].weight;
    rates.push(sum / normals.length);
  }
  // A rate of 0 has no logarithm; it can only be the highest thresholds.
  return { first, values: Float64Array.from(rates.filter((rate) => rate > 0).reverse()) };
}

/** How many of falling scores are >= a level. */
function reaching(values: Float32Array, level: number): number {
  let [from, to] = [0, values.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if (values[middle] >= level) from = middle + 1;
    else to = middle;
  }
  return from;
}

/** The trapezoids of the true-positive rate over the logarithm of the shared false-positive rate. */
function areaOf({ values, each, total }: Kept, levels: Levels, { first, values: rates }: Rates, span: number): number {
  let found = reaching(values, levels.at(first));
  let [area, before] = [0, (found * each) / total];
  for (let k = 1; k < rates.length && found > 0; k++) {
    const level = levels.at(first + k);
    while (found > 0 && values[found - 1] < level) found--;
    const rate = (found * each) / total;
    if (rates[k] < rates[k - 1]) area += (Math.log(rates[k - 1] / rates[k]) * (before + rate)) / 2;
    before = rate;
  }
  return Math.min(1, Math.max(0, area / span));
}

/** The mean of AUPIMO over anomalous images, with the value of each. */
export const mapAupimo = defineMetric({
  level: 'map',
  name: 'aupimo',
  title: 'AUPIMO',
  meaning: 'mean share of the defect of an image that is found while 1 to 10 in 100,000 pixels of normal images are',
  range: [0, 1],
  better: 'higher',
  needsManyPixels: true,
  accumulator: () => aupimo(),
  compute: ({ mean, reason }) => mean ?? { reason: reason! },
  perMap: ({ perMap }) => perMap,
  remark: ({ warning }) => warning,
});
