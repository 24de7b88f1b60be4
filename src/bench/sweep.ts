/** Many trainings one after the other; what is finished is kept in a folder, so that a stopped sweep goes on. Node only. */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { basename, join, relative, sep } from 'node:path';
import { silent } from '../core/events.ts';
import { ofShard, type Shard } from '../core/shard.ts';
import type { RunReport } from '../engine/judging/report-types.ts';
import { findModel } from '../models/index.ts';
import { makeFolder, readJsonIfThere, writeJson } from '../runs/files.ts';
import type { TrainOptions } from '../runs/options.ts';
import { migrateReport } from '../runs/report-file.ts';
import { checkReport } from '../runs/report-schema.ts';
import { oddityVersion } from '../runs/versions.ts';

/** Trainings as data; what a sweep decides itself is left out. */
export type SweepJob = Omit<TrainOptions, 'model' | 'data' | 'out' | 'resume' | 'overwrite' | 'onEvent' | 'signal'> & {
  /** Names of a model and of a data set. */
  readonly model: string;
  readonly data: string;
};

export interface SweepOptions extends Pick<TrainOptions, 'onEvent' | 'signal'> {
  /** Where finished reports lie, and the run folder of the training that is under way. */
  readonly folder: string;
  readonly train: (options: TrainOptions) => Promise<RunReport>;
  /** Where paths of data lie: below it they are the same on every machine. */
  readonly dataRoot: string;
  /** Hears each report in the order of the jobs; `isKept` when it comes from an earlier sweep. */
  readonly onReport?: (report: RunReport, isKept: boolean) => void;
}

/** Runs the jobs in order and returns their reports. A job is done once per folder and version of oddity. */
export async function sweep(jobs: readonly SweepJob[], options: SweepOptions): Promise<RunReport[]> {
  const { folder, train, dataRoot, onEvent = silent, onReport, signal } = options;
  await makeFolder(folder);
  const reports: RunReport[] = [];
  for (const [i, job] of jobs.entries()) {
    const key = keyOf(job, dataRoot);
    const kept = await readKept(folder, key);
    let report = kept;
    if (!report) {
      const out = join(folder, key);
      onEvent({
        type: 'log',
        level: 'info',
        message: `${i + 1} of ${jobs.length}: ${job.model}, ${job.class === undefined ? basename(job.data) : `class ${job.class}`}${job.contamination ? `, contamination ${job.contamination}` : ''}`,
      });
      report = await train({ ...job, model: findModel(job.model), out, resume: existsSync(out), onEvent, signal });
      await writeJson(fileOf(folder, key), report);
      await rm(out, { recursive: true, force: true });
    }
    reports.push(report);
    onReport?.(report, kept !== undefined);
  }
  return reports;
}

const fileOf = (folder: string, key: string) => join(folder, `${key}.json`);

/** The report of a finished job, by its name; undefined where it is not there. */
export async function readKept(folder: string, key: string): Promise<RunReport | undefined> {
  const file = fileOf(folder, key);
  const written = await readJsonIfThere<RunReport>(file);
  return written && migrateReport(checkReport(written, file));
}

/** The jobs of a shard by the order of their names, which spreads the jobs of a model; each in its place. */
export function jobsOfShard(jobs: readonly SweepJob[], shard: Shard, dataRoot: string): SweepJob[] {
  const own = new Set(ofShard([...new Set(jobs.map((job) => keyOf(job, dataRoot)))].sort(), shard));
  return jobs.filter((job) => own.has(keyOf(job, dataRoot)));
}

/** A name that changes with anything that changes the result, and not with where data lie. */
export function keyOf({ dataRoot: _, ...job }: SweepJob, root: string): string {
  const below = relative(root, job.data);
  const isBelow = job.data.includes(sep) && !below.startsWith('..');
  const about = { ...job, data: isBelow ? below : job.data, oddity: oddityVersion() };
  const parts = Object.entries(about).filter(([, value]) => value !== undefined);
  const hash = createHash('sha256').update(JSON.stringify(parts.sort(([a], [b]) => (a < b ? -1 : 1))));
  return [job.model, basename(job.data), job.class ?? '', job.seed, hash.digest('hex').slice(0, 12)].join('-');
}
