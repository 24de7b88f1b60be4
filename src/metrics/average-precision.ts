/**
 * Average precision: the area under the precision–recall steps, one step per distinct score. The trapezoidal "AUPR" of
 * other tools is another number and is not given here. A constant score gets the prevalence P / (P + N).
 */
import { defineMetric } from './define.ts';
import { type RankCounts, rankCounts } from './rank-counts.ts';

/** AP in (0, 1] of raw scores, larger meaning more anomalous; null when undefined (see `undefinedReason`). */
export function averagePrecision(scores: ArrayLike<number>, labels: ArrayLike<number>): number | null {
  const counts = rankCounts(scores, labels);
  return counts && averagePrecisionOf(counts);
}

/** AP from counts made before. */
export function averagePrecisionOf(counts: RankCounts): number {
  // AP = Σ_k (R_k − R_{k−1}) · P_k over distinct thresholds, highest first.
  const { truePositives, falsePositives, positives } = counts;
  let sum = 0;
  for (let k = 0, tpBefore = 0; k < truePositives.length; k++) {
    sum += (truePositives[k] - tpBefore) * (truePositives[k] / (truePositives[k] + falsePositives[k]));
    tpBefore = truePositives[k];
  }
  return sum / positives;
}

/** Average precision of the items of a test part. */
export const itemAp = defineMetric({
  name: 'ap',
  level: 'item',
  title: 'AP',
  meaning: 'average precision over all recalls; a random score gets the prevalence',
  range: [0, 1],
  better: 'higher',
  chance: 'prevalence',
  isHeadline: true,
  isOrdinal: true,
  interval: true,
  needs: ['both-labels'],
  compute: ({ ranks }) => averagePrecisionOf(ranks),
});
