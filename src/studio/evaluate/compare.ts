/** Two runs on the same test items: their metrics with paired intervals, and the items of which they make something else. */
import type { Words } from '../../core/text.ts';
import { findKind } from '../../kinds/index.ts';
import { compareRuns } from '../../runs/compare.ts';
import { readPredictions } from '../../runs/test-scores.ts';
import { commandOf } from '../command.ts';
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
  const { items, ...rest } = await compareRuns({ a, b, items: Number.POSITIVE_INFINITY });
  const { ids } = await readPredictions(a);
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
    command: commandOf(words, 'compare', [a, b]),
  };
}
