/** Which columns of a row make its score, each with its cell and what is usual. */
import { type ColumnEncoding, inputsOf, type TableEncoding } from './encoding.ts';

/** A column of a row and what it adds to the map. */
export interface ColumnShare {
  readonly name: string;
  /** The map's values of its inputs, summed. */
  readonly value: number;
  /** Of the sum over all columns that add to it, [0, 1]. */
  readonly share: number;
  /** The cell as it stands in the data. */
  readonly cell?: string;
  /** Between which numbers 95 % of the training rows lie, or the texts that most of them have. */
  readonly usual?: readonly [number, number] | readonly string[];
}

/** Texts that are named as usual. */
const TEXTS = 3;

/**
 * The columns of a row by what they add to its map, largest first, of equal ones the first. `cell` gives those of the row in the
 * order of the encoding's columns, where they are known. It is asked of each of millions of rows, so it makes no more than it returns.
 */
export function columnReasons(
  encoding: TableEncoding,
  map: Float32Array,
  count: number,
  cell?: (column: number) => string,
): ColumnShare[] {
  const { columns } = encoding;
  const chosen: { column: number; value: number }[] = [];
  let [at, sum] = [0, 0];
  for (let column = 0; column < columns.length; column++) {
    let value = 0;
    for (const end = at + inputsOf(columns[column]); at < end; at++) value += map[at];
    if (value > 0) sum += value;
    if (chosen.length === count && !(value > chosen[count - 1].value)) continue;
    let place = chosen.length;
    while (place > 0 && value > chosen[place - 1].value) place--;
    chosen.splice(place, 0, { column, value });
    if (chosen.length > count) chosen.pop();
  }
  return chosen.map(({ column, value }) => {
    const known = columns[column];
    const usual = usualOf(known);
    const share = sum > 0 ? Math.max(0, value) / sum : 0;
    const reason: Writable<ColumnShare> = { name: known.name, value, share };
    if (cell) reason.cell = cell(column);
    if (usual) reason.usual = usual;
    return reason;
  });
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** What is usual of columns whose most frequent texts were looked for. */
const usualTexts = new WeakMap<ColumnEncoding, readonly string[] | undefined>();

function usualOf(column: ColumnEncoding): ColumnShare['usual'] {
  if (column.kind === 'numeric') return column.usual;
  if (!usualTexts.has(column)) usualTexts.set(column, mostTexts(column.values, column.shares));
  return usualTexts.get(column);
}

function mostTexts(values: readonly string[], shares: readonly number[] | undefined): string[] | undefined {
  if (!shares) return undefined;
  const order = values.map((_, i) => i).sort((a, b) => shares[b] - shares[a] || a - b);
  return order.slice(0, TEXTS).map((i) => values[i]);
}

/** What is usual, in words: `19.2 to 24.8`, `left, right`; undefined where it is not known. */
export function usualText({ usual }: ColumnShare): string | undefined {
  if (!usual) return undefined;
  const known = usualWords.get(usual);
  if (known !== undefined) return known;
  const short = (value: number) => String(Number(value.toPrecision(4)));
  const text = usual
    .map((v) => (typeof v === 'number' ? short(v) : v))
    .join(typeof usual[0] === 'number' ? ' to ' : ', ');
  usualWords.set(usual, text);
  return text;
}

/** What is usual of a column is said of many rows. */
const usualWords = new WeakMap<readonly unknown[], string>();

/** A reason in words: `temp 900 (usually 19.2 to 24.8), 97 %`. */
export function reasonText(column: ColumnShare): string {
  const { name, cell, share } = column;
  const range = usualText(column);
  const what = cell === undefined ? name : `${name} ${cell === '' ? 'is missing' : cell}`;
  return `${what}${range ? ` (usually ${range})` : ''}, ${Math.round(100 * share)} %`;
}
