/**
 * From scores of steps to alarms, by one rule for whole series and for streams: steps beyond the threshold that lie close
 * together are one alarm, short ones are none, an alarm ends only below a lower threshold, and for some time after one no other
 * begins. Every step is judged as it comes, so a stream tells an alarm once it is long enough and its end once the gap has
 * passed; a whole series is the same rule, step by step. Left out: thresholds on the area under a score, as some services have.
 */
import type { AlarmRule, FullRule } from './alarm-rule.ts';
import { ConfigError } from './errors.ts';

export type { AlarmRule, FullRule } from './alarm-rule.ts';

/** The rule with nothing left open. ConfigError `option-range` for numbers that cannot be. */
export function fullRule({ gap = 0, least = 1, hysteresis = 0, coolDown = 0 }: AlarmRule): FullRule {
  const must = (name: string, value: number, from: number, to = Number.POSITIVE_INFINITY, isWhole = true) => {
    if (value >= from && value <= to && (!isWhole || Number.isInteger(value))) return;
    const range = isWhole ? `a whole number from ${from} on` : `a number from ${from} to ${to}`;
    throw new ConfigError('option-range', `The rule of alarms needs ${range} for ${name}, got ${value}.`);
  };
  must('gap', gap, 0);
  must('least', least, 1);
  must('hysteresis', hysteresis, 0, 1, false);
  must('coolDown', coolDown, 0);
  return { gap, least, hysteresis, coolDown };
}

/** Where an alarm lies, as far as it is known. */
export interface AlarmSpan {
  /** Its first step, counted from 0. */
  readonly start: number;
  /** The first step behind it; absent while it lasts. */
  readonly end?: number;
  /** Its highest score and the first step that has it. */
  readonly peak: { readonly step: number; readonly score: number };
}

/** An alarm. */
export interface Alarm extends AlarmSpan {
  /** How severe its peak is, see `severityOf`; absent where no normals were held out. */
  readonly severity?: number;
  readonly level?: SeverityLevel;
  /** What each channel adds to the score of the peak, the largest first; empty where the detector does not tell. */
  readonly channels: readonly AlarmChannel[];
}

/** A channel at the peak of an alarm. */
export interface AlarmChannel {
  readonly name: string;
  /** Of the score, [0, 1]. */
  readonly share: number;
  /** Its value, in its own units. */
  readonly actual?: number;
  /** Between which numbers 95 % of the training steps lie. */
  readonly usual?: readonly [low: number, high: number];
  /** What the detector expected in place of the value, where it expects something. */
  readonly expected?: number;
}

/** An alarm that is over. */
export type EndedAlarm = Alarm & { readonly end: number };

/** How severe an alarm is, in words. */
export type SeverityLevel = 'low' | 'medium' | 'high';

/** Where `medium` and `high` begin. */
const LEVELS = { medium: 2, high: 4 };

/**
 * How far a peak lies above normal scores, in units of what a threshold allows: (peak − m) / (threshold − m), with m the median of
 * the scores of held-out normals. 1 is at the threshold, below 2 is `low`, from 4 on `high`. Undefined where the threshold is not
 * above the median.
 */
export function severityOf(
  peak: number,
  { threshold, median }: { readonly threshold: number; readonly median: number },
): { readonly severity: number; readonly level: SeverityLevel } | undefined {
  const severity = (peak - median) / (threshold - median);
  if (!(threshold > median) || !Number.isFinite(severity)) return undefined;
  return { severity, level: severity >= LEVELS.high ? 'high' : severity >= LEVELS.medium ? 'medium' : 'low' };
}

/** A step as the rule sees it; `score` and `threshold` are null where there are none. */
export interface JudgedStep {
  /** Steps are numbered from 0, without holes. */
  readonly step: number;
  readonly threshold: number | null;
  readonly score: number | null;
}

/** A span, and the numbers that were kept of its peak. */
export interface KeptSpan extends AlarmSpan {
  readonly kept: Float64Array;
}

/** The rule at work on one stream. */
export interface AlarmState {
  /** All that is known; whoever restores them goes on from there. */
  readonly arrays: Readonly<Record<string, Float64Array>>;
  /**
   * Judges a step, whose score is beyond the threshold or not; `about` gives the numbers that are kept while it is the peak.
   * Returns the alarm that lasts, or, with its end, one that this step ended.
   */
  push(judged: JudgedStep, exceeds: boolean, about?: () => ArrayLike<number>): KeptSpan | undefined;
  /** Ends the alarm that lasts, where there is one. */
  finish(): KeptSpan | undefined;
}

/** Starts the rule; `kept` is how many numbers are kept of the peak of an alarm. */
export function openAlarms(rule: FullRule, kept = 0): AlarmState {
  const { gap, least, hysteresis, coolDown } = rule;
  /** 1 while an alarm lasts, its start, its last step above, step of the peak, the first step after the cool-down, score of the peak. */
  const numbers = new Float64Array(6);
  const ofPeak = new Float64Array(kept).fill(Number.NaN);

  const alarm = (end?: number): KeptSpan | undefined => {
    const [, start, last, step, , score] = numbers;
    if (last - start + 1 < least) return undefined;
    return { start, ...(end !== undefined && { end }), peak: { step, score }, kept: ofPeak.slice() };
  };

  const close = (): KeptSpan | undefined => {
    const end = numbers[2] + 1;
    const closed = alarm(end);
    numbers[0] = 0;
    ofPeak.fill(Number.NaN);
    if (closed) numbers[4] = end + coolDown;
    return closed;
  };

  const extend = (step: number, score: number, about: (() => ArrayLike<number>) | undefined) => {
    numbers[2] = step;
    if (!(score > numbers[5])) return;
    numbers[3] = step;
    numbers[5] = score;
    if (about) ofPeak.set(about());
  };

  return {
    arrays: { alarm: numbers, alarmPeak: ofPeak },
    push({ step, score, threshold }, exceeds, about) {
      const lasts = numbers[0] === 1;
      if (!lasts && !exceeds) return undefined;
      const stays =
        lasts && score !== null && threshold !== null && score > threshold - hysteresis * Math.abs(threshold);
      if (score !== null && (stays || (exceeds && (lasts || step >= numbers[4])))) {
        if (!lasts) numbers.set([1, step, step, step, numbers[4], Number.NEGATIVE_INFINITY]);
        extend(step, score, about);
      } else if (!lasts) return undefined;
      else if (step - numbers[2] > gap) return close();
      return alarm();
    },
    finish: () => (numbers[0] === 1 ? close() : undefined),
  };
}

/**
 * The alarms of a whole series, in their order: the rule replayed over its scores `[T]`. A step is beyond the threshold when its
 * score is at or above it; NaN is a step without a score. None without a threshold. O(T).
 */
export function alarmsOf(
  scores: ArrayLike<number>,
  threshold: number | null,
  rule: AlarmRule = {},
): (AlarmSpan & { readonly end: number })[] {
  const alarms: (AlarmSpan & { readonly end: number })[] = [];
  if (threshold === null) return alarms;
  const state = openAlarms(fullRule(rule));
  const take = (span: KeptSpan | undefined) => {
    if (span?.end !== undefined) alarms.push({ start: span.start, end: span.end, peak: span.peak });
  };
  for (let step = 0; step < scores.length; step++) {
    const score = Number.isNaN(scores[step]) ? null : scores[step];
    take(state.push({ step, score, threshold }, score !== null && score >= threshold));
  }
  take(state.finish());
  return alarms;
}
