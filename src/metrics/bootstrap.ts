/**
 * Bootstrap percentile intervals (Efron and Tibshirani 1993, ch. 13), stratified: each round draws as many normals and
 * as many anomalies as there are, with replacement, so that every round has both kinds. They tell the scatter over
 * test items, not over seeds or training sets. Two weaknesses to keep in mind: with a handful of items they are too
 * narrow, and a metric at its limit (AUROC 1) gives an interval without width.
 */
import { ConfigError, ShapeError } from '../core/errors.ts';
import { Rng } from '../core/random.ts';
import { undefinedReason } from './sweep.ts';

/** A metric of scores and labels, as `auroc`; null when undefined. */
export type Metric = (scores: Float64Array, labels: Uint8Array) => number | null;

/** How to draw. */
export interface BootstrapOptions {
  /** The same seed gives the same interval. */
  readonly seed: number;
  /** Rounds; 1000 when left out. */
  readonly rounds?: number;
  /** Confidence in (0, 1); 0.95 when left out. */
  readonly level?: number;
}

/** What two detectors on the same items differ by. */
export interface PairedDifference {
  /** metric(A) − metric(B) on all items; null when one of them is undefined. */
  readonly difference: number | null;
  /** Where the difference scatters; null as in `bootstrap`. When 0 lies outside, the difference is no accident of the items. */
  readonly interval: readonly [number, number] | null;
}

/** The quantile of sorted values with linear interpolation (NumPy's default). */
function quantile(sorted: Float64Array, share: number): number {
  const at = share * (sorted.length - 1);
  const low = Math.floor(at);
  const high = Math.min(low + 1, sorted.length - 1);
  return sorted[low] + (sorted[high] - sorted[low]) * (at - low);
}

/**
 * The percentile interval of `statistic` over resampled items, each round's items given as positions, normals first;
 * `labels` fits them. Null when a kind has fewer than two items, or when a round is undefined.
 */
function resample(
  labels: ArrayLike<number>,
  { seed, rounds = 1000, level = 0.95 }: BootstrapOptions,
  statistic: (items: Uint32Array, labels: Uint8Array) => number | null,
): readonly [number, number] | null {
  if (!Number.isInteger(rounds) || rounds < 1) {
    throw new ConfigError('rounds', `The number of bootstrap rounds must be an integer >= 1, got ${rounds}.`);
  }
  if (!(level > 0 && level < 1)) {
    throw new ConfigError('level', `The confidence level must be above 0 and below 1, got ${level}.`);
  }
  const normals: number[] = [];
  const anomalies: number[] = [];
  for (let i = 0; i < labels.length; i++) (labels[i] === 1 ? anomalies : normals).push(i);
  if (normals.length < 2 || anomalies.length < 2) return null;
  const drawnLabels = new Uint8Array(labels.length).fill(1, normals.length);
  const items = new Uint32Array(labels.length);
  const values = new Float64Array(rounds);
  const rng = new Rng(seed).split('bootstrap');
  for (let round = 0; round < rounds; round++) {
    for (let i = 0; i < normals.length; i++) items[i] = normals[rng.int(normals.length)];
    for (let i = normals.length; i < items.length; i++) items[i] = anomalies[rng.int(anomalies.length)];
    const value = statistic(items, drawnLabels);
    if (value === null) return null;
    values[round] = value;
  }
  values.sort();
  return [quantile(values, (1 - level) / 2), quantile(values, (1 + level) / 2)];
}

/** A function that copies the scores of chosen items into an array of its own, used again each time. */
function picker(scores: ArrayLike<number>): (items: Uint32Array) => Float64Array {
  const drawn = new Float64Array(scores.length);
  return (items) => {
    for (let i = 0; i < drawn.length; i++) drawn[i] = scores[items[i]];
    return drawn;
  };
}

/**
 * The interval of a metric, e.g. `bootstrap(scores, labels, auroc, { seed: 1 })`. Null when the metric is undefined or
 * when there are fewer than two normals or two anomalies. Costs `rounds` times the metric. Throws as `undefinedReason`,
 * ConfigError for rounds or level out of range.
 */
export function bootstrap(
  scores: ArrayLike<number>,
  labels: ArrayLike<number>,
  metric: Metric,
  options: BootstrapOptions,
): readonly [number, number] | null {
  if (undefinedReason(scores, labels) !== null) return null;
  const pick = picker(scores);
  return resample(labels, options, (items, drawnLabels) => metric(pick(items), drawnLabels));
}

/**
 * The difference of two detectors that scored the same items, A minus B. Each round draws the same items for both, so
 * that what makes items hard for both cancels out. Null and throws as `bootstrap`; ShapeError for lengths that differ.
 */
export function pairedBootstrap(
  scoresA: ArrayLike<number>,
  scoresB: ArrayLike<number>,
  labels: ArrayLike<number>,
  metric: Metric,
  options: BootstrapOptions,
): PairedDifference {
  if (scoresA.length !== scoresB.length) {
    throw new ShapeError(
      `Two detectors must score the same items, got ${scoresA.length} and ${scoresB.length} scores.`,
    );
  }
  if (undefinedReason(scoresA, labels) !== null || undefinedReason(scoresB, labels) !== null) {
    return { difference: null, interval: null };
  }
  const pickA = picker(scoresA);
  const pickB = picker(scoresB);
  const difference = (items: Uint32Array, drawnLabels: Uint8Array) => {
    const a = metric(pickA(items), drawnLabels);
    const b = metric(pickB(items), drawnLabels);
    return a === null || b === null ? null : a - b;
  };
  const all = Uint32Array.from(labels, (_, i) => i);
  return {
    difference: difference(all, Uint8Array.from(labels)),
    interval: resample(labels, options, difference),
  };
}
