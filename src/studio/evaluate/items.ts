/** Which items of the project the test items of a run are. */
import { basename, dirname, resolve } from 'node:path';
import type { Project } from '../project.ts';

interface Row {
  readonly id: number;
  readonly path: string;
  readonly line: number | null;
  readonly name: string;
}

/**
 * Ids of items of the project by ids of a run that was trained on `data`, a folder or a file: images by their paths, rows by their
 * numbers; null for what is not of the project, and where a name fits several.
 */
export function itemsOfRun({ database }: Project, ids: readonly string[], data: string): (number | null)[] {
  const rows = database.prepare('SELECT id, path, line, name FROM items').all() as Row[];
  if (rows.length === 0) return ids.map(() => null);
  const places = new Map<string, number | null>();
  const add = (key: string, id: number) => places.set(key, places.has(key) ? null : id);
  const isOfRows = rows.some(({ line }) => line !== null);
  // Rows are counted in their order; their lines begin behind the head of the file.
  const inOrder = isOfRows ? [...rows].sort((a, b) => (a.line ?? 0) - (b.line ?? 0)) : rows;
  for (const [i, { id, path, name }] of inOrder.entries()) {
    if (isOfRows) add(`row:${i + 1}`, id);
    else add(`path:${resolve(path)}`, id);
    add(`name:${name}`, id);
    if (!isOfRows && basename(path) !== name) add(`name:${basename(path)}`, id);
  }
  const folder = /\.[a-z]+$/i.test(data) ? dirname(data) : data;
  return ids.map((id) => {
    const keys = isOfRows
      ? [`name:${id}`, `row:${id}`]
      : [`path:${resolve(folder, id)}`, `name:${id}`, `name:${basename(id)}`];
    for (const key of keys) {
      const found = places.get(key);
      if (found !== undefined && found !== null) return found;
    }
    return null;
  });
}
