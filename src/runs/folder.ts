/**
 * The folder of a run: `run.json` (what was asked for and how it stands), `events.jsonl`, `checkpoint.safetensors`,
 * `metrics.json`, `predictions.csv`, `maps/`, `report.html`, `model.onnx` and `model.json`; `lock.json` while it is
 * written. Node only.
 */
import { closeSync, existsSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { ConfigError, DataError, type ErrorData, errorData, InternalError, OddityError } from '../core/errors.ts';
import type { Event, Listener } from '../core/events.ts';
import { parseStored } from '../core/stored.ts';
import { action, option, say, type Text } from '../core/text.ts';
import { requireFileSync } from '../data/files/read-input.ts';
import type { LayoutOptions, TableEncoding, ValueRange } from '../data/index.ts';
import type { Versions, Warning } from '../engine/judging/report-types.ts';
import { keptConfig } from '../engine/task/config.ts';
import { models } from '../models/index.ts';
import type { Device } from '../runtime/index.ts';
import { makeFolder, readJsonIfThere, writeFailure, writeJson } from './files.ts';
import { isLocked, type Lock, lockFolder } from './lock.ts';
import type { RecordedOptions } from './options.ts';
import { recordSchema } from './record-schema.ts';
import { checkNoStrangers, removeOwnFiles, runFiles } from './run-files.ts';

export { runFiles };

const format = 'oddity-run-1';
/** Progress is logged at most this often. */
const PROGRESS_MS = 1000;

/** `run.json`: the options that it keeps as they were given, and what followed from them. */
export interface RunRecord extends RecordedOptions {
  readonly format: string;
  readonly model: string;
  readonly config: Readonly<Record<string, unknown>>;
  /** Name of the data set, or absolute path of the folder or CSV file. */
  readonly data: string;
  /** Height and width of the images, and their channels, where they come from files. */
  readonly size?: readonly [number, number];
  readonly channels?: 1 | 3;
  readonly maxPixels?: number;
  readonly folderNames?: LayoutOptions;
  readonly acceptLicence?: boolean;
  /** The values of images with more than 8 bits that became black and white. */
  readonly measuredRange?: ValueRange;
  /** How rows of a table became inputs. */
  readonly table?: TableEncoding;
  readonly dataRoot: string;
  readonly dataHash: string;
  readonly protocol: string;
  readonly class: string;
  readonly splitHash: string;
  readonly seed: number;
  readonly falseAlarmRate: number;
  readonly device: Device;
  readonly versions: Versions;
  readonly status: 'running' | 'done' | 'cancelled' | 'failed';
  readonly startedAt: string;
  readonly endedAt?: string;
  readonly error?: StoredError;
  /** Of files that must not change once the run is done. */
  readonly sha256?: { readonly predictions: string };
}

/** Reads a run's record; DataError `not-a-run` when the folder has none, `run-damaged` when it is not whole. */
export async function readRun(folder: string): Promise<RunRecord> {
  const path = runFiles(folder).run;
  const record = await readJsonIfThere<Partial<RunRecord>>(path, 'run-damaged');
  if (record?.format === format) {
    const checked = checkRecord(record, path);
    const model = models.find(({ name, formerly }) => name === checked.model || formerly?.includes(checked.model));
    return model ? { ...checked, config: keptConfig(model, checked.config) } : checked;
  }
  throw new DataError(
    'not-a-run',
    say`${folder} must be the folder of a run, with a run.json; found ${record ? 'another run.json' : 'none'}. Name a
      folder made by ${action('train')}.`,
  );
}

function checkRecord(record: object, path: string): RunRecord {
  return parseStored(
    recordSchema,
    record,
    (what) => new DataError('run-damaged', `${path} is damaged: ${what}. Restore it, or train again.`),
  ) as unknown as RunRecord;
}

/** True where a folder holds the record of a run, be it whole or not. */
export async function isRun(folder: string): Promise<boolean> {
  const record = await readJsonIfThere<Partial<RunRecord>>(runFiles(folder).run).catch(() => undefined);
  return record?.format === format;
}

/** How a run stands: `killed` when its record says that it is running and no process holds it. */
export type RunStatus = RunRecord['status'] | 'killed';

/** The status of a run as it is now. */
export async function statusOf(folder: string, record: RunRecord): Promise<RunStatus> {
  return record.status !== 'running' || (await isLocked(folder)) ? record.status : 'killed';
}

/** How to resume a run. */
const resumeRemedy = say`Resume it: repeat ${action('train')} with its original options and ${option('resume', true)}.`;

/** Reads the record of a run that is whole. Throws DataError `not-a-run`, and `unfinished-run` for any other. */
export async function readFinishedRun(folder: string): Promise<RunRecord> {
  const record = await readRun(folder);
  const status = await statusOf(folder, record);
  if (status === 'done') return record;
  const { error } = record;
  const found = {
    running: 'it is still running. Wait until it ends.',
    killed: say`its process was killed. ${resumeRemedy}`,
    cancelled: say`it was cancelled. ${resumeRemedy}`,
    failed: say`it failed. ${error?.text ?? error?.message ?? ''} Repeat ${action('train')} with
      ${option('overwrite', true)}.`,
  }[status];
  throw new DataError('unfinished-run', say`${folder} must be a finished run, but ${found}`);
}

function runExists(path: string, { status }: RunRecord): ConfigError {
  const isDone = status === 'done';
  const remedy = isDone ? 'Choose' : say`Resume it with ${option('resume', true)}, choose`;
  return new ConfigError(
    'run-exists',
    say`${path} already holds ${isDone ? 'a finished' : 'an unfinished'} run. ${remedy} another folder with
      ${option('out')}, or replace the run with ${option('overwrite', true)}.`,
  );
}

/** Throws ConfigError `run-exists` for a folder of a run, before work whose result could not be kept there. */
export async function checkNoRun(path: string): Promise<void> {
  if (await isRun(path)) throw runExists(path, await readRun(path));
}

/** A folder that a run writes to. */
export class RunFolder {
  readonly files: ReturnType<typeof runFiles>;
  private record: RunRecord | undefined;
  private log: number | undefined;
  private logFailure: Error | undefined;
  private lastProgress = 0;
  /** Set once predictions.csv is written. */
  predictionsHash?: string;

  private constructor(
    readonly path: string,
    /** The record of an earlier start that is now resumed. */
    readonly earlier: RunRecord | undefined,
    private readonly lock: Lock,
    private readonly takeBack: () => Promise<void>,
  ) {
    this.files = runFiles(path);
  }

  /**
   * Makes the folder, shows that it can be written to and locks it. Throws ConfigError `run-exists` when it holds a run,
   * unless told to resume or overwrite it, or `strange-files`; DataError `run-locked`, `run-damaged` or `unwritable`.
   */
  static async open(path: string, { resume = false, overwrite = false } = {}): Promise<RunFolder> {
    const takeBack = await makeFolder(path);
    const lock = await lockFolder(path);
    try {
      const holdsRun = await isRun(path);
      if (!holdsRun) await checkNoStrangers(path);
      const found = !holdsRun || (overwrite && !resume) ? undefined : await readRun(path);
      if (!found || resume) return new RunFolder(path, found, lock, takeBack);
      throw runExists(path, found);
    } catch (error) {
      await lock.release();
      throw error;
    }
  }

  /** Begins the run: from here on the folder stays, whatever happens. */
  async begin(record: Omit<RunRecord, 'format' | 'status' | 'startedAt'>): Promise<void> {
    const isFresh = !this.earlier || !existsSync(this.files.checkpoint);
    // Whoever is killed here leaves a run that is not finished and begins anew: the old checkpoint must not outlive the old record.
    if (isFresh) await rm(this.files.checkpoint, { force: true });
    const startedAt = this.earlier?.startedAt ?? new Date().toISOString();
    this.record = { format, ...record, status: 'running', startedAt };
    await writeJson(this.files.run, this.record);
    // What people said is of the items and not of the detector: it outlives a training.
    const { feedback, feedbackItems, events } = this.files;
    if (isFresh) await removeOwnFiles(this.path, [feedback, feedbackItems, ...(this.earlier ? [events] : [])]);
    try {
      this.log = openLog(this.files.events);
    } catch (error) {
      throw writeFailure(error, this.files.events);
    }
    this.writeLine({ type: 'status', status: 'running' });
  }

  /** The record as it stands on the disk, once the run has begun. */
  get written(): RunRecord {
    if (!this.record) throw new InternalError('the record was read before the run began.');
    return this.record;
  }

  /** Writes events to `events.jsonl` and hands them on. */
  listener(onEvent: Listener): Listener {
    return (event) => {
      this.write(event);
      onEvent(event);
    };
  }

  /** Every warning of the run so far, also of earlier starts, each once. */
  warnings(): Warning[] {
    if (this.log === undefined) return [];
    const lines = readFileSync(this.files.events, 'utf8').split('\n');
    const told = new Map<string, Warning>();
    for (const line of lines) {
      if (!line.includes('"type":"warning"')) continue;
      const { code, message, text } = JSON.parse(line) as Warning;
      if (!told.has(message)) told.set(message, { code, message, ...(text && { text }) });
    }
    return [...told.values()];
  }

  /** Throws when an event could not be written (the disk is full), or the folder is no longer this process's. */
  check(): void {
    if (this.logFailure) throw this.logFailure;
    this.lock.check();
  }

  /** Ends the run. When even that cannot be written, `run.json` goes on saying "running". */
  async end(status: 'done' | 'cancelled' | 'failed', error?: StoredError): Promise<void> {
    try {
      if (!this.record || error?.code === 'run-locked') return;
      const endedAt = new Date().toISOString();
      const sha256 = status === 'done' && this.predictionsHash ? { predictions: this.predictionsHash } : undefined;
      this.record = { ...this.record, status, endedAt, ...(error && { error }), ...(sha256 && { sha256 }) };
      const writing = writeJson(this.files.run, this.record);
      await (status === 'done' ? writing : writing.catch(() => {}));
      this.writeLine({ type: 'status', status, ...error });
    } finally {
      if (this.log !== undefined) closeSync(this.log);
      this.log = undefined;
      await this.lock.release();
      if (!this.record) await this.takeBack();
    }
  }

  private write(event: Event): void {
    if (event.type === 'progress') {
      if (event.done < event.total && performance.now() - this.lastProgress < PROGRESS_MS) return;
      this.lastProgress = performance.now();
    }
    this.writeLine(event);
  }

  private writeLine(line: Event | StatusLine): void {
    if (this.log === undefined || this.logFailure) return;
    try {
      writeSync(this.log, `${JSON.stringify({ time: new Date().toISOString(), ...line })}\n`);
    } catch (error) {
      this.logFailure = writeFailure(error, this.files.events);
    }
  }
}

/** The line of `events.jsonl` with which a run begins, goes on or ends; `code` and `message` say why it ended early. */
interface StatusLine {
  readonly type: 'status';
  readonly status: RunRecord['status'];
  readonly code?: string;
  readonly message?: string;
  readonly text?: Text;
}

/** Opens a log to append to; a line that a killed process left half is taken away. */
function openLog(path: string): number {
  requireFileSync(path);
  const log = openSync(path, 'a+');
  const whole = readFileSync(path).lastIndexOf('\n') + 1;
  ftruncateSync(log, whole);
  return log;
}

/** An error as `run.json` and lists of failures keep it. */
export type StoredError = Pick<ErrorData, 'code' | 'message' | 'text'>;

/** An error as data; messages of what is none of our errors stay as they are. */
export function stored(error: unknown): StoredError {
  if (!(error instanceof OddityError)) return { code: 'internal', message: (error as Error).message };
  const { code, message, text } = errorData(error);
  return { code, message, ...(text && { text }) };
}
