/**
 * Affiliation precision and recall (Huet et al., "Local Evaluation of Time Series Anomaly Detection Algorithms", KDD 2022):
 * the time line is cut half-way between true segments, and in each zone distances between alarms and the segment are turned
 * into the probability that a random point would lie farther off. Integrals are exact. A random score gets about .8 and a
 * score worse than chance about .67, so show it beside the same figure of a random score.
 */

import { type Segment, segmentsOf } from '../../core/segments.ts';
import { undefinedReason } from '../rank-counts.ts';
import {
  alarmsAt,
  alarmsFrom,
  type BestF1,
  bestOf,
  type PrecisionRecall,
  type Sweep,
  sweepOf,
  withF1,
} from './sweep.ts';

/** Affiliation of the alarms `score >= threshold`. Null when undefined; throws as `undefinedReason`. */
export function affiliation(
  scores: ArrayLike<number>,
  labels: ArrayLike<number>,
  threshold: number,
): PrecisionRecall | null {
  if (undefinedReason(scores, labels) !== null) return null;
  return affiliationOf(segmentsOf(alarmsFrom(scores, threshold)), segmentsOf(labels), scores.length);
}

/** The best affiliation F1 of a sweep. Null when undefined, or where a score is infinite. */
export function affiliationMax(scores: ArrayLike<number>, labels: ArrayLike<number>): BestF1 | null {
  const sweep = undefinedReason(scores, labels) === null ? sweepOf(scores) : null;
  return sweep && affiliationMaxOf(sweep, segmentsOf(labels));
}

/** The best affiliation F1 from a sweep made before. O(thresholds · T). */
export function affiliationMaxOf(sweep: Sweep, segments: readonly Segment[]): BestF1 {
  return bestOf(sweep, (j) => affiliationOf(alarmsAt(sweep, j), segments, sweep.levels.length).f1);
}

/**
 * Affiliation of segments of alarms with true segments of a series of `steps`. Step i is the time from i to i + 1. Precision
 * is the mean over zones with alarms, null without any; recall that over all zones.
 */
export function affiliationOf(
  alarms: readonly Segment[],
  segments: readonly Segment[],
  steps: number,
): PrecisionRecall {
  let precision = 0;
  let recall = 0;
  let withAlarms = 0;
  let first = 0;
  for (let i = 0; i < segments.length; i++) {
    const zone = {
      begin: i === 0 ? 0 : (segments[i - 1].end + segments[i].begin) / 2,
      end: i === segments.length - 1 ? steps : (segments[i].end + segments[i + 1].begin) / 2,
    };
    while (first < alarms.length && alarms[first].end <= zone.begin) first++;
    let last = first;
    while (last < alarms.length && alarms[last].begin < zone.end) last++;
    if (last === first) continue;
    const inside = new Inside(alarms, first, last, zone);
    precision += precisionIn(inside, segments[i], zone);
    recall += recallIn(inside, segments[i], zone);
    withAlarms++;
  }
  return withF1(withAlarms === 0 ? null : precision / withAlarms, recall / segments.length);
}

/** The alarms of a zone, cut at its borders. */
class Inside {
  readonly count: number;
  private readonly alarms: readonly Segment[];
  private readonly first: number;
  private readonly zone: Segment;

  constructor(alarms: readonly Segment[], first: number, last: number, zone: Segment) {
    this.alarms = alarms;
    this.first = first;
    this.count = last - first;
    this.zone = zone;
  }

  begin(i: number): number {
    return Math.max(this.alarms[this.first + i].begin, this.zone.begin);
  }

  end(i: number): number {
    return Math.min(this.alarms[this.first + i].end, this.zone.end);
  }
}

/**
 * Mean over the alarms of a zone of 1 inside the segment and 1 − (length + min(d, left) + min(d, right)) / zone at the
 * distance d from it, where left and right are the parts of the zone beside the segment.
 */
function precisionIn(alarms: Inside, segment: Segment, zone: Segment): number {
  const length = segment.end - segment.begin;
  const left = segment.begin - zone.begin;
  const right = zone.end - segment.end;
  /** Integral of the density over distances 0 … d. */
  const upTo = (d: number) => d - (length * d + belowLine(d, left) + belowLine(d, right)) / (zone.end - zone.begin);
  let sum = 0;
  let time = 0;
  for (let i = 0; i < alarms.count; i++) {
    const [begin, end] = [alarms.begin(i), alarms.end(i)];
    time += end - begin;
    sum += Math.max(0, Math.min(end, segment.end) - Math.max(begin, segment.begin));
    sum += upTo(Math.max(0, segment.begin - begin)) - upTo(Math.max(0, segment.begin - end));
    sum += upTo(Math.max(0, end - segment.end)) - upTo(Math.max(0, begin - segment.end));
  }
  return sum / time;
}

/** ∫₀ˣ min(d, most) dd. */
const belowLine = (x: number, most: number) => (x <= most ? (x * x) / 2 : most * (x - most / 2));

/**
 * Mean over the times y of the segment of 1 − (min(d, y − zone begin) + min(d, zone end − y)) / zone, where d is the
 * distance to the nearest alarm of the zone.
 */
function recallIn(alarms: Inside, segment: Segment, zone: Segment): number {
  const { begin, end } = segment;
  let lost = 0;
  // Before the first alarm: d = its begin − y. Between two: d is a tent. After the last: d = y − its end.
  const firstBegin = alarms.begin(0);
  if (firstBegin > begin) {
    const to = Math.min(end, firstBegin);
    lost += ((firstBegin - begin) ** 2 - (firstBegin - to) ** 2) / 2 + tent(zone.begin, firstBegin, begin, to);
  }
  for (let i = 1; i < alarms.count; i++) {
    const [gapBegin, gapEnd] = [alarms.end(i - 1), alarms.begin(i)];
    const [from, to] = [Math.max(begin, gapBegin), Math.min(end, gapEnd)];
    if (from < to) lost += 2 * tent(gapBegin, gapEnd, from, to);
  }
  const lastEnd = alarms.end(alarms.count - 1);
  if (lastEnd < end) {
    const from = Math.max(begin, lastEnd);
    lost += ((end - lastEnd) ** 2 - (from - lastEnd) ** 2) / 2 + tent(lastEnd, zone.end, from, end);
  }
  return 1 - lost / (zone.end - zone.begin) / (end - begin);
}

/** Integral of min(y − left, right − y) over y = from … to, which lie between left and right. */
function tent(left: number, right: number, from: number, to: number): number {
  const top = (left + right) / 2;
  const upTo = (y: number) => (y <= top ? (y - left) ** 2 / 2 : (top - left) ** 2 - (right - y) ** 2 / 2);
  return upTo(to) - upTo(from);
}
