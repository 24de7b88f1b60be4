import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Project } from '../project.ts';
import { openDatabase } from '../store/database.ts';
import { edit, editsOf, redo, setStretches, stretchesOf, tagOf, undo } from './edits.ts';

let project: Project;

beforeEach(async () => {
  const database = await openDatabase(':memory:');
  const insert = database.prepare("INSERT INTO items (path, name, label, split) VALUES (?, ?, ?, 'train')");
  for (let i = 1; i <= 4; i++) insert.run(`${i}.png`, `${i}`, i === 4 ? null : 'normal');
  project = { folder: '/p', database, changes: { tell() {} } } as unknown as Project;
});
afterEach(() => {
  project.database.close();
});

const labels = () =>
  project.database
    .prepare('SELECT label, type FROM items ORDER BY id')
    .all()
    .map((row) => Object.values(row as object).join());

describe('edits', () => {
  it('are taken back to what each item had, and done again', () => {
    edit(project, [1, 2, 4], { set: { type: 'crack' } });
    expect(labels()).toEqual(['anomalous,crack', 'anomalous,crack', 'normal,', 'anomalous,crack']);
    edit(project, [2], { set: { label: 'normal' } });
    expect(labels()[1]).toBe('normal,');
    expect(editsOf(project)).toEqual({ undo: 'label normal (1 item)' });
    expect([undo(project), undo(project), undo(project)]).toEqual([true, true, false]);
    expect(labels()).toEqual(['normal,', 'normal,', 'normal,', ',']);
    expect([redo(project), redo(project), redo(project)]).toEqual([true, true, false]);
    expect(labels()).toEqual(['anomalous,crack', 'normal,', 'normal,', 'anomalous,crack']);
  });

  it('a new one ends what could be done again; one that changes nothing is not kept', () => {
    edit(project, [1], { set: { split: 'test' } });
    undo(project);
    edit(project, [1], { set: { label: 'normal' } });
    expect(editsOf(project)).toEqual({ redo: 'split test (1 item)' });
    edit(project, [1], { set: { label: 'anomalous' } });
    expect(redo(project)).toBe(false);
  });

  it('tags that an item had before stay when the edit is taken back', () => {
    edit(project, [1], { addTags: ['seen'] });
    edit(project, [1, 2], { addTags: ['seen'], removeTags: ['other'] });
    undo(project);
    expect(project.database.prepare('SELECT item, tag FROM tags').all()).toEqual([{ item: 1, tag: 'seen' }]);
    for (const tag of ['', '  ', 'x'.repeat(61), 'a\tb']) expect(() => tagOf(tag)).toThrow('A tag must have');
  });

  it('stretches come and go as a whole', () => {
    const first = [{ begin: 3, end: 9, label: 'anomalous' as const }];
    setStretches(project, 1, first);
    setStretches(project, 1, []);
    undo(project);
    expect(stretchesOf(project.database, 1)).toEqual(first);
  });
});
