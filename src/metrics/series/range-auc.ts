/**
 * The other published form of areas and volumes with soft labels, of TimeEval and aeon. It differs from `vus` in three
 * points: the flank behind a segment begins at its last step and so is one step shorter, all flanks count as anomalous
 * whatever the threshold, and the area under precision is taken by trapezoids. For comparison with figures of those two;
 * oddity judges by `vus`.
 */

import { segmentsOf } from '../../core/segments.ts';
import { undefinedReason } from '../rank-counts.ts';
import { atThresholds, CURVE_THRESHOLDS, type FlankCounts, type Thresholded, visitBuffers } from './soft-labels.ts';
import type { Volumes } from './vus.ts';

const flanks = { shorterBehind: 1, joinsNeighbours: true } as const;

/**
 * Areas under range-precision–recall and range-ROC of one buffer length in steps (default: the median length of the true
 * segments, cut to a whole number; up to 1 there are no flanks). Null and errors as `vus`.
 */
export function rangeAuc(scores: ArrayLike<number>, labels: ArrayLike<number>, buffer?: number): Volumes | null {
  if (undefinedReason(scores, labels) !== null) return null;
  const length = buffer ?? medianLength(labels);
  return meanOver(scores, labels, length, length);
}

/** Volumes: the mean of `rangeAuc` over the buffer lengths 0 … `largest`. Null and errors as `vus`. */
export function rangeVus(scores: ArrayLike<number>, labels: ArrayLike<number>, largest: number): Volumes | null {
  if (undefinedReason(scores, labels) !== null) return null;
  return meanOver(scores, labels, 0, largest);
}

function meanOver(scores: ArrayLike<number>, labels: ArrayLike<number>, from: number, to: number): Volumes {
  const seen = atThresholds(scores, labels);
  let pr = 0;
  let roc = 0;
  visitBuffers(seen, segmentsOf(labels), [from, to], flanks, (counts) => {
    const areas = areasOf(seen, counts);
    pr += areas.pr;
    roc += areas.roc;
  });
  return { pr: pr / (to - from + 1), roc: roc / (to - from + 1) };
}

function areasOf({ alarms, hits, positives, levels }: Thresholded, { soft, touched, zones }: FlankCounts): Volumes {
  const anomalies = positives + soft[CURVE_THRESHOLDS - 1] / 2; // the last threshold is the least score: all flanks
  let pr = 0;
  let roc = 0;
  let before = { recall: 0, falseRate: 0, precision: 1 };
  for (let k = 0; k < CURVE_THRESHOLDS; k++) {
    const found = hits[k] + soft[k];
    const recall = Math.min(found / anomalies, 1) * (touched[k] / zones);
    const falseRate = (alarms[k] - found) / (levels.length - anomalies);
    const precision = found / alarms[k];
    pr += ((recall - before.recall) * (precision + before.precision)) / 2;
    roc += ((falseRate - before.falseRate) * (recall + before.recall)) / 2;
    before = { recall, falseRate, precision };
  }
  roc += ((1 - before.falseRate) * (1 + before.recall)) / 2;
  return { pr, roc };
}

function medianLength(labels: ArrayLike<number>): number {
  const lengths = segmentsOf(labels)
    .map(({ begin, end }) => end - begin)
    .sort((a, b) => a - b);
  const middle = lengths.length >> 1;
  return Math.floor(lengths.length % 2 === 1 ? lengths[middle] : (lengths[middle - 1] + lengths[middle]) / 2);
}
