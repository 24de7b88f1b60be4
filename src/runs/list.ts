/** The runs below a folder: found, listed, filtered, removed. The folders themselves are the list; nothing else is kept. */
import { lstat, readdir, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ConfigError, DataError, OddityError, unknownName } from '../core/errors.ts';
import { type Listener, silent } from '../core/events.ts';
import type { RunReport } from '../engine/judging/report-types.ts';
import { findMetric, idOf, type MetricDescription, type MetricId, metrics, readMetric } from '../metrics/index.ts';
import { isRun, type RunStatus, readRun, runFiles, statusOf } from './folder.ts';
import { lockFolder } from './lock.ts';
import { readReport } from './report-file.ts';
import { removeOwnFiles } from './run-files.ts';

/** How far below the folder runs are looked for. */
const DEPTH = 4;

/**
 * Ids of metrics that the help names for sorting: those of which some values are better than others. Metrics of series, which
 * are many, are left out of the list; runs that have them can be sorted by them all the same.
 */
export const sortableMetrics: readonly string[] = metrics
  .filter((metric) => isSortable(metric) && metric.level !== 'series')
  .map(idOf);

export const runStatuses = ['running', 'done', 'cancelled', 'failed', 'killed'] as const satisfies readonly RunStatus[];

/** Options of `listRuns`: where to look, and what to keep of what is found. */
export interface ListRunsOptions {
  /** Default `runs`. */
  folder?: string;
  model?: string;
  data?: string;
  status?: RunStatus;
  /** Runs that began at this time or later. */
  since?: Date;
  /**
   * Id of a metric, `item.auroc`, also of one of your own that a run has: the best first, runs without the metric last.
   * Default: the newest first.
   */
  sort?: MetricId | (string & {});
  /** Hears of runs that are damaged: they are listed without their figures, or not at all. */
  onEvent?: Listener;
}

/** One line of the list. */
export interface ListedRun {
  readonly run: string;
  readonly model: string;
  readonly data: string;
  readonly protocol: string;
  readonly class: string;
  readonly seed: number;
  readonly status: RunStatus;
  /** ISO 8601. */
  readonly startedAt: string;
  readonly endedAt?: string;
  /** Null until the run is finished. */
  readonly metrics: RunReport['metrics'] | null;
  readonly ownMetrics?: RunReport['ownMetrics'];
  /** Why it failed or was cancelled. */
  readonly error?: { code: string; message: string };
}

/**
 * The runs below a folder, four levels down; a run inside a run is not looked for. Throws DataError `no-folder`, and
 * ConfigError for a status or a metric that is none.
 */
export async function listRuns(options: ListRunsOptions = {}): Promise<ListedRun[]> {
  const { folder = 'runs', model, data, status, since, sort, onEvent = silent } = options;
  if (status !== undefined && !runStatuses.includes(status)) throw unknownName('status', status, runStatuses, 'status');
  const found: ListedRun[] = [];
  for (const run of await runFolders(folder)) {
    const listed = await readListed(run, onEvent);
    if (!listed) continue;
    if (model !== undefined && listed.model !== model) continue;
    if (data !== undefined && listed.data !== data) continue;
    if (status !== undefined && listed.status !== status) continue;
    if (since !== undefined && new Date(listed.startedAt) < since) continue;
    found.push(listed);
  }
  const newest = (a: ListedRun, b: ListedRun) => b.startedAt.localeCompare(a.startedAt) || a.run.localeCompare(b.run);
  if (!sort) return found.sort(newest);
  const own = found.flatMap(({ ownMetrics = [] }) => ownMetrics);
  const metric = findMetric(sort, [...metrics, ...own].filter(isSortable));
  const sign = metric.better === 'lower' ? -1 : 1;
  const value = ({ metrics }: ListedRun) => {
    const found = readMetric(metrics ?? undefined, metric);
    return found === null || found === undefined ? Number.NEGATIVE_INFINITY : sign * found;
  };
  return found.sort((a, b) => (value(a) === value(b) ? newest(a, b) : value(b) - value(a)));
}

function isSortable({ better }: MetricDescription): boolean {
  return better !== 'neither';
}

/** The folders of the runs below a folder. Throws DataError `no-folder`. */
export const runFolders = (folder: string): Promise<string[]> => findRuns(folder, DEPTH);

async function findRuns(folder: string, depth: number): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    throw new DataError('no-folder', `${folder} must be a folder that can be read (${error.code}).`);
  });
  if (entries.some((entry) => entry.name === 'run.json')) return [folder];
  if (depth === 0) return [];
  const below = entries.filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'));
  // A folder that only others may read is passed over; the one that was asked for is not.
  const lists = await Promise.all(below.map((entry) => findRuns(join(folder, entry.name), depth - 1).catch(() => [])));
  return lists.flat();
}

/** A run as a line, or undefined when its record is of something else or damaged. */
async function readListed(run: string, onEvent: Listener): Promise<ListedRun | undefined> {
  const skip = (error: unknown) => {
    if (!(error instanceof OddityError)) throw error;
    if (error.code !== 'not-a-run') onEvent({ type: 'warning', code: error.code, message: error.message });
    return undefined;
  };
  const record = await readRun(run).catch(skip);
  if (!record) return undefined;
  const status = await statusOf(run, record);
  const report = status === 'done' ? await readReport(run).catch(skip) : undefined;
  const { model, data, protocol, class: about, seed, startedAt, endedAt, error } = record;
  const { metrics = null, ownMetrics } = report ?? {};
  return {
    run,
    model,
    data,
    protocol,
    class: about,
    seed,
    status,
    startedAt,
    endedAt,
    metrics,
    ...(ownMetrics && { ownMetrics }),
    error,
  };
}

/**
 * Removes a run: the files that oddity wrote, and the folder when nothing else is in it. Returns the names of what
 * stays. Throws DataError `not-a-run` and `run-locked` before anything is removed; ConfigError `run-is-a-link`.
 */
export async function removeRun(run: string): Promise<{ run: string; kept: readonly string[] }> {
  await requireRun(run);
  const lock = await lockFolder(run);
  try {
    // The record goes last: what is removed in part is still a run, and can be removed again.
    await removeOwnFiles(run);
    await rm(runFiles(run).run, { force: true });
  } finally {
    await lock.release();
  }
  const kept = await readdir(run);
  if (kept.length === 0) await rmdir(run);
  return { run, kept };
}

/** Throws unless the folder itself holds a run. */
export async function requireRun(run: string): Promise<void> {
  const found = await lstat(run).catch(() => undefined);
  if (found?.isSymbolicLink())
    throw new ConfigError('run-is-a-link', `${run} is a link to the folder of a run. Name the folder itself.`);
  if (!(await isRun(run))) await readRun(run); // says what is there instead
}
