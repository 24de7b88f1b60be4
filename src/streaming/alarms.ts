/**
 * From steps beyond a threshold to alarms: steps that lie close together are one alarm, short ones are none, an alarm ends only
 * below a lower threshold, and for some time after one no other begins. Every step is judged as it comes, so an alarm is told
 * once it is long enough and its end once the gap has passed. Left out: stated intervals without alarms.
 */
import * as z from 'zod';
import type { StateArrays } from './state.ts';

/** How steps become alarms. */
export const alarmRule = z.strictObject({
  gap: z.int().min(0).default(0).describe('Steps below the threshold that do not end an alarm.'),
  least: z.int().min(1).default(1).describe('Steps of the shortest alarm.'),
  hysteresis: z
    .number()
    .min(0)
    .max(1)
    .default(0)
    .describe('An alarm goes on while the score is above the threshold less this share of its size.'),
  coolDown: z.int().min(0).default(0).describe('Steps after the end of an alarm in which no other begins.'),
});

/** Options of `alarmRule`. */
export type AlarmRule = z.input<typeof alarmRule>;

/** An alarm, as far as it is known. */
export interface Alarm {
  /** Its first step, counted from 0. */
  readonly start: number;
  /** The first step behind it; absent while it lasts. */
  readonly end?: number;
  /** Its highest score and the first step that has it. */
  readonly peak: { readonly step: number; readonly score: number };
  /** What share of the scores of its steps each channel made, the largest first; empty where the detector does not tell. */
  readonly channels: readonly { readonly name: string; readonly share: number }[];
}

/** A step as the rule sees it; `score` and `threshold` are null where there are none. */
export interface JudgedStep {
  /** Steps are numbered from 0, without holes. */
  readonly step: number;
  readonly threshold: number | null;
  readonly score: number | null;
  readonly parts?: Float64Array;
}

/** The rule at work on one stream. */
export interface AlarmState {
  readonly arrays: StateArrays;
  /** Judges a step, whose score is beyond the threshold or not. Returns the alarm that lasts, or, with its end, one that this step ended. */
  push(judged: JudgedStep, exceeds: boolean): Alarm | undefined;
  /** Ends the alarm that lasts, where there is one. */
  finish(): Alarm | undefined;
}

/** Starts the rule on a stream of these channels. */
export function openAlarms(rule: z.output<typeof alarmRule>, names: readonly string[]): AlarmState {
  const { gap, least, hysteresis, coolDown } = rule;
  /** 1 while an alarm lasts, its start, its last step above, step of the peak, the first step after the cool-down, score of the peak. */
  const numbers = new Float64Array(6);
  const parts = new Float64Array(names.length);

  const alarm = (end?: number): Alarm | undefined => {
    const [, start, last, peakStep, , peakScore] = numbers;
    if (last - start + 1 < least) return undefined;
    const sum = parts.reduce((all, part) => all + part, 0);
    const shares = names.map((name, c) => ({ name, share: parts[c] / sum }));
    const channels = sum > 0 ? shares.sort((a, b) => b.share - a.share) : [];
    return { start, ...(end !== undefined && { end }), peak: { step: peakStep, score: peakScore }, channels };
  };

  const close = (): Alarm | undefined => {
    const end = numbers[2] + 1;
    const closed = alarm(end);
    numbers[0] = 0;
    parts.fill(0);
    if (closed) numbers[4] = end + coolDown;
    return closed;
  };

  const extend = (step: number, score: number, added: Float64Array | undefined) => {
    numbers[2] = step;
    if (score > numbers[5]) {
      numbers[3] = step;
      numbers[5] = score;
    }
    if (added) for (let c = 0; c < parts.length; c++) parts[c] += added[c];
  };

  return {
    arrays: { alarm: numbers, alarmParts: parts },
    push({ step, score, threshold, parts: added }, exceeds) {
      const lasts = numbers[0] === 1;
      if (!lasts && !exceeds) return undefined;
      const stays =
        lasts && score !== null && threshold !== null && score > threshold - hysteresis * Math.abs(threshold);
      if (score !== null && (stays || (exceeds && (lasts || step >= numbers[4])))) {
        if (!lasts) numbers.set([1, step, step, step, numbers[4], Number.NEGATIVE_INFINITY]);
        extend(step, score, added);
      } else if (!lasts) return undefined;
      else if (step - numbers[2] > gap) return close();
      return alarm();
    },
    finish: () => (numbers[0] === 1 ? close() : undefined),
  };
}
