/** Raw rows of a file as the inputs of a detector, by the encoding that its training left. */
import { DataError } from '../../core/errors.ts';
import { encodedWidth, encoder, type TableEncoding } from './encoding.ts';
import type { Rows } from './rows.ts';
import type { Column } from './table.ts';

export interface EncodedRows {
  /** `[rows, D]`. */
  readonly inputs: Float32Array;
  /** By position of a row: why it cannot be scored; its inputs mean nothing. */
  readonly broken: ReadonlyMap<number, string>;
  /** Cells without a number, which take the median of the training rows. */
  readonly missing: number;
  /** By column, texts that training did not see; they are none of those that it did. */
  readonly unseen: ReadonlyMap<string, readonly string[]>;
  /** Columns of the file that the detector does not know. */
  readonly passedOver: readonly string[];
}

/**
 * Encodes rows; columns are found by their names, and others are passed over.
 * @throws DataError `missing-columns`, `csv` for a name that two columns have.
 */
export function encodeRows(raw: Rows, encoding: TableEncoding): EncodedRows {
  const { file, heads, rows } = raw;
  const absent = encoding.columns.filter(({ name }) => !heads.includes(name)).map(({ name }) => name);
  if (absent.length > 0) {
    const named = absent.slice(0, 8).join(', ') + (absent.length > 8 ? ` and ${absent.length - 8} more` : '');
    throw new DataError(
      'missing-columns',
      `${file} must have the ${encoding.columns.length} columns that the detector was trained on, but lacks ${named}. ` +
        'Add them, or name them as in training (in a CSV file, in the first line).',
    );
  }
  const names = new Set(encoding.columns.map(({ name }) => name));
  const twice = heads.find((name, i) => names.has(name) && heads.indexOf(name) < i);
  if (twice !== undefined) {
    throw new DataError('csv', `${file} must have each column once, but has "${twice}" twice. Rename one.`);
  }
  const width = encoding.columns.length;
  const values = new Float64Array(rows * width);
  const broken = new Map<number, string>();
  const unseen = new Map<string, readonly string[]>();
  let missing = 0;
  const columns = encoding.columns.map((column, c): Column => {
    const at = heads.indexOf(column.name);
    const texts = raw.texts(at);
    for (let r = 0; r < rows; r++) {
      if (column.kind === 'categorical') {
        values[r * width + c] = texts.code(r);
        continue;
      }
      const value = raw.number(r, at);
      if (value === undefined || value === Number.POSITIVE_INFINITY || value === Number.NEGATIVE_INFINITY) {
        const found = raw.show(r, at);
        if (!broken.has(r)) broken.set(r, `the column ${column.name} must hold a finite number, found "${found}"`);
      } else if (Number.isNaN(value)) missing++;
      values[r * width + c] = value ?? 0;
    }
    if (column.kind === 'numeric') return { name: column.name, kind: 'numeric' };
    const strange = texts.values.filter((text) => !column.values.includes(text));
    if (strange.length > 0) unseen.set(column.name, strange);
    return { name: column.name, kind: 'categorical', values: texts.values };
  });
  const size = encodedWidth(encoding);
  const inputs = new Float32Array(rows * size);
  const write = encoder(encoding, columns);
  for (let r = 0; r < rows; r++) write(values, r, inputs, r * size);
  return { inputs, broken, missing, unseen, passedOver: heads.filter((name) => !names.has(name)) };
}
