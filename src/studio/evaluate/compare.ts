/** Two runs on the same test items: their metrics with paired intervals, and the items of which they make something else. */
import { option, type Words } from '../../core/text.ts';
import { findKind } from '../../kinds/index.ts';
import { compareRead, type ReadRun, readCompared } from '../../runs/compare.ts';
import { commandOf } from '../command.ts';
import { itemsOfData } from '../data/run-items.ts';
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
  const folders = await Promise.all([runFolder(project, names.a), runFolder(project, names.b)]);
  const [a, b] = await Promise.all(folders.map(readCompared));
  const versions = await isOfTwoVersions(project, a, b);
  const { ids } = a.test;
  // Versions of a series that were made before their files had lasting names have other ids for the same steps.
  const same = versions ? { ...b, test: { ...b.test, ids } } : b;
  const { items, ...rest } = compareRead(a, same, { items: Number.POSITIVE_INFINITY, versions });
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
    command: commandOf(words, 'compare', folders, versions ? [option('versions', true)] : []),
  };
}

/** Two runs of different data in which each id of a test part means the same item of the project: an update, or corrected labels. */
async function isOfTwoVersions(project: Project, a: ReadRun, b: ReadRun): Promise<boolean> {
  if (a.record.dataHash === b.record.dataHash || a.test.ids.length !== b.test.ids.length) return false;
  const [left, right] = await Promise.all(
    [a, b].map(({ test, record }) => itemsOfData(project, test.ids, record.data)),
  );
  // Of a series an item is the whole of it: its steps are told apart by their lines.
  const isOfSteps = a.report.kind === 'series' || a.report.kind === 'clip';
  const lineOf = (id: string) => id.slice(id.lastIndexOf(':') + 1);
  return left.every(
    (item, i) =>
      item !== undefined && item === right[i] && (!isOfSteps || lineOf(a.test.ids[i]) === lineOf(b.test.ids[i])),
  );
}
