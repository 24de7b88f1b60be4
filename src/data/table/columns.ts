/** Rows of a file that stores values, not text: a column is numbers, or texts by their numbers. */

import { DataError } from '../../core/errors.ts';
import type { Tensor } from '../../core/tensor.ts';
import { missingWords, type Rows } from './rows.ts';

/** Numbers, NaN where one is missing; or for each row the place of its text in `values`. */
export type StoredColumn = Float64Array | { readonly codes: Uint32Array; readonly values: readonly string[] };

/** Wraps columns of equal length as rows; `first` is the number of the first one in its file, from 1. */
export function columnRows(
  file: string,
  columns: ReadonlyMap<string, StoredColumn>,
  rows: number,
  { kinds = {}, first = 1 }: { readonly kinds?: Rows['kinds']; readonly first?: number } = {},
): Rows {
  const stored = [...columns.values()];
  const isText = stored.map((column) => !(column instanceof Float64Array));
  const textAt = (row: number, c: number): string => {
    const column = stored[c];
    if (!(column instanceof Float64Array)) return column.values[column.codes[row]];
    return Number.isNaN(column[row]) ? '' : String(column[row]);
  };
  return {
    file,
    heads: [...columns.keys()].map((name) => name.trim()),
    kinds,
    rows,
    where: (row) => `row ${row + first}`,
    numbers: Uint32Array.from({ length: rows }, (_, i) => i + first),
    number(row, c) {
      if (!isText[c]) return (stored[c] as Float64Array)[row];
      return missingWords.has(textAt(row, c).trim().toLowerCase()) ? Number.NaN : undefined;
    },
    texts(c) {
      const values: string[] = [];
      const codes = new Map<string, number>();
      const code = (row: number) => {
        const text = textAt(row, c).trim();
        const known = codes.get(text) ?? values.push(text) - 1;
        codes.set(text, known);
        return known;
      };
      return { values, code };
    },
    show: (row, c) => textAt(row, c).slice(0, 40),
  };
}

/**
 * The arrays of a `.mat`, `.npz` or `.npy` file as rows: `X` `[rows, columns]`, whose columns are named x1, x2, … because
 * nothing names them, and, if there, `y` with a label for each row.
 * @throws DataError `count-mismatch` for other arrays.
 */
export function arrayRows(arrays: Readonly<Record<string, Tensor>>, file: string): Rows {
  const { X, y } = arrays;
  const isX = X?.shape.length === 2 && X.shape[0] > 0 && X.shape[1] > 0;
  if (!isX || (y && y.data.length !== X.shape[0])) {
    const found = Object.entries(arrays).map(([name, { shape }]) => `${name} [${shape.join(',')}]`);
    throw new DataError(
      'count-mismatch',
      `${file} must hold X [rows, columns] and may hold y with a label for each row, found ` +
        `${found.join(', ') || 'no arrays'}. Save it with these names.`,
    );
  }
  const [rows, width] = X.shape;
  const columns = new Map<string, StoredColumn>();
  for (let c = 0; c < width; c++) {
    columns.set(
      `x${c + 1}`,
      Float64Array.from({ length: rows }, (_, r) => Number(X.data[r * width + c])),
    );
  }
  if (y) columns.set('y', Float64Array.from(y.data as ArrayLike<number | bigint>, Number));
  return columnRows(file, columns, rows, y && { kinds: { y: 'label' } });
}
