/** Files of rows by the ends of their names, each also gzipped. Node only. */
import { readFile } from 'node:fs/promises';
import { DataError } from '../../core/errors.ts';
import { readArff } from '../formats/arff.ts';
import { gunzip } from '../formats/gzip.ts';
import { readMat } from '../formats/mat.ts';
import { readNpy } from '../formats/npy.ts';
import { readNpz } from '../formats/npz.ts';
import { readParquet } from '../formats/parquet.ts';
import { readPlainRows } from '../formats/plain-rows.ts';
import { readCells } from '../table/cells.ts';
import { arrayRows, columnRows } from '../table/columns.ts';
import { plainText } from '../table/plain-text.ts';
import type { Rows } from '../table/rows.ts';
import { textLayout } from '../table/text-layout.ts';

type Reader = (bytes: Uint8Array, file: string) => Rows | Promise<Rows>;

const readers: Readonly<Record<string, Reader>> = {
  csv: readWithHead,
  tsv: readWithHead,
  data: readPlainRows,
  dat: readPlainRows,
  txt: readPlainRows,
  arff: readArff,
  async parquet(bytes, file) {
    const { columns, rows } = await readParquet(bytes, file);
    return columnRows(file, columns, rows);
  },
  mat: (bytes, file) => arrayRows(readMat(bytes, file), file),
  npz: async (bytes, file) => arrayRows(await readNpz(bytes, file), file),
  npy: async (bytes, file) => arrayRows({ X: await readNpy(bytes, file) }, file),
};

/** Text with a line that names the columns. A line of numbers is hardly that, unless it counts from 0 or 1. */
function readWithHead(bytes: Uint8Array, file: string): Rows {
  const text = plainText(bytes, file);
  const layout = textLayout(text.bytes);
  const notes = [...text.notes, ...layout.notes];
  const raw = readCells(text.bytes, file, { ...layout, ...(notes.length > 0 && { about: notes.join('; ') }) });
  const numbers = raw.heads.map((head) => (head === '' ? Number.NaN : Number(head)));
  const isCount = numbers.every((n, i) => n === i + numbers[0]) && (numbers[0] === 0 || numbers[0] === 1);
  if (numbers.some((n) => Number.isNaN(n)) || isCount) return raw;
  throw new DataError(
    'no-head',
    `${file} must name its columns in its first line, but that line holds numbers (${raw.heads.slice(0, 4).join(', ')}). ` +
      'Add a header, or rename the file to .data, which needs none.',
  );
}

/** The end of a name by which its format is known, in small letters without `.gz`; undefined where there is no such format. */
export function rowsFormat(path: string): string | undefined {
  const end = /\.([a-z]+)(\.gz)?$/i.exec(path)?.[1].toLowerCase();
  return end !== undefined && Object.hasOwn(readers, end) ? end : undefined;
}

/**
 * Reads a file of rows. A CSV or TSV file has a head; the other formats say themselves.
 * @throws DataError `no-data`, `rows-format`, and those of the format.
 */
export async function openRows(path: string): Promise<Rows> {
  const format = rowsFormat(path);
  if (!format) {
    throw new DataError(
      'rows-format',
      `${path} must be a file of rows, named ${Object.keys(readers)
        .map((end) => `.${end}`)
        .join(', ')} or .gz of one. Rename it.`,
    );
  }
  const content = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    throw new DataError('no-data', `${path} cannot be read (${error.code ?? error.message}). Check the path.`);
  });
  return readers[format](await gunzip(content, path), path);
}
