/** How late the segments of a series are noticed: steps from the begin of a true segment to the first alarm inside it. */

import { type Segment, segmentsOf } from '../../core/segments.ts';
import { undefinedReason } from '../rank-counts.ts';

/** What became of the true segments at a threshold. */
export interface DetectionDelay {
  /** Steps from the begin of a segment to its first alarm, for each segment; null where there is none. */
  readonly delays: readonly (number | null)[];
  /** Mean over the segments that have one; null where none has. */
  readonly mean: number | null;
  /** Share of the true segments with an alarm. */
  readonly found: number;
}

/** Delays of the alarms `score >= threshold`. Null when undefined; throws as `undefinedReason`. */
export function detectionDelay(
  scores: ArrayLike<number>,
  labels: ArrayLike<number>,
  threshold: number,
): DetectionDelay | null {
  if (undefinedReason(scores, labels) !== null) return null;
  return delaysOf(scores, segmentsOf(labels), threshold);
}

/** Delays in known segments, of which there must be one. O(T). */
export function delaysOf(scores: ArrayLike<number>, segments: readonly Segment[], threshold: number): DetectionDelay {
  const delays = segments.map(({ begin, end }) => {
    for (let t = begin; t < end; t++) if (scores[t] >= threshold) return t - begin;
    return null;
  });
  const known = delays.filter((delay) => delay !== null);
  const mean = known.length === 0 ? null : known.reduce((a, b) => a + b, 0) / known.length;
  return { delays, mean, found: known.length / segments.length };
}
