/** Rows and series from files of a page: CSV and TSV with a line that names the columns. */
import type { Said } from '../core/text.ts';
import { libraryWords, write } from '../core/text.ts';
import {
  type RegularOptions,
  type RowObject,
  readTable,
  readWithHead,
  regular,
  type Series,
  seriesFromTable,
} from '../data/pure.ts';
import { type PageFile, readPageFile } from './bytes.ts';

/**
 * The rows of a file as objects, numbers where a cell is one: for `fit` and `scoreRow`. What is missing is left out. Throws
 * DataError `unreadable-file`, `csv`, `csv-rows` with lines, `no-head`.
 * @example const detector = await fit('isolation-forest', await readRows(input.files[0]));
 */
export async function readRows(file: PageFile): Promise<RowObject[]> {
  const { name, bytes } = await readPageFile(file, 'The file');
  const rows = readWithHead(bytes, name);
  const columns = rows.heads.map((_, column) => rows.texts(column));
  return Array.from({ length: rows.rows }, (_, row) => {
    const object: Record<string, unknown> = {};
    for (const [column, head] of rows.heads.entries()) {
      const number = rows.number(row, column);
      if (number === undefined) object[head] = columns[column].values[columns[column].code(row)];
      else if (!Number.isNaN(number)) object[head] = number;
    }
    return object;
  });
}

/** How the steps of a file become a series. */
export interface ReadSeriesOptions extends RegularOptions {
  /** Hears what was done to the steps: filled, sorted, merged. */
  readonly onRemark?: (code: string, message: string) => void;
}

/**
 * The columns of numbers of a file as the channels of a series, in the order of a column of times where there is one, with even
 * steps: for `fit` and `scoreSeries`. Throws as `readRows`, and DataError `no-channels`, `missing-times`, `bad-times`.
 */
export async function readSeries(file: PageFile, { onRemark, ...options }: ReadSeriesOptions = {}): Promise<Series> {
  const { name, bytes } = await readPageFile(file, 'The file');
  const tell = (remarks: readonly { code: string; message: Said }[]) => {
    for (const { code, message } of remarks) onRemark?.(code, write(message, libraryWords));
  };
  const made = seriesFromTable(readTable(readWithHead(bytes, name), { kind: 'series' }));
  tell(made.remarks);
  const even = regular(made.series, options);
  tell(even.remarks);
  return even.series;
}
