/**
 * Looks at the files of imported images one by one, after they came in: a grid is there at once, and what is wrong with its files a
 * little later. A check that was ended is done again when the project's findings are next asked for. Node only.
 */
import { OddityError } from '../../core/errors.ts';
import { diagnose, examine } from '../../data/files/inspect/index.ts';
import { type Layout, readLayout } from '../../data/index.ts';
import type { ImportFacts } from '../answers-data.ts';
import type { Project } from '../project.ts';
import { changed } from './changed.ts';
import { type KeptFinding, type KeptImport, readImports, writeImports } from './imports.ts';
import { keepLooks, knownAlready, lookKnown } from './known.ts';
import { storedPath } from './places.ts';

interface Check {
  done: number;
  total: number;
  readonly ended: Promise<void>;
}

/** Those that go on, by the paths of their imports. */
const running = new WeakMap<Project, Map<string, Check>>();

export function checkingOf(project: Project, path: string): ImportFacts['checking'] {
  const check = running.get(project)?.get(path);
  return check && { done: check.done, total: check.total };
}

/** Begins to look at the files of an import, unless that is done already; nothing waits for it. */
export function beginCheck(project: Project, path: string, layout: Layout, signal?: AbortSignal): void {
  const checks = running.get(project) ?? new Map<string, Check>();
  running.set(project, checks);
  if (checks.has(path)) return;
  const check: { done: number; total: number } = { done: 0, total: layout.items.length };
  // One after the other: what came in before must be known, or its copies would not be found.
  const before = checksEnded(project);
  const ended = before
    .then(() => look(project, path, layout, { check, signal }))
    .finally(() => {
      checks.delete(path);
      if (!signal?.aborted) changed(project);
    });
  ended.catch(() => {}); // the project was closed meanwhile
  checks.set(path, Object.assign(check, { ended }));
}

/** Begins the checks that an earlier program did not finish. */
export async function resumeChecks(project: Project, signal?: AbortSignal): Promise<void> {
  for (const { path, isChecked } of readImports(project)) {
    if (isChecked || running.get(project)?.has(path)) continue;
    const layout = await readLayout(path).catch(() => undefined);
    if (layout) beginCheck(project, path, layout, signal);
    else conclude(project, path, { fault: `${path} is no longer there, or no longer what it was.` });
  }
}

/** Waits for the checks that go on. */
async function checksEnded(project: Project): Promise<void> {
  await Promise.allSettled([...(running.get(project)?.values() ?? [])].map(({ ended }) => ended));
}

async function look(
  project: Project,
  path: string,
  layout: Layout,
  { check, signal }: { check: { done: number; total: number }; signal?: AbortSignal },
): Promise<void> {
  try {
    let told = 0;
    const set = await examine(layout, {
      signal,
      onEvent(event) {
        if (event.type !== 'progress') return;
        check.done = event.done;
        check.total = event.total ?? check.total;
        if (Date.now() - told < 300) return;
        told = Date.now();
        project.changes.tell('progress', { id: 'check', event: { ...event, path } });
      },
    });
    if (signal?.aborted) return;
    const ids = idsOf(project, layout);
    const alike = await lookKnown(project, set.images, ids, signal);
    if (signal?.aborted) return;
    project.database.transaction(() => {
      const learn = project.database.prepare('UPDATE items SET hash = ?, width = ?, height = ? WHERE id = ?');
      for (const { item, file } of set.images) {
        learn.run(file.hash || null, file.image?.width ?? null, file.image?.height ?? null, ids.get(item.id) ?? -1);
      }
      const found = diagnose(set).map(({ check: code, severity, message, advice, paths, remarks }): KeptFinding => {
        const masks = new Map(set.masks.map(({ item, file }) => [file.id, item.id]));
        const known = paths.map((path) => ids.get(path) ?? ids.get(masks.get(path) ?? ''));
        const files = paths.map((path, i) => ({ path, ...(remarks && { remark: remarks[i] }) }));
        return {
          ...{ severity, code, message, advice },
          items: [...new Set(known.filter((id) => id !== undefined))],
          files: files.slice(0, 10),
        };
      });
      keepLooks(project, set.images, ids);
      conclude(project, path, { findings: [...found, ...knownAlready(project, ids), ...alike] });
    })();
  } catch (error) {
    if (signal?.aborted) return;
    if (!(error instanceof OddityError)) throw error;
    conclude(project, path, { fault: error.message });
  }
}

function conclude(project: Project, path: string, what: Partial<KeptImport>): void {
  const all = readImports(project);
  writeImports(
    project,
    all.map((one) => (one.path === path ? { ...one, isChecked: true, ...what } : one)),
  );
}

/** Ids in the database by those of the layout. */
function idsOf(project: Project, { items }: Layout): Map<string, number> {
  const rows = project.database.prepare('SELECT id, path FROM items WHERE line = 0').all() as {
    id: number;
    path: string;
  }[];
  const byPath = new Map(rows.map(({ id, path }) => [path, id]));
  return new Map(
    items.flatMap(({ id, path }) => {
      const known = byPath.get(storedPath(project, path));
      return known === undefined ? [] : [[id, known]];
    }),
  );
}
