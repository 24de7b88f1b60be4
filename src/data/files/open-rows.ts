/** Files of rows by the ends of their names, each also gzipped. Node only. */
import { DataError } from '../../core/errors.ts';
import { parsing } from '../../core/foreign.ts';
import { readArff } from '../formats/arff.ts';
import { ByteBudget } from '../formats/budget.ts';
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
import { readInput } from './read-input.ts';

type Reader = (bytes: Uint8Array, file: string, budget: ByteBudget) => Rows | Promise<Rows>;

const readers: Readonly<Record<string, Reader>> = {
  csv: readWithHead,
  tsv: readWithHead,
  data: readPlainRows,
  dat: readPlainRows,
  txt: readPlainRows,
  arff: readArff,
  async parquet(bytes, file, budget) {
    const { columns, rows } = await readParquet(bytes, file, budget);
    return columnRows(file, columns, rows);
  },
  mat: (bytes, file, budget) => arrayRows(readMat(bytes, file, budget), file),
  npz: async (bytes, file, budget) => arrayRows(await readNpz(bytes, file, budget), file),
  npy: async (bytes, file, budget) => arrayRows({ X: await readNpy(bytes, file, budget) }, file),
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
 * With `glance` only the first bytes of a plain text are read, up to the end of a line.
 * @throws DataError `no-data`, `not-a-file`, `rows-format`, `damaged-file`, and those of the format.
 */
export async function openRows(path: string, { glance }: { readonly glance?: number } = {}): Promise<Rows> {
  const format = formatOf(path);
  const isText = /^(csv|tsv|data|dat|txt)$/.test(format) && !/\.gz$/i.test(path);
  return rowsOf(await readInput(path, 'no-data', isText ? glance : undefined), path);
}

/** Rows from the bytes of a file, whose name says their format. Throws as `openRows`. */
export async function rowsOf(bytes: Uint8Array, file: string): Promise<Rows> {
  const format = formatOf(file);
  const budget = new ByteBudget(file, bytes.length);
  return parsing(
    async () => readers[format](await gunzip(bytes, file, budget), file, budget),
    (reason) =>
      new DataError(
        'damaged-file',
        `${file} must be a whole ${format} file, but cannot be read${reason}. It is damaged: fetch it again.`,
      ),
  );
}

function formatOf(path: string): string {
  const format = rowsFormat(path);
  if (format) return format;
  throw new DataError(
    'rows-format',
    `${path} must be a file of rows, named ${Object.keys(readers)
      .map((end) => `.${end}`)
      .join(', ')} or .gz of one. Rename it.`,
  );
}
