/**
 * Volumes under the precision–recall and the ROC surface (VUS), as TSB-AD computes them (Liu and Paparrizos, NeurIPS 2024,
 * its form "opt"): the area under the curve whose labels have soft flanks of ⌊ℓ/2⌋ steps, averaged over the buffer lengths
 * ℓ = 0 … window. A near miss counts in part, and a segment without any alarm lowers the recall of all. A larger window
 * gives larger values, so print it beside them. Of the published code the form for fixed predictions that widens its own
 * labels again at each length is left out. O(T log T) once, and per length only what lies about the segments.
 */
import { undefinedReason } from '../rank-counts.ts';
import { type Segment, segmentsOf } from './segments.ts';
import { atThresholds, CURVE_THRESHOLDS, type FlankCounts, type Thresholded, visitBuffers } from './soft-labels.ts';

/** Areas or volumes under two curves. */
export interface Volumes {
  /** Under precision over recall. */
  readonly pr: number;
  /** Under recall over the false-positive rate. */
  readonly roc: number;
}

const flanks = { shorterBehind: 0, joinsNeighbours: false } as const;

/**
 * VUS-PR and VUS-ROC in [0, 1] of the raw scores `[T]` of one series, larger = more anomalous, with labels `[T]` of 0 and 1.
 * `window` is the largest buffer in steps, W; 0 gives AP and AUROC at 250 thresholds. Only the order of the scores counts.
 * Null when undefined (see `undefinedReason`). Throws ConfigError `window` for one that is no whole number of steps.
 */
export function vus(scores: ArrayLike<number>, labels: ArrayLike<number>, window: number): Volumes | null {
  if (undefinedReason(scores, labels) !== null) return null;
  return volumesOf(scores, labels, segmentsOf(labels), window);
}

/** `vus` of labels of both kinds whose segments are known. */
export function volumesOf(
  scores: ArrayLike<number>,
  labels: ArrayLike<number>,
  segments: readonly Segment[],
  window: number,
): Volumes {
  const seen = atThresholds(scores, labels);
  let pr = 0;
  let roc = 0;
  visitBuffers(seen, segments, [0, window], flanks, (counts) => {
    const areas = areasOf(seen, counts);
    pr += areas.pr;
    roc += areas.roc;
  });
  return { pr: pr / (window + 1), roc: roc / (window + 1) };
}

function areasOf({ alarms, hits, positives, levels }: Thresholded, { soft, touched, zones }: FlankCounts): Volumes {
  let pr = 0;
  let roc = 0;
  let recallBefore = 0;
  let falseRateBefore = 0;
  for (let k = 0; k < CURVE_THRESHOLDS; k++) {
    const found = hits[k] + soft[k];
    // The published count of anomalies: half of the true ones, half of the true ones and the flanks that are called.
    const anomalies = positives + soft[k] / 2;
    const recall = Math.min(found / anomalies, 1) * (touched[k] / zones);
    const falseRate = (alarms[k] - found) / (levels.length - anomalies);
    pr += (recall - recallBefore) * (found / alarms[k]);
    roc += ((falseRate - falseRateBefore) * (recall + recallBefore)) / 2;
    recallBefore = recall;
    falseRateBefore = falseRate;
  }
  roc += ((1 - falseRateBefore) * (1 + recallBefore)) / 2;
  return { pr, roc };
}
