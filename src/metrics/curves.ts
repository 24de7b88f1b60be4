/** Points of the ROC and the precision–recall curve, one per distinct score, for charts. */
import { aurocOf } from './auroc.ts';
import { averagePrecisionOf } from './average-precision.ts';
import { rankCounts } from './rank-counts.ts';

/** A ROC curve from (0, 0) to (1, 1); all arrays have the same length and `thresholds` descends from Infinity. */
export interface RocCurve {
  readonly thresholds: Float64Array;
  /** Share of normal items with a score >= the threshold. */
  readonly falseAlarmRate: Float64Array;
  /** Share of anomalous items with a score >= the threshold. */
  readonly recall: Float64Array;
  /** Area under the curve, [0, 1]. */
  readonly area: number;
}

/** A precision–recall curve, recall rising; draw it as steps: precision holds back to the recall before. */
export interface PrCurve {
  readonly thresholds: Float64Array;
  readonly recall: Float64Array;
  /** Share of the items with a score >= the threshold that are anomalous. */
  readonly precision: Float64Array;
  /** Average precision: the area under the steps, (0, 1]. */
  readonly area: number;
}

/** The ROC curve; null when undefined (see `undefinedReason`). */
export function rocCurve(scores: ArrayLike<number>, labels: ArrayLike<number>): RocCurve | null {
  const counts = rankCounts(scores, labels);
  if (!counts) return null;
  const n = counts.thresholds.length + 1;
  const curve = {
    thresholds: new Float64Array(n),
    falseAlarmRate: new Float64Array(n),
    recall: new Float64Array(n),
    area: aurocOf(counts),
  };
  curve.thresholds[0] = Number.POSITIVE_INFINITY;
  for (let k = 1; k < n; k++) {
    curve.thresholds[k] = counts.thresholds[k - 1];
    curve.falseAlarmRate[k] = counts.falsePositives[k - 1] / counts.negatives;
    curve.recall[k] = counts.truePositives[k - 1] / counts.positives;
  }
  return curve;
}

/** The precision–recall curve; null when undefined (see `undefinedReason`). */
export function prCurve(scores: ArrayLike<number>, labels: ArrayLike<number>): PrCurve | null {
  const counts = rankCounts(scores, labels);
  if (!counts) return null;
  const { thresholds, truePositives: tp, falsePositives: fp, positives } = counts;
  return {
    thresholds,
    recall: Float64Array.from(tp, (t) => t / positives),
    precision: Float64Array.from(tp, (t, k) => t / (t + fp[k])),
    area: averagePrecisionOf(counts),
  };
}
