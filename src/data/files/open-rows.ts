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
import type { CellOptions } from '../table/cells.ts';
import { arrayRows, columnRows } from '../table/columns.ts';
import type { Rows } from '../table/rows.ts';
import { readWithHead } from '../table/with-head.ts';
import { readInput } from './read-input.ts';

/** Lines of a text with a head that are wanted, as `CellOptions.wanted`; other formats give all rows. */
type Wanted = Pick<CellOptions, 'wanted'>;
type Reader = (bytes: Uint8Array, file: string, budget: ByteBudget, wanted: Wanted) => Rows | Promise<Rows>;

const withHead: Reader = (bytes, file, _, wanted) => readWithHead(bytes, file, wanted);

const readers: Readonly<Record<string, Reader>> = {
  csv: withHead,
  tsv: withHead,
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

/** The end of a name by which its format is known, in small letters without `.gz`; undefined where there is no such format. */
export function rowsFormat(path: string): string | undefined {
  const end = /\.([a-z]+)(\.gz)?$/i.exec(path)?.[1].toLowerCase();
  return end !== undefined && Object.hasOwn(readers, end) ? end : undefined;
}

/**
 * Reads a file of rows. A CSV or TSV file has a head; the other formats say themselves.
 * Of the rows of a CSV or TSV file with `wanted` those between two lines are read, and what is wrong with others is passed over.
 * With `glance` only the first bytes of a plain text are read, up to the end of a line.
 * @throws DataError `no-data`, `not-a-file`, `rows-format`, `damaged-file`, and those of the format.
 */
export async function openRows(
  path: string,
  { glance, wanted }: { readonly glance?: number } & Wanted = {},
): Promise<Rows> {
  const format = formatOf(path);
  const isText = /^(csv|tsv|data|dat|txt)$/.test(format) && !/\.gz$/i.test(path);
  return rowsOf(await readInput(path, 'no-data', isText ? glance : undefined), path, { wanted });
}

/** Rows from the bytes of a file, whose name says their format. Throws as `openRows`. */
export async function rowsOf(bytes: Uint8Array, file: string, wanted: Wanted = {}): Promise<Rows> {
  const format = formatOf(file);
  const budget = new ByteBudget(file, bytes.length);
  return parsing(
    async () => readers[format](await gunzip(bytes, file, budget), file, budget, wanted),
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
