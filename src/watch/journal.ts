/**
 * What was found of each file, one JSON object per line: the results, and the memory of what is done. A line counts once it is whole
 * and on the disk, so that a process that is killed does nothing twice and loses nothing. Node only.
 */
import { type FileHandle, open } from 'node:fs/promises';
import { DataError } from '../core/errors.ts';
import type { ColumnShare } from '../kinds/index.ts';
import { writeFailure } from '../runs/files.ts';
import type { StreamRecord } from '../runs/stream.ts';

/** A line. */
export interface WatchRecord {
  /** The same for the same content of the same file: whoever receives it twice can tell. */
  readonly id: string;
  readonly path: string;
  readonly stamp: string;
  /** When it was scored, ISO 8601. */
  readonly time: string;
  /** Raw; larger is more anomalous. Absent where the file could not be read. */
  readonly score?: number;
  readonly threshold?: number | null;
  readonly isAnomalous?: boolean | null;
  readonly decision?: string | null;
  readonly pValue?: number;
  readonly regions?: readonly unknown[];
  /** Of a log, the line of the step or row. */
  readonly line?: number;
  /** Of a row, the columns that make its score, largest first; of models that have such. */
  readonly columns?: readonly ColumnShare[];
  /** Of steps, the alarm that begins or, where `end` is a number, has ended; steps are counted from 0. */
  readonly alarm?: NonNullable<StreamRecord['alarm']> & { readonly channels: StreamRecord['channels'] };
  /** Of a camera: the frame lies at `path` in the folder of results. Frames that are normal are not kept. */
  readonly kept?: boolean;
  /** Picture of the map over the image, from the folder of results. */
  readonly overlay?: string;
  /** Why there is no score. */
  readonly error?: { readonly code: string; readonly message: string };
}

/** Lines that are let go of at a time. */
const FORGET_LINES = 1024;

/** The file of results. */
export class Journal {
  /** Lines that are no longer held: all before this one. */
  private first = 0;

  private constructor(
    private readonly path: string,
    private readonly file: FileHandle,
    private readonly records: WatchRecord[],
  ) {}

  /** How many lines there are. */
  get length(): number {
    return this.first + this.records.length;
  }

  /** A line by its number from 0; of lines that are still held. */
  at(number: number): WatchRecord {
    return this.records[number - this.first];
  }

  /** All lines that are held, in their order. */
  held(): readonly WatchRecord[] {
    return this.records;
  }

  /** Lets go of lines before a number, which nobody asks for again: a camera makes a line a second for years. */
  forget(before: number): void {
    // In pieces, since taking the first lines off an array moves the others.
    if (before - this.first < FORGET_LINES) return;
    this.records.splice(0, before - this.first);
    this.first = before;
  }

  /**
   * Opens or makes a file. What a process that was killed left of a last line is cut off.
   * @throws DataError `damaged-journal` for a file whose other lines are none of these, `unwritable`, `disk`.
   */
  static async open(path: string): Promise<Journal> {
    const file = await open(path, 'a+').catch((error) => {
      throw writeFailure(error, path);
    });
    try {
      const text = await file.readFile('utf8');
      const end = text.lastIndexOf('\n') + 1;
      const records = text
        .slice(0, end)
        .split('\n')
        .slice(0, -1)
        .map((line, i) => parsed(line, path, i + 1));
      if (end < text.length) await file.truncate(Buffer.byteLength(text.slice(0, end)));
      return new Journal(path, file, records);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** Adds lines; when this returns they are on the disk. */
  async add(records: readonly WatchRecord[]): Promise<void> {
    if (records.length === 0) return;
    try {
      await this.file.appendFile(records.map((record) => `${JSON.stringify(record)}\n`).join(''));
      await this.file.datasync();
    } catch (error) {
      throw writeFailure(error, this.path);
    }
    this.records.push(...records);
  }

  async close(): Promise<void> {
    await this.file.close();
  }
}

function parsed(line: string, path: string, number: number): WatchRecord {
  try {
    const record = JSON.parse(line);
    if (typeof record?.id === 'string' && typeof record.path === 'string' && typeof record.stamp === 'string')
      return record;
  } catch {
    // Said below.
  }
  throw new DataError(
    'damaged-journal',
    `${path} must hold results of watching, one JSON object per line, but line ${number} is none. Move the file away, or choose another folder.`,
  );
}
