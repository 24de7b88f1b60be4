/**
 * One point of the ROC curve, at a rate of errors that a person can accept. Points between two thresholds are not
 * interpolated: no detector stands there. (anomalib's PGn and PBn interpolate a quantile, so that with few items their
 * threshold can miss more, or alarm more, than n %.)
 */
import { ConfigError } from '../core/errors.ts';
import { rankCounts } from './rank-counts.ts';

function mustBeShare(what: string, value: number): void {
  if (value >= 0 && value <= 1) return;
  throw new ConfigError('rate', `The ${what} must be at least 0 and at most 1, got ${value}.`);
}

/**
 * The largest recall, in [0, 1], of all thresholds whose false-alarm rate on these normals is at most `fpr`. Null when
 * undefined (see `undefinedReason`). Throws ConfigError for a rate outside [0, 1].
 */
export function tprAtFpr(scores: ArrayLike<number>, labels: ArrayLike<number>, fpr: number): number | null {
  mustBeShare('false-positive rate', fpr);
  const counts = rankCounts(scores, labels);
  if (!counts) return null;
  const { truePositives, falsePositives, positives, negatives } = counts;
  let hits = 0;
  for (let k = 0; k < truePositives.length && falsePositives[k] / negatives <= fpr; k++) hits = truePositives[k];
  return hits / positives;
}

/**
 * The largest share of normals without alarm, in [0, 1], of all thresholds whose miss rate on these anomalies is at
 * most `fnr`. Null and throws as `tprAtFpr`.
 */
export function tnrAtFnr(scores: ArrayLike<number>, labels: ArrayLike<number>, fnr: number): number | null {
  mustBeShare('miss rate', fnr);
  const counts = rankCounts(scores, labels);
  if (!counts) return null;
  const { truePositives, falsePositives, positives, negatives } = counts;
  let k = 0;
  while ((positives - truePositives[k]) / positives > fnr) k++; // ends at the last one, which misses nothing
  // Before the first threshold nothing alarms and all is missed, which fnr = 1 allows.
  return fnr === 1 ? 1 : (negatives - falsePositives[k]) / negatives;
}
