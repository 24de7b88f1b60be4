/**
 * What any threshold does to labelled items, in the time of a binary search: for pages on which a threshold is dragged over a hundred
 * thousand scores.
 */
import { clopperPearson } from './interval.ts';
import { type OperatingPoint, pointOf } from './operating-point.ts';
import { undefinedReason } from './rank-counts.ts';
import { forecastRate } from './rate-forecast.ts';
import type { ReviewBand, Verdict } from './review-band.ts';
import { independent, type ThresholdOrigin } from './threshold.ts';

/** Scores that are sorted once. */
export interface RankedPoints {
  /** Scores of the normal items, ascending; what is not a number stands last. */
  readonly normals: Float64Array;
  /** Those of the anomalous items. */
  readonly anomalies: Float64Array;
  /** What `operatingPoint` gives at a threshold, to the last digit. O(log n), and O(√n) for its intervals. */
  at(threshold: number): OperatingPoint;
  /** What `verdictCounts` gives for a review band. O(log n). */
  verdicts(band: Pick<ReviewBand, 'low' | 'high'>): {
    readonly normal: Readonly<Record<Verdict, number>>;
    readonly anomalous: Readonly<Record<Verdict, number>>;
  };
}

/** Sorts scores by their labels (1 = anomalous). Throws as `undefinedReason`. O(n log n). */
export function rankedPoints(scores: ArrayLike<number>, labels: ArrayLike<number>): RankedPoints {
  undefinedReason(scores, labels); // for its checks
  const of = (label: number) =>
    Float64Array.from(scores)
      .filter((_, i) => labels[i] === label)
      .sort();
  const [normals, anomalies] = [of(0), of(1)];
  const [normalNumbers, anomalousNumbers] = [numbersOf(normals), numbersOf(anomalies)];
  const verdictsOf = (all: Float64Array, numbers: Float64Array, { low, high }: Pick<ReviewBand, 'low' | 'high'>) => {
    const alarm = countFrom(numbers, high);
    // From the upper end on an item alarms, wherever the lower one lies.
    const pass = Math.min(numbers.length - countFrom(numbers, low), numbers.length - alarm);
    return { pass, review: all.length - pass - alarm, alarm };
  };
  return {
    normals,
    anomalies,
    at: (threshold) =>
      pointOf({
        normals: normals.length,
        anomalies: anomalies.length,
        falsePositives: countFrom(normalNumbers, threshold),
        truePositives: countFrom(anomalousNumbers, threshold),
      }),
    verdicts: (band) => ({
      normal: verdictsOf(normals, normalNumbers, band),
      anomalous: verdictsOf(anomalies, anomalousNumbers, band),
    }),
  };
}

/** Those that are numbers, of scores that are sorted. */
function numbersOf(sorted: Float64Array): Float64Array {
  let end = sorted.length;
  while (end > 0 && Number.isNaN(sorted[end - 1])) end--;
  return sorted.subarray(0, end);
}

/** How many of some ascending scores are at least `threshold`; none of them may be NaN. O(log n). */
export function countFrom(sorted: ArrayLike<number>, threshold: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] >= threshold) high = middle;
    else low = middle + 1;
  }
  return sorted.length - low;
}

/** How often normal items that training did not see reach a threshold that something else chose. */
export interface HeldOutRate {
  readonly normals: number;
  /** Share of these that reach it; null when there are none. */
  readonly empiricalRate: number | null;
  /** Clopper–Pearson 95 % interval of the false-alarm rate. */
  readonly interval: readonly [number, number];
  /** 90 % prediction interval of the share of 1,000 new normal items, see `forecastRate`. */
  readonly rateInterval: readonly [number, number];
}

/** What is known of a false-alarm rate when `alarms` of so many held-out normals reach a threshold. */
export function heldOutRate(
  alarms: number,
  normals: number,
  { isCrossFitted = false, together = 1 }: ThresholdOrigin = {},
): HeldOutRate {
  const groups = normals === 0 ? 0 : independent(normals, together);
  const above = Math.min(groups, Math.ceil(alarms / together));
  return {
    normals,
    empiricalRate: normals > 0 ? alarms / normals : null,
    interval: clopperPearson(above, groups),
    rateInterval: forecastRate(groups, { above, least: isCrossFitted ? 0 : above }),
  };
}
