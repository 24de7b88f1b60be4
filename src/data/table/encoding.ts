/**
 * How raw rows become numbers: scaled columns, and one input for each text of a categorical column. Everything is learnt
 * from the training rows and kept as plain data, so that an artefact can read raw rows again.
 */
import { ConfigError, unknownName } from '../../core/errors.ts';
import type { NumberForm } from './number-forms.ts';
import type { NumberReading } from './profile.ts';
import type { Column, Table, TimeSource } from './table.ts';

/** What is done to numbers: to [0, 1] by the training rows' extremes, to mean 0 and deviation 1, or nothing. */
export const scalings = ['min-max', 'standard', 'none'] as const;
export type Scaling = (typeof scalings)[number];

/** What became of one column. */
export type ColumnEncoding =
  | {
      readonly name: string;
      readonly kind: 'numeric';
      /** (value − offset) / scale; the scale of a constant column is 1. */
      readonly offset: number;
      readonly scale: number;
      /** Takes the place of a missing value: the median of the training rows. */
      readonly fill: number;
      /** How its numbers are written, where not plainly. */
      readonly form?: NumberForm;
      /** The column of times that it is made from. */
      readonly time?: TimeSource;
      /** Between which values 95 % of the training rows lie. */
      readonly usual?: readonly [number, number];
    }
  | {
      readonly name: string;
      readonly kind: 'categorical';
      /** Texts of the training rows, one input each; any other text is zero in all of them. */
      readonly values: readonly string[];
      /** Shares of the training rows with a text, in the order of `values`. */
      readonly shares?: readonly number[];
    };

/** Plain data, as it stands in `model.json`. */
export interface TableEncoding {
  readonly scaling: Scaling;
  /** Scaled numbers are held inside this range; null where they are not. */
  readonly clip: readonly [number, number] | null;
  /** In the order of the inputs. */
  readonly columns: readonly ColumnEncoding[];
  /** How numbers are read, where the caller said. */
  readonly reading?: NumberReading;
}

/** Beyond it a value is as anomalous as it can be: one column must not drown all others. Section 18.4 of the protocol sheet. */
const CLIP = [-1, 2] as const;

/** Inputs that a column becomes. */
export const inputsOf = (column: ColumnEncoding): number => (column.kind === 'numeric' ? 1 : column.values.length);

/** Inputs that a row becomes. */
export const encodedWidth = ({ columns }: TableEncoding): number => columns.reduce((n, c) => n + inputsOf(c), 0);

/** Throws ConfigError `unknown-scaling`. */
export function checkScaling(name: string): asserts name is Scaling {
  if (!scalings.includes(name as Scaling)) throw unknownName('scaling', name, scalings, 'scaling');
}

/** The encoding that changes nothing: numbers as they are, 0 where one is missing, an input for each text. */
export function rawEncoding({ columns, reading }: Table): TableEncoding {
  return {
    scaling: 'none',
    clip: null,
    columns: columns.map((column) =>
      column.kind === 'numeric' ? { ...column, offset: 0, scale: 1, fill: 0 } : column,
    ),
    ...(reading && { reading }),
  };
}

/** What fitting found that a person should know. */
export interface EncodingRemark {
  readonly code: string;
  readonly message: string;
}

/**
 * Learns the encoding of a table from some of its rows. `allTexts` gives every text of the table its input, for data sets
 * whose texts are known beforehand; else only those of the rows have one.
 * @throws ConfigError `no-inputs` when no row is given.
 */
export function fitEncoding(
  { columns, cells, rows: total, reading }: Table,
  rows: ArrayLike<number>,
  { scaling, allTexts = false }: { scaling: Scaling; allTexts?: boolean },
): { encoding: TableEncoding; remarks: EncodingRemark[] } {
  if (rows.length === 0) throw new ConfigError('no-inputs', 'Encoding a table needs training rows, got none.');
  const width = columns.length;
  const constant: string[] = [];
  const encoded = columns.map((column, c): ColumnEncoding => {
    const { name } = column;
    if (column.kind === 'categorical') {
      const counts = new Float64Array(column.values.length);
      for (let i = 0; i < rows.length; i++) counts[cells[rows[i] * width + c]]++;
      const seen = column.values.map((_, code) => code).filter((code) => allTexts || counts[code] > 0);
      if (seen.length === 1 && !allTexts) constant.push(name);
      const shares = seen.map((code) => Number((counts[code] / rows.length).toPrecision(4)));
      return { name, kind: 'categorical', values: seen.map((code) => column.values[code]), shares };
    }
    const found = new Float64Array(rows.length);
    let n = 0;
    for (let i = 0; i < rows.length; i++) {
      const value = cells[rows[i] * width + c];
      if (!Number.isNaN(value)) found[n++] = value;
    }
    const sorted = found.subarray(0, n).sort();
    if (n === 0 || sorted[0] === sorted[n - 1]) constant.push(name);
    const at = (share: number) => sorted[Math.min(n - 1, Math.round(share * (n - 1)))];
    return {
      ...column,
      ...scaleOf(sorted, scaling),
      fill: n > 0 ? sorted[n >> 1] : 0,
      ...(n > 0 && { usual: [at(0.025), at(0.975)] as const }),
    };
  });
  const remarks: EncodingRemark[] = [];
  if (constant.length > 0) {
    remarks.push({
      code: 'constant-columns',
      message:
        `${constant.length} of ${width} columns are constant in the training rows (${listed(constant)}): ` +
        'they matter only for rows in which they differ.',
    });
  }
  const gaps = columns.flatMap((column, c) => {
    if (column.kind === 'categorical') return [];
    let n = 0;
    for (let r = 0; r < total; r++) if (Number.isNaN(cells[r * width + c])) n++;
    return n > 0 ? [`${column.name} ${n}`] : [];
  });
  if (gaps.length > 0) {
    remarks.push({
      code: 'missing-values',
      message: `Missing numbers are replaced by the median of the training rows: ${listed(gaps)}.`,
    });
  }
  const encoding = {
    scaling,
    clip: scaling === 'min-max' ? CLIP : null,
    columns: encoded,
    ...(reading && { reading }),
  };
  return { encoding, remarks };
}

function scaleOf(sorted: Float64Array, scaling: Scaling): { offset: number; scale: number } {
  const n = sorted.length;
  if (scaling === 'none' || n === 0) return { offset: 0, scale: 1 };
  // Rounding must not make a spread of a constant column, by which any change would be huge.
  if (sorted[0] === sorted[n - 1]) return { offset: sorted[0], scale: 1 };
  if (scaling === 'min-max') return { offset: sorted[0], scale: sorted[n - 1] - sorted[0] };
  let mean = 0;
  for (const v of sorted) mean += v / n;
  let variance = 0;
  for (const v of sorted) variance += (v - mean) ** 2 / n;
  return { offset: mean, scale: Math.sqrt(variance) || 1 };
}

const listed = (names: readonly string[]) =>
  names.length > 8 ? `${names.slice(0, 8).join(', ')} and ${names.length - 8} more` : names.join(', ');

/** A function that writes rows of `columns`, as `Table.cells` has them, as inputs. The columns are those of the encoding. */
export function encoder(
  { columns: encoded, clip }: TableEncoding,
  columns: readonly Column[],
): (cells: Float64Array, row: number, out: Float32Array, to: number) => void {
  const width = columns.length;
  const starts = new Uint32Array(width);
  for (let c = 0, at = 0; c < width; at += inputsOf(encoded[c++])) starts[c] = at;
  const size = encoded.reduce((n, c) => n + inputsOf(c), 0);
  const [low, high] = clip ?? [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  // By column: the place of a text among the inputs, -1 for one that training did not see.
  const places = columns.map((column, c) => {
    const known = encoded[c];
    if (column.kind === 'numeric' || known.kind === 'numeric') return undefined;
    const placeOf = new Map(known.values.map((text, i) => [text, i]));
    return Int32Array.from(column.values, (text) => placeOf.get(text) ?? -1);
  });
  // Side by side: a table may have a million columns, and objects of them are read ten times more slowly.
  const number = (key: 'offset' | 'scale' | 'fill') =>
    Float64Array.from(encoded, (c) => (c.kind === 'numeric' ? c[key] : 0));
  const [offsets, scales, fills] = [number('offset'), number('scale'), number('fill')];
  return (cells, row, out, to) => {
    out.fill(0, to, to + size);
    for (let c = 0; c < width; c++) {
      const value = cells[row * width + c];
      const place = places[c];
      if (place) {
        if (place[value] >= 0) out[to + starts[c] + place[value]] = 1;
        continue;
      }
      const scaled = ((Number.isNaN(value) ? fills[c] : value) - offsets[c]) / scales[c];
      out[to + starts[c]] = Math.min(Math.max(scaled, low), high);
    }
  };
}

/** Sums the values of each column's inputs: a map of a row, `[D]`, as one value a column. */
export function columnTotals({ columns }: TableEncoding, map: Float32Array): { name: string; value: number }[] {
  let at = 0;
  return columns.map((column) => {
    let value = 0;
    for (const end = at + inputsOf(column); at < end; at++) value += map[at];
    return { name: column.name, value };
  });
}
