/** Two runs on the same test items: their metrics with paired intervals, and the items of which they make something else. */
import { option, type Words } from '../../core/text.ts';
import { findKind } from '../../kinds/index.ts';
import { compareRuns } from '../../runs/compare.ts';
import { readRun } from '../../runs/folder.ts';
import { readPredictions } from '../../runs/test-scores.ts';
import { commandOf } from '../command.ts';
import { itemsOfRun } from '../data/run-items.ts';
import type { Project } from '../project.ts';
import { runFolder } from '../runs.ts';
import type { CompareAnswer } from './answers.ts';

/** Items that are listed at most. */
const MOST = { changed: 500, farthest: 20 };

/** Throws as `compareRuns`. */
export async function compareNamed(
  project: Project,
  names: { readonly a: string; readonly b: string },
  words: Words,
): Promise<CompareAnswer> {
  const [a, b] = await Promise.all([runFolder(project, names.a), runFolder(project, names.b)]);
  const { ids } = await readPredictions(a);
  const versions = await isOfTwoVersions(project, a, b, ids);
  const { items, ...rest } = await compareRuns({ a, b, items: Number.POSITIVE_INFINITY, versions });
  const places = new Map(ids.map((id, i) => [id, i]));
  const placed = items.map((item) => ({ ...item, index: places.get(item.id)! }));
  const changed = placed.filter(({ decisionA, decisionB }) => decisionA !== decisionB);
  return {
    ...rest,
    a: { ...rest.a, run: names.a },
    b: { ...rest.b, run: names.b },
    words: findKind(rest.kind).words,
    changed: changed.slice(0, MOST.changed),
    changedCount: changed.length,
    farthest: placed.slice(0, MOST.farthest),
    command: commandOf(words, 'compare', [a, b], versions ? [option('versions', true)] : []),
  };
}

/** Two runs of different data in which each id of a test part means the same item of the project: an update, or corrected labels. */
async function isOfTwoVersions(project: Project, a: string, b: string, ids: readonly string[]): Promise<boolean> {
  if ((await readRun(a)).dataHash === (await readRun(b)).dataHash) return false;
  const [left, right] = await Promise.all([a, b].map((run) => itemsOfRun(project, ids, run)));
  return left.every((item, i) => item !== undefined && item === right[i]);
}
