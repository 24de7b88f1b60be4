/** A file of rows as a source, and how a CSV file of rows is told from one that lists images. Node only. */
import { open } from 'node:fs/promises';
import { basename, join, relative } from 'node:path';
import { OddityError } from '../../../core/errors.ts';
import { type Listener, silent, warning } from '../../../core/events.ts';
import { isImageName } from '../../formats/header.ts';
import type { Source } from '../../item.ts';
import { joinRows } from '../../table/join-rows.ts';
import { isSeries } from '../../table/remarks.ts';
import type { Rows } from '../../table/rows.ts';
import { tableSource } from '../../table/source.ts';
import { type LabelledTable, readTable, type TableOptions } from '../../table/table.ts';
import { listFiles } from '../file-list.ts';
import { openRows, rowsFormat } from '../open-rows.ts';
import { isFolder, requireFile } from '../read-input.ts';
import type { LoadOptions } from './dataset.ts';
import { isTakenAsSeries, seriesOfFiles } from './series-files.ts';

/** Bytes and rows that are looked at to see what a file is of. */
const GLANCE = { bytes: 2 ** 16, rows: 3, series: 2 ** 20 };

/**
 * True for a folder of files of rows, and for a file of rows: its name ends as one of `openRows`, and of a plain CSV file
 * nothing in the first rows is the name of an image. A file whose columns are named by the caller is one of rows in any case.
 */
export async function isOfRows(path: string, { columns }: Pick<LoadOptions, 'columns'>): Promise<boolean> {
  if (await isFolder(path)) return (await rowFilesIn(path)).length > 0;
  if (!rowsFormat(path)) return false;
  await requireFile(path);
  if (columns || !/\.csv$/i.test(path)) return true;
  const file = await open(path).catch(() => undefined);
  if (!file) return false;
  try {
    const { buffer, bytesRead } = await file.read(new Uint8Array(GLANCE.bytes), 0, GLANCE.bytes, 0);
    const lines = new TextDecoder().decode(buffer.subarray(0, bytesRead)).split(/\r?\n/);
    const rows = lines.slice(1, 1 + GLANCE.rows).filter((line) => line.trim() !== '');
    const cells = rows.flatMap((row) => row.split(/[,;\t]/)).map((cell) => cell.replaceAll('"', '').trim());
    const isCut = bytesRead === GLANCE.bytes && lines.length === 1; // no list of images has such a head
    return isCut || (rows.length > 0 && !cells.some(isImageName));
  } finally {
    await file.close();
  }
}

/** Whether the rows of a file, or of the first one of a folder, are taken as steps of a series, by a glance at their begin. */
export async function isOfSeries(path: string, options: TableChoice): Promise<boolean> {
  if (options.kind !== undefined) return options.kind === 'series';
  const [file] = (await isFolder(path)) ? await rowFilesIn(path) : [path];
  try {
    return isSeries(readTable(await openRows(file, { glance: GLANCE.series }), tableOptions(options)));
  } catch (error) {
    if (error instanceof OddityError) return false; // loading will say what is wrong
    throw error;
  }
}

/** Files of rows below a folder, in natural order: those of the format that most have; none where there are images. */
export async function rowFilesIn(folder: string): Promise<string[]> {
  const { images, others } = await listFiles(folder);
  if (images.length > 0) return [];
  const byFormat = new Map<string, string[]>();
  for (const file of others) {
    const format = rowsFormat(file);
    // A text file beside tables explains them.
    if (format === undefined || /^(txt|dat|data)$/.test(format)) continue;
    byFormat.set(format, [...(byFormat.get(format) ?? []), join(folder, file)]);
  }
  return [...byFormat.values()].reduce((most, files) => (files.length > most.length ? files : most), []);
}

/** Reads a file of rows, or the files of rows in a folder as one. Throws as `openRows`, DataError `heads-differ`. */
export async function openTable(path: string): Promise<Rows> {
  if (!(await isFolder(path))) return openRows(path);
  const files: Rows[] = [];
  for (const file of await rowFilesIn(path)) files.push({ ...(await openRows(file)), file: relative(path, file) });
  return joinRows(files, path);
}

/** What of the options of loading is about tables. */
export type TableChoice = Pick<
  LoadOptions,
  'columns' | 'missing' | 'decimal' | 'folderNames' | 'kind' | 'ofRows' | 'window' | 'gaps' | 'step'
>;

/** How a table is read, among the options of loading. */
export function tableOptions({ columns, missing, decimal, folderNames, kind, ofRows }: TableChoice): TableOptions {
  const { normal } = folderNames ?? {};
  return { columns, missing, decimal, kind, ofRows, ...(normal !== undefined && { normal: [normal].flat() }) };
}

/**
 * Reads a file of rows, or a folder of such: as series where times go on in even steps or the caller says so, else as a
 * table. Throws as `openTable`, `readTable` and `seriesOfFiles`.
 */
export async function rowsSource(path: string, options: LoadOptions): Promise<Source> {
  const { onEvent = silent } = options;
  const table = tableOptions(options);
  const isOfFiles = await isFolder(path);
  const files = isOfFiles ? await rowFilesIn(path) : [path];
  const first = options.kind === 'table' && isOfFiles ? undefined : await understood(files[0], table, isOfFiles);
  if (first && isTakenAsSeries(first, options)) return seriesOfFiles(path, files, { first, table }, options);
  const read = first && !isOfFiles ? first : readTable(await openTable(path), table);
  return sourceOfTable(path, read, isOfFiles, onEvent);
}

/** What the first file holds; undefined where one of several cannot be understood by itself. */
async function understood(
  file: string,
  table: TableOptions,
  isOneOfSeveral: boolean,
): Promise<LabelledTable | undefined> {
  try {
    return readTable(await openRows(file), table);
  } catch (error) {
    if (isOneOfSeveral && error instanceof OddityError) return undefined;
    throw error;
  }
}

function sourceOfTable(path: string, read: LabelledTable, isOfFiles: boolean, onEvent: Listener): Promise<Source> {
  const { table, classes, labels, normalClass, parts, explanation, remarks, raw } = read;
  onEvent({ type: 'log', level: 'info', message: explanation });
  for (const { code, message } of remarks) onEvent(warning(code, message));
  const name = basename(path);
  return tableSource({
    name,
    title: `Rows of ${name}`,
    licence: 'that of the data',
    classes,
    normalClass,
    table,
    labels,
    parts,
    ids: isOfFiles ? Array.from({ length: raw.rows }, (_, r) => raw.where(r)) : raw.numbers,
  });
}
