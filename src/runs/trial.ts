/** A training of a sweep: a run, and beside it what planted items make of it. Node only. */
import { join } from 'node:path';
import * as z from 'zod';
import { DataError } from '../core/errors.ts';
import type { Listener } from '../core/events.ts';
import { parseStored } from '../core/stored.ts';
import type { RunReport } from '../engine/judging/report-types.ts';
import { readJsonIfThere, writeJson } from './files.ts';
import { isRun, readRun, runFiles } from './folder.ts';
import type { TrainOptions } from './options.ts';
import { type PlantedValue, plantedValue } from './planted-value.ts';
import { readReport } from './report-file.ts';
import { train } from './train.ts';

/** A trial that is done. */
export interface FinishedTrial {
  readonly report: RunReport;
  /** Absent where the run was not asked for it. */
  readonly planted?: PlantedValue;
}

const plantedSchema = z.looseObject({
  format: z.literal('oddity-planted-1'),
  value: z.number(),
  interval: z.tuple([z.number(), z.number()]).nullable(),
  normals: z.int().min(1),
  anomalies: z.int().min(1),
  planted: z.record(z.string(), z.int()),
});

/**
 * Trains, or resumes or takes what is there, and judges by planted items where that is wanted. Throws as `train` and
 * `plantedValue`.
 */
export async function runTrial(
  options: TrainOptions & { readonly out: string },
  { isPlanted, ...heard }: { readonly isPlanted: boolean; readonly onEvent?: Listener; readonly signal?: AbortSignal },
): Promise<FinishedTrial> {
  const { out, data, device, dataRoot } = options;
  const found = await readTrial(out);
  const report = found?.report ?? (await train({ ...options, ...heard, resume: await isRun(out) }));
  if (!isPlanted || found?.planted) return { report, ...(found?.planted && { planted: found.planted }) };
  const path = typeof data === 'string' ? data : undefined;
  const planted = await plantedValue({ run: out, data: path, device, dataRoot, ...heard });
  await writeJson(plantedFile(out), { format: 'oddity-planted-1', ...planted });
  return { report, planted };
}

/** What a finished trial left; undefined where its run is not finished. Throws DataError for files that are damaged. */
export async function readTrial(folder: string): Promise<FinishedTrial | undefined> {
  if (!(await isRun(folder))) return undefined;
  if ((await readRun(folder)).status !== 'done') return undefined;
  const report = await readReport(folder);
  if (!report) return undefined;
  const path = plantedFile(folder);
  const kept = await readJsonIfThere<object>(path);
  if (!kept) return { report };
  const damaged = (what: string) =>
    new DataError('corrupt', `${path} is damaged: ${what}. Delete it, and it is made again.`);
  const { format: _, ...planted } = parseStored(plantedSchema, kept, damaged);
  return { report, planted: planted as unknown as PlantedValue };
}

const plantedFile = (folder: string) => runFiles(folder).planted;

/** The folders of trials in that of a sweep. */
export const trialFolder = (sweep: string, id: string): string => join(sweep, 'trials', id);
