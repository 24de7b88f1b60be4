/**
 * Versions: the labels and splits as they are now, as a list or a table that `train` takes, named by the hash of its content, so that
 * a run always names what it saw. Items that are left out are not in it; items without a label are taken for normal and only train.
 * Of clips, whose labels lie in their folder, the version is a link to the folder. Node only.
 */
import { mkdir, symlink } from 'node:fs/promises';
import { basename, dirname, join, relative, sep } from 'node:path';
import { DataError } from '../../core/errors.ts';
import type { ItemKind } from '../../core/item-shape.ts';
import { sha256 } from '../../data/hash.ts';
import { openRows } from '../../data/index.ts';
import { type ColumnFacts, readTable } from '../../data/table/table.ts';
import { writeAtomic, writeJson } from '../../runs/files.ts';
import type { Label, Split, VersionCounts, VersionFacts } from '../answers-data.ts';
import { LEFT_OUT } from '../answers-data.ts';
import { readFact } from '../facts.ts';
import { type Project, projectFiles } from '../project.ts';
import { stretchesOf } from './edits.ts';
import { fullPath } from './places.ts';
import { cellsOf } from './read-data.ts';
import { asTableOptions, type Reading, readingOf } from './reading.ts';
import { openSteps } from './rows.ts';
import { itemsFile, type VersionItems } from './run-items.ts';

/** An item of a version. */
export interface VersionRow {
  readonly id: number;
  readonly path: string;
  readonly line: number;
  readonly name: string;
  readonly label: Label | null;
  readonly type: string | null;
  readonly split: Split | null;
  readonly mask: string | null;
}

/** A file of a version: its name within it, empty where it is the version itself, and its text. */
interface Written {
  readonly name: string;
  readonly text: string;
}

interface Content {
  readonly files: readonly Written[];
  readonly items: VersionItems;
  /** Of rows: what training must be told of how they are read. */
  readonly reading?: VersionReading;
}

type VersionReading = Pick<VersionFacts['options'], 'columns' | 'missing' | 'decimal'>;

/** Writes the version of what there is now, or finds it written. Throws DataError `no-items`, and what reading the files throws. */
export async function makeVersion(project: Project): Promise<VersionFacts> {
  const { folder } = project;
  const kind = readFact(project, 'kind');
  const rows = rowsOf(project);
  if (kind === undefined || rows.length === 0)
    throw new DataError(
      'no-items',
      'There is nothing to train on: every item is left out, or none came in yet. Add data first.',
    );
  const counts = countsOf(project, rows);
  const { versions } = projectFiles(folder);
  if (kind === 'clip') {
    const data = readFact(project, 'data')!;
    const hash = (await sha256(JSON.stringify([data, rows.map(({ name, split }) => [name, split])]))).slice(0, 16);
    const path = join(versions, `${hash}.clips`);
    const names = rows.map(({ id, name }) => [rows.length === 1 ? basename(path) : name, id] as const);
    await mkdir(dirname(itemsFile(path)), { recursive: true });
    await writeJson(itemsFile(path), { series: Object.fromEntries(names) } satisfies VersionItems);
    await symlink(data, path, 'junction').catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
    return record(project, kind, { hash, path, counts });
  }
  const write = kind === 'table' ? tableOfRows : kind === 'series' ? filesOfSeries : listOfImages;
  const content = await write(project, rows);
  const { files, reading } = content;
  const hash = await hashOf(content);
  const isOne = kind !== 'series';
  const path = join(versions, `${hash}.${isOne ? 'csv' : 'series'}`);
  await mkdir(isOne ? versions : path, { recursive: true });
  await mkdir(dirname(itemsFile(path)), { recursive: true });
  // The table goes last: a version that is there is whole.
  await writeJson(itemsFile(path), content.items);
  for (const { name, text } of files) await writeAtomic(isOne ? path : join(path, name), text);
  return record(project, kind, { hash, path, counts, reading });
}

/** The items that are not left out. */
const rowsOf = ({ database }: Project): VersionRow[] =>
  database
    .prepare(
      `SELECT id, path, line, name, label, type, split, mask FROM items
       WHERE NOT EXISTS (SELECT 1 FROM tags WHERE item = items.id AND tag = ?) ORDER BY id`,
    )
    .all(LEFT_OUT) as VersionRow[];

/** The items of the version of what there is now, with the part that each would be in. */
export function itemsOfVersion(project: Project): (Pick<VersionRow, 'id' | 'label'> & { readonly part: Split })[] {
  const rows = rowsOf(project);
  const partOf = partsOf(rows) ?? (() => 'train' as const);
  return rows.map((row) => ({ id: row.id, label: row.label, part: partOf(row) }));
}

/** Names a version: the same cells that are read otherwise are other data. */
const hashOf = async ({ files, reading }: Pick<Content, 'files' | 'reading'>): Promise<string> =>
  (await sha256(JSON.stringify(reading ? [files, reading] : files))).slice(0, 16);

/** All versions, the newest first. */
export function versionsOf(project: Project): VersionFacts[] {
  const kind = readFact(project, 'kind');
  const rows = project.database.prepare('SELECT * FROM versions ORDER BY at DESC, rowid DESC').all() as {
    hash: string;
    at: string;
    path: string;
    counts: string;
    reading: string | null;
  }[];
  return rows.map(({ counts, path: stored, reading, ...row }) => {
    const path = fullPath(project, stored);
    return { ...row, path, counts: JSON.parse(counts), options: optionsOf(kind, path, JSON.parse(reading ?? '{}')) };
  });
}

function record(
  project: Project,
  kind: ItemKind,
  { hash, path, counts, reading }: Pick<VersionFacts, 'hash' | 'path' | 'counts'> & Pick<Content, 'reading'>,
): VersionFacts {
  const { database, folder } = project;
  const inside = relative(folder, path);
  const stored = inside.startsWith('..') ? path : inside.split(sep).join('/');
  const at = new Date().toISOString();
  database
    .prepare(
      'INSERT INTO versions (hash, at, path, counts, reading) VALUES (?, ?, ?, ?, ?) ON CONFLICT (hash) DO NOTHING',
    )
    .run(hash, at, stored, JSON.stringify(counts), reading ? JSON.stringify(reading) : null);
  const found = versionsOf(project).find((one) => one.hash === hash);
  return found ?? { hash, at, path, counts, options: optionsOf(kind, path, reading) };
}

function optionsOf(kind: ItemKind | undefined, data: string, reading: VersionReading = {}): VersionFacts['options'] {
  const said = (['table', 'series', 'clip'] as const).find((one) => one === kind);
  return { data, ...(said && { kind: said }), ...reading };
}

function countsOf({ database }: Project, rows: readonly VersionRow[]): VersionCounts {
  const { n } = database.prepare('SELECT count(*) AS n FROM items').get() as { n: number };
  const of = (label: Label | null) => rows.filter((row) => row.label === label).length;
  return {
    ...{ items: rows.length, normal: of('normal'), anomalous: of('anomalous'), unlabelled: of(null) },
    leftOut: n - rows.length,
  };
}

/** A field as it is read back: quoted where it must be, and never changed, for it may be a path. */
export const field = (text: string, mark = ','): string =>
  /["\r\n]/.test(text) || text.includes(mark) || text !== text.trim() ? `"${text.replaceAll('"', '""')}"` : text;

/** Part of an item: as it was said, or where others have one, by its label. */
function partsOf(rows: readonly VersionRow[]): ((row: VersionRow) => Split) | undefined {
  if (rows.every(({ split }) => split === null)) return undefined;
  return ({ label, split }) => (label === null ? 'train' : (split ?? (label === 'normal' ? 'train' : 'test')));
}

function listOfImages(_: Project, rows: readonly VersionRow[]): Content {
  const part = partsOf(rows) ?? (() => '');
  // Paths inside the project go with it when it is moved.
  const place = (stored: string) => (stored.startsWith('/') || /^[a-z]:/i.test(stored) ? stored : `../${stored}`);
  const lines = rows.map((row) => {
    const { path, label, type, mask } = row;
    const isOdd = label === 'anomalous';
    return [
      place(path),
      isOdd ? '1' : '0',
      part(row),
      isOdd ? (type ?? 'anomalous') : 'good',
      mask === null || !isOdd ? '' : place(mask),
    ]
      .map((text) => field(text))
      .join();
  });
  return { files: [{ name: '', text: `path,label,split,type,mask\n${lines.join('\n')}\n` }], items: {} };
}

/** Columns of a file without those that the version has anew: labels, and of a table parts; those of a series are of its steps. */
async function columnsOf(path: string, kind: 'table' | 'series', reading: Reading) {
  const { raw, facts } = readTable(await openRows(path), asTableOptions(reading, kind));
  const isAnew = ({ kind: own, why }: ColumnFacts) =>
    own === 'label' || (own === 'part' && kind === 'table') || why === 'by its name it is made from the labels';
  const gone = new Set(facts.filter(isAnew).map(({ name }) => name));
  const kept = raw.heads.flatMap((name, c) => (gone.has(name) ? [] : [c]));
  const heads = kept.map((c) => raw.heads[c]);
  return { raw, heads, cells: cellsOf(raw), kept, mark: raw.decimal === ',' ? ';' : ',' };
}

/**
 * What training must be told to read a version as the files were read: `heads` are its columns, `label` the one of labels where it has
 * one. Undefined where nobody said anything.
 */
function versionReading(
  { columns = {}, missing, decimal }: Reading,
  heads: readonly string[],
  label: string | undefined,
): VersionReading | undefined {
  const said = Object.entries(columns).filter(([name, kind]) => kind !== 'label' && heads.includes(name));
  // A name that it was given because its own is that of another column says nothing.
  const own = label !== undefined && label !== 'label' ? [[label, 'label'] as const] : [];
  const all = Object.fromEntries([...said, ...own]);
  const reading = {
    ...(Object.keys(all).length > 0 && { columns: all }),
    ...(missing && missing.length > 0 && { missing }),
    ...(decimal && { decimal }),
  };
  return Object.keys(reading).length > 0 ? reading : undefined;
}

/** A cell without line ends, so that the lines of a version are its rows. */
const oneLine = (text: string) => text.replace(/[\r\n]+/g, ' ');

/** A name for a column that there is not yet. */
const freeName = (name: string, heads: readonly string[]): string =>
  heads.some((head) => head.toLowerCase() === name) ? freeName(`oddity_${name}`, heads) : name;

/** The rows of a table as a file, with labels and parts only where there are some. Throws DataError `heads-differ` and `data-changed`. */
export async function tableOfRows(project: Project, rows: readonly VersionRow[]): Promise<Content> {
  const isLabelled = rows.some(({ label }) => label !== null);
  const part = partsOf(rows) ?? (isLabelled && rows.some(({ label }) => label === null) ? partByLabel : undefined);
  const byPath = new Map<string, VersionRow[]>();
  for (const row of rows) {
    const own = byPath.get(row.path);
    if (own) own.push(row);
    else byPath.set(row.path, [row]);
  }
  const lines: string[] = [];
  const ids: number[] = [];
  const said = readingOf(project);
  let heads: readonly string[] | undefined;
  let mark = ',';
  for (const [path, own] of byPath) {
    const file = await columnsOf(fullPath(project, path), 'table', said);
    if (heads === undefined) {
      heads = file.heads;
      mark = file.mark;
    }
    if (file.heads.join('\n') !== heads.join('\n'))
      throw new DataError(
        'heads-differ',
        `The files of a project must have the same columns, but ${basename(path)} has ${file.heads.slice(0, 6).join(', ')} where others have ${heads.slice(0, 6).join(', ')}. Leave its rows out.`,
      );
    const rowOf = new Map(Array.from(file.raw.numbers, (line, r) => [line, r]));
    for (const row of own) {
      const r = rowOf.get(row.line);
      if (r === undefined)
        throw new DataError('data-changed', `${path} must still hold ${row.name}, but does not. Restore the file.`);
      const cells = file.cells(r);
      const label = row.label === 'anomalous' ? (row.type ?? 'anomalous') : 'normal';
      const fields = [
        ...file.kept.map((c) => oneLine(cells[c])),
        ...(isLabelled ? [label] : []),
        ...(part ? [part(row)] : []),
      ];
      lines.push(fields.map((text) => field(text, mark)).join(mark));
      ids.push(row.id);
    }
  }
  const label = isLabelled ? freeName('label', heads!) : undefined;
  const names = [...heads!, ...(label === undefined ? [] : [label]), ...(part ? ['split'] : [])];
  const head = names.map((text) => field(text, mark)).join(mark);
  const reading = versionReading(said, heads!, label);
  return {
    files: [{ name: '', text: `${head}\n${lines.join('\n')}\n` }],
    items: { rows: ids },
    ...(reading && { reading }),
  };
}

const partByLabel = ({ label }: VersionRow): string => (label === 'anomalous' ? 'test' : 'train');

async function filesOfSeries(project: Project, rows: readonly VersionRow[]): Promise<Content> {
  const files: Written[] = [];
  const series: Record<string, number> = {};
  const marks = rows.map(({ id }) => stretchesOf(project.database, id));
  const isLabelled = marks.some((stretches) => stretches.length > 0);
  const said = readingOf(project);
  let reading: VersionReading | undefined;
  for (const [i, { id, path, name }] of rows.entries()) {
    const absolute = fullPath(project, path);
    const { raw, heads, cells, kept, mark } = await columnsOf(absolute, 'series', said);
    const { rows: places } = await openSteps(absolute, said);
    const stepOf = new Map(Array.from(places ?? [], (line, t) => [line, t]));
    const isOdd = (line: number) => {
      const step = stepOf.get(line) ?? -1;
      return marks[i].some(({ begin, end, label }) => label === 'anomalous' && step >= begin && step < end);
    };
    const lines = Array.from({ length: raw.rows }, (_, r) => {
      const own = cells(r);
      const fields = [...kept.map((c) => oneLine(own[c])), ...(isLabelled ? [isOdd(raw.numbers[r]) ? '1' : '0'] : [])];
      return fields.map((text) => field(text, mark)).join(mark);
    });
    const label = isLabelled ? freeName('label', heads) : undefined;
    const names = [...heads, ...(label === undefined ? [] : [label])];
    reading ??= versionReading(said, heads, label);
    // The name makes the ids of the steps: the same in every version, so that runs of several versions can be compared.
    const own = `${String(id).padStart(4, '0')}-${basename(name).replace(/\.[^.]+$/, '')}.csv`;
    files.push({ name: own, text: `${names.map((text) => field(text, mark)).join(mark)}\n${lines.join('\n')}\n` });
    series[own] = id;
  }
  return { files, items: { series }, ...(reading && { reading }) };
}
