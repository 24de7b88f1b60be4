/**
 * A detector, a threshold and a rule of alarms as one: push a point, get its score, the threshold it met, the decision and the
 * alarm. Points with a value that is not a number are skipped and counted. The whole can be saved in the middle and restored.
 */
import { alarmRule } from '../core/alarm-rule.ts';
import { type Alarm, type AlarmRule, type KeptSpan, openAlarms } from '../core/alarms.ts';
import { ConfigError, DataError } from '../core/errors.ts';
import { configOf, type DetectorStream, type Saved, type ThresholdStream } from './define.ts';
import { checkWidth, decodeState, encodeState, nestedState, sameHead, takeArrays } from './state.ts';

/** What a stream is made of. */
export interface StreamOptions {
  /** The detector, opened for as many channels. */
  readonly detector: DetectorStream;
  readonly threshold: ThresholdStream;
  readonly alarms?: AlarmRule;
  /** The names of the channels, in the order of the values of a point. */
  readonly channels: readonly string[];
}

/** What a stream says of one point. */
export interface StreamStep {
  /** Counted from 0; skipped points count. */
  readonly step: number;
  /** Null during the warm-up of the detector, and for a skipped point. */
  readonly score: number | null;
  /** Null while there is no score, or the threshold is being calibrated. */
  readonly threshold: number | null;
  /** Null where there is no score or no threshold. */
  readonly decision: 'normal' | 'anomalous' | null;
  /** True for a point with a value that is not a finite number: nothing was learnt from it. */
  readonly skipped?: true;
  /** As the detector expected the point `[D]`. */
  readonly expected?: Float64Array;
  /** What each channel adds to the score `[D]`. */
  readonly parts?: Float64Array;
  /** The alarm that lasts, or, with its end, one that ended before this step. */
  readonly alarm?: Alarm;
}

/** A stream at work. */
export interface Stream extends Saved {
  readonly channels: readonly string[];
  /** Points pushed so far, with skipped ones. */
  readonly steps: number;
  /** Points skipped so far: tell whoever reads the scores. */
  readonly skipped: number;
  /** Judges and learns a point `[D]`. DataError `stream-channels` where D differs. */
  push(point: Float64Array): StreamStep;
  /** Refuses other names of channels: DataError `stream-head`, when the head of a file that grows has changed. */
  checkHead(names: readonly string[]): void;
  /** The stream is over: ends the alarm that lasts and gives it. */
  finish(): Alarm | undefined;
}

const KIND = 'stream';

/** A step that is being filled. */
type Filling = { -readonly [K in keyof StreamStep]: StreamStep[K] };

/**
 * Joins a detector, a threshold and a rule of alarms. ConfigError where names and channels differ in number.
 * @example
 * const stream = openStream({ detector: halfSpaceTrees.open(1), threshold: spot.open(), channels: ['load'] });
 * const { score, decision, alarm } = stream.push(Float64Array.of(0.7));
 */
export function openStream({ detector, threshold, alarms, channels }: StreamOptions): Stream {
  if (channels.length !== detector.channels)
    throw new ConfigError(
      'stream-channels',
      `Each channel of a stream needs a name: the detector has ${detector.channels}, and ${channels.length} names were given.`,
    );
  const rule = configOf({ name: 'alarms', config: alarmRule }, alarms);
  const state = openAlarms(rule, 3 * channels.length);
  /** Points, and skipped ones. */
  const counts = new Float64Array(2);
  const own = { counts, ...state.arrays };
  const head = { channels, alarms: rule };

  /** Fills what is known of a step, without its alarm; true where the score is beyond the threshold. */
  const judge = (point: Float64Array, step: Filling): boolean => {
    const scored = detector.push(point);
    if (scored === undefined) {
      counts[1] += 1;
      step.skipped = true;
      return false;
    }
    if (scored.expected) step.expected = scored.expected;
    if (scored.parts) step.parts = scored.parts;
    step.score = scored.score;
    if (scored.score === null) return false;
    const { threshold: met, exceeds } = threshold.push(scored.score);
    step.threshold = met;
    if (met !== null) step.decision = exceeds ? 'anomalous' : 'normal';
    return exceeds;
  };

  return {
    channels,
    get steps() {
      return counts[0];
    },
    get skipped() {
      return counts[1];
    },
    push(point) {
      checkWidth(point, channels.length);
      const step: Filling = {
        step: counts[0],
        score: null,
        threshold: null,
        decision: null,
      };
      counts[0] += 1;
      const exceeds = judge(point, step);
      const alarm = state.push(step, exceeds, () => ofPeak(point, step));
      if (alarm) step.alarm = alarmOf(alarm, channels);
      return step;
    },
    checkHead(names) {
      if (JSON.stringify(names) === JSON.stringify(channels)) return;
      throw new DataError(
        'stream-head',
        `The columns of a stream must stay the same; expected ${channels.join(', ')}, found ${names.join(', ')}. Start a new stream for new columns.`,
      );
    },
    finish() {
      const alarm = state.finish();
      return alarm && alarmOf(alarm, channels);
    },
    save: () => encodeState(KIND, head, { ...own, detector: detector.save(), threshold: threshold.save() }),
    restore(bytes) {
      const saved = decodeState(KIND, bytes);
      sameHead(head, saved.head);
      // All or nothing: what was learnt before comes back where a part cannot be taken.
      const before = [detector.save(), threshold.save()];
      try {
        detector.restore(nestedState(saved.arrays, 'detector'));
        threshold.restore(nestedState(saved.arrays, 'threshold'));
        takeArrays(own, saved.arrays);
      } catch (error) {
        detector.restore(before[0]);
        threshold.restore(before[1]);
        throw error;
      }
    },
  };
}

/** What is kept of the peak of an alarm, D numbers each, NaN where there are none: parts of the score, values, expected values. */
function ofPeak(point: Float64Array, { parts, expected }: Pick<StreamStep, 'parts' | 'expected'>): number[] {
  const none = new Float64Array(point.length).fill(Number.NaN);
  return [...(parts ?? none), ...point, ...(expected ?? none)];
}

/** An alarm with its channels, from what was kept of its peak. */
function alarmOf({ kept, ...span }: KeptSpan, names: readonly string[]): Alarm {
  const width = names.length;
  const sum = kept.subarray(0, width).reduce((all, part) => all + part, 0);
  const channels = names.map((name, c) => ({
    name,
    share: kept[c] / sum,
    actual: kept[width + c],
    ...(!Number.isNaN(kept[2 * width + c]) && { expected: kept[2 * width + c] }),
  }));
  return { ...span, channels: sum > 0 ? channels.sort((a, b) => b.share - a.share) : [] };
}
