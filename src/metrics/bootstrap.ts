/**
 * Bootstrap percentile intervals (Efron and Tibshirani 1993, ch. 13), stratified: each round draws as many normals and
 * as many anomalies as there are, with replacement, so that every round has both kinds. They tell the scatter over
 * test items, not over seeds or training sets. Two weaknesses to keep in mind: with a handful of items they are too
 * narrow, and a metric at its limit (AUROC 1) gives an interval without width.
 */
import { ConfigError, ShapeError } from '../core/errors.ts';
import { Rng } from '../core/random.ts';
import { type RankCounts, rankCounter, undefinedReason } from './rank-counts.ts';

/** A number of scores and labels, as `auroc`; null when undefined. */
export type Statistic = (scores: Float64Array, labels: Uint8Array) => number | null;

/** Lower and upper end. */
export type Interval = readonly [low: number, high: number];

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
  readonly interval: Interval | null;
}

/** The quantile of sorted values with linear interpolation (NumPy's default). */
function quantile(sorted: Float64Array, share: number): number {
  const at = share * (sorted.length - 1);
  const low = Math.floor(at);
  const high = Math.min(low + 1, sorted.length - 1);
  return sorted[low] + (sorted[high] - sorted[low]) * (at - low);
}

/** The items of a round, normals first; its arrays are used again by the next. */
export interface Drawn {
  /** 1 = anomalous. */
  readonly labels: Uint8Array;
  /** The entries of a column for them. */
  column(c: number): Float64Array;
  /** What `rankCounts` gives for the entries of a column, without sorting them. */
  ranks(c: number): RankCounts;
}

/**
 * Percentile intervals of `count` statistics, all from the same samples: each round draws items – normals first – for
 * `statistics`. Null for all when a kind has fewer than two items or `undefinedReason` names one, and for a statistic that
 * is undefined in a round.
 */
export function resample(
  columns: readonly ArrayLike<number>[],
  labels: ArrayLike<number>,
  { seed, rounds = 1000, level = 0.95 }: BootstrapOptions,
  count: number,
  statistics: (drawn: Drawn) => readonly (number | null)[],
): (Interval | null)[] {
  if (!Number.isInteger(rounds) || rounds < 1) {
    throw new ConfigError('rounds', `The number of bootstrap rounds must be an integer of at least 1, got ${rounds}.`);
  }
  if (!(level > 0 && level < 1)) {
    throw new ConfigError('level', `The confidence level must be above 0 and below 1, got ${level}.`);
  }
  const none = new Array<null>(count).fill(null);
  if (columns.some((column) => undefinedReason(column, labels) !== null)) return none;
  const items = Uint32Array.from({ length: labels.length }, (_, i) => i);
  const [normals, anomalies] = [0, 1].map((label) => items.filter((i) => labels[i] === label));
  if (normals.length < 2 || anomalies.length < 2) return none;
  const chosen = new Uint32Array(labels.length);
  const drawn = drawnItems(columns, chosen, normals.length, labels);
  const values = none.map((): Float64Array | null => new Float64Array(rounds));
  const rng = new Rng(seed).split('bootstrap');
  for (let round = 0; round < rounds; round++) {
    for (let i = 0; i < normals.length; i++) chosen[i] = normals[rng.int(normals.length)];
    for (let i = normals.length; i < chosen.length; i++) chosen[i] = anomalies[rng.int(anomalies.length)];
    drawn.next();
    for (const [k, value] of statistics(drawn).entries()) {
      const own = values[k];
      if (value === null) values[k] = null;
      else if (own) own[round] = value;
    }
    if (values.every((own) => own === null)) return none;
  }
  return values.map((own) => own && [quantile(own.sort(), (1 - level) / 2), quantile(own, (1 + level) / 2)]);
}

/** The `chosen` items, of which so many are normal; `next` says that others are chosen. */
function drawnItems(
  columns: readonly ArrayLike<number>[],
  chosen: Uint32Array,
  normals: number,
  labels: ArrayLike<number>,
): Drawn & { next(): void } {
  const parts = columns.map((column) => {
    const values = new Float64Array(column.length);
    let counter: ReturnType<typeof rankCounter> | undefined;
    return {
      gather: once(() => {
        for (let i = 0; i < chosen.length; i++) values[i] = column[chosen[i]];
        return values;
      }),
      count: once(() => {
        counter ??= rankCounter(column, labels);
        return counter(chosen, normals);
      }),
    };
  });
  return {
    labels: new Uint8Array(chosen.length).fill(1, normals),
    column: (c) => parts[c].gather.value(),
    ranks: (c) => parts[c].count.value(),
    next() {
      for (const { gather, count } of parts) {
        gather.forget();
        count.forget();
      }
    },
  };
}

/** Keeps what `make` gives until it is told to forget it. */
function once<T>(make: () => T) {
  let kept: { readonly value: T } | undefined;
  return {
    value() {
      kept ??= { value: make() };
      return kept.value;
    },
    forget() {
      kept = undefined;
    },
  };
}

/** As `resample`, of the differences of `statistics` of column 0 and of column 1: scores A and B. ShapeError for lengths that differ. */
export function pairedResample(
  scoresA: ArrayLike<number>,
  scoresB: ArrayLike<number>,
  labels: ArrayLike<number>,
  options: BootstrapOptions,
  count: number,
  statistics: (drawn: Drawn, column: number) => readonly (number | null)[],
): (Interval | null)[] {
  if (scoresA.length !== scoresB.length) {
    throw new ShapeError(
      `Two detectors must score the same items, got ${scoresA.length} and ${scoresB.length} scores.`,
    );
  }
  return resample([scoresA, scoresB], labels, options, count, (drawn) => {
    const ofB = statistics(drawn, 1);
    return statistics(drawn, 0).map((value, k) => minus(value, ofB[k]));
  });
}

const minus = (a: number | null, b: number | null) => (a === null || b === null ? null : a - b);

/**
 * The interval of a statistic, e.g. `bootstrap(scores, labels, auroc, { seed: 1 })`. Null when it is undefined or when
 * there are fewer than two normals or two anomalies. Costs `rounds` times the statistic. Throws as `undefinedReason`,
 * ConfigError for rounds or level out of range.
 */
export function bootstrap(
  scores: ArrayLike<number>,
  labels: ArrayLike<number>,
  statistic: Statistic,
  options: BootstrapOptions,
): Interval | null {
  return resample([scores], labels, options, 1, (drawn) => [statistic(drawn.column(0), drawn.labels)])[0];
}

/**
 * The difference of two detectors that scored the same items, A minus B. Each round draws the same items for both, so
 * that what makes items hard for both cancels out. Null and throws as `bootstrap`; ShapeError for lengths that differ.
 */
export function pairedBootstrap(
  scoresA: ArrayLike<number>,
  scoresB: ArrayLike<number>,
  labels: ArrayLike<number>,
  statistic: Statistic,
  options: BootstrapOptions,
): PairedDifference {
  const [interval] = pairedResample(scoresA, scoresB, labels, options, 1, (drawn, column) => [
    statistic(drawn.column(column), drawn.labels),
  ]);
  const isDefined = [scoresA, scoresB].every((scores) => undefinedReason(scores, labels) === null);
  const own = Uint8Array.from(labels);
  return {
    difference: isDefined
      ? minus(statistic(Float64Array.from(scoresA), own), statistic(Float64Array.from(scoresB), own))
      : null,
    interval,
  };
}
