/**
 * Volumes under the precision–recall and the ROC surface (VUS), as TSB-AD computes them (Liu and Paparrizos, NeurIPS 2024,
 * its form "opt"): the area under the curve whose labels have soft flanks of ⌊ℓ/2⌋ steps, averaged over the buffer lengths
 * ℓ = 0 … window. A near miss counts in part, and a segment without any alarm lowers the recall of all. A larger window
 * gives larger values, so print it beside them. Of the published code the form for fixed predictions that widens its own
 * labels again at each length is left out. O(T log T) once, and per length only what lies about the segments.
 */

import { type Segment, segmentsOf } from '../../core/segments.ts';
import { undefinedReason } from '../rank-counts.ts';
import { atThresholds, CURVE_THRESHOLDS, type FlankCounts, type Thresholded, visitBuffers } from './soft-labels.ts';
import { alarmsFrom, type PrecisionRecall, withF1 } from './sweep.ts';

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

/** What the volumes are the means of, for charts. */
export interface SoftCurves {
  readonly volumes: Volumes;
  /** Areas by the buffer in steps: `[window + 1]`, from the buffer 0 on. */
  readonly areas: readonly Volumes[];
  /** The curve of the largest buffer; lists of one length, thresholds falling. */
  readonly thresholds: Float64Array;
  readonly recall: Float64Array;
  readonly precision: Float64Array;
  readonly falsePositiveRate: Float64Array;
}

/** `vus` with the curves that it averages. Null and errors as `vus`. */
export function softCurves(scores: ArrayLike<number>, labels: ArrayLike<number>, window: number): SoftCurves | null {
  if (undefinedReason(scores, labels) !== null) return null;
  const seen = atThresholds(scores, labels);
  const curve = () => new Float64Array(CURVE_THRESHOLDS);
  const [recall, precision, falsePositiveRate] = [curve(), curve(), curve()];
  const areas: Volumes[] = [];
  visitBuffers(seen, segmentsOf(labels), [0, window], flanks, (counts) => {
    areas.push(
      areasOf(seen, counts, (k, point) => {
        recall[k] = point.recall;
        precision[k] = point.precision;
        falsePositiveRate[k] = point.falseRate;
      }),
    );
  });
  const mean = (of: keyof Volumes) => areas.reduce((sum, area) => sum + area[of], 0) / areas.length;
  const volumes = { pr: mean('pr'), roc: mean('roc') };
  return { volumes, areas, thresholds: seen.thresholds, recall, precision, falsePositiveRate };
}

/**
 * The same labels at one threshold: precision, recall and F1 of the alarms `score >= threshold`, each averaged over the
 * buffer lengths; F1 is the mean of the F1 values. Precision is null without alarms. Null and errors as `vus`.
 */
export function vusF1(
  scores: ArrayLike<number>,
  labels: ArrayLike<number>,
  window: number,
  threshold: number,
): PrecisionRecall | null {
  if (undefinedReason(scores, labels) !== null) return null;
  return softF1Of(alarmsFrom(scores, threshold), labels, segmentsOf(labels), window);
}

/** `vusF1` of alarms `[T]` and of labels of both kinds whose segments are known. */
export function softF1Of(
  alarms: Uint8Array,
  labels: ArrayLike<number>,
  segments: readonly Segment[],
  window: number,
): PrecisionRecall {
  // Of the thresholds at places of the sorted alarms the first is 1 wherever there is an alarm.
  const seen = atThresholds(alarms, labels);
  const sum = { precision: 0, recall: 0, f1: 0 };
  visitBuffers(seen, segments, [0, window], flanks, (counts) => {
    const { found, recall } = recallAt(0, seen, counts);
    const one = withF1(found / seen.alarms[0], recall);
    sum.precision += one.precision! / (window + 1);
    sum.recall += recall / (window + 1);
    sum.f1 += one.f1 / (window + 1);
  });
  return alarms.includes(1) ? sum : withF1(null, 0);
}

/** Recall at a threshold, with the soft sums that it comes from. */
function recallAt(k: number, { hits, positives }: Thresholded, { soft, touched, zones }: FlankCounts) {
  const found = hits[k] + soft[k];
  // The published count of anomalies: half of the true ones, half of the true ones and the flanks that are called.
  const anomalies = positives + soft[k] / 2;
  return { found, anomalies, recall: Math.min(found / anomalies, 1) * (touched[k] / zones) };
}

interface CurvePoint {
  readonly recall: number;
  readonly precision: number;
  readonly falseRate: number;
}

function areasOf(seen: Thresholded, counts: FlankCounts, onPoint?: (k: number, point: CurvePoint) => void): Volumes {
  const { alarms, levels } = seen;
  let pr = 0;
  let roc = 0;
  let recallBefore = 0;
  let falseRateBefore = 0;
  for (let k = 0; k < CURVE_THRESHOLDS; k++) {
    const { found, anomalies, recall } = recallAt(k, seen, counts);
    const falseRate = (alarms[k] - found) / (levels.length - anomalies);
    const precision = found / alarms[k];
    onPoint?.(k, { recall, precision, falseRate });
    pr += (recall - recallBefore) * precision;
    roc += ((falseRate - falseRateBefore) * (recall + recallBefore)) / 2;
    recallBefore = recall;
    falseRateBefore = falseRate;
  }
  roc += ((1 - falseRateBefore) * (1 + recallBefore)) / 2;
  return { pr, roc };
}
