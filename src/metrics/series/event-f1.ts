/**
 * Event F1, the composite score of Garg et al. (2021) as TSB-AD computes it: recall over true segments, of which one is
 * found by any alarm inside it, and precision over steps, so that a detector that always alarms gets no more than its share.
 */

import { segmentsOf } from '../../core/segments.ts';
import { undefinedReason } from '../rank-counts.ts';
import {
  alarmsFrom,
  type BestF1,
  bestOf,
  harmonicMean,
  type PrecisionRecall,
  type Sweep,
  type SweepCounts,
  sweepCounts,
  sweepOf,
  withF1,
} from './sweep.ts';

/** Event recall and point precision of the alarms `score >= threshold`. Null when undefined; throws as `undefinedReason`. */
export function eventF1(
  scores: ArrayLike<number>,
  labels: ArrayLike<number>,
  threshold: number,
): PrecisionRecall | null {
  if (undefinedReason(scores, labels) !== null) return null;
  const alarms = alarmsFrom(scores, threshold);
  const segments = segmentsOf(labels);
  const found = segments.filter(({ begin, end }) => alarms.subarray(begin, end).includes(1)).length;
  let [count, hits] = [0, 0];
  for (let t = 0; t < alarms.length; t++) {
    count += alarms[t];
    hits += alarms[t] * labels[t];
  }
  return withF1(count === 0 ? null : hits / count, found / segments.length);
}

/** The best event F1 of a sweep. Null when undefined, or where a score is infinite. */
export function eventF1Max(scores: ArrayLike<number>, labels: ArrayLike<number>): BestF1 | null {
  const sweep = undefinedReason(scores, labels) === null ? sweepOf(scores) : null;
  if (!sweep) return null;
  const segments = segmentsOf(labels);
  return eventF1MaxOf(sweep, sweepCounts(sweep, segments), segments.length);
}

/** The best event F1 from counts made before. */
export function eventF1MaxOf(sweep: Sweep, { alarms, hits, found }: SweepCounts, segments: number): BestF1 {
  return bestOf(sweep, (j) => (alarms[j] === 0 ? 0 : harmonicMean(hits[j] / alarms[j], found[j] / segments)));
}
