/**
 * Point-adjusted F1: an alarm anywhere in a true segment counts as an alarm at each of its steps. A random score reaches .8
 * to .97 by it on the usual data sets and beats most detectors (Kim et al., "Towards a Rigorous Evaluation of Time-Series
 * Anomaly Detection", AAAI 2022), so it says nothing alone: show it beside the same figure of a random score. PA%K of that
 * paper adjusts only segments of which more than K % are alarms, and its area over K is less generous.
 */

import { type Segment, segmentsOf } from '../../core/segments.ts';
import { undefinedReason } from '../rank-counts.ts';
import {
  alarmsFrom,
  type BestF1,
  bestOf,
  type PrecisionRecall,
  SWEEP_THRESHOLDS,
  type Sweep,
  type SweepCounts,
  sweepCounts,
  sweepOf,
  withF1,
} from './sweep.ts';

/**
 * Precision, recall and F1 of the alarms `score >= threshold` after adjustment of the segments of which more than `percent`
 * % are alarms: 0 is point adjustment, 100 the plain F1. Null when undefined; throws as `undefinedReason`.
 */
export function pointAdjusted(
  scores: ArrayLike<number>,
  labels: ArrayLike<number>,
  threshold: number,
  percent = 0,
): PrecisionRecall | null {
  if (undefinedReason(scores, labels) !== null) return null;
  const alarms = alarmsFrom(scores, threshold);
  let found = 0;
  let positives = 0;
  let falseAlarms = alarms.reduce((sum, alarm) => sum + alarm, 0);
  for (const { begin, end } of segmentsOf(labels)) {
    let hits = 0;
    for (let t = begin; t < end; t++) hits += alarms[t];
    found += hits * 100 > percent * (end - begin) ? end - begin : hits;
    positives += end - begin;
    falseAlarms -= hits;
  }
  return withF1(found + falseAlarms === 0 ? null : found / (found + falseAlarms), found / positives);
}

/** The best point-adjusted F1 of a sweep. Null when undefined, or where a score is infinite. */
export function pointAdjustedMax(scores: ArrayLike<number>, labels: ArrayLike<number>): BestF1 | null {
  const sweep = undefinedReason(scores, labels) === null ? sweepOf(scores) : null;
  return sweep && pointAdjustedMaxOf(sweep, sweepCounts(sweep, segmentsOf(labels)), positivesOf(segmentsOf(labels)));
}

/** The best point-adjusted F1 from counts made before, with P anomalous steps. */
export function pointAdjustedMaxOf(sweep: Sweep, counts: SweepCounts, positives: number): BestF1 {
  const { alarms, hits, foundSteps } = counts;
  // F1 = 2·TP / (alarms after adjustment + P)
  return bestOf(sweep, (j) => (2 * foundSteps[j]) / (foundSteps[j] + alarms[j] - hits[j] + positives));
}

/**
 * Area under the best F1 of PA%K over K = 0, 1 … 100, by trapezoids and divided by 100; each K has its own threshold of the
 * sweep. Null when undefined, or where a score is infinite.
 */
export function pointAdjustedArea(scores: ArrayLike<number>, labels: ArrayLike<number>): number | null {
  const sweep = undefinedReason(scores, labels) === null ? sweepOf(scores) : null;
  if (!sweep) return null;
  const segments = segmentsOf(labels);
  return pointAdjustedAreaOf(sweep, sweepCounts(sweep, segments), segments);
}

/** The area from counts made before. O(steps of segments + thresholds · (segments + 100)). */
export function pointAdjustedAreaOf(sweep: Sweep, counts: SweepCounts, segments: readonly Segment[]): number {
  const { alarms, hits } = counts;
  const positives = positivesOf(segments);
  // gained[j][k]: steps that adjustment adds at threshold j for all K up to k, but for no larger K.
  const gained = Array.from({ length: SWEEP_THRESHOLDS }, () => new Float64Array(101));
  const above = new Float64Array(SWEEP_THRESHOLDS + 1);
  for (const { begin, end } of segments) {
    const length = end - begin;
    above.fill(0);
    for (let t = begin; t < end; t++) above[sweep.levels[t]]++;
    for (let j = SWEEP_THRESHOLDS - 1, called = 0; j >= 0; j--) {
      called += above[j + 1];
      // hits · 100 > K · length holds for K up to ⌈100 · hits / length⌉ − 1.
      if (called > 0) gained[j][Math.ceil((100 * called) / length) - 1] += length - called;
    }
  }
  const best = new Float64Array(101);
  for (let j = 0; j < SWEEP_THRESHOLDS; j++) {
    for (let k = 100, added = 0; k >= 0; k--) {
      added += gained[j][k];
      best[k] = Math.max(best[k], (2 * (hits[j] + added)) / (alarms[j] + added + positives));
    }
  }
  return best.reduce((sum, f1, k) => sum + (k === 0 || k === 100 ? f1 / 2 : f1), 0) / 100;
}

/** Anomalous steps. */
export const positivesOf = (segments: readonly Segment[]) => segments.reduce((sum, s) => sum + s.end - s.begin, 0);
