/**
 * The latest steps, or rows, of a log that is watched: values, what was expected, scores, alarms. So many that memory stays bounded; kept in a file
 * beside the journal, so that a watch that was ended shows what it saw.
 */
import { readJsonIfThere, writeJson } from '../../runs/files.ts';
import type { StreamedStep } from '../../runs/index.ts';

/** Steps that are kept, fewer of logs with many channels: numbers in all. */
const MOST = { steps: 2000, least: 200, numbers: 120_000 };
/** Milliseconds between two times that the file is written. */
const SAVE_MS = 2000;

interface Step {
  readonly line: number;
  /** Counted from 0. */
  readonly at: number;
  readonly time?: string;
  readonly score: number | null;
  /** By channel; null where it is not known. */
  readonly values: readonly (number | null)[];
  readonly lower?: readonly (number | null)[];
  readonly upper?: readonly (number | null)[];
}

interface Stored {
  readonly channels: readonly string[];
  readonly threshold: number | null;
  readonly steps: readonly Step[];
  /** Ends of alarms by their first step; null for one that lasts. */
  readonly alarms: readonly (readonly [start: number, end: number | null])[];
}

/** A stretch of a log for a page; lists have one entry a step. */
export interface LiveTrace {
  readonly channels: readonly string[];
  /** The channel whose values these are. */
  readonly channel: string | null;
  readonly lines: readonly number[];
  /** Number of the first step, from 0. */
  readonly first: number;
  /** ISO 8601; null where it is not known. */
  readonly times: readonly (string | null)[];
  readonly values: readonly (number | null)[];
  /** Between which values steps usually lie; absent where the detector expects none. */
  readonly lower?: readonly (number | null)[];
  readonly upper?: readonly (number | null)[];
  readonly scores: readonly (number | null)[];
  readonly threshold: number | null;
  /** Alarms that touch these steps, counted as `first`; the end is not in it. */
  readonly alarms: readonly { readonly start: number; readonly end: number }[];
}

/** What is kept of a step or row. */
export type TracedStep = Omit<StreamedStep, 'alarm'> & {
  readonly alarm: { readonly start: number; readonly end: number | null } | null;
};

export class TraceKeeper {
  private channels: readonly string[] = [];
  private threshold: number | null = null;
  private steps: Step[] = [];
  private readonly alarms = new Map<number, number | null>();
  private saved = 0;
  private writing: Promise<void> = Promise.resolve();

  private constructor(private readonly path: string) {}

  /** What a watch before this one kept in the file; none where it is damaged, since the journal holds what counts. */
  static async open(path: string): Promise<TraceKeeper> {
    const keeper = new TraceKeeper(path);
    const stored = await readJsonIfThere<Stored>(path).catch(() => undefined);
    if (!Array.isArray(stored?.steps)) return keeper;
    keeper.channels = stored.channels;
    keeper.threshold = stored.threshold;
    keeper.steps = [...stored.steps];
    for (const [start, end] of stored.alarms) keeper.alarms.set(start, end);
    return keeper;
  }

  /** `alarm` is that of the step, or the row by itself. */
  add({ line, at, time, score, threshold, values, lower, upper, alarm }: TracedStep): void {
    if (values) this.channels = Object.keys(values);
    this.threshold = threshold;
    const { channels, steps } = this;
    const listOf = (given: Readonly<Record<string, number>> | undefined) =>
      channels.map((name) => finite(given?.[name]));
    // Lines that were read before a kill come again.
    while (steps.length > 0 && steps[steps.length - 1].line >= line) steps.pop();
    steps.push({
      ...{ line, at, score, values: listOf(values) },
      ...(time !== undefined && { time }),
      ...(lower && upper && { lower: listOf(lower), upper: listOf(upper) }),
    });
    const most = Math.max(MOST.least, Math.min(MOST.steps, Math.floor(MOST.numbers / (3 * channels.length + 1))));
    if (steps.length > most) steps.splice(0, steps.length - most);
    if (alarm) this.alarms.set(alarm.start, alarm.end);
    for (const [start, end] of this.alarms) if (end !== null && end <= steps[0].at) this.alarms.delete(start);
    if (performance.now() - this.saved > SAVE_MS) void this.save();
  }

  /** The latest scores, the oldest first. */
  scores(count: number): readonly number[] {
    return this.steps.flatMap(({ score }) => (score === null ? [] : [score])).slice(-count);
  }

  /** The latest steps; the first channel where none of that name is known. */
  latest(count: number, wanted?: string): LiveTrace {
    const steps = this.steps.slice(-count);
    const channel = this.channels.includes(wanted ?? '') ? wanted! : (this.channels[0] ?? null);
    const c = channel === null ? -1 : this.channels.indexOf(channel);
    const first = steps[0]?.at ?? 0;
    const end = (steps.at(-1)?.at ?? -1) + 1;
    const touching = [...this.alarms].flatMap(([start, to]) =>
      start < end && (to ?? end) > first ? [{ start, end: to ?? end }] : [],
    );
    const hasBand = steps.some(({ lower }) => lower !== undefined);
    return {
      ...{ channels: this.channels, channel, first, threshold: this.threshold, alarms: touching },
      lines: steps.map(({ line }) => line),
      times: steps.map(({ time }) => time ?? null),
      values: steps.map(({ values }) => values[c] ?? null),
      ...(hasBand && {
        lower: steps.map(({ lower }) => lower?.[c] ?? null),
        upper: steps.map(({ upper }) => upper?.[c] ?? null),
      }),
      scores: steps.map(({ score }) => score),
    };
  }

  /** Writes the file. What cannot be written is missing after a restart, and nothing else is. */
  async save(): Promise<void> {
    this.saved = performance.now();
    const { channels, threshold, steps } = this;
    const stored: Stored = { channels, threshold, steps, alarms: [...this.alarms] };
    this.writing = this.writing.then(() => writeJson(this.path, stored, { flush: false }).catch(() => {}));
    await this.writing;
  }
}

const finite = (value: number | undefined): number | null =>
  value !== undefined && Number.isFinite(value) ? value : null;
