/** From scores of held-out normal items to a threshold, and from a threshold to what it does on the test part. */
import { thresholdForFalseAlarms } from '../metrics/index.ts';

/** A threshold and how far it can be trusted; an item is anomalous when its score is >= `value`. */
export interface ThresholdReport {
  /** Null when there are no held-out normal items. */
  readonly value: number | null;
  readonly wantedFalseAlarmRate: number;
  /** Held-out normal items that it is made from. */
  readonly normals: number;
  /** Share of these that reach it. */
  readonly empiricalRate: number | null;
  /** 95 % interval of the false-alarm rate. */
  readonly interval: readonly [number, number];
  /** Why the wanted rate is not guaranteed, or null. */
  readonly reason: string | null;
  /** Share of normal test items that alarm. */
  readonly testFalseAlarmRate?: number;
  /** Share of anomalous test items that alarm. */
  readonly testRecall?: number;
}

/** The threshold for a wanted false-alarm rate. Throws ConfigError for a rate outside (0, 1). */
export function calibrate(normalScores: ArrayLike<number>, wantedFalseAlarmRate: number): ThresholdReport {
  const { threshold, ...rest } = thresholdForFalseAlarms(normalScores, wantedFalseAlarmRate);
  return { value: threshold, ...rest };
}

/** Adds what the threshold does on test items (label 1 = anomalous). */
export function withTest(
  report: ThresholdReport,
  scores: ArrayLike<number>,
  labels: ArrayLike<number>,
): ThresholdReport {
  const { value } = report;
  if (value === null) return report;
  const alarms = [0, 0];
  const counts = [0, 0];
  for (let i = 0; i < labels.length; i++) {
    counts[labels[i]]++;
    if (scores[i] >= value) alarms[labels[i]]++;
  }
  return {
    ...report,
    ...(counts[0] > 0 && { testFalseAlarmRate: alarms[0] / counts[0] }),
    ...(counts[1] > 0 && { testRecall: alarms[1] / counts[1] }),
  };
}

/** Share of the sorted normal scores that are larger than `score`. */
export function exceededBy(sorted: ArrayLike<number>, score: number): number | undefined {
  if (sorted.length === 0) return undefined;
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] > score) high = middle;
    else low = middle + 1;
  }
  return (sorted.length - low) / sorted.length;
}
