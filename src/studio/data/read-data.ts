/** What a path holds, as items: images one by one, rows of tables, series, clips. Reads and understands; keeps nothing. Node only. */
import { basename, relative } from 'node:path';
import type { ItemKind } from '../../core/item-shape.ts';
import { segmentsOf } from '../../core/segments.ts';
import { libraryWords, type Said, type Text, textIfReferring, write } from '../../core/text.ts';
import { describeClips } from '../../data/files/clips/clip-files.ts';
import { rowFilesIn } from '../../data/files/datasets/rows.ts';
import { describeSeries, isTakenAsSeries } from '../../data/files/datasets/series-files.ts';
import { isFolder } from '../../data/files/read-input.ts';
import { isOfClips, isOfRows, type Layout, openRows, readLayout, seriesFromTable } from '../../data/index.ts';
import type { Rows } from '../../data/pure.ts';
import { type LabelledTable, readTable } from '../../data/table/table.ts';
import type { Label, Split, Stretch } from '../answers-data.ts';
import { asTableOptions, type Reading } from './reading.ts';

/** An item that was read. Paths are absolute. */
export interface ReadItem {
  readonly path: string;
  readonly line: number;
  readonly name: string;
  readonly label?: Label;
  readonly type?: string;
  readonly split?: Split;
  readonly mask?: string;
  readonly stretches?: readonly Stretch[];
}

/** A remark on the whole, such as a column that is left out. */
export interface ReadRemark {
  readonly code: string;
  readonly message: string;
  /** The message as data, where it names options. */
  readonly text?: Text;
}

export interface ReadData {
  readonly kind: ItemKind;
  readonly explanation: string;
  readonly items: readonly ReadItem[];
  readonly remarks: readonly ReadRemark[];
  /** Of images, whose files are looked at one by one later. */
  readonly layout?: Layout;
}

export interface ReadOptions {
  /** What the items are, where the files could be read in two ways. */
  readonly kind?: 'table' | 'series' | 'clip';
  /** How rows are read, where a person said it. */
  readonly reading?: Reading;
  readonly signal?: AbortSignal;
}

/** Reads a folder of images, a list of them, files of rows or clips, as training would. Throws as the readers do. */
export async function readData(path: string, options: ReadOptions = {}): Promise<ReadData> {
  const { kind } = options;
  if (kind === 'clip' || (kind === undefined && (await isOfClips(path)))) return readClips(path, options);
  if (kind !== undefined || (await isOfRows(path, options.reading ?? {}))) return readRows(path, options);
  return readImages(path);
}

async function readImages(path: string): Promise<ReadData> {
  const layout = await readLayout(path);
  const items = layout.items.map(
    ({ path, id, label, type, part, mask }): ReadItem => ({
      ...{ path, line: 0, name: id, label: label === 'normal' ? 'normal' : 'anomalous' },
      ...(label === 'abnormal' && { type }),
      ...(part && { split: part }),
      ...(mask && { mask }),
    }),
  );
  return { kind: 'image', explanation: layout.explanation, items, remarks: [], layout };
}

async function readRows(path: string, options: ReadOptions): Promise<ReadData> {
  const files = (await isFolder(path)) ? await rowFilesIn(path) : [path];
  const parts: ReadData[] = [];
  let kind = options.kind as 'table' | 'series' | undefined;
  const reading = options.reading ?? {};
  for (const file of files) {
    const read = readTable(await openRows(file), asTableOptions(reading, kind));
    kind ??= isTakenAsSeries(read, {}) ? 'series' : 'table';
    const name = files.length > 1 ? relative(path, file) : undefined;
    parts.push(kind === 'series' ? await seriesOf(file, read, name) : tableOf(file, read, name));
  }
  const told = new Map(parts.flatMap(({ remarks }) => remarks.map((remark) => [remark.code, remark])));
  return {
    kind: kind!,
    explanation: parts.map(({ explanation }) => explanation).join('\n'),
    items: parts.flatMap(({ items }) => items),
    remarks: [...told.values()],
  };
}

const remarksOf = (remarks: readonly { code: string; message: Said }[]): ReadRemark[] =>
  remarks.map(({ code, message }) => {
    const text = textIfReferring(message);
    return { code, message: write(message, libraryWords), ...(text && { text }) };
  });

function tableOf(path: string, read: LabelledTable, name: string | undefined): ReadData {
  const { raw, classes, labels, normalClass, parts, facts, explanation, remarks } = read;
  const hasLabels = facts.some(({ kind }) => kind === 'label');
  const items = Array.from({ length: raw.rows }, (_, r): ReadItem => {
    const isNormal = labels[r] === normalClass;
    return {
      ...{ path, line: raw.numbers[r], name: name === undefined ? raw.where(r) : `${name} ${raw.where(r)}` },
      ...(hasLabels && normalClass !== undefined && { label: isNormal ? 'normal' : 'anomalous' }),
      ...(hasLabels && !isNormal && (normalClass === undefined || classes.length > 2) && { type: classes[labels[r]] }),
      ...(parts && { split: parts[r] }),
    };
  });
  return { kind: 'table', explanation, items, remarks: remarksOf(remarks) };
}

async function seriesOf(path: string, read: LabelledTable, name = basename(path)): Promise<ReadData> {
  const { series } = seriesFromTable(read, { id: name });
  const { lines, remarks } = await describeSeries(path, read, {});
  return {
    kind: 'series',
    explanation: [read.explanation, ...lines].join('\n'),
    items: [{ path, line: 0, name, stretches: stretchesOf(series.labels) }],
    remarks: remarksOf(remarks),
  };
}

const stretchesOf = (labels: Uint8Array | undefined): Stretch[] =>
  labels ? segmentsOf(labels).map((segment) => ({ ...segment, label: 'anomalous' })) : [];

async function readClips(path: string, { signal }: ReadOptions): Promise<ReadData> {
  const { clips, classes } = await describeClips(path, { signal });
  const items = clips.map(({ facts, clip }): ReadItem => {
    const marks = clip.labels && Uint8Array.from(clip.labels, (y) => Number(y > 0));
    const kinds = [...new Set(clip.labels ?? [])].filter((y) => y > 0).map((y) => classes[y]);
    return {
      ...{ path: facts.file.path, line: 0, name: clip.id, split: clip.train > 0 ? 'train' : 'test' },
      ...(marks && { label: marks.includes(1) ? 'anomalous' : 'normal', stretches: stretchesOf(marks) }),
      ...(kinds.length > 0 && { type: kinds.join(', ') }),
    };
  });
  const frames = clips.reduce((n, { clip }) => n + clip.frames, 0);
  const explanation = `${basename(path)}: ${items.length} ${items.length === 1 ? 'clip' : 'clips'} of ${frames} frames.`;
  return { kind: 'clip', explanation, items, remarks: [] };
}

/** The texts of a row, in the order of the columns. */
export function cellsOf(raw: Rows): (row: number) => string[] {
  const columns = raw.heads.map((_, c) => raw.texts(c));
  return (row) => columns.map(({ values, code }) => values[code(row)]);
}
