/** Which columns of a row make its score, each with its cell and what is usual. */
import { columnTotals, type TableEncoding } from './encoding.ts';

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
 * The columns of a row by what they add to its map, largest first. `cells` are those of the row in the order of the
 * encoding's columns, where they are known.
 */
export function columnReasons(
  encoding: TableEncoding,
  map: Float32Array,
  count: number,
  cells?: readonly string[],
): ColumnShare[] {
  const totals = columnTotals(encoding, map);
  const sum = totals.reduce((n, { value }) => n + Math.max(0, value), 0);
  const order = totals.map((_, c) => c).sort((a, b) => totals[b].value - totals[a].value || a - b);
  return order.slice(0, count).map((c) => {
    const column = encoding.columns[c];
    const usual = column.kind === 'numeric' ? column.usual : mostTexts(column.values, column.shares);
    return {
      ...totals[c],
      share: sum > 0 ? Math.max(0, totals[c].value) / sum : 0,
      ...(cells && { cell: cells[c] }),
      ...(usual && { usual }),
    };
  });
}

function mostTexts(values: readonly string[], shares: readonly number[] | undefined): string[] | undefined {
  if (!shares) return undefined;
  const order = values.map((_, i) => i).sort((a, b) => shares[b] - shares[a] || a - b);
  return order.slice(0, TEXTS).map((i) => values[i]);
}

/** What is usual, in words: `19.2 to 24.8`, `left, right`; undefined where it is not known. */
export function usualText({ usual }: ColumnShare): string | undefined {
  const short = (value: number) => String(Number(value.toPrecision(4)));
  return usual && (typeof usual[0] === 'number' ? usual.map((v) => short(Number(v))).join(' to ') : usual.join(', '));
}

/** A reason in words: `temp 900 (usually 19.2 to 24.8), 97 %`. */
export function reasonText(column: ColumnShare): string {
  const { name, cell, share } = column;
  const range = usualText(column);
  const what = cell === undefined ? name : `${name} ${cell === '' ? 'is missing' : cell}`;
  return `${what}${range ? ` (usually ${range})` : ''}, ${Math.round(100 * share)} %`;
}
