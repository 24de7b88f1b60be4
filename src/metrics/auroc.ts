/**
 * Area under the ROC curve as a rank statistic (Mann–Whitney U): the probability that an anomalous item scores above a
 * normal one, a tie counting one half. Only the order of scores matters; never squash them before.
 */
import { defineMetric } from './define.ts';
import { type RankCounts, rankCounts } from './rank-counts.ts';

/** AUROC in [0, 1] of raw scores, larger meaning more anomalous; null when undefined (see `undefinedReason`). */
export function auroc(scores: ArrayLike<number>, labels: ArrayLike<number>): number | null {
  const counts = rankCounts(scores, labels);
  return counts && aurocOf(counts);
}

/** AUROC from counts made before. */
export function aurocOf(counts: RankCounts): number {
  // U = Σ_ties (normals in the tie) · (anomalies above + ½ anomalies in the tie), the same as
  // (Σ mid-ranks of the anomalies − P(P + 1)/2); whole and half numbers, so exact below 2^52.
  const { truePositives, falsePositives, positives, negatives } = counts;
  let u = 0;
  for (let k = 0, tpBefore = 0, fpBefore = 0; k < truePositives.length; k++) {
    u += (falsePositives[k] - fpBefore) * ((tpBefore + truePositives[k]) / 2);
    tpBefore = truePositives[k];
    fpBefore = falsePositives[k];
  }
  return u / (positives * negatives);
}

/** AUROC of the items of a test part. */
export const itemAuroc = defineMetric({
  name: 'auroc',
  level: 'item',
  title: 'AUROC',
  meaning: 'chance that an anomalous item scores above a normal one; 0.5 is a coin',
  range: [0, 1],
  better: 'higher',
  chance: 0.5,
  isHeadline: true,
  isOrdinal: true,
  interval: true,
  needs: ['both-labels'],
  compute: ({ ranks }) => aurocOf(ranks),
});
