/** A stream of lines at work: what its columns are, each line as a point, and what is told of it. */
import type { StreamRecord, StreamSummary } from './stream-account.ts';
import { cellsOf, type Head, headOf, isDecidable, MOST_SAMPLES, otherHead, type Roles } from './stream-columns.ts';
import { atStart, behind, type Line, type Position } from './stream-input.ts';

/** What is kept of a stream. */
export interface Progress {
  readonly head: Head;
  readonly roles: Roles;
  readonly position: Position;
  /** The start of the alarm that was told and lasts; -1 for none. */
  readonly told: number;
  readonly lastTime: number | null;
  /** Lines and times of the steps that wait for what follows them, and milliseconds of a step; of trained detectors. */
  readonly waiting?: readonly (readonly [line: number, time: number | null])[];
  readonly step?: number | null;
  readonly stream: Uint8Array;
}

/** A stream whose columns are known. */
export interface Work {
  readonly points: number;
  /** A line as a point: what is told at once. DataError `stream-head` for names in place of numbers. */
  judge(line: Line, cells: readonly string[]): StreamRecord[];
  /** What is told of lines that wait to be scored together. */
  flush(): Promise<StreamRecord[]>;
  /** After the last line: what is told where nothing follows. */
  finish(): Promise<StreamRecord[]>;
  /** After `flush`. */
  progress(): Omit<Progress, 'head' | 'position'>;
  summary(): Omit<StreamSummary, 'line' | 'seconds' | 'pointsPerSecond'>;
}

interface SessionOptions {
  /** Of the file or input, for sentences. */
  readonly name: string;
  /** What the columns are, from the first points. */
  rolesOf(head: Head, samples: readonly (readonly string[])[]): Roles;
  /** Opens the stream, and restores it where it was saved. */
  openWork(head: Head, roles: Roles): Work;
  /** Whether `rolesOf` follows from what is wanted: saved channels that differ are then refused. */
  readonly fixesChannels: boolean;
  readonly saved?: Progress;
}

/** Takes lines in their order. */
export interface Session {
  /** Points so far in this session. */
  readonly points: number;
  take(line: Line): StreamRecord[];
  /** What is told of lines that were taken and wait to be scored together. */
  flush(): Promise<StreamRecord[]>;
  /** After the last line. */
  end(): Promise<StreamRecord[]>;
  /** After `flush`. Undefined while the columns are not known. */
  progress(): Progress | undefined;
  summary(): StreamSummary;
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
  let work = saved && options.openWork(saved.head, savedRoles(saved, options));
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
    const ready = options.openWork(head, options.rolesOf(head, samples));
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
    flush: async () => (await work?.flush()) ?? [],
    async end() {
      const records = work ? [] : decide(true);
      return [...records, ...((await work?.flush()) ?? []), ...((await work?.finish()) ?? [])];
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

/** The roles that were saved, with the channels that are wanted now: where they differ the stream refuses its state. */
function savedRoles({ head, roles }: Progress, { fixesChannels, rolesOf }: SessionOptions): Roles {
  if (!fixesChannels) return roles;
  const sample = head.columns.map(() => '');
  return { ...roles, channels: rolesOf(head, [sample]).channels };
}
