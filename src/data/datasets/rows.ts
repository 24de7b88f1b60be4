/** A CSV file of rows as a source, and how it is told from a CSV file that lists images. Node only. */
import { open, readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { DataError } from '../../core/errors.ts';
import { silent } from '../../core/events.ts';
import { gunzip } from '../formats/gzip.ts';
import { isImageName } from '../formats/header.ts';
import type { Source } from '../item.ts';
import { readCells } from '../table/cells.ts';
import { tableSource } from '../table/source.ts';
import { readTable } from '../table/table.ts';
import type { LoadOptions } from './dataset.ts';

/** Bytes and rows that are looked at to see what a file is of. */
const GLANCE = { bytes: 2 ** 16, rows: 3 };

/**
 * True for a file of rows: its name ends in `.csv` or `.tsv` (also `.gz` of them), and nothing in its first rows is the
 * name of an image. A file whose columns are named by the caller is one of rows in any case.
 */
export async function isOfRows(path: string, { columns }: Pick<LoadOptions, 'columns'>): Promise<boolean> {
  if (!/\.(csv|tsv)(\.gz)?$/i.test(path)) return false;
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

/** Reads a file of rows. Throws as `readCells` and `readTable`. */
export async function rowsSource(path: string, { columns, onEvent = silent }: LoadOptions): Promise<Source> {
  const content = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    throw new DataError('no-data', `${path} cannot be read (${error.code ?? error.message}). Check the path.`);
  });
  const cells = readCells(await gunzip(content, path), path);
  const { table, classes, labels, normalClass, parts, explanation } = readTable(cells, columns);
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
    ids: cells.lines,
  });
}
