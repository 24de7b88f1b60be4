/** A stream of lines at work: what its columns are, each line as a point, and what is told of it. */
import type { Alarm, AlarmChannel, SeverityLevel } from '../core/alarms.ts';
import type { Listener } from '../core/events.ts';
import { durationText, readTime, type TimeForm, timeText } from '../data/table/times.ts';
import { openStream, type StreamOptions, type StreamStep } from '../streaming/index.ts';
import {
  cellsOf,
  checkNoHead,
  type Head,
  headOf,
  isDecidable,
  MOST_SAMPLES,
  numberOf,
  otherHead,
  quote,
  type Roles,
  rolesOf,
} from './stream-columns.ts';
import { atStart, behind, type Line, type Position } from './stream-input.ts';

/** What is said of a step. */
export interface StreamRecord {
  /** The step, counted from 0; skipped points count. */
  readonly at: number;
  /** As ISO 8601 in UTC; absent where the time is not known. */
  readonly time?: string;
  /** In the file or input, counted from 1. */
  readonly line: number;
  readonly score: number | null;
  readonly threshold: number | null;
  readonly decision: 'normal' | 'anomalous' | null;
  /** A cell was no number: nothing was learnt. */
  readonly skipped?: true;
  /** What was expected, by channel. */
  readonly expected?: Readonly<Record<string, number>>;
  /** What share of the peak of the alarm, or of the score where there is none, each channel makes; the largest first. */
  readonly channels: readonly AlarmChannel[];
  /** The alarm that begins, lasts or, where `end` is a number, has ended before that step. */
  readonly alarm: {
    readonly start: number;
    readonly end: number | null;
    readonly peak: { readonly step: number; readonly score: number };
    /** As `severityOf` says; of trained detectors. */
    readonly severity?: number;
    readonly level?: SeverityLevel;
  } | null;
}

/** What is said at the end. */
export interface StreamSummary {
  /** Points of this call, with skipped ones. */
  readonly points: number;
  readonly skipped: number;
  /** The first lines that were skipped. */
  readonly skippedLines: readonly number[];
  /** Alarms that began in this call. */
  readonly alarms: number;
  /** True where an alarm lasts. */
  readonly alarmLasts: boolean;
  /** Times that lie before the one before them. */
  readonly timesBack: number;
  /** Times that could not be read. */
  readonly timesUnread: number;
  /** The last line that was read. */
  readonly line: number;
  readonly seconds: number;
  readonly pointsPerSecond: number;
  /** Seconds from the first step of an alarm until it is told, and from its last step until its end is told; null without times. */
  readonly delay: { readonly stepSeconds: number; readonly begin: number; readonly end: number } | null;
}

/** What is kept of a stream. */
export interface Progress {
  readonly head: Head;
  readonly roles: Roles;
  readonly position: Position;
  /** The start of the alarm that was told and lasts; -1 for none. */
  readonly told: number;
  readonly lastTime: number | null;
  readonly stream: Uint8Array;
}

interface SessionOptions {
  /** Of the file or input, for sentences. */
  readonly name: string;
  open(channels: number): Omit<StreamOptions, 'channels'>;
  readonly channels?: readonly string[];
  readonly every: boolean;
  /** Whether an alarm that lasts ends with the lines. */
  readonly endsAlarms: boolean;
  readonly tell: Listener;
  readonly saved?: Progress;
  /** Calls what restores the saved stream. */
  restoring(restore: () => void): void;
}

/** Takes lines in their order. */
export interface Session {
  /** Points so far in this session. */
  readonly points: number;
  take(line: Line): StreamRecord[];
  /** After the last line. */
  end(): StreamRecord[];
  /** Undefined while the columns are not known. */
  progress(): Progress | undefined;
  summary(): StreamSummary;
}

const SHOWN_LINES = 5;
/** Differences of times from which the step is taken. */
const STEPS = 99;

/** A stream whose columns are known. */
interface Work {
  readonly points: number;
  /** A line as a point: what is told of it. DataError `stream-head` for names in place of numbers. */
  judge(line: Line, cells: readonly string[]): StreamRecord[];
  /** After the last line: the alarm that ends with it. */
  finish(): StreamRecord[];
  progress(): Omit<Progress, 'head' | 'position'>;
  summary(): Omit<StreamSummary, 'line' | 'seconds' | 'pointsPerSecond'>;
}

/** Opens the stream, and restores it where it was saved. */
function openWork(head: Head, roles: Roles, options: SessionOptions): Work {
  const { name, saved, tell, every } = options;
  const parts = options.open(roles.channels.length);
  const stream = openStream({ ...parts, channels: roles.channels.map((c) => head.columns[c]) });
  if (saved) options.restoring(() => stream.restore(saved.stream));
  const clock = openClock(roles.forms, saved?.lastTime ?? null, tell);
  const point = new Float64Array(roles.channels.length);
  const counts = { points: 0, skipped: 0, alarms: 0 };
  const skippedLines: number[] = [];
  let told = saved?.told ?? -1;
  let last: StreamRecord | undefined;
  tell({ type: 'log', level: 'info', message: rolesText(name, head.columns, roles) });

  const skip = (line: Line, cells: readonly string[]) => {
    counts.skipped += 1;
    if (skippedLines.length < SHOWN_LINES) skippedLines.push(line.number);
    if (counts.skipped > 1) return;
    const c = roles.channels[point.findIndex((value) => Number.isNaN(value))];
    const message = `${name}:${line.number}: ${head.columns[c]} must be a number, found ${quote(cells[c])}. Points like this one are skipped and counted.`;
    tell({ type: 'warning', code: 'stream-skipped', message });
  };

  return {
    get points() {
      return counts.points;
    },
    judge(line, cells) {
      const place = `${name}:${line.number}`;
      checkNoHead(cells, head, roles, place);
      roles.channels.forEach((c, i) => {
        point[i] = numberOf(cells[c], head.delimiter);
      });
      const time = roles.time < 0 ? null : clock.read(cells[roles.time].trim(), place);
      const step = stream.push(point);
      counts.points += 1;
      if (step.skipped) skip(line, cells);
      last = recordOf(step, stream.channels, line.number, time);
      const { alarm } = step;
      const isNews = alarm !== undefined && (alarm.end !== undefined || alarm.start !== told);
      if (alarm && isNews) {
        if (alarm.end === undefined) counts.alarms += 1;
        told = alarm.end === undefined ? alarm.start : -1;
      }
      return every || isNews ? [last] : [];
    },
    finish() {
      const alarm = options.endsAlarms ? stream.finish() : undefined;
      if (!alarm || !last) return [];
      told = -1;
      return [{ ...last, channels: alarm.channels, alarm: alarmOf(alarm) }];
    },
    progress: () => ({ roles: { ...roles, forms: clock.forms }, told, lastTime: clock.last, stream: stream.save() }),
    summary: () => ({
      ...counts,
      skippedLines,
      alarmLasts: told >= 0,
      timesBack: clock.back,
      timesUnread: clock.unread,
      delay: clock.step === null ? null : delayOf(clock.step / 1000, parts.alarms ?? {}),
    }),
  };
}

/** What is said where no column became known. */
const nothing: ReturnType<Work['summary']> = {
  ...{ points: 0, skipped: 0, skippedLines: [], alarms: 0, alarmLasts: false },
  ...{ timesBack: 0, timesUnread: 0, delay: null },
};

/** Opens a session, which goes on from what was saved. */
export function openSession(options: SessionOptions): Session {
  const { name, saved } = options;
  const begun = performance.now();
  const pending: { line: Line; cells: string[] }[] = [];
  let head: Head | undefined = saved?.head;
  let isHeadRead = (saved?.position.line ?? 0) > 0;
  let work = saved && openWork(saved.head, savedRoles(saved, options.channels), options);
  /** The last line that was taken. */
  let read: Line | undefined;

  /** The head of what is read; true where the line is no point. */
  const takeHead = (line: Line): boolean => {
    const place = `${name}:${line.number}`;
    const found = headOf(line.text, place);
    isHeadRead = true;
    const isSame = found.columns.join('\n') === head?.columns.join('\n') && found.format === head.format;
    if (head && (head.format === 'csv' || found.format === 'csv') && !isSame)
      throw otherHead(place, head.columns, found.columns);
    head ??= found;
    return found.format === 'csv';
  };

  const judge = (line: Line, cells: readonly string[], on: Work): StreamRecord[] => {
    const records = on.judge(line, cells);
    read = line;
    return records;
  };

  /** Decides on the columns once enough lines are there, and judges these. */
  const decide = (isLast: boolean): StreamRecord[] => {
    const samples = pending.map(({ cells }) => cells);
    if (!head || samples.length === 0) return [];
    if (!isLast && samples.length < MOST_SAMPLES && !isDecidable(samples, head)) return [];
    const ready = openWork(head, rolesOf(head, samples, options.channels), options);
    work = ready;
    return pending.splice(0).flatMap(({ line, cells }) => judge(line, cells, ready));
  };

  return {
    get points() {
      return work?.points ?? 0;
    },
    take(line) {
      const isBlank = line.text.trim() === '';
      const isHead = !isBlank && !isHeadRead && takeHead(line);
      const cells = isBlank || isHead || !head ? undefined : cellsOf(line.text, head, `${name}:${line.number}`);
      if (cells && work) return judge(line, cells, work);
      if (cells) {
        pending.push({ line, cells });
        return decide(false);
      }
      if (pending.length === 0) read = line;
      return [];
    },
    end() {
      const records = work ? [] : decide(true);
      return [...records, ...(work?.finish() ?? [])];
    },
    progress() {
      if (!work || !head) return undefined;
      return { head, position: read ? behind(read) : (saved?.position ?? atStart), ...work.progress() };
    },
    summary() {
      const seconds = (performance.now() - begun) / 1000;
      const points = work?.points ?? 0;
      return {
        ...(work?.summary() ?? nothing),
        line: read?.number ?? saved?.position.line ?? 0,
        seconds,
        pointsPerSecond: seconds > 0 ? points / seconds : 0,
      };
    },
  };
}

const delayOf = (stepSeconds: number, { gap = 0, least = 1 }: { gap?: number; least?: number }) => ({
  stepSeconds,
  begin: (least - 1) * stepSeconds,
  end: (gap + 1) * stepSeconds,
});

/** The roles that were saved, with the channels that are wanted now: where they differ the stream refuses its state. */
function savedRoles({ head, roles }: Progress, wanted: readonly string[] | undefined): Roles {
  if (!wanted) return roles;
  const sample = head.columns.map(() => '');
  return { ...roles, channels: rolesOf(head, [sample], wanted).channels };
}

function rolesText(name: string, columns: readonly string[], { channels, time }: Roles): string {
  const left = columns.filter((_, c) => c !== time && !channels.includes(c));
  const parts = [
    `channels ${channels.map((c) => columns[c]).join(', ')}`,
    time < 0 ? 'no times' : `times in ${columns[time]}`,
    ...(left.length > 0 ? [`left out ${left.join(', ')}`] : []),
  ];
  return `${name}: ${parts.join('; ')}`;
}

const alarmOf = ({ channels: _, end, start, ...rest }: Alarm) => ({ start, end: end ?? null, ...rest });

function recordOf(step: StreamStep, names: readonly string[], line: number, time: number | null): StreamRecord {
  const { score, threshold, decision, skipped, expected, parts, alarm } = step;
  const sum = parts?.reduce((all, part) => all + part, 0) ?? 0;
  const shares = sum > 0 && parts ? names.map((name, c) => ({ name, share: parts[c] / sum })) : [];
  return {
    at: step.step,
    ...(time !== null && { time: new Date(time).toISOString() }),
    line,
    score,
    threshold,
    decision,
    ...(skipped && { skipped }),
    ...(expected && { expected: Object.fromEntries(names.map((name, c) => [name, expected[c]])) }),
    channels: alarm?.channels ?? shares.sort((a, b) => b.share - a.share),
    alarm: alarm ? alarmOf(alarm) : null,
  };
}

/** Reads the times of a stream, and counts those that go back. */
interface Clock {
  readonly forms: readonly TimeForm[];
  readonly last: number | null;
  readonly back: number;
  readonly unread: number;
  /** Milliseconds from a step to the next, the median of the first ones; null where fewer than two times are known. */
  readonly step: number | null;
  /** Milliseconds since 1970; null for what is no time. */
  read(text: string, place: string): number | null;
}

function openClock(candidates: readonly TimeForm[], since: number | null, tell: Listener): Clock {
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
