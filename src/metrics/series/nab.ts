/**
 * The score of the Numenta Anomaly Benchmark (Lavin and Ahmad 2015; v1.1): the earliest alarm in a window earns the more the
 * earlier it is, each alarm outside costs the more the farther it is from the last window, and a window without an alarm
 * costs a whole one. Scaled so that a detector without alarms gets 0 and one that alarms at the begin of each window 100.
 * Windows are a tenth of a file, a random score gets 11 on the whole benchmark, and the benchmark chooses its threshold by
 * the labels: print it beside other metrics, not alone. The published scorer gives nothing where all scores tie at the
 * threshold; here that is as any other case.
 */
import { ConfigError, ShapeError } from '../../core/errors.ts';
import type { Segment } from '../../core/segments.ts';
import { alarmsFrom } from './sweep.ts';

/** What an alarm in a window earns, a missed window costs, and a false alarm costs at most. */
export interface NabProfile {
  readonly hit: number;
  readonly miss: number;
  readonly falseAlarm: number;
}

/** The three profiles of the benchmark. */
export const nabProfiles = {
  standard: { hit: 1, miss: 1, falseAlarm: 0.11 },
  lowFp: { hit: 1, miss: 1, falseAlarm: 0.22 },
  lowFn: { hit: 1, miss: 2, falseAlarm: 0.11 },
} as const satisfies Record<string, NabProfile>;

/** The name of a profile: `standard`, `lowFp` (false alarms cost twice) or `lowFn` (missed windows cost twice). */
export type NabProfileName = keyof typeof nabProfiles;

/** A score of the benchmark. */
export interface NabScore {
  readonly raw: number;
  /** 100 · (raw − null) / (perfect − null); null where there are no windows. */
  readonly normalised: number | null;
}

/** One file of the benchmark. */
export interface NabFile {
  /** `[T]`, raw, larger = more anomalous. */
  readonly scores: ArrayLike<number>;
  /** In their order, and apart from each other. Those that begin in the probation part are left out, as the benchmark does. */
  readonly windows: readonly Segment[];
  /** The first steps, in which alarms do not count; see `nabProbation`. */
  readonly probation: number;
}

/** Steps of the probation part of a file: 15 %, but 750 at most. */
export const nabProbation = (steps: number) => Math.min(Math.floor(0.15 * steps), 750);

/** σ(y) = 2 / (1 + e^(5y)) − 1, and −1 beyond 3: the weight of an alarm at y window lengths from the end of a window. */
export const nabWeight = (y: number) => (y > 3 ? -1 : 2 / (1 + Math.exp(5 * y)) - 1);

/** What an alarm at the first step of a window earns before it is scaled to 1. */
const MOST = nabWeight(-1);

/** Score of the alarms `[T]` (0 or 1) of one file. Throws ShapeError for a window that leaves the series. */
export function nabScore(
  alarms: ArrayLike<number>,
  windows: readonly Segment[],
  probation: number,
  profile: NabProfileName = 'standard',
): NabScore {
  const counted = countedWindows(windows, probation, alarms.length);
  let [hits, falseAlarms, missed] = [0, 0, 0];
  for (const window of counted) {
    let first = window.begin;
    while (first < window.end && !alarms[first]) first++;
    if (first < window.end) hits += earned(first, window);
    else missed++;
  }
  visitOutside(counted, probation, alarms.length, (t, cost) => {
    if (alarms[t]) falseAlarms += cost;
  });
  return scoreOf({ hits, missed, falseAlarms }, counted.length, nabProfiles[profile]);
}

/** Score of the alarms `score >= threshold` of several files together, as the benchmark does for its corpus. */
export function nabScoreAt(files: readonly NabFile[], threshold: number, profile: NabProfileName): NabScore {
  let raw = 0;
  let windows = 0;
  for (const file of files) {
    raw += nabScore(alarmsFrom(file.scores, threshold), file.windows, file.probation, profile).raw;
    windows += countedWindows(file.windows, file.probation, file.scores.length).length;
  }
  return scaled(raw, windows, nabProfiles[profile]);
}

/** The best score of the corpus and its threshold. */
export interface NabBest extends NabScore {
  /** Alarms are scores >= this; Infinity where it is best to raise none. The highest of equally good ones. */
  readonly threshold: number;
}

/**
 * The one threshold for all files that maximises their score, of all distinct scores and none at all: an oracle, for it
 * needs the labels, and the figure that the benchmark publishes. One sort and one sweep: O(N log N) for N steps in all.
 * Throws ConfigError `no-series` without a file.
 */
export function nabBest(files: readonly NabFile[], profile: NabProfileName = 'standard'): NabBest {
  if (files.length === 0) throw new ConfigError('no-series', 'The NAB score needs at least one series, got none.');
  const changes = changesOf(files);
  const weights = nabProfiles[profile];
  const total = { hits: 0, missed: changes.windows, falseAlarms: 0 };
  let best: NabBest = { ...scoreOf(total, changes.windows, weights), threshold: Infinity };
  const { order, scores, hits, found, falseAlarms } = changes;
  for (let i = 0; i < order.length; ) {
    const threshold = scores[order[i]];
    for (; i < order.length && scores[order[i]] === threshold; i++) {
      total.hits += hits[order[i]];
      total.missed -= found[order[i]];
      total.falseAlarms += falseAlarms[order[i]];
    }
    const score = scoreOf(total, changes.windows, weights);
    if (score.raw > best.raw + 1e-9) best = { ...score, threshold };
  }
  return best;
}

/** What changes in the counts of all files when the threshold falls to the score of a step. */
interface Changes {
  readonly windows: number;
  /** Steps that change something, the highest score first. */
  readonly order: Uint32Array;
  readonly scores: Float64Array;
  readonly hits: Float64Array;
  readonly found: Uint8Array;
  readonly falseAlarms: Float64Array;
}

function changesOf(files: readonly NabFile[]): Changes {
  const steps = files.reduce((sum, { scores }) => sum + scores.length, 0);
  const scores = new Float64Array(steps);
  const hits = new Float64Array(steps);
  const found = new Uint8Array(steps);
  const falseAlarms = new Float64Array(steps);
  const order: number[] = [];
  let windows = 0;
  let offset = 0;
  for (const file of files) {
    const counted = countedWindows(file.windows, file.probation, file.scores.length);
    for (const window of counted) {
      // As the threshold falls, the first alarm moves back over those steps that no earlier step of the window reaches.
      let highest = Number.NEGATIVE_INFINITY;
      let before = -1;
      for (let t = window.begin; t < window.end; t++) {
        if (!(file.scores[t] > highest) && !(before < 0 && file.scores[t] === highest)) continue;
        if (before >= 0) hits[offset + before] = earned(before, window) - earned(t, window);
        order.push(offset + t);
        highest = file.scores[t];
        before = t;
      }
      if (before >= 0) {
        hits[offset + before] = earned(before, window);
        found[offset + before] = 1;
      }
    }
    visitOutside(counted, file.probation, file.scores.length, (t, cost) => {
      if (Number.isNaN(file.scores[t])) return;
      falseAlarms[offset + t] = cost;
      order.push(offset + t);
    });
    for (let t = 0; t < file.scores.length; t++) scores[offset + t] = file.scores[t];
    windows += counted.length;
    offset += file.scores.length;
  }
  const sorted = Uint32Array.from(order).sort((a, b) => (scores[a] === scores[b] ? 0 : scores[a] < scores[b] ? 1 : -1));
  return { windows, order: sorted, scores, hits, found, falseAlarms };
}

function countedWindows(windows: readonly Segment[], probation: number, steps: number): Segment[] {
  for (const { begin, end } of windows) {
    if (!(begin >= 0 && begin < end && end <= steps)) {
      throw new ShapeError(`A window must lie in the ${steps} steps of its series, got ${begin} to ${end}.`);
    }
  }
  return windows.filter(({ begin }) => begin >= probation);
}

/** What the first alarm of a window earns, at most 1 at its first step. */
const earned = (t: number, { begin, end }: Segment) => nabWeight(-(end - t) / (end - begin)) / MOST;

/** Visits the steps behind the probation part and outside windows, with what a false alarm there costs, 0 to 1. */
function visitOutside(
  windows: readonly Segment[],
  probation: number,
  steps: number,
  visit: (t: number, cost: number) => void,
): void {
  let next = 0;
  for (let t = Math.max(0, probation); t < steps; t++) {
    while (next < windows.length && windows[next].end <= t) next++;
    if (next < windows.length && t >= windows[next].begin) {
      t = windows[next].end - 1;
      continue;
    }
    const last = windows[next - 1];
    visit(t, last ? -nabWeight((t - last.end + 1) / (last.end - last.begin - 1)) : 1);
  }
}

function scoreOf(
  { hits, missed, falseAlarms }: { hits: number; missed: number; falseAlarms: number },
  windows: number,
  profile: NabProfile,
): NabScore {
  return scaled(profile.hit * hits - profile.miss * missed - profile.falseAlarm * falseAlarms, windows, profile);
}

function scaled(raw: number, windows: number, { hit, miss }: NabProfile): NabScore {
  return { raw, normalised: windows === 0 ? null : (100 * (raw + miss * windows)) / ((hit + miss) * windows) };
}
