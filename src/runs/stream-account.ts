/** What is told of a stream of lines: each line as a point with its time, each step as a record, and the sums at the end. */
import type { Alarm, AlarmChannel, SeverityLevel } from '../core/alarms.ts';
import type { Listener } from '../core/events.ts';
import type { Decision } from '../engine/judging/calibrate.ts';
import type { Band } from '../engine/scoring/expected.ts';
import type { StreamStep } from '../streaming/index.ts';
import { openClock } from './stream-clock.ts';
import { checkNoHead, type Head, numberOf, quote, type Roles } from './stream-columns.ts';
import type { Line } from './stream-input.ts';

/** What is said of a step. */
export interface StreamRecord {
  /** The step, counted from 0; skipped points count. */
  readonly at: number;
  /** As ISO 8601 in UTC; absent where the time is not known. */
  readonly time?: string;
  /** In the file or input, counted from 1. */
  readonly line: number;
  /** Of trained detectors, which see what follows a step too: from the step until it was scored; seconds are null without times. */
  readonly delay?: { readonly steps: number; readonly seconds: number | null };
  readonly score: number | null;
  readonly threshold: number | null;
  readonly decision: Decision | null;
  /** A cell was no number: nothing was learnt. */
  readonly skipped?: true;
  /** What was expected, by channel. */
  readonly expected?: Readonly<Record<string, number>>;
  /** The ends of the margins around it; of trained detectors that have such. */
  readonly lower?: Readonly<Record<string, number>>;
  readonly upper?: Readonly<Record<string, number>>;
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

/** A step with what was read of it, by channel; without where it was read before this call. */
export type StreamedStep = StreamRecord & { readonly values?: Readonly<Record<string, number>> };

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
  /** Gaps in the times behind which a trained detector began anew; absent for others. */
  readonly gaps?: number;
  /** Seconds from the first step of an alarm until it is told, and from its last step until its end is told; null without times. */
  readonly delay: { readonly stepSeconds: number; readonly begin: number; readonly end: number } | null;
}

/** A line as a point. */
export interface Point {
  /** `[D]`; NaN for a cell that is no number. */
  readonly values: Float64Array;
  /** Milliseconds since 1970; null where it is not known. */
  readonly time: number | null;
}

/** A step of any detector. */
export type ToldStep = Omit<StreamStep, 'decision'> & { readonly decision: Decision | null } & Pick<
    Band,
    'lower' | 'upper'
  >;

/** Where a step stands. */
export interface Place {
  readonly line: number;
  readonly time: number | null;
  readonly delay?: StreamRecord['delay'];
}

/** Keeps account of one stream. */
export interface Account {
  readonly points: number;
  /** Milliseconds of a step; null while fewer than two times are known. */
  readonly step: number | null;
  /** The last time that was read; null for none. */
  readonly lastTime: number | null;
  /** DataError `stream-head` for names in place of numbers. */
  read(line: Line, cells: readonly string[]): Point;
  /** What is told of a step. */
  tell(step: ToldStep, place: Place): StreamRecord[];
  /** What is told of an alarm that ended with the lines, or with a gap. */
  ended(alarm: Alarm | undefined): StreamRecord[];
  /** What is kept of it. */
  progress(): { readonly roles: Roles; readonly told: number; readonly lastTime: number | null };
  summary(delay: {
    readonly begin: number;
    readonly end: number;
  }): Omit<StreamSummary, 'line' | 'seconds' | 'pointsPerSecond'>;
}

interface AccountOptions {
  /** Of the file or input, for sentences. */
  readonly name: string;
  readonly every: boolean;
  readonly tell: Listener;
  readonly onStep?: (step: StreamedStep) => void;
  /** The start of the alarm that was told and lasts, and the last time; of a stream that goes on. */
  readonly saved?: { readonly told: number; readonly lastTime: number | null };
}

/** Lines that were skipped which are named at the end. */
const SHOWN_LINES = 5;

/** Opens an account of a stream with these columns. */
export function openAccount(head: Head, roles: Roles, options: AccountOptions): Account {
  const { name, every, tell, onStep, saved } = options;
  const names = roles.channels.map((c) => head.columns[c]);
  const clock = openClock(roles.forms, saved?.lastTime ?? null, tell);
  const counts = { points: 0, skipped: 0, alarms: 0 };
  const skippedLines: number[] = [];
  let told = saved?.told ?? -1;
  let last: StreamRecord | undefined;
  /** Of lines whose steps were not told yet, where somebody hears of steps. */
  const read = new Map<number, Float64Array>();
  tell({ type: 'log', level: 'info', message: rolesText(name, head.columns, roles) });

  const skip = (line: Line, cells: readonly string[], values: Float64Array) => {
    counts.skipped += 1;
    if (skippedLines.length < SHOWN_LINES) skippedLines.push(line.number);
    if (counts.skipped > 1) return;
    const c = roles.channels[values.findIndex((value) => Number.isNaN(value))];
    const message = `${name}:${line.number}: ${head.columns[c]} must be a number, found ${quote(cells[c])}. Points like this one are skipped and counted.`;
    tell({ type: 'warning', code: 'stream-skipped', message });
  };

  return {
    get points() {
      return counts.points;
    },
    get step() {
      return clock.step;
    },
    get lastTime() {
      return clock.last;
    },
    read(line, cells) {
      const place = `${name}:${line.number}`;
      checkNoHead(cells, head, roles, place);
      const values = Float64Array.from(roles.channels, (c) => numberOf(cells[c], head.delimiter));
      const time = roles.time < 0 ? null : clock.read(cells[roles.time].trim(), place);
      counts.points += 1;
      if (onStep) read.set(line.number, values);
      if (values.some(Number.isNaN)) skip(line, cells, values);
      return { values, time };
    },
    tell(step, place) {
      last = recordOf(step, names, place);
      if (onStep) {
        const values = read.get(place.line);
        for (const line of read.keys()) if (line <= place.line) read.delete(line);
        onStep({ ...last, ...(values && { values: byName(names, values) }) });
      }
      const { alarm } = step;
      const isNews = alarm !== undefined && (alarm.end !== undefined || alarm.start !== told);
      if (alarm && isNews) {
        if (alarm.end === undefined) counts.alarms += 1;
        told = alarm.end === undefined ? alarm.start : -1;
      }
      return every || isNews ? [last] : [];
    },
    ended(alarm) {
      if (!alarm || !last) return [];
      told = -1;
      return [{ ...last, channels: alarm.channels, alarm: alarmOf(alarm) }];
    },
    progress: () => ({ roles: { ...roles, forms: clock.forms }, told, lastTime: clock.last }),
    summary: ({ begin, end }) => ({
      ...counts,
      skippedLines,
      alarmLasts: told >= 0,
      timesBack: clock.back,
      timesUnread: clock.unread,
      delay: clock.step === null ? null : delayOf(clock.step / 1000, begin, end),
    }),
  };
}

const delayOf = (stepSeconds: number, begin: number, end: number) => ({
  stepSeconds,
  begin: begin * stepSeconds,
  end: end * stepSeconds,
});

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

const byName = (names: readonly string[], values: Float64Array): Record<string, number> =>
  Object.fromEntries(names.map((name, c) => [name, values[c]]));

function recordOf(step: ToldStep, names: readonly string[], { line, time, delay }: Place): StreamRecord {
  const { score, threshold, decision, skipped, expected, lower, upper, parts, alarm } = step;
  const sum = parts?.reduce((all, part) => all + part, 0) ?? 0;
  const shares = sum > 0 && parts ? names.map((name, c) => ({ name, share: parts[c] / sum })) : [];
  return {
    at: step.step,
    ...(time !== null && { time: new Date(time).toISOString() }),
    line,
    ...(delay && { delay }),
    score,
    threshold,
    decision,
    ...(skipped && { skipped }),
    ...(expected && { expected: byName(names, expected) }),
    ...(lower && upper && { lower: byName(names, lower), upper: byName(names, upper) }),
    channels: alarm?.channels ?? shares.sort((a, b) => b.share - a.share),
    alarm: alarm ? alarmOf(alarm) : null,
  };
}
