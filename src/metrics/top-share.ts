/**
 * Decisions as the papers on tables make them: the items with the highest scores, as many as the share of anomalies
 * that the protocol states, count as found (DAGMM, ICLR 2018). The share is that of the test part, which nobody knows
 * beforehand: an oracle. Precision, recall and F1 then say one and the same, how many of those are right.
 */
import { ConfigError } from '../core/errors.ts';
import { undefinedReason } from './sweep.ts';

/** What flagging a share of all items gives. */
export interface TopShare {
  /** Items with a score >= this are flagged: the quantile 1 − share of all scores, linearly interpolated as in NumPy. */
  readonly threshold: number;
  /** Flagged items; more than the share asks for where scores tie at the threshold. */
  readonly flagged: number;
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
}

/**
 * Flags the `share` of items with the highest scores (label 1 = anomalous). Null where a kind of item is missing. Throws
 * ConfigError `share` unless it is above 0 and below 1, and as `undefinedReason`.
 */
export function topShare(scores: ArrayLike<number>, labels: ArrayLike<number>, share: number): TopShare | null {
  if (!(share > 0 && share < 1)) {
    throw new ConfigError('share', `The share of flagged items must be above 0 and below 1, got ${share}.`);
  }
  if (undefinedReason(scores, labels) !== null) return null;
  const sorted = Float64Array.from(scores).sort();
  const at = (1 - share) * (sorted.length - 1);
  const low = Math.floor(at);
  const high = Math.min(low + 1, sorted.length - 1);
  // In halves, since the difference of two scores can be too large for a number; rounding must not pass the upper one.
  const half = (sorted[high] / 2 - sorted[low] / 2) * (at - low);
  const threshold = Math.min(sorted[low] + half + half, sorted[high]);
  let [flagged, hits, anomalies] = [0, 0, 0];
  for (let i = 0; i < scores.length; i++) {
    if (labels[i] === 1) anomalies++;
    if (scores[i] < threshold) continue;
    flagged++;
    if (labels[i] === 1) hits++;
  }
  return {
    threshold,
    flagged,
    precision: hits / flagged,
    recall: hits / anomalies,
    f1: (2 * hits) / (flagged + anomalies),
  };
}
