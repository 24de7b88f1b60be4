/** A file of rows as a source, and how a CSV file of rows is told from one that lists images. Node only. */
import { open } from 'node:fs/promises';
import { basename } from 'node:path';
import { silent } from '../../../core/events.ts';
import { isImageName } from '../../formats/header.ts';
import type { Source } from '../../item.ts';
import { tableSource } from '../../table/source.ts';
import { readTable } from '../../table/table.ts';
import { openRows, rowsFormat } from '../open-rows.ts';
import type { LoadOptions } from './dataset.ts';

/** Bytes and rows that are looked at to see what a file is of. */
const GLANCE = { bytes: 2 ** 16, rows: 3 };

/**
 * True for a file of rows: its name ends as one of `openRows`, and of a plain CSV file nothing in the first rows is the
 * name of an image. A file whose columns are named by the caller is one of rows in any case.
 */
export async function isOfRows(path: string, { columns }: Pick<LoadOptions, 'columns'>): Promise<boolean> {
  if (!rowsFormat(path)) return false;
  if (columns || !/\.csv$/i.test(path)) return true;
  const file = await open(path).catch(() => undefined);
  if (!file) return false;
  try {
    const { buffer, bytesRead } = await file.read(new Uint8Array(GLANCE.bytes), 0, GLANCE.bytes, 0);
    const lines = new TextDecoder().decode(buffer.subarray(0, bytesRead)).split(/\r?\n/);
    const rows = lines.slice(1, 1 + GLANCE.rows).filter((line) => line.trim() !== '');
    const cells = rows.flatMap((row) => row.split(/[,;\t]/)).map((cell) => cell.replaceAll('"', '').trim());
    return rows.length > 0 && !cells.some(isImageName);
  } finally {
    await file.close();
  }
}

/** Reads a file of rows. Throws as `openRows` and `readTable`. */
export async function rowsSource(path: string, { columns, onEvent = silent }: LoadOptions): Promise<Source> {
  const raw = await openRows(path);
  const { table, classes, labels, normalClass, parts, explanation } = readTable(raw, columns);
  onEvent({ type: 'log', level: 'info', message: explanation });
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
    ids: raw.numbers,
  });
}
