/**
 * Takes data into a project. Everything is read first; then all items, with what was understood, come in by one transaction, so that
 * a process that ends in the middle leaves what was there. What is there already keeps its labels. Node only.
 */
import { basename, resolve } from 'node:path';
import { DataError } from '../../core/errors.ts';
import type { ImportAnswer } from '../answers-data.ts';
import { readFact, writeFact } from '../facts.ts';
import type { Project } from '../project.ts';
import { changed } from './changed.ts';
import { beginCheck } from './check.ts';
import { type KeptImport, readImports, writeImports } from './imports.ts';
import { storedPath } from './places.ts';
import { type ReadData, type ReadOptions, readData } from './read-data.ts';

/**
 * Imports a path. Throws as the readers do, and DataError `other-kind` where the project holds items of another kind,
 * `other-columns` for rows with other columns.
 */
export async function importPath(project: Project, path: string, options: ReadOptions = {}): Promise<ImportAnswer> {
  const absolute = resolve(path);
  const read = await readData(absolute, options);
  const { kind, layout } = read;
  const explanation = read.explanation.replaceAll(absolute, basename(absolute));
  requireKind(project, read);
  const begun: KeptImport = {
    ...{ path: absolute, at: new Date().toISOString(), explanation, isChecked: layout === undefined },
    findings: read.remarks.map(({ code, message }) => ({
      ...{ severity: 'warning' as const, code, message, advice: '', items: [], files: [] },
    })),
  };
  const added = keep(project, read, begun);
  changed(project);
  if (layout) beginCheck(project, absolute, layout, options.signal);
  return { kind, explanation, added, known: read.items.length - added };
}

function requireKind(project: Project, { kind, items }: ReadData): void {
  const before = readFact(project, 'kind');
  if (items.length === 0) throw new DataError('no-items', 'There are no items in this data. Choose other files.');
  if (before === undefined || before === kind) return;
  const words: Readonly<Record<string, string>> = { image: 'images', table: 'rows', series: 'series', clip: 'clips' };
  throw new DataError(
    'other-kind',
    `The items of a project must be of one kind: this one holds ${words[before]}, and these are ${words[kind]}. Make another project for them.`,
  );
}

/** Writes the items and what was understood; returns how many are new. */
function keep(project: Project, { kind, items }: ReadData, begun: KeptImport): number {
  const { database } = project;
  const insert = database.prepare(
    'INSERT INTO items (path, line, name, label, type, split, mask) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (path, line) DO NOTHING',
  );
  const find = database.prepare('SELECT id FROM items WHERE path = ? AND line = ?');
  const relabel = database.prepare('UPDATE items SET label = ?, type = ?, split = ? WHERE id = ?');
  const unmark = database.prepare('DELETE FROM stretches WHERE item = ?');
  const mark = database.prepare('INSERT INTO stretches (item, begin, end, label) VALUES (?, ?, ?, ?)');
  let added = 0;
  database.transaction(() => {
    for (const { path, line, name, label, type, split, mask, stretches = [] } of items) {
      const values = [name, label ?? null, type ?? null, split ?? null, mask ? storedPath(project, mask) : null];
      const place = storedPath(project, path);
      const known = kind === 'clip' ? (find.get(place, line) as { id: number } | undefined) : undefined;
      if (known) {
        // Labels of clips are those of their folder, whenever it is read.
        relabel.run(label ?? null, type ?? null, split ?? null, known.id);
        unmark.run(known.id);
        for (const { begin, end, label } of stretches) mark.run(known.id, begin, end, label);
        continue;
      }
      const { changes, lastInsertRowid } = insert.run(place, line, ...values);
      if (changes === 0) continue;
      added++;
      for (const { begin, end, label } of stretches) mark.run(lastInsertRowid, begin, end, label);
    }
    const before = readImports(project).filter(({ path }) => path !== begun.path);
    writeImports(project, [...before, begun]);
    if (before.length === 0) writeFact(project, 'data', begun.path);
    writeFact(project, 'kind', kind);
    writeFact(project, 'explanation', [...before, begun].map(({ explanation }) => explanation).join('\n'));
  })();
  return added;
}
