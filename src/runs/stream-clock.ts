/** The times of a stream as they come: in which form they are written, whether they go on, and how long a step is. */
import type { Listener } from '../core/events.ts';
import { durationText, readTime, type TimeForm, timeText } from '../data/table/times.ts';
import { quote } from './stream-columns.ts';

/** Differences of times from which the step is taken. */
const STEPS = 99;

/** Reads the times of a stream, and counts those that go back. */
export interface Clock {
  readonly forms: readonly TimeForm[];
  readonly last: number | null;
  readonly back: number;
  readonly unread: number;
  /** Milliseconds from a step to the next, the median of the first ones; null where fewer than two times are known. */
  readonly step: number | null;
  /** Milliseconds since 1970; null for what is no time. */
  read(text: string, place: string): number | null;
}

/** A clock for times in one of these forms, the likeliest first; `since` is the last time that was read before. */
export function openClock(candidates: readonly TimeForm[], since: number | null, tell: Listener): Clock {
  let forms = candidates;
  let last = since;
  let [back, unread] = [0, 0];
  const steps: number[] = [];
  const warn = (code: string, message: string) => tell({ type: 'warning', code, message });
  return {
    get forms() {
      return forms;
    },
    get last() {
      return last;
    },
    get back() {
      return back;
    },
    get unread() {
      return unread;
    },
    get step() {
      return steps.length === 0 ? null : [...steps].sort((a, b) => a - b)[steps.length >> 1];
    },
    read(text, place) {
      // While day and month may be either way round, each time tells more.
      const fit = forms.length > 1 ? forms.filter((form) => isTime(readTime(text, form))) : forms;
      if (fit.length > 0 && fit[0] !== forms[0]) {
        warn(
          'stream-time-form',
          `${place}: times are ${fit[0]}, not ${forms[0]} as it seemed; those before were misread.`,
        );
        last = null;
      }
      if (fit.length > 0) forms = fit;
      const time = fit.length > 0 ? readTime(text, forms[0]) : Number.NaN;
      if (!isTime(time)) {
        unread += 1;
        if (unread === 1) warn('stream-time', `${place}: ${quote(text)} is no time; its point is judged without one.`);
        return null;
      }
      if (last !== null && time < last) {
        back += 1;
        const by = durationText(last - time);
        if (back === 1)
          warn(
            'stream-time-back',
            `${place}: times must go on, but ${timeText(time)} lies ${by} before the time above it. Its point is judged in the order of the lines.`,
          );
      } else if (last !== null && time > last && steps.length < STEPS) steps.push(time - last);
      last = time;
      return time;
    },
  };
}

/** True for a time that can be written as a date. */
const isTime = (ms: number) => Math.abs(ms) <= 8.64e15;
