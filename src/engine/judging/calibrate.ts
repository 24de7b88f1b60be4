/** From scores of held-out normal items to thresholds, and from a threshold to what it does on the test part. */
import { DataError } from '../../core/errors.ts';
import { clopperPearson, forecastRate, heldOutRate, thresholdForFalseAlarms, verdict } from '../../metrics/index.ts';
import type { AlarmRateReport } from './calibrate-alarms.ts';

/** A threshold and how far it can be trusted; an item is anomalous when its score is >= `value`. */
export interface ThresholdReport {
  /** Null when there are no held-out normal items. */
  readonly value: number | null;
  /** How it was chosen, in words. */
  readonly rule: string;
  /** True when scores and labels of the test part chose it: what it does there is then no judgement. */
  readonly sawTest: boolean;
  /** Null when it was chosen by something else. */
  readonly wantedFalseAlarmRate: number | null;
  /** Normal items that it rests on, scored by a detector that was fitted without them; the next three follow from these. */
  readonly normals: number;
  /**
   * Few were held out, so the training normals were scored too: by so many further detectors, each fitted without those that
   * it scores. Absent where all of `normals` were held out.
   */
  readonly folds?: number;
  /**
   * Of steps of series: so many neighbouring scores move together, because their windows overlap, and count as one in the
   * intervals. Absent for other items.
   */
  readonly together?: number;
  /** Share of these that reach it. */
  readonly empiricalRate: number | null;
  /** 95 % interval of the false-alarm rate. */
  readonly interval: readonly [number, number];
  /**
   * 90 % prediction interval of the share of 1,000 new normal items that reach it. It holds when new items come from where
   * these came from, and no longer when test labels chose the threshold. With folds it has no low end: the detector saw more
   * items than those that scored, so its rate may well be lower.
   */
  readonly rateInterval: readonly [number, number];
  /** Of series: how many false alarms it makes on held-out normals, after the rule of alarms. */
  readonly alarms?: AlarmRateReport;
  /** Why the wanted rate is not guaranteed, or null. */
  readonly reason: string | null;
  /** So many items of which people said what they are took part in the choice; absent where none did. */
  readonly feedback?: { readonly normal: number; readonly anomalous: number };
  /** Scores below the threshold that a person should look at; absent when there are none such. */
  readonly review?: ReviewBand;
  /** Share of normal test items that alarm. */
  readonly testFalseAlarmRate?: number;
  /** Share of anomalous test items that alarm. */
  readonly testRecall?: number;
}

/** Items with a score >= `from` and below the threshold are neither passed nor alarmed: their decision is `review`. */
export interface ReviewBand {
  readonly from: number;
  /** Share of the held-out normal items inside. */
  readonly empiricalRate: number | null;
  /** 95 % interval of that share. */
  readonly interval: readonly [number, number];
  /** Share of the normal test items inside. */
  readonly testNormals?: number;
  /** Share of the anomalous test items inside. */
  readonly testAnomalies?: number;
}

/** Where a pixel of a map stands out: a threshold on the largest value of a map, from held-out normal items. */
export type MapThreshold = Pick<
  ThresholdReport,
  'value' | 'wantedFalseAlarmRate' | 'normals' | 'empiricalRate' | 'interval' | 'reason'
>;

/** What a threshold makes of a score. */
export type Decision = 'normal' | 'review' | 'anomalous';

/** The rule of a threshold that was chosen for a false-alarm rate, in words. */
export const falseAlarmRule = (wantedRate: number | null | undefined): string =>
  `a false-positive rate (false alarms) of ${wantedRate} on held-out normals`;

/** How normal scores came about, as reports keep it. */
export type NormalsOrigin = Pick<ThresholdReport, 'folds' | 'together'>;

/** The threshold for a wanted false-alarm rate; `origin` as in the report. Throws ConfigError for a rate outside (0, 1). */
export function calibrate(
  normalScores: ArrayLike<number>,
  wantedFalseAlarmRate: number,
  { folds, together }: NormalsOrigin = {},
): ThresholdReport {
  const isCrossFitted = folds !== undefined;
  const found = thresholdForFalseAlarms(normalScores, wantedFalseAlarmRate, { isCrossFitted, together });
  const { rateInterval, interval, reason } = found;
  const rule = falseAlarmRule(wantedFalseAlarmRate);
  const of = {
    rule,
    sawTest: false,
    ...(folds !== undefined && { folds }),
    ...(together !== undefined && { together }),
  };
  return { ...of, ...calibrateMaps(normalScores, wantedFalseAlarmRate), interval, rateInterval, reason };
}

/**
 * The threshold of maps: with the wanted rate, a normal image has any pixel at or above it. The same rule as for
 * scores, applied to the largest value of each held-out map.
 */
export function calibrateMaps(normalPeaks: ArrayLike<number>, wantedFalseAlarmRate: number): MapThreshold {
  const found = thresholdForFalseAlarms(normalPeaks, wantedFalseAlarmRate);
  const { threshold: value, normals, empiricalRate, interval, reason } = found;
  return { value, wantedFalseAlarmRate, normals, empiricalRate, interval, reason };
}

/**
 * A threshold as older versions kept it, with what they did not say: the interval of new normal items follows from the
 * scores above it. Where test labels chose it the count is the same, and the caveat of `sawTest` stands.
 */
export function withRateInterval<T extends Pick<ThresholdReport, 'normals' | 'empiricalRate'>>(
  report: T & { readonly rateInterval?: readonly [number, number] },
): T & Pick<ThresholdReport, 'rateInterval'> {
  const { normals, empiricalRate, rateInterval } = report;
  const above = Math.round((empiricalRate ?? 0) * normals);
  return { ...report, rateInterval: rateInterval ?? forecastRate(normals, { above }) };
}

/** What a threshold that something else chose does on held-out normals. */
export function describeThreshold(
  normalScores: ArrayLike<number>,
  value: number,
  how: Pick<ThresholdReport, 'rule' | 'sawTest'> & NormalsOrigin,
): ThresholdReport {
  const { together, folds } = how;
  const alarms = countWithin(normalScores, value, Number.POSITIVE_INFINITY);
  return {
    value,
    ...how,
    wantedFalseAlarmRate: null,
    ...heldOutRate(alarms, normalScores.length, { isCrossFitted: folds !== undefined, together }),
    reason:
      normalScores.length > 0
        ? null
        : 'There are no held-out normal scores, so the false-positive rate (share of false alarms) is unknown.',
  };
}

/** A threshold with a review band below it. */
export function withReview(report: ThresholdReport, normalScores: ArrayLike<number>, from: number): ThresholdReport {
  const { value, normals } = report;
  const inside = value === null ? 0 : countWithin(normalScores, from, value);
  const empiricalRate = normals > 0 ? inside / normals : null;
  return { ...report, review: { from, empiricalRate, interval: clopperPearson(inside, normals) } };
}

/** Adds what the threshold does on test items (label 1 = anomalous). */
export function withTest(
  report: ThresholdReport,
  scores: ArrayLike<number>,
  labels: ArrayLike<number>,
): ThresholdReport {
  const { value, review } = report;
  if (value === null) return report;
  const of = (label: number) => Array.from(scores).filter((_, i) => labels[i] === label);
  const [normals, anomalies] = [of(0), of(1)];
  const share = (list: number[], from: number, to: number) => countWithin(list, from, to) / list.length;
  const most = Number.POSITIVE_INFINITY;
  return {
    ...report,
    ...(normals.length > 0 && { testFalseAlarmRate: share(normals, value, most) }),
    ...(anomalies.length > 0 && { testRecall: share(anomalies, value, most) }),
    ...(review && {
      review: {
        ...review,
        ...(normals.length > 0 && { testNormals: share(normals, review.from, value) }),
        ...(anomalies.length > 0 && { testAnomalies: share(anomalies, review.from, value) }),
      },
    }),
  };
}

/** What a threshold makes of a score; null without one. Throws DataError `no-score` for NaN, which is no score. */
export function decide({ value, review }: Pick<ThresholdReport, 'value' | 'review'>, score: number): Decision | null {
  if (Number.isNaN(score)) {
    throw new DataError(
      'no-score',
      'The score of this item is not a number (NaN): its values are far outside the range of the model. Check them.',
    );
  }
  if (value === null) return null;
  return decisions[verdict(score, { low: review?.from ?? value, high: value })];
}

const decisions = { pass: 'normal', review: 'review', alarm: 'anomalous' } as const;

/** Scores from `low` to below `high`; the highest bound of all takes infinite scores in. */
function countWithin(scores: ArrayLike<number>, low: number, high: number): number {
  let count = 0;
  for (let i = 0; i < scores.length; i++)
    if (scores[i] >= low && (scores[i] < high || high === Number.POSITIVE_INFINITY)) count++;
  return count;
}
