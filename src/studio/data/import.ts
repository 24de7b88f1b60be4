/**
 * Takes data into a project. Everything is read first; then all items, with what was understood, come in by one transaction, so that
 * a process that ends in the middle leaves what was there. What is there already keeps its labels. Node only.
 */
import { basename, resolve } from 'node:path';
import { ConfigError, DataError } from '../../core/errors.ts';
import type { ItemKind } from '../../core/item-shape.ts';
import type { ImportAnswer } from '../answers-data.ts';
import { readFact, writeFact } from '../facts.ts';
import type { Project } from '../project.ts';
import { changed } from './changed.ts';
import { beginCheck } from './check.ts';
import { stretchesOf } from './edits.ts';
import { type KeptFinding, type KeptImport, readImports, writeImports } from './imports.ts';
import { storedPath } from './places.ts';
import { type ReadData, type ReadItem, type ReadOptions, readData } from './read-data.ts';
import { type Reading, readingOf } from './reading.ts';

/**
 * Imports a path. Throws as the readers do, and DataError `other-kind` where the project holds items of another kind,
 * `other-columns` for rows with other columns.
 */
export async function importPath(project: Project, path: string, options: ReadOptions = {}): Promise<ImportAnswer> {
  const absolute = resolve(path);
  const { reading = readingOf(project) } = options;
  const read = await readData(absolute, { ...options, reading });
  const { kind, layout } = read;
  const explanation = read.explanation.replaceAll(absolute, basename(absolute));
  requireKind(project, read);
  const begun: KeptImport = {
    ...{ path: absolute, at: new Date().toISOString(), explanation, isChecked: layout === undefined },
    findings: findingsOf(read),
  };
  // What came in before is read the same way, or nothing comes in.
  if (options.reading && readImports(project).length > 0) await setReading(project, options.reading, options.signal);
  let added = 0;
  project.database.transaction(() => {
    added = keep(project, read, begun);
    if (options.reading) writeFact(project, 'reading', options.reading);
  })();
  changed(project);
  if (layout) beginCheck(project, absolute, layout, options.signal);
  return { kind, explanation, added, known: read.items.length - added };
}

const findingsOf = ({ remarks }: ReadData): KeptFinding[] =>
  remarks.map((remark) => ({ severity: 'warning', ...remark, advice: '', items: [], files: [] }));

/**
 * Reads the files of rows of a project in another way. Labels, types and parts become those that the files now say, except where a
 * person set others; where rows become a series, or steps a table, the items are others and begin anew. Throws as the readers do, and
 * nothing is then changed; ConfigError `no-rows` for a project of other items.
 */
export async function setReading(project: Project, reading: Reading, signal?: AbortSignal): Promise<void> {
  const kind = (['table', 'series'] as const).find((one) => one === readFact(project, 'kind'));
  if (!kind)
    throw new ConfigError(
      'no-rows',
      'How columns are read can be said of tables and series only. This project has neither.',
    );
  const old = readingOf(project);
  const reads: { readonly before: ReadData | undefined; readonly after: ReadData; readonly kept: KeptImport }[] = [];
  for (const one of readImports(project)) {
    const after = await readData(one.path, { reading, kind: reading.kind ?? kind, signal });
    const before = await readData(one.path, { reading: old, kind, signal }).catch(() => undefined);
    const explanation = after.explanation.replaceAll(one.path, basename(one.path));
    reads.push({ before, after, kept: { ...one, explanation, findings: findingsOf(after) } });
  }
  const [first] = reads;
  const { database } = project;
  database.transaction(() => {
    writeFact(project, 'reading', reading);
    if (first && first.after.kind !== kind) {
      for (const table of ['edits', 'items']) database.prepare(`DELETE FROM ${table}`).run();
      writeImports(project, []);
      for (const { after, kept } of reads) keep(project, after, kept);
      return;
    }
    for (const { before, after } of reads) relabel(project, before, after);
    keepImports(
      project,
      kind,
      reads.map(({ kept }) => kept),
    );
  })();
  changed(project);
}

/** Gives items what their file now says of them, where they still are as it said before. */
function relabel(project: Project, before: ReadData | undefined, after: ReadData): void {
  const { database } = project;
  const keyOf = ({ path, line }: ReadItem) => `${line}\n${path}`;
  const earlier = new Map(before?.items.map((item) => [keyOf(item), item]));
  const set = database.prepare(
    'UPDATE items SET label = ?, type = ?, split = ? WHERE path = ? AND line = ? AND label IS ? AND type IS ? AND split IS ?',
  );
  const find = database.prepare('SELECT id FROM items WHERE path = ? AND line = ?');
  const said = ({ label, type, split }: ReadItem) => [label ?? null, type ?? null, split ?? null];
  for (const item of after.items) {
    const was = earlier.get(keyOf(item));
    const place = [storedPath(project, item.path), item.line] as const;
    if (was) set.run(...said(item), ...place, ...said(was));
    if (after.kind !== 'series') continue;
    const { id } = (find.get(...place) as { id: number } | undefined) ?? {};
    if (id === undefined || JSON.stringify(stretchesOf(database, id)) !== JSON.stringify(was?.stretches ?? []))
      continue;
    database.prepare('DELETE FROM stretches WHERE item = ?').run(id);
    const mark = database.prepare('INSERT INTO stretches (item, begin, end, label) VALUES (?, ?, ?, ?)');
    for (const { begin, end, label } of item.stretches ?? []) mark.run(id, begin, end, label);
  }
}

function keepImports(project: Project, kind: ItemKind, imports: readonly KeptImport[]): void {
  writeImports(project, imports);
  if (imports.length === 1) writeFact(project, 'data', imports[0].path);
  writeFact(project, 'kind', kind);
  writeFact(project, 'explanation', imports.map(({ explanation }) => explanation).join('\n'));
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

/** Writes the items and what was understood, in one transaction of the caller; returns how many are new. */
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
  keepImports(project, kind, [...before, begun]);
  return added;
}
