/** What a threshold does to labelled items: the confusion matrix and its rates, with exact intervals. */
import { clopperPearson } from './interval.ts';
import { undefinedReason } from './rank-counts.ts';

/** Counts and rates at one threshold; a rate is null when it divides by nothing. */
export interface OperatingPoint {
  readonly truePositives: number;
  readonly falsePositives: number;
  readonly trueNegatives: number;
  readonly falseNegatives: number;
  /** Share of the alarms that are anomalous. */
  readonly precision: number | null;
  /** Clopper–Pearson 95 % interval of `precision`, at the prevalence of these items. */
  readonly precisionInterval: readonly [number, number];
  /** Share of the anomalies that alarm. */
  readonly recall: number | null;
  /** Clopper–Pearson 95 % interval of `recall`. */
  readonly recallInterval: readonly [number, number];
  /** Share of the normals that alarm. */
  readonly falseAlarmRate: number | null;
  /** Clopper–Pearson 95 % interval of `falseAlarmRate`. */
  readonly falseAlarmInterval: readonly [number, number];
  /** Share of the anomalies that do not alarm. */
  readonly missRate: number | null;
  /** Clopper–Pearson 95 % interval of `missRate`. */
  readonly missInterval: readonly [number, number];
}

/**
 * The operating point of `score >= threshold` on items with labels (1 = anomalous). NaN never alarms. The intervals hold
 * for items that had no part in choosing the threshold. Throws as `undefinedReason`.
 */
export function operatingPoint(
  scores: ArrayLike<number>,
  labels: ArrayLike<number>,
  threshold: number,
): OperatingPoint {
  undefinedReason(scores, labels); // for its checks
  const alarms = [0, 0];
  const counts = [0, 0];
  for (let i = 0; i < labels.length; i++) {
    counts[labels[i]]++;
    if (scores[i] >= threshold) alarms[labels[i]]++;
  }
  return pointOf({ normals: counts[0], anomalies: counts[1], falsePositives: alarms[0], truePositives: alarms[1] });
}

/** The operating point from what is there and what of it alarms. */
export function pointOf(counts: {
  readonly normals: number;
  readonly anomalies: number;
  readonly falsePositives: number;
  readonly truePositives: number;
}): OperatingPoint {
  const { normals, anomalies, falsePositives, truePositives } = counts;
  const falseNegatives = anomalies - truePositives;
  const share = (part: number, whole: number) => (whole === 0 ? null : part / whole);
  const recallInterval = clopperPearson(truePositives, anomalies);
  return {
    truePositives,
    falsePositives,
    trueNegatives: normals - falsePositives,
    falseNegatives,
    precision: share(truePositives, truePositives + falsePositives),
    precisionInterval: clopperPearson(truePositives, truePositives + falsePositives),
    recall: share(truePositives, anomalies),
    recallInterval,
    falseAlarmRate: share(falsePositives, normals),
    falseAlarmInterval: clopperPearson(falsePositives, normals),
    missRate: share(falseNegatives, anomalies),
    missInterval: [1 - recallInterval[1], 1 - recallInterval[0]],
  };
}
