/**
 * Changes of labels, splits, types, tags and masks, of one item or a hundred thousand at once, each kept with what was there before,
 * so that it can be taken back and done again, also by another page and after the program was ended.
 */
import { ConfigError } from '../../core/errors.ts';
import type { Label, Split, Stretch } from '../answers-data.ts';
import { readFact } from '../facts.ts';
import type { Project } from '../project.ts';
import type { Database } from '../store/database.ts';
import { changed } from './changed.ts';

/** What is set; null takes a value away. */
export interface Setting {
  readonly label?: Label | null;
  readonly split?: Split | null;
  readonly type?: string | null;
  /** Path as the database keeps it. */
  readonly mask?: string | null;
}

export interface Edit {
  readonly set?: Setting;
  readonly addTags?: readonly string[];
  readonly removeTags?: readonly string[];
}

type Field = keyof Setting;
const fields = ['label', 'split', 'type', 'mask'] as const satisfies readonly Field[];

/** One change as it is kept: items by the value that they had, those that got or lost a tag, the stretches of a series. */
type Step =
  | { readonly field: Field; readonly to: string | null; readonly from: readonly [string | null, readonly number[]][] }
  | { readonly tag: string; readonly isAdded: boolean; readonly items: readonly number[] }
  | { readonly item: number; readonly before: readonly Stretch[]; readonly after: readonly Stretch[] };

interface Kept {
  /** In words, for the button that takes it back. */
  readonly about: string;
  readonly steps: readonly Step[];
}

/** Letters of a tag. */
const LONGEST = 60;

/** A tag, trimmed. Throws ConfigError `tag` for one that is empty, too long or holds control characters. */
export function tagOf(text: string): string {
  const tag = text.trim();
  if (tag !== '' && tag.length <= LONGEST && !/\p{Cc}/u.test(tag)) return tag;
  throw new ConfigError(
    'tag',
    `A tag must have 1 to ${LONGEST} letters and no control characters. Choose another one.`,
  );
}

/** Edits items; returns how many there are. Nothing is kept of an edit that changes nothing. Throws ConfigError for tags, and for labels of clips. */
export function edit(project: Project, items: readonly number[], wanted: Edit): number {
  const { database } = project;
  if (wanted.set && readFact(project, 'kind') === 'clip')
    throw new ConfigError(
      'labels-of-clips',
      'Labels of clips are read from their folder. Change its labels.csv or its masks, and add the folder again.',
    );
  const ids = JSON.stringify(items);
  const set = withConsequences(wanted.set ?? {});
  const about = aboutOf(items.length, wanted);
  const steps: Step[] = [];
  database.transaction(() => {
    for (const field of fields) {
      const to = set[field];
      if (to === undefined) continue;
      const from = differing(database, field, to, ids);
      if (from.length > 0) steps.push({ field, to, from });
    }
    for (const [tags, isAdded] of [
      [wanted.addTags ?? [], true],
      [wanted.removeTags ?? [], false],
    ] as const) {
      for (const tag of tags.map(tagOf)) {
        const rows = database
          .prepare(
            `SELECT value AS id FROM json_each(?) WHERE ${isAdded ? 'NOT' : ''} EXISTS (SELECT 1 FROM tags WHERE item = value AND tag = ?)`,
          )
          .all(ids, tag) as { id: number }[];
        if (rows.length > 0) steps.push({ tag, isAdded, items: rows.map(({ id }) => id) });
      }
    }
    keep(database, { about, steps });
  })();
  if (steps.length > 0) changed(project);
  return items.length;
}

/** Gives a series its stretches anew. */
export function setStretches(project: Project, item: number, after: readonly Stretch[]): void {
  const { database } = project;
  database.transaction(() => {
    const before = stretchesOf(database, item);
    keep(database, { about: 'stretches of a series', steps: [{ item, before, after }] });
  })();
  changed(project);
}

export const stretchesOf = (database: Database, item: number): Stretch[] =>
  database.prepare('SELECT begin, end, label FROM stretches WHERE item = ? ORDER BY begin').all(item) as Stretch[];

/** Takes the last edit back; false where there is none. */
export const undo = (project: Project): boolean => travel(project, 'back');

/** Does the edit that was taken back last once more; false where there is none. */
export const redo = (project: Project): boolean => travel(project, 'forth');

/** What `undo` and `redo` would do, in words. */
export function editsOf({ database }: Project): { readonly undo?: string; readonly redo?: string } {
  const [back, forth] = [next(database, 'back'), next(database, 'forth')];
  return { ...(back && { undo: back.kept.about }), ...(forth && { redo: forth.kept.about }) };
}

/** Normal items have no type of defect, and what has one is anomalous. */
function withConsequences(set: Setting): Setting {
  if (set.label === 'normal') return { ...set, type: null };
  if (set.type && set.label === undefined) return { ...set, label: 'anomalous' };
  return set;
}

function aboutOf(count: number, { set = {}, addTags = [], removeTags = [] }: Edit): string {
  const what = [
    ...Object.entries(set).map(([field, value]) => (field === 'mask' ? 'mask' : `${field} ${value ?? 'none'}`)),
    ...addTags.map((tag) => `tag ${tag}`),
    ...removeTags.map((tag) => `without tag ${tag}`),
  ];
  return `${what.join(', ')} (${count} ${count === 1 ? 'item' : 'items'})`;
}

/** Items that have another value, by the value. */
function differing(database: Database, field: Field, to: string | null, ids: string): [string | null, number[]][] {
  const rows = database
    .prepare(
      `SELECT id, ${field} AS value FROM items WHERE id IN (SELECT value FROM json_each(?)) AND ${field} IS NOT ?`,
    )
    .all(ids, to) as { id: number; value: string | null }[];
  const groups = new Map<string | null, number[]>();
  for (const { id, value } of rows) {
    const group = groups.get(value);
    if (group) group.push(id);
    else groups.set(value, [id]);
  }
  return [...groups];
}

/** Does an edit and keeps it; what was taken back before can no longer be done again. */
function keep(database: Database, kept: Kept): void {
  if (kept.steps.length === 0) return;
  for (const step of kept.steps) apply(database, step, 'forth');
  database.prepare('DELETE FROM edits WHERE isUndone = 1').run();
  database.prepare('INSERT INTO edits (at, what) VALUES (?, ?)').run(new Date().toISOString(), JSON.stringify(kept));
}

type Way = 'back' | 'forth';

function next(database: Database, way: Way): { readonly id: number; readonly kept: Kept } | undefined {
  const where = way === 'back' ? 'isUndone = 0 ORDER BY id DESC' : 'isUndone = 1 ORDER BY id';
  const row = database.prepare(`SELECT id, what FROM edits WHERE ${where} LIMIT 1`).get() as
    | { id: number; what: string }
    | undefined;
  return row && { id: row.id, kept: JSON.parse(row.what) };
}

function travel(project: Project, way: Way): boolean {
  const { database } = project;
  const found = next(database, way);
  if (!found) return false;
  const { steps } = found.kept;
  database.transaction(() => {
    for (const step of way === 'back' ? [...steps].reverse() : steps) apply(database, step, way);
    database.prepare('UPDATE edits SET isUndone = ? WHERE id = ?').run(way === 'back' ? 1 : 0, found.id);
  })();
  changed(project);
  return true;
}

function apply(database: Database, step: Step, way: Way): void {
  if ('field' in step) {
    const change = database.prepare(`UPDATE items SET ${step.field} = ? WHERE id IN (SELECT value FROM json_each(?))`);
    for (const [before, items] of step.from) change.run(way === 'back' ? before : step.to, JSON.stringify(items));
  } else if ('tag' in step) {
    const { tag, isAdded, items } = step;
    const ids = JSON.stringify(items);
    if (isAdded === (way === 'forth'))
      database.prepare('INSERT OR IGNORE INTO tags (item, tag) SELECT value, ? FROM json_each(?)').run(tag, ids);
    else database.prepare('DELETE FROM tags WHERE tag = ? AND item IN (SELECT value FROM json_each(?))').run(tag, ids);
  } else {
    database.prepare('DELETE FROM stretches WHERE item = ?').run(step.item);
    const insert = database.prepare('INSERT INTO stretches (item, begin, end, label) VALUES (?, ?, ?, ?)');
    for (const { begin, end, label } of way === 'back' ? step.before : step.after)
      insert.run(step.item, begin, end, label);
  }
}
