/** Rows that a program holds as objects, as rows of a file are read. */
import { DataError } from '../../core/errors.ts';
import { type ColumnTexts, missingWords, type Rows } from './rows.ts';

/** A row: numbers, texts, booleans and dates by the name of their column; null and undefined are missing. */
export type RowObject = Readonly<Record<string, unknown>>;

/** Wraps objects as rows; `name` is for messages. Columns are the keys of all rows. Throws DataError `row-object`. */
export function objectRows(objects: readonly RowObject[], name: string): Rows {
  const heads: string[] = [];
  const seen = new Set<string>();
  for (const [i, object] of objects.entries()) {
    if (typeof object !== 'object' || object === null || Array.isArray(object)) {
      const found = object === null ? 'null' : Array.isArray(object) ? 'an array' : `a ${typeof object}`;
      throw new DataError('row-object', `A row must be an object of columns by name, found ${found} at position ${i}.`);
    }
    for (const key of Object.keys(object)) {
      if (seen.has(key)) continue;
      seen.add(key);
      heads.push(key);
    }
  }
  const cell = (row: number, column: number): unknown => objects[row][heads[column]];
  const texts = new Map<number, ColumnTexts>();
  return {
    file: name,
    heads,
    kinds: {},
    rows: objects.length,
    where: (row) => `row ${row + 1}`,
    numbers: Uint32Array.from({ length: objects.length }, (_, i) => i + 1),
    number(row, column) {
      const value = cell(row, column);
      if (value === null || value === undefined) return Number.NaN;
      if (typeof value === 'number') return value;
      if (typeof value === 'bigint' || typeof value === 'boolean') return Number(value);
      const text = textOf(value);
      if (missingWords.has(text.toLowerCase())) return Number.NaN;
      const number = Number(text);
      return Number.isNaN(number) ? undefined : number;
    },
    texts(column) {
      const known = texts.get(column);
      if (known) return known;
      const values: string[] = [];
      const codes = new Map<string, number>();
      const made: ColumnTexts = {
        values,
        code(row) {
          const text = textOf(cell(row, column));
          const found = codes.get(text);
          if (found !== undefined) return found;
          codes.set(text, values.length);
          return values.push(text) - 1;
        },
      };
      texts.set(column, made);
      return made;
    },
    show: (row, column) => textOf(cell(row, column)).slice(0, 40),
  };
}

function textOf(value: unknown): string {
  if (value === null || value === undefined) return '';
  if (value instanceof Date) return value.toISOString();
  return String(value).trim();
}
