/**
 * Labels with soft flanks, as the volumes under a surface need them: for a buffer of length ℓ, up to ⌊ℓ/2⌋ steps on either
 * side of a true segment count as anomalous in part, with the weight √(1 − distance/ℓ). The sums at a fixed set of
 * thresholds are kept up to date while ℓ grows, so that one more length costs the flanks' distinct pairs of distance and
 * threshold and nothing that grows with the series.
 */
import { ConfigError } from '../../core/errors.ts';
import type { Segment } from '../../core/segments.ts';

/** Thresholds that a curve is drawn with: scores at even places of the sorted scores. */
export const CURVE_THRESHOLDS = 250;

/** How flanks lie; the two published forms differ in this. */
export interface Flanks {
  /** The flank behind a segment is this many steps shorter than ⌊ℓ/2⌋. */
  readonly shorterBehind: 0 | 1;
  /** Whether widened segments with no step between them are one zone; otherwise only those that share a step. */
  readonly joinsNeighbours: boolean;
}

/** What the thresholds see whatever the buffer; all arrays are `[250]`, from the highest threshold to the lowest. */
export interface Thresholded {
  readonly thresholds: Float64Array;
  /** `[T]`, the first threshold that calls the step anomalous. */
  readonly levels: Uint8Array;
  /** Steps that are called anomalous. */
  readonly alarms: Float64Array;
  /** Those of them that are anomalous. */
  readonly hits: Float64Array;
  /** All anomalous steps. */
  readonly positives: number;
}

/** What they see of the flanks of one buffer length. The arrays are used again for the next length. */
export interface FlankCounts {
  /** Sum of the soft labels of flank steps that are called anomalous. */
  readonly soft: Float64Array;
  /** Zones, which are widened segments merged where they meet, that have an alarm. */
  readonly touched: Float64Array;
  readonly zones: number;
}

/** Thresholds at even places of the sorted scores, and counts at each. O(T log T). Scores must be numbers. */
export function atThresholds(scores: ArrayLike<number>, labels: ArrayLike<number>): Thresholded {
  const steps = scores.length;
  const sorted = Float64Array.from(scores).sort();
  // numpy.linspace(0, T − 1, 250) cut to integers, with its rounding: k times the distance, and the last exactly.
  const distance = (steps - 1) / (CURVE_THRESHOLDS - 1);
  const thresholds = Float64Array.from({ length: CURVE_THRESHOLDS }, (_, k) => {
    return sorted[steps - 1 - (k === CURVE_THRESHOLDS - 1 ? steps - 1 : Math.floor(k * distance))];
  });
  const levels = new Uint8Array(steps);
  const alarms = new Float64Array(CURVE_THRESHOLDS);
  const hits = new Float64Array(CURVE_THRESHOLDS);
  let positives = 0;
  for (let t = 0; t < steps; t++) {
    let low = 0;
    for (let high = CURVE_THRESHOLDS - 1; low < high; ) {
      const middle = (low + high) >> 1;
      if (scores[t] >= thresholds[middle]) high = middle;
      else low = middle + 1;
    }
    levels[t] = low;
    alarms[low]++;
    hits[low] += labels[t];
    positives += labels[t];
  }
  accumulate(alarms);
  accumulate(hits);
  return { thresholds, levels, alarms, hits, positives };
}

function accumulate(counts: Float64Array): void {
  for (let k = 1; k < counts.length; k++) counts[k] += counts[k - 1];
}

/**
 * Visits the buffer lengths `from` to `to`, each with what the thresholds see of its flanks. Throws ConfigError `window` for
 * a length that is no whole number of steps.
 */
export function visitBuffers(
  { levels }: Thresholded,
  segments: readonly Segment[],
  [from, to]: readonly [from: number, to: number],
  flanks: Flanks,
  visit: (counts: FlankCounts, length: number) => void,
): void {
  if (!Number.isInteger(to) || to < 0) {
    throw new ConfigError('window', `The buffer must be a whole number of steps from 0 on, got ${to}.`);
  }
  const growing = new GrowingFlanks(levels, segments, Math.floor(to / 2), flanks);
  const zones = new GrowingZones(levels, segments, flanks);
  for (let length = from; length <= to; length++) {
    const reach = Math.floor(length / 2);
    growing.growTo(reach);
    zones.growTo(reach);
    visit({ soft: growing.soft(length), touched: zones.touched(), zones: zones.count }, length);
  }
}

/** A step that comes within reach of segments: of a first one at `first`, of a second one at `second`. */
interface Approach {
  readonly level: number;
  /** Steps to the segment that is within reach first. */
  readonly distance: number;
  readonly first: number;
  readonly second: number;
}

/** The approaches of all steps outside segments that some segment reaches, in the order of the steps. */
function approaches(levels: Uint8Array, segments: readonly Segment[], reach: number, shorterBehind: number) {
  const found: Approach[] = [];
  const lastOf = (i: number) => (i < 0 ? -Infinity : segments[i].end - 1);
  const beginOf = (i: number) => (i < segments.length ? segments[i].begin : Infinity);
  for (let i = 0; i <= segments.length; i++) {
    const [gapBegin, gapEnd] = [Math.max(lastOf(i - 1) + 1, 0), Math.min(beginOf(i), levels.length)];
    for (let t = gapBegin; t < gapEnd; t++) {
      const behind = t - lastOf(i - 1) + shorterBehind;
      const before = beginOf(i) - t;
      if (behind > reach && before > reach) {
        if (before === Infinity) break;
        t = beginOf(i) - reach - 1; // nothing reaches the middle of a long gap
        continue;
      }
      const isBehind = behind <= before;
      const nextBehind = isBehind ? t - lastOf(i - 2) + shorterBehind : behind;
      const nextBefore = isBehind ? before : beginOf(i + 1) - t;
      found.push({
        level: levels[t],
        distance: isBehind ? behind - shorterBehind : before,
        first: Math.min(behind, before),
        second: Math.min(nextBehind, nextBefore),
      });
    }
  }
  return found;
}

/**
 * Sums of soft labels. A step within reach of two segments has two weights of at least √½ and so the label 1: a step is
 * outside, has the weight of its only segment, or counts whole. Steps of the same distance and level are counted together.
 */
class GrowingFlanks {
  private readonly distances: Uint32Array;
  private readonly cellLevels: Uint8Array;
  private readonly counts: Float64Array;
  private readonly whole = new Float64Array(CURVE_THRESHOLDS);
  private readonly sums = new Float64Array(CURVE_THRESHOLDS);
  /** What happens at each reach: a cell gains a step (cell + 1) or passes one on to `whole` (−cell − 1). */
  private readonly events: number[][];
  private reach = 0;

  constructor(levels: Uint8Array, segments: readonly Segment[], reach: number, { shorterBehind }: Flanks) {
    const found = approaches(levels, segments, reach, shorterBehind);
    const keys = Float64Array.from(found, ({ distance, level }) => distance * CURVE_THRESHOLDS + level).sort();
    const cells = keys.filter((key, i) => i === 0 || key !== keys[i - 1]);
    this.distances = Uint32Array.from(cells, (key) => Math.floor(key / CURVE_THRESHOLDS));
    this.cellLevels = Uint8Array.from(cells, (key) => key % CURVE_THRESHOLDS);
    this.counts = new Float64Array(cells.length);
    this.events = Array.from({ length: reach + 1 }, () => []);
    for (const { distance, level, first, second } of found) {
      const cell = placeOf(cells, distance * CURVE_THRESHOLDS + level);
      this.events[first].push(cell + 1);
      if (second <= reach) this.events[second].push(-cell - 1);
    }
  }

  growTo(reach: number): void {
    for (; this.reach < reach; this.reach++) {
      for (const event of this.events[this.reach + 1]) {
        const cell = Math.abs(event) - 1;
        this.counts[cell] += event > 0 ? 1 : -1;
        if (event < 0) this.whole[this.cellLevels[cell]]++;
      }
    }
  }

  soft(length: number): Float64Array {
    const { sums, distances, cellLevels, counts } = this;
    sums.set(this.whole);
    for (let cell = 0, distance = 0, weight = 1; cell < distances.length && distances[cell] <= this.reach; cell++) {
      if (distances[cell] !== distance) {
        distance = distances[cell];
        weight = Math.sqrt(1 - distance / length);
      }
      sums[cellLevels[cell]] += counts[cell] * weight;
    }
    accumulate(sums);
    return sums;
  }
}

/** Where a value that is there stands in an ascending list. */
function placeOf(sorted: Float64Array, value: number): number {
  let low = 0;
  for (let high = sorted.length - 1; low < high; ) {
    const middle = (low + high) >> 1;
    if (sorted[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** A widened segment, or several that met. */
interface Zone {
  readonly begin: number;
  last: number;
  /** The first threshold that has an alarm in it. */
  level: number;
}

/** Segments widened by a reach and merged where they meet. */
class GrowingZones {
  private readonly levels: Uint8Array;
  private readonly flanks: Flanks;
  private readonly hit = new Float64Array(CURVE_THRESHOLDS);
  private zones: Zone[];
  private reach = 0;

  constructor(levels: Uint8Array, segments: readonly Segment[], flanks: Flanks) {
    this.levels = levels;
    this.flanks = flanks;
    this.zones = segments.map(({ begin, end }) => {
      let level = CURVE_THRESHOLDS - 1;
      for (let t = begin; t < end; t++) level = Math.min(level, levels[t]);
      return { begin, last: end - 1, level };
    });
  }

  get count(): number {
    return this.zones.length;
  }

  growTo(reach: number): void {
    while (this.reach < reach) this.grow(this.reach + 1);
  }

  private grow(reach: number): void {
    const { levels } = this;
    const { shorterBehind, joinsNeighbours } = this.flanks;
    const behind = reach - shorterBehind;
    const merged: Zone[] = [];
    for (const zone of this.zones) {
      const { begin, last } = zone;
      if (begin - reach >= 0) zone.level = Math.min(zone.level, levels[begin - reach]);
      if (last + behind < levels.length) zone.level = Math.min(zone.level, levels[last + behind]);
      const before = merged.at(-1);
      if (before && before.last + behind + (joinsNeighbours ? 1 : 0) >= begin - reach) {
        before.last = last;
        before.level = Math.min(before.level, zone.level);
      } else merged.push(zone);
    }
    this.zones = merged;
    this.reach = reach;
  }

  touched(): Float64Array {
    this.hit.fill(0);
    for (const { level } of this.zones) this.hit[level]++;
    accumulate(this.hit);
    return this.hit;
  }
}
