/**
 * The best value over all thresholds as TSB-AD looks for it: 100 thresholds at equal distances from the least score to the
 * largest, and an alarm where the score is greater than the threshold. It needs the labels, so it is an upper bound that
 * compares detectors and nothing that a user could reach. Everywhere else in oddity an alarm is a score >= the threshold.
 */
import type { Segment } from '../../core/segments.ts';

/** Thresholds of a sweep. */
export const SWEEP_THRESHOLDS = 100;

/** The scores of one series against the thresholds of a sweep. */
export interface Sweep {
  /** `[100]`, ascending. */
  readonly thresholds: Float64Array;
  /** `[T]`, how many thresholds lie below the score: the step is an alarm at threshold j where j < levels[t]. */
  readonly levels: Uint8Array;
}

/** Precision, recall and their harmonic mean. */
export interface PrecisionRecall {
  /** Null where there is no alarm. */
  readonly precision: number | null;
  readonly recall: number;
  /** 0 where precision or recall is 0 or null. */
  readonly f1: number;
}

/** The best F1 of a sweep. */
export interface BestF1 {
  readonly f1: number;
  /** Alarms are the scores greater than this; of equal F1 the lowest threshold. */
  readonly threshold: number;
}

/** Precision and recall with their F1. */
export function withF1(precision: number | null, recall: number): PrecisionRecall {
  return { precision, recall, f1: harmonicMean(precision ?? 0, recall) };
}

/** 2ab / (a + b); 0 where both are 0. */
export const harmonicMean = (a: number, b: number) => (a + b === 0 ? 0 : (2 * a * b) / (a + b));

/** The thresholds of a sweep of scores `[T]`, and their levels. Null where a score is no finite number. O(T). */
export function sweepOf(scores: ArrayLike<number>): Sweep | null {
  let least = Infinity;
  let largest = -Infinity;
  for (let t = 0; t < scores.length; t++) {
    if (!Number.isFinite(scores[t])) return null;
    if (scores[t] < least) least = scores[t];
    if (scores[t] > largest) largest = scores[t];
  }
  const distance = (largest - least) / (SWEEP_THRESHOLDS - 1);
  const thresholds = Float64Array.from({ length: SWEEP_THRESHOLDS }, (_, j) => j * distance + least);
  thresholds[SWEEP_THRESHOLDS - 1] = largest; // as numpy.linspace
  const levels = new Uint8Array(scores.length);
  if (largest > least) {
    for (let t = 0; t < scores.length; t++) {
      let level = Math.min(Math.floor((scores[t] - least) / distance), SWEEP_THRESHOLDS - 1);
      while (level < SWEEP_THRESHOLDS && thresholds[level] < scores[t]) level++;
      while (level > 0 && thresholds[level - 1] >= scores[t]) level--;
      levels[t] = level;
    }
  }
  return { thresholds, levels };
}

/** What a metric of segments has no value for although both labels are there. */
export const notFinite = { reason: 'A score is infinite, so there are no thresholds at equal distances.' } as const;

/** The best of the F1 values at each threshold of a sweep. */
export function bestOf({ thresholds }: Sweep, f1At: (threshold: number) => number): BestF1 {
  let best = { f1: -1, threshold: Number.NaN };
  for (let j = 0; j < SWEEP_THRESHOLDS; j++) {
    const f1 = f1At(j);
    if (f1 > best.f1) best = { f1, threshold: thresholds[j] };
  }
  return best;
}

/** The segments of alarms at threshold `j` of a sweep. O(T). */
export function alarmsAt({ levels }: Sweep, j: number): Segment[] {
  const alarms: Segment[] = [];
  for (let t = 0; t < levels.length; t++) {
    if (levels[t] <= j) continue;
    const begin = t;
    while (t < levels.length && levels[t] > j) t++;
    alarms.push({ begin, end: t });
  }
  return alarms;
}

/** 1 where a score reaches a threshold, 0 elsewhere and where it is NaN; `[T]`. */
export function alarmsFrom(scores: ArrayLike<number>, threshold: number): Uint8Array {
  const alarms = new Uint8Array(scores.length);
  for (let t = 0; t < alarms.length; t++) if (scores[t] >= threshold) alarms[t] = 1;
  return alarms;
}

/** Counts at each threshold of a sweep; all `[100]`. */
export interface SweepCounts {
  /** Steps that are alarms. */
  readonly alarms: Float64Array;
  /** Those of them that are anomalous. */
  readonly hits: Float64Array;
  /** True segments with an alarm. */
  readonly found: Float64Array;
  /** The steps of those. */
  readonly foundSteps: Float64Array;
}

/** Counts of a sweep against the true segments. O(T). */
export function sweepCounts({ levels }: Sweep, segments: readonly Segment[]): SweepCounts {
  const above = () => new Float64Array(SWEEP_THRESHOLDS + 1);
  const [alarms, hits, found, foundSteps] = [above(), above(), above(), above()];
  for (let t = 0; t < levels.length; t++) alarms[levels[t]]++;
  for (const { begin, end } of segments) {
    let highest = 0;
    for (let t = begin; t < end; t++) {
      hits[levels[t]]++;
      if (levels[t] > highest) highest = levels[t];
    }
    found[highest]++;
    foundSteps[highest] += end - begin;
  }
  for (const counts of [alarms, hits, found, foundSteps]) {
    // At threshold j the steps of a level above j are alarms.
    for (let j = SWEEP_THRESHOLDS - 1; j >= 0; j--) counts[j] += counts[j + 1];
    counts.copyWithin(0, 1);
  }
  const cut = (counts: Float64Array) => counts.subarray(0, SWEEP_THRESHOLDS);
  return { alarms: cut(alarms), hits: cut(hits), found: cut(found), foundSteps: cut(foundSteps) };
}
