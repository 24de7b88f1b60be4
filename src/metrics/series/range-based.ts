/**
 * Range-based precision and recall (Tatbul et al., "Precision and Recall for Time Series", NeurIPS 2018): each true segment
 * earns a share for being touched at all and a share for how much of it is covered, where early or late parts may weigh
 * more and a cover in many pieces less; precision is the same with the roles exchanged. The settings of TSB-AD (R-F1) are
 * the default. The paper leaves the functions free: those here are its examples, without user-made ones.
 */

import { type Segment, segmentsOf } from '../../core/segments.ts';
import { undefinedReason } from '../rank-counts.ts';
import {
  alarmsAt,
  alarmsFrom,
  type BestF1,
  bestOf,
  type PrecisionRecall,
  type Sweep,
  sweepOf,
  withF1,
} from './sweep.ts';

/** Which part of a segment weighs most. */
export type PositionBias = 'flat' | 'front' | 'middle' | 'back';

/** How range precision and recall are counted. */
export interface RangeOptions {
  /** Weight of being touched at all in the recall of a segment, 0 to 1; default .2. */
  readonly existence?: number;
  /** The same for precision; default 0. */
  readonly precisionExistence?: number;
  /** Default `flat`. */
  readonly bias?: PositionBias;
  /** `reciprocal` divides the covered share by the number of ranges that cover it; default. `one` does not. */
  readonly cardinality?: 'one' | 'reciprocal';
}

/**
 * Range precision, recall and F1 of alarms `[T]` (0 or 1) against labels `[T]`. Precision is null without alarms; null when
 * undefined; throws as `undefinedReason`.
 */
export function rangePrecisionRecall(
  alarms: ArrayLike<number>,
  labels: ArrayLike<number>,
  options: RangeOptions = {},
): PrecisionRecall | null {
  if (undefinedReason(alarms, labels) !== null) return null;
  return rangesOf(segmentsOf(alarms), segmentsOf(labels), options);
}

/** The same of the alarms `score >= threshold`. */
export function rangeF1(
  scores: ArrayLike<number>,
  labels: ArrayLike<number>,
  threshold: number,
  options: RangeOptions = {},
): PrecisionRecall | null {
  if (undefinedReason(scores, labels) !== null) return null;
  return rangePrecisionRecall(alarmsFrom(scores, threshold), labels, options);
}

/** The best range F1 of a sweep. Null when undefined, or where a score is infinite. */
export function rangeF1Max(
  scores: ArrayLike<number>,
  labels: ArrayLike<number>,
  options: RangeOptions = {},
): BestF1 | null {
  const sweep = undefinedReason(scores, labels) === null ? sweepOf(scores) : null;
  return sweep && rangeF1MaxOf(sweep, segmentsOf(labels), options);
}

/** The best range F1 from a sweep made before. O(thresholds · T). */
export function rangeF1MaxOf(sweep: Sweep, segments: readonly Segment[], options: RangeOptions = {}): BestF1 {
  return bestOf(sweep, (j) => rangesOf(alarmsAt(sweep, j), segments, options).f1);
}

/** Precision, recall and F1 of segments of alarms against true segments, both in their order. */
export function rangesOf(
  alarms: readonly Segment[],
  segments: readonly Segment[],
  { existence = 0.2, precisionExistence = 0, bias = 'flat', cardinality = 'reciprocal' }: RangeOptions = {},
): PrecisionRecall {
  const how = { bias, cardinality };
  const precision = alarms.length === 0 ? null : coverOf(alarms, segments, { ...how, existence: precisionExistence });
  return withF1(precision, coverOf(segments, alarms, { ...how, existence }));
}

/** Mean over ranges of what each earns from those that cover it. O(ranges + covers). */
function coverOf(
  ranges: readonly Segment[],
  covers: readonly Segment[],
  { existence, bias, cardinality }: Required<Pick<RangeOptions, 'existence' | 'bias' | 'cardinality'>>,
): number {
  let sum = 0;
  let first = 0;
  for (const { begin, end } of ranges) {
    while (first < covers.length && covers[first].end <= begin) first++;
    let pieces = 0;
    let covered = 0;
    for (let i = first; i < covers.length && covers[i].begin < end; i++) {
      const [from, to] = [Math.max(covers[i].begin, begin), Math.min(covers[i].end, end)];
      covered += weightBefore(bias, to - begin, end - begin) - weightBefore(bias, from - begin, end - begin);
      pieces++;
    }
    if (pieces === 0) continue;
    const share = covered / weightBefore(bias, end - begin, end - begin);
    sum += existence + (1 - existence) * (cardinality === 'one' ? share : share / pieces);
  }
  return sum / ranges.length;
}

/** Weight of the first `n` of `length` steps; step i = 1 … length weighs 1, length − i + 1, i or the lesser of both. */
function weightBefore(bias: PositionBias, n: number, length: number): number {
  const firstOnes = (count: number) => (count * (count + 1)) / 2;
  if (bias === 'flat') return n;
  if (bias === 'back') return firstOnes(n);
  if (bias === 'front') return firstOnes(length) - firstOnes(length - n);
  const half = Math.floor(length / 2);
  const all = firstOnes(half) + firstOnes(length - half);
  return n <= half ? firstOnes(n) : all - firstOnes(length - n);
}

/**
 * Area under range precision over range recall by trapezoids, over all distinct scores as thresholds and closed at recall 0
 * with precision 1 (TimeEval's form: existence .5, reciprocal cardinality, flat bias unless told otherwise). O(T · distinct
 * scores): for short series. Null when undefined.
 */
export function rangePrAuc(
  scores: ArrayLike<number>,
  labels: ArrayLike<number>,
  options: RangeOptions = {},
): number | null {
  if (undefinedReason(scores, labels) !== null) return null;
  let area = 0;
  let before: PrecisionRecall = { precision: 1, recall: 0, f1: 0 };
  for (const threshold of distinct(scores)) {
    const now = rangeF1(scores, labels, threshold, { existence: 0.5, ...options })!;
    area += ((now.recall - before.recall) * (now.precision! + before.precision!)) / 2;
    before = now;
  }
  return area;
}

/**
 * F1 over whole ranges, touched or not, at the highest threshold that gives at least `k` ranges of alarms (default: as many
 * as there are true segments; where no threshold does, the lowest but the least score). O(T · thresholds tried). Null when
 * undefined.
 */
export function rangeF1AtCount(scores: ArrayLike<number>, labels: ArrayLike<number>, k?: number): number | null {
  if (undefinedReason(scores, labels) !== null) return null;
  const wanted = k ?? segmentsOf(labels).length;
  const thresholds = distinct(scores);
  const tried = thresholds.length > 1 ? thresholds.slice(0, -1) : thresholds; // at the least score all steps are alarms
  const found = tried.find((threshold) => segmentsOf(alarmsFrom(scores, threshold)).length >= wanted);
  return rangeF1(scores, labels, found ?? tried[tried.length - 1], {
    existence: 1,
    precisionExistence: 1,
  })!.f1;
}

/** The distinct scores, highest first. */
const distinct = (scores: ArrayLike<number>) =>
  Float64Array.from(new Set(Array.from(scores)))
    .sort()
    .reverse();
