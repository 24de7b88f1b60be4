/**
 * The files of predictions while they are written, and how far they are: `predict-progress.json` says after which part of the
 * input they have how many bytes. A process that is killed leaves bytes that it does not count, which are cut off. Node only.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, open, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { csvField } from '../core/csv.ts';
import { readJsonIfThere, writeFailure, writeJson } from './files.ts';
import type { Prediction } from './predict.ts';
import { predictionsHead, predictionsLines, regionsHead, regionsLines } from './predictions-csv.ts';
import type { ScoredItems } from './score-rows.ts';

/** What was done. */
export interface PredictedCounts {
  /** Images or rows with a score. */
  readonly scored: number;
  /** Of these, at or above the threshold. */
  readonly anomalous: number;
  /** Images, rows or files that could not be scored. */
  readonly failed: number;
}

/** How far the files are. */
export interface Progress {
  /** Parts of the input that are done. */
  readonly parts: number;
  /** Lengths of the files, in the order of `predictedFiles`. */
  readonly bytes: readonly number[];
  readonly counts: PredictedCounts;
  /** Those with the highest scores, the highest first. */
  readonly top: readonly Prediction[];
}

/** What a finished file is. */
export interface FileFacts {
  readonly bytes: number;
  readonly sha256: string;
}

/** The files of images; rows have no regions. */
export const predictedFiles = (ofRows: boolean): readonly string[] =>
  ofRows ? ['predictions.csv', 'failed.csv'] : ['predictions.csv', 'failed.csv', 'regions.csv'];

/** The first line of each file. */
export function headOf(name: string, ofRows: boolean): string {
  if (name === 'predictions.csv') return predictionsHead(ofRows);
  return name === 'failed.csv' ? 'path,code,message\n' : regionsHead;
}

function linesOf(name: string, { predictions, failed }: ScoredItems): string {
  if (name === 'predictions.csv') return predictionsLines(predictions);
  if (name === 'regions.csv') return regionsLines(predictions);
  return failed.map(({ path, code, message }) => `${[path, code, message].map(csvField).join()}\n`).join('');
}

const progressOf = (folder: string) => join(folder, 'predict-progress.json');
const partOf = (folder: string, name: string) => join(folder, `${name}.part`);

/** Milliseconds between two writes of the progress: what a process that is killed has to score again. */
const COMMIT_MS = 500;
/** Bytes that wait for it at most. */
const MOST_WAITING = 2 ** 22;

/** The files, open. */
export class PredictedFiles {
  private waiting: Buffer[][];
  private last = performance.now();

  private constructor(
    private readonly folder: string,
    private readonly names: readonly string[],
    private readonly files: readonly FileHandle[],
    private readonly plan: string,
    private done: Progress,
  ) {
    this.waiting = names.map(() => []);
  }

  /** How far they are, with what waits to be written. */
  get progress(): Progress {
    return this.done;
  }

  /** Goes on with the files of the same `plan` in a folder, or begins them. Throws DataError `unwritable`, `disk`. */
  static async open(folder: string, plan: string, ofRows: boolean): Promise<PredictedFiles> {
    const names = predictedFiles(ofRows);
    const heads = names.map((name) => headOf(name, ofRows));
    const begun = await lastProgress(folder, plan, names);
    const progress = begun ?? {
      parts: 0,
      bytes: heads.map((head) => Buffer.byteLength(head)),
      counts: { scored: 0, anomalous: 0, failed: 0 },
      top: [],
    };
    const opened: FileHandle[] = [];
    try {
      for (const [i, name] of names.entries()) {
        const file = await open(partOf(folder, name), begun ? 'r+' : 'w');
        opened.push(file);
        if (!begun) await file.writeFile(heads[i]);
        await file.truncate(progress.bytes[i]);
      }
      return new PredictedFiles(folder, names, opened, plan, progress);
    } catch (error) {
      for (const file of opened) await file.close();
      throw writeFailure(error, folder);
    }
  }

  /** Adds what came of the next part of the input. */
  async add(found: ScoredItems, top: readonly Prediction[]): Promise<void> {
    const { parts, counts } = this.done;
    for (const [i, name] of this.names.entries()) this.waiting[i].push(Buffer.from(linesOf(name, found)));
    this.done = {
      ...this.done,
      parts: parts + 1,
      counts: {
        scored: counts.scored + found.predictions.length,
        anomalous: counts.anomalous + found.predictions.filter(({ isAnomalous }) => isAnomalous === true).length,
        failed: counts.failed + found.failed.length,
      },
      top,
    };
    const length = this.waiting.flat().reduce((sum, text) => sum + text.length, 0);
    if (performance.now() - this.last > COMMIT_MS || length > MOST_WAITING) await this.commit();
  }

  /** Writes what waits, then the progress that counts it. */
  private async commit(): Promise<void> {
    try {
      const bytes: number[] = [];
      for (const [i, file] of this.files.entries()) {
        const text = Buffer.concat(this.waiting[i]);
        const from = this.done.bytes[i];
        for (let at = 0; at < text.length; )
          at += (await file.write(text, at, text.length - at, from + at)).bytesWritten;
        if (text.length > 0) await file.datasync();
        bytes.push(from + text.length);
      }
      this.waiting = this.waiting.map(() => []);
      this.done = { ...this.done, bytes };
      await writeJson(progressOf(this.folder), { format, plan: this.plan, ...this.done });
    } catch (error) {
      throw writeFailure(error, this.folder);
    }
    this.last = performance.now();
  }

  /** Puts the files in their places; a file of failures only where there are any. Returns what they are. */
  async finish(): Promise<Record<string, FileFacts>> {
    await this.commit();
    await this.close();
    const facts: Record<string, FileFacts> = {};
    for (const name of this.names) {
      const [part, place] = [partOf(this.folder, name), join(this.folder, name)];
      if (name === 'failed.csv' && this.done.counts.failed === 0) {
        await rm(part);
        await rm(place, { force: true });
        continue;
      }
      facts[name] = await factsOf(part);
      await rename(part, place);
    }
    await rm(progressOf(this.folder), { force: true });
    return facts;
  }

  /** Writes what waits and closes the files; whoever opens them again goes on from there. */
  async keep(): Promise<void> {
    await this.commit();
    await this.close();
  }

  /** Closes the files as they are. */
  async close(): Promise<void> {
    for (const file of this.files) await file.close();
  }
}

const format = 'oddity-predict-progress-1';

/** Length and sha256 of a file. */
export async function factsOf(path: string): Promise<FileFacts> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const piece of createReadStream(path, { highWaterMark: 2 ** 20 })) {
    hash.update(piece as Buffer);
    bytes += piece.length;
  }
  return { bytes, sha256: hash.digest('hex') };
}

/** The progress of the same plan whose files are as long as it says; undefined where there is none. */
async function lastProgress(folder: string, plan: string, names: readonly string[]): Promise<Progress | undefined> {
  const found = await readJsonIfThere<Progress & { format?: string; plan?: string }>(
    progressOf(folder),
    'progress-damaged',
  );
  if (found?.format !== format || found.plan !== plan) return undefined;
  for (const [i, name] of names.entries()) {
    const there = await stat(partOf(folder, name)).catch(() => undefined);
    if (!there || there.size < found.bytes[i]) return undefined;
  }
  const { parts, bytes, counts, top } = found;
  return { parts, bytes, counts, top };
}
