/** From what runs write of their test items back to the items of a project: ids of images, rows and steps. Node only. */
import { stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { isFolder } from '../../data/files/read-input.ts';
import { readJsonIfThere } from '../../runs/files.ts';
import { readRun, runFiles } from '../../runs/folder.ts';
import { readReport } from '../../runs/report-file.ts';
import { readPredictions } from '../../runs/test-scores.ts';
import { readFact } from '../facts.ts';
import type { Project } from '../project.ts';
import { runFolder } from '../runs.ts';
import { roundOf } from './changed.ts';
import { storedPath } from './places.ts';

/** What lies beside a version: which item stands in which row of its table, or in which of its files. */
export interface VersionItems {
  /** Ids of items, of the rows from line 2 on. */
  readonly rows?: readonly number[];
  /** Ids of items by the names of files. */
  readonly series?: Readonly<Record<string, number>>;
}

/** The file with the items of a version, by the path that `train` takes: not beside it, where each name is that of a version. */
export const itemsFile = (path: string): string =>
  join(dirname(path), 'items', `${basename(path).replace(/\.[^.]+$/, '')}.json`);

/**
 * The items of a project that the ids of a run's predictions mean, in their order; undefined for what the project does not hold. A
 * step of a series means the series. `run` is the run's folder, and may be one that was trained outside of Studio on the same files.
 */
export async function itemsOfRun(
  project: Project,
  ids: readonly string[],
  run: string,
): Promise<(number | undefined)[]> {
  return itemsOfData(project, ids, (await readRun(run)).data);
}

/** The same of ids of a data set: a version, or what the items came in from. */
export async function itemsOfData(
  project: Project,
  ids: readonly string[],
  data: string,
): Promise<(number | undefined)[]> {
  const kind = readFact(project, 'kind');
  const version = await readJsonIfThere<VersionItems>(itemsFile(data)).catch(() => undefined);
  if (kind === 'table' && version?.rows) {
    const { rows } = version;
    return ids.map((id) => rows[Number(id) - 2]);
  }
  const root = (await isFolder(data)) ? data : dirname(data);
  const known = knownItems(project);
  const find = (path: string, line = 0) => known.get(`${storedPath(project, path)}\n${line}`);
  if (kind === 'table') return ids.map((id) => find(data, Number(id)));
  if (kind !== 'series' && kind !== 'clip') return ids.map((id) => find(resolve(root, id)));
  return ids.map((id) => {
    const name = id.slice(0, id.lastIndexOf(':'));
    const path = kind === 'clip' && name === basename(data) ? data : resolve(root, name);
    return version?.series?.[name] ?? find(path);
  });
}

/** Ids of items by path and line. */
function knownItems({ database }: Project): Map<string, number> {
  const rows = database.prepare('SELECT id, path, line FROM items').all() as {
    id: number;
    path: string;
    line: number;
  }[];
  return new Map(rows.map(({ id, path, line }) => [`${path}\n${line}`, id]));
}

/** Scores of a run by items. */
export interface ItemScores {
  /** Differs once the run, its threshold or the project's items do. */
  readonly stamp: string;
  /** Of a series the highest of its steps. */
  readonly scores: ReadonlyMap<number, number>;
  readonly threshold: number | null;
}

const kept = new WeakMap<Project, Map<string, ItemScores>>();

/** The scores that a run of the project gave to its test items. Throws Problem 404, and as `readPredictions`. */
export async function scoresOfRun(project: Project, name: string): Promise<ItemScores> {
  const run = await runFolder(project, name);
  const files = runFiles(run);
  const times = await Promise.all([files.predictions, files.metrics].map((path) => stat(path).catch(() => undefined)));
  const stamp = [roundOf(project), run, ...times.map((found) => found?.mtimeMs)].join(' ');
  const own = kept.get(project) ?? new Map<string, ItemScores>();
  kept.set(project, own);
  const before = own.get(run);
  if (before?.stamp === stamp) return before;
  const { ids, scores } = await readPredictions(run);
  const items = await itemsOfRun(project, ids, run);
  const byItem = new Map<number, number>();
  for (const [i, item] of items.entries()) {
    if (item === undefined) continue;
    const score = byItem.get(item);
    if (score === undefined || scores[i] > score) byItem.set(item, scores[i]);
  }
  const found = { stamp, scores: byItem, threshold: (await readReport(run))?.threshold.value ?? null };
  own.set(run, found);
  return found;
}
