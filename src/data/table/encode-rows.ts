/** Raw rows of a file as the inputs of a detector, by the encoding that its training left. */
import { DataError } from '../../core/errors.ts';
import { type ColumnEncoding, encodedWidth, encoder, type TableEncoding } from './encoding.ts';
import { readForm } from './number-forms.ts';
import { LARGEST, missingOf, type NumberReading } from './profile.ts';
import type { Rows } from './rows.ts';
import type { Column } from './table.ts';
import { readTime, timePart } from './times.ts';

export interface EncodedRows {
  /** `[rows, D]`. */
  readonly inputs: Float32Array;
  /** `[rows, columns]`: numbers as they were read, NaN where one is missing, and codes of texts; of a row that cannot be scored they mean nothing. */
  readonly values: Float64Array;
  /** By position of a row: why it cannot be scored; its inputs mean nothing. */
  readonly broken: ReadonlyMap<number, string>;
  /** Cells without a number, which take the median of the training rows. */
  readonly missing: number;
  /** By column, texts that training did not see; they are none of those that it did. */
  readonly unseen: ReadonlyMap<string, readonly string[]>;
  /** Columns of the file that the detector does not know. */
  readonly passedOver: readonly string[];
  /** A cell of a row, by the number of the encoding's column, as it stands in the file. */
  cell(row: number, column: number): string;
}

/** The column of a file that a column of the encoding is read from. */
export const sourceColumn = (column: ColumnEncoding): string =>
  column.kind === 'numeric' && column.time ? column.time.column : column.name;

/** Names of the columns of a file, as `readTable` names those without a name. */
const namesOf = (heads: readonly string[]) => heads.map((name, i) => (name === '' ? `column ${i + 1}` : name));

/** The columns of a file that the encoding reads. Throws DataError `missing-columns`, `csv` for a name that two columns have. */
export function checkColumns(raw: Pick<Rows, 'file' | 'heads'>, encoding: TableEncoding): string[] {
  const { file } = raw;
  const heads = namesOf(raw.heads);
  const wanted = [...new Set(encoding.columns.map(sourceColumn))];
  const absent = wanted.filter((name) => !heads.includes(name));
  if (absent.length > 0) {
    const named = absent.slice(0, 8).join(', ') + (absent.length > 8 ? ` and ${absent.length - 8} more` : '');
    throw new DataError(
      'missing-columns',
      `${file} must have the ${wanted.length} columns that the detector was trained on, but lacks ${named}. ` +
        'Add them, or name them as in training (in a CSV file, in the first line).',
    );
  }
  const names = new Set(wanted);
  const twice = heads.find((name, i) => names.has(name) && heads.indexOf(name) < i);
  if (twice !== undefined) {
    throw new DataError('csv', `${file} must have each column once, but has "${twice}" twice. Rename one.`);
  }
  return wanted;
}

/**
 * Encodes rows; columns are found by their names, and others are passed over. Rows before `from` are not encoded: they are there
 * for what they say of the next, such as the time before it.
 * @throws DataError `missing-columns`, `csv` for a name that two columns have.
 */
export function encodeRows(raw: Rows, encoding: TableEncoding, from = 0): EncodedRows {
  const { rows } = raw;
  const heads = namesOf(raw.heads);
  const names = new Set(checkColumns(raw, encoding));
  const width = encoding.columns.length;
  const values = new Float64Array(rows * width);
  const broken = new Map<number, string>();
  const unseen = new Map<string, readonly string[]>();
  let missing = 0;
  const columns = encoding.columns.map((column, c): Column => {
    const at = heads.indexOf(sourceColumn(column));
    if (column.kind === 'categorical') {
      const texts = raw.texts(at);
      for (let r = from; r < rows; r++) values[r * width + c] = texts.code(r);
      const strange = texts.values.filter((text) => !column.values.includes(text));
      if (strange.length > 0) unseen.set(column.name, strange);
      return { name: column.name, kind: 'categorical', values: texts.values };
    }
    const read = column.time ? timeReader(raw, at, column.time) : numberReader(raw, at, column.form, encoding.reading);
    for (let r = from; r < rows; r++) {
      const value = read(r);
      if (value === undefined || !(Math.abs(value) <= LARGEST || Number.isNaN(value))) {
        const must = column.time ? 'a time as in training' : 'a finite number';
        if (!broken.has(r)) broken.set(r, `the column ${heads[at]} must hold ${must}, found "${raw.show(r, at)}"`);
      } else if (Number.isNaN(value) && !column.time) missing++;
      values[r * width + c] = value ?? 0;
    }
    return { name: column.name, kind: 'numeric' };
  });
  const size = encodedWidth(encoding);
  const inputs = new Float32Array(rows * size);
  const write = encoder(encoding, columns);
  for (let r = from; r < rows; r++) write(values, r, inputs, r * size);
  const places = encoding.columns.map((column) => heads.indexOf(sourceColumn(column)));
  const cell = (row: number, column: number) => raw.show(row, places[column]).trim();
  return { inputs, values, broken, missing, unseen, passedOver: heads.filter((name) => !names.has(name)), cell };
}

/** The number of a row: NaN where it is missing, undefined for any other text. */
function numberReader(
  raw: Rows,
  at: number,
  form: (ColumnEncoding & { kind: 'numeric' })['form'],
  reading: NumberReading = {},
): (row: number) => number | undefined {
  const { words, numbers: gaps } = missingOf(reading);
  const texts = raw.texts(at);
  const textOf = (row: number) => texts.values[texts.code(row)];
  return (row) => {
    const plain = raw.number(row, at);
    if (plain !== undefined && Number.isNaN(plain)) return plain;
    if (plain !== undefined && gaps.has(plain)) return Number.NaN;
    if (form !== 'decimal-comma' && plain !== undefined) return plain;
    const text = textOf(row);
    if (words.has(text.toLowerCase())) return Number.NaN;
    return (form && readForm(text, form)) ?? plain;
  };
}

/** Hour, weekday or gap of a row; NaN where the time or the one before is missing, undefined for what is no time. */
function timeReader(raw: Rows, at: number, { form, part }: NonNullable<(Column & { kind: 'numeric' })['time']>) {
  const texts = raw.texts(at);
  const timeOf = (row: number) => readTime(texts.values[texts.code(row)], form);
  return (row: number): number | undefined => {
    const time = timeOf(row);
    if (Number.isNaN(time)) return Number.isNaN(raw.number(row, at)) ? Number.NaN : undefined;
    if (part === 'gap' && row === 0) return Number.NaN;
    return timePart(time, part === 'gap' ? timeOf(row - 1) : time, part);
  };
}
