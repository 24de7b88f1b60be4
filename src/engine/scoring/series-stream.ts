/**
 * A trained detector of series on a stream. A step is seen through the window around it, so it is scored once the last step of
 * that window has come: ⌊(L − 1)/2⌋ steps later. Scores are those of the whole series, first and last steps included. A point
 * with a value that is not a number is left out, and the window goes on with the next one; after a gap `restart` begins a new
 * window. Left out: windows that end with the step, which need a detector trained on such.
 */
import {
  type Alarm,
  type AlarmRule,
  type EndedAlarm,
  type FullRule,
  type KeptSpan,
  openAlarms,
} from '../../core/alarms.ts';
import { DataError, ShapeError } from '../../core/errors.ts';
import { encodeSteps, stepsBefore, type TableEncoding } from '../../data/pure.ts';
import { series as kind } from '../../kinds/index.ts';
import { thresholdByValue } from '../../metrics/index.ts';
import { checkWidth, decodeState, encodeState, isWhole, sameHead, takeArrays } from '../../streaming/state.ts';
import { type Decision, decide, type ThresholdReport } from '../judging/calibrate.ts';
import { channelsAt, inOwnUnits, partsOf, ruleOf, severityIn } from './alarms.ts';
import type { ArtifactInfo } from './artifact.ts';
import type { Detector } from './detector.ts';
import { bandAround } from './expected.ts';

/** What is said of a step. */
export interface SeriesStep {
  /** Counted from 0; skipped points count. */
  readonly step: number;
  /** Steps that came after it until it could be scored. */
  readonly delay: number;
  /** Null for a skipped point, where fewer steps than a window lie between two gaps, and for values too far off for a score. */
  readonly score: number | null;
  /** That of the detector; null where it has none. */
  readonly threshold: number | null;
  /** Null where there is no score or no threshold. */
  readonly decision: Decision | null;
  /** True for a point with a value that is not a finite number. */
  readonly skipped?: true;
  /** What the detector has in place of the values `[D]`, where it has such and the step is in the middle of its window. */
  readonly expected?: Float64Array;
  /** The ends of the margins around it `[D]`, where the detector has such. */
  readonly lower?: Float64Array;
  readonly upper?: Float64Array;
  /** What each channel adds to the score `[D]`. */
  readonly parts?: Float64Array;
  /** The alarm that lasts, or, with its end, one that ended before this step. */
  readonly alarm?: Alarm;
}

/** The last steps of a stream, or of what lies before a gap. */
export interface LastSteps {
  readonly steps: readonly SeriesStep[];
  /** The alarm that ended with them. */
  readonly alarm?: EndedAlarm;
}

/** A trained detector at work on one stream. Calls wait for each other. */
export interface SeriesStream {
  /** Names of the channels, in the order of the values of a point. */
  readonly channels: readonly string[];
  /** Steps from a step until it is scored. */
  readonly delay: number;
  /** L, steps of a window. */
  readonly window: number;
  /** Points pushed so far, with skipped ones. */
  readonly steps: number;
  /** Points skipped so far: tell whoever reads the scores. */
  readonly skipped: number;
  /**
   * Takes a point `[D]`, or several one after the other `[n, D]`, and gives the steps that can be scored now, in their order: none
   * until a window is complete, then its first half at once. DataError `stream-channels`. Rejects as `detector.score` does; then
   * nothing has changed.
   */
  push(points: Float64Array): Promise<SeriesStep[]>;
  /** What comes now lies behind a gap: ends window and alarm, and gives the steps that were waiting. */
  restart(): Promise<LastSteps>;
  /** The stream is over: as `restart`. */
  finish(): Promise<LastSteps>;
  /** What is needed to go on from here; equal states give equal bytes. Not while a call is under way. */
  save(): Uint8Array;
  /** Takes what `save` gave. DataError `stream-state-damaged`, `stream-state-other`; then nothing has changed. */
  restore(bytes: Uint8Array): void;
}

/** How a stream is opened. */
export interface SeriesStreamOptions {
  /** Takes the place of the rule of the detector. */
  readonly alarms?: AlarmRule;
  /** Takes the place of the threshold of the detector. */
  readonly threshold?: number;
}

const KIND = 'series stream';

/** What is known of a scored step. */
interface Seen {
  readonly score: number;
  readonly parts: Float64Array;
  readonly actual: Float64Array;
  readonly expected?: Float64Array;
}

/**
 * Starts a detector of series on a stream. ShapeError for one of another kind; ConfigError for a rule or a threshold that is none.
 * @example
 * const stream = detector.stream();
 * for (const { step, score, decision, alarm } of await stream.push(Float64Array.of(20.1, 5.2))) console.log(step, score);
 */
export function openSeriesStream(detector: Detector, options: SeriesStreamOptions = {}): SeriesStream {
  const { info } = detector;
  if (detector.kind !== kind.name) throw new ShapeError(`This detector takes no series, but ${detector.kind} items.`);
  const encoding = info.table;
  if (!encoding) throw new DataError('artefact-corrupt', 'This detector lacks the names of its channels. Train again.');
  const [window, width] = info.shape;
  const before = stepsBefore(window);
  const channels = encoding.columns.map(({ name }) => name);
  const threshold =
    options.threshold === undefined ? info.threshold : { value: thresholdByValue(options.threshold).threshold };
  const rule = ruleOf(info, options.alarms);
  const telling = openTelling({ ...info, threshold }, encoding, rule);
  /** Points pushed, skipped ones, points in the window. */
  const counts = new Float64Array(3);
  /** The last L points that were not skipped, and the numbers of their steps. */
  const values = new Float64Array(window * width);
  const numbers = new Float64Array(window);
  const own = { counts, values, numbers, ...telling.arrays };
  const head = { model: info.sha256, threshold: threshold.value, alarms: rule };
  const score = windowScorer(detector, encoding);

  /** Takes points: those that are whole go on with the window, and the steps whose windows are complete are scored at once. */
  const take = async (points: Float64Array): Promise<SeriesStep[]> => {
    if (points.length % width !== 0 || points.length === 0) checkWidth(points, width);
    const count = points.length / width;
    const filled = counts[2];
    const held = new Float64Array(filled * width + points.length);
    held.set(values.subarray(0, filled * width));
    const steps = Array.from(numbers.subarray(0, filled));
    for (let i = 0; i < count; i++) {
      const point = points.subarray(i * width, (i + 1) * width);
      if (!isWhole(point)) continue;
      held.set(point, steps.length * width);
      steps.push(counts[0] + i);
    }
    // A window that was complete before has been scored.
    const first = filled === window ? 1 : 0;
    const seen = await score(held.subarray(first * width, steps.length * width));
    const told: SeriesStep[] = [];
    for (let k = 0; k < seen.count; k++) {
      const from = k === 0 && filled < window ? 0 : before;
      for (let place = from; place <= before; place++)
        told.push(...telling.tell(steps[first + k + place], seen.at(k, place), steps[first + k + window - 1]));
    }
    const kept = Math.min(window, steps.length);
    values.set(held.subarray((steps.length - kept) * width, steps.length * width));
    numbers.set(steps.slice(steps.length - kept));
    counts[0] += count;
    counts[1] += count - (steps.length - filled);
    counts[2] = kept;
    return told;
  };

  const end = async (): Promise<LastSteps> => {
    const filled = counts[2];
    const told: SeriesStep[] = [];
    const seen = filled === window ? await score(values) : undefined;
    const from = seen ? before + 1 : 0;
    const last = counts[0] - 1;
    for (let place = from; place < filled; place++)
      told.push(...telling.tell(numbers[place], seen?.at(0, place), last));
    told.push(...telling.skippedBefore(last + 1, last));
    counts[2] = 0;
    values.fill(0);
    numbers.fill(0);
    const alarm = telling.finish();
    return { steps: told, ...(alarm && { alarm }) };
  };

  let queue: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const turn = queue.then(work);
    queue = turn.catch(() => {});
    return turn;
  };

  return {
    channels,
    window,
    delay: window - 1 - before,
    get steps() {
      return counts[0];
    },
    get skipped() {
      return counts[1];
    },
    push: (points) => inTurn(() => take(points)),
    restart: () => inTurn(end),
    finish: () => inTurn(end),
    save: () => encodeState(KIND, head, own),
    restore(bytes) {
      const saved = decodeState(KIND, bytes);
      sameHead(head, saved.head);
      takeArrays(own, saved.arrays);
    },
  };
}

/** Scores all windows of some points `[n, D]`, one after the other; none of fewer points than a window has. */
function windowScorer(detector: Detector, encoding: TableEncoding) {
  const [window, width] = detector.info.shape;
  const before = stepsBefore(window);
  const channels = encoding.columns.map(({ name }) => name);
  const size = window * width;
  return async (points: Float64Array) => {
    const count = Math.max(0, points.length / width - window + 1);
    const inputs = encodeSteps({ channels, values: points }, encoding);
    const items = new Float32Array(count * size);
    for (let k = 0; k < count; k++) items.set(inputs.subarray(k * width, k * width + size), k * size);
    const scored = count === 0 ? undefined : await detector.score(items, count);
    return {
      count,
      /** What is known of a place in window k. */
      at(k: number, place: number): Seen | undefined {
        if (!scored) return undefined;
        const drawn = place === before ? scored.reconstructions?.subarray(k * size + place * width) : undefined;
        return {
          score: scored.scores[k],
          parts: partsOf(scored.maps.subarray(k * size, (k + 1) * size), width),
          actual: points.slice((k + place) * width, (k + place + 1) * width),
          ...(drawn && { expected: inOwnUnits(drawn, encoding) }),
        };
      },
    };
  };
}

/** Tells steps in their order, each with the alarm that the rule makes of it. */
function openTelling(
  info: Pick<ArtifactInfo, 'normalScores' | 'series'> & {
    readonly threshold: Pick<ThresholdReport, 'value' | 'review'>;
  },
  encoding: TableEncoding,
  rule: FullRule,
) {
  const width = encoding.columns.length;
  const threshold = info.threshold.value;
  const state = openAlarms(rule, 3 * width);
  const next = new Float64Array(1);
  const none = new Float64Array(width).fill(Number.NaN);

  const alarmOf = ({ kept, ...span }: KeptSpan): Alarm => {
    const [parts, actual, expected] = [0, 1, 2].map((i) => kept.subarray(i * width, (i + 1) * width));
    return {
      ...span,
      ...severityIn(info, span.peak.score),
      channels: channelsAt({ parts, encoding, actual, expected }),
    };
  };

  const one = (step: number, seen: Seen | undefined, last: number, skipped?: true): SeriesStep => {
    const score = seen && !Number.isNaN(seen.score) ? seen.score : null;
    const exceeds = score !== null && threshold !== null && score >= threshold;
    const about = () => [...seen!.parts, ...seen!.actual, ...(seen!.expected ?? none)];
    const alarm = state.push({ step, score, threshold: score === null ? null : threshold }, exceeds, about);
    return {
      step,
      delay: last - step,
      score,
      threshold,
      decision: score === null ? null : decide(info.threshold, score),
      ...(skipped && { skipped }),
      ...(seen && { parts: seen.parts }),
      ...bandAround(seen?.expected, info.series?.margins),
      ...(alarm && { alarm: alarmOf(alarm) }),
    };
  };

  const skippedBefore = (step: number, last: number): SeriesStep[] => {
    const told: SeriesStep[] = [];
    for (; next[0] < step; next[0]++) told.push(one(next[0], undefined, last, true));
    return told;
  };

  return {
    arrays: { next, ...state.arrays },
    /** Points up to this step that were told in no other way: those that were skipped. */
    skippedBefore,
    /** A step, which can be told since step `last` came. */
    tell(step: number, seen: Seen | undefined, last: number): SeriesStep[] {
      const told = skippedBefore(step, last);
      told.push(one(step, seen, last));
      next[0] = step + 1;
      return told;
    },
    finish(): EndedAlarm | undefined {
      const alarm = state.finish();
      return alarm && (alarmOf(alarm) as EndedAlarm);
    },
  };
}
