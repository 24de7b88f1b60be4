/** Raw rows of a CSV file as the inputs of a detector, by the encoding that its training left. */
import { DataError } from '../../core/errors.ts';
import { type Cells, cellNumber, Texts } from './cells.ts';
import { encodedWidth, encoder, type TableEncoding } from './encoding.ts';
import type { Column } from './table.ts';

export interface EncodedRows {
  /** Line of each row in the file. */
  readonly lines: Uint32Array;
  /** `[rows, D]`. */
  readonly inputs: Float32Array;
  /** By position of a row: why it cannot be scored; its inputs mean nothing. */
  readonly broken: ReadonlyMap<number, string>;
  /** Cells without a number, which take the median of the training rows. */
  readonly missing: number;
  /** By column, texts that training did not see; they are none of those that it did. */
  readonly unseen: ReadonlyMap<string, readonly string[]>;
}

/** Encodes rows; columns are found by their heads, and others are passed over. @throws DataError `missing-columns`. */
export function readRows(cells: Cells, encoding: TableEncoding): EncodedRows {
  const { file, bytes, heads, starts, lines, rows } = cells;
  const absent = encoding.columns.filter(({ name }) => !heads.includes(name)).map(({ name }) => name);
  if (absent.length > 0) {
    const named = absent.slice(0, 8).join(', ') + (absent.length > 8 ? ` and ${absent.length - 8} more` : '');
    throw new DataError(
      'missing-columns',
      `${file} must have a head with the ${encoding.columns.length} columns that the detector was trained on, and lacks ` +
        `${named}. Add them, or name them in the first line.`,
    );
  }
  const width = encoding.columns.length;
  const step = heads.length + 1;
  const values = new Float64Array(rows * width);
  const broken = new Map<number, string>();
  const unseen = new Map<string, readonly string[]>();
  let missing = 0;
  const columns = encoding.columns.map((column, c): Column => {
    const at = heads.indexOf(column.name);
    const texts = new Texts(bytes);
    for (let r = 0; r < rows; r++) {
      const [from, to] = [starts[r * step + at], starts[r * step + at + 1] - 1];
      if (column.kind === 'categorical') {
        values[r * width + c] = texts.at(from, to);
        continue;
      }
      const value = cellNumber(bytes, from, to);
      if (value === undefined || value === Number.POSITIVE_INFINITY || value === Number.NEGATIVE_INFINITY) {
        const found = Buffer.from(bytes.subarray(from, Math.min(to, from + 40))).toString('utf8');
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
  return { lines, inputs, broken, missing, unseen };
}
