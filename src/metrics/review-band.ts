/**
 * Two thresholds instead of one: below the lower an item passes, from the upper on it is anomalous, between them a
 * person looks. Typically the lower is chosen by miss rate (or a high false-alarm rate), the upper by false-alarm rate.
 */
import { ConfigError } from '../core/errors.ts';
import { undefinedReason } from './rank-counts.ts';
import type { Threshold } from './threshold.ts';

/** What becomes of an item. */
export type Verdict = 'pass' | 'review' | 'alarm';

/** Two thresholds and where they come from. */
export interface ReviewBand {
  /** Scores below it pass. */
  readonly low: number;
  /** Scores at or above it alarm; `low <= high`. */
  readonly high: number;
  /** What both were chosen from, as a phrase. */
  readonly basedOn: string;
  /** Labels of anomalies took part in one of them. */
  readonly sawLabels: boolean;
  /** Why the band is empty, or what keeps its thresholds from being what was wished, or null. */
  readonly reason: string | null;
}

/**
 * The band between two thresholds, e.g. `reviewBand(thresholdForMissRate(…), thresholdForFalseAlarms(…))`. Where the
 * first lies above the second every value between them fulfils both wishes, so that no review is needed: then both ends
 * are the second threshold and `reason` says so. Throws ConfigError when one has no value.
 */
export function reviewBand(lower: Threshold, upper: Threshold): ReviewBand {
  for (const [name, { threshold, reason }] of Object.entries({ lower, upper })) {
    if (threshold === null) {
      throw new ConfigError(
        'review-band',
        `A review band needs two thresholds; the ${name} one has no value. ${reason}`,
      );
    }
  }
  const high = upper.threshold!;
  const isCrossed = lower.threshold! > high;
  const reasons = [lower.reason, upper.reason].filter((r) => r !== null);
  if (isCrossed) reasons.push('The lower threshold lies above the upper one: both wishes hold without a review band.');
  return {
    low: isCrossed ? high : lower.threshold!,
    high,
    basedOn: lower.basedOn === upper.basedOn ? lower.basedOn : `${lower.basedOn}; ${upper.basedOn}`,
    sawLabels: lower.sawLabels || upper.sawLabels,
    reason: reasons.length === 0 ? null : reasons.join(' '),
  };
}

/** What becomes of one score; a score that is not a number goes to review. */
export function verdict(score: number, { low, high }: Pick<ReviewBand, 'low' | 'high'>): Verdict {
  if (score >= high) return 'alarm';
  return score < low ? 'pass' : 'review';
}

/** Numbers of normal and of anomalous items by verdict. Throws as `undefinedReason`. */
export function verdictCounts(
  scores: ArrayLike<number>,
  labels: ArrayLike<number>,
  band: Pick<ReviewBand, 'low' | 'high'>,
): { readonly normal: Readonly<Record<Verdict, number>>; readonly anomalous: Readonly<Record<Verdict, number>> } {
  undefinedReason(scores, labels); // for its checks
  const normal = { pass: 0, review: 0, alarm: 0 };
  const anomalous = { pass: 0, review: 0, alarm: 0 };
  for (let i = 0; i < labels.length; i++) (labels[i] === 1 ? anomalous : normal)[verdict(scores[i], band)]++;
  return { normal, anomalous };
}
