/** Many trainings one after the other; what is finished is kept in a folder, so that a stopped sweep goes on. Node only. */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { silent } from '../core/events.ts';
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
  /** Hears each report in the order of the jobs; `isKept` when it comes from an earlier sweep. */
  readonly onReport?: (report: RunReport, isKept: boolean) => void;
}

/** Runs the jobs in order and returns their reports. A job is done once per folder and version of oddity. */
export async function sweep(jobs: readonly SweepJob[], options: SweepOptions): Promise<RunReport[]> {
  const { folder, train, onEvent = silent, onReport, signal } = options;
  await makeFolder(folder);
  const reports: RunReport[] = [];
  for (const [i, job] of jobs.entries()) {
    const key = keyOf(job);
    const file = join(folder, `${key}.json`);
    const written = await readJsonIfThere<RunReport>(file);
    const kept = written && migrateReport(checkReport(written, file));
    let report = kept;
    if (!report) {
      const out = join(folder, key);
      onEvent({
        type: 'log',
        level: 'info',
        message: `${i + 1} of ${jobs.length}: ${job.model}, ${job.class === undefined ? basename(job.data) : `class ${job.class}`}${job.contamination ? `, contamination ${job.contamination}` : ''}`,
      });
      report = await train({ ...job, model: findModel(job.model), out, resume: existsSync(out), onEvent, signal });
      await writeJson(file, report);
      await rm(out, { recursive: true, force: true });
    }
    reports.push(report);
    onReport?.(report, kept !== undefined);
  }
  return reports;
}

/** A name that changes with anything that changes the result. */
function keyOf(job: SweepJob): string {
  const parts = Object.entries({ ...job, oddity: oddityVersion() }).filter(([, value]) => value !== undefined);
  const hash = createHash('sha256').update(JSON.stringify(parts.sort(([a], [b]) => (a < b ? -1 : 1))));
  return [job.model, basename(job.data), job.class ?? '', job.seed, hash.digest('hex').slice(0, 12)].join('-');
}
