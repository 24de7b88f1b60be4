/**
 * The best F1 over all thresholds, with its threshold. It looks at the labels it is judged on, so it is an upper bound:
 * use it to compare models, and `thresholdForFalseAlarms` to choose a threshold for work.
 */
import { defineMetric } from './define.ts';
import { type RankCounts, rankCounts } from './rank-counts.ts';

/** A best F1 and where it is reached. */
export interface F1Max {
  /** F1 in (0, 1]. */
  readonly f1: number;
  /** The score at which it is reached: an item is anomalous when its score is >= this. */
  readonly threshold: number;
}

/** Best F1 of raw scores; of equal ones, the lowest threshold (as scikit-learn's argmax). Null when undefined. */
export function f1Max(scores: ArrayLike<number>, labels: ArrayLike<number>): F1Max | null {
  const counts = rankCounts(scores, labels);
  return counts && f1MaxOf(counts);
}

/** Best F1 from counts made before. */
export function f1MaxOf(counts: RankCounts): F1Max {
  const { thresholds, truePositives, falsePositives, positives } = counts;
  let f1 = 0;
  let threshold = thresholds[0];
  for (let k = 0; k < thresholds.length; k++) {
    // F1 = 2PR / (P + R) = 2·TP / (alarms + P)
    const value = (2 * truePositives[k]) / (truePositives[k] + falsePositives[k] + positives);
    if (value >= f1) {
      f1 = value;
      threshold = thresholds[k];
    }
  }
  return { f1, threshold };
}

/** Best F1 of the items of a test part. */
export const itemF1Max = defineMetric({
  name: 'f1Max',
  level: 'item',
  title: 'F1-max',
  meaning: 'best F1 over all thresholds: needs the labels, so no threshold that you could have',
  range: [0, 1],
  better: 'higher',
  isOrdinal: true,
  interval: true,
  needs: ['both-labels'],
  compute: ({ ranks }) => f1MaxOf(ranks).f1,
});
