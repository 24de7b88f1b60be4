/**
 * Rows of a file or of a request as items of a detector, with what is to be said of them: one way from a file of rows to scores, for
 * `predict` and for a server.
 */
import { DataError } from '../../core/errors.ts';
import { type EncodedRows, encodedWidth, encodeRows, type Rows, type TableEncoding } from '../../data/pure.ts';
import type { ReadItem } from '../../kinds/index.ts';

/** Names that a sentence shows. */
const SHOWN = 8;

/** Columns of numbers that a row is shown with: a table may have a million. */
const MOST_NUMBERS = 200;

/** Something about rows that were scored all the same. */
export interface RowRemark {
  readonly code: 'missing-values' | 'unseen-texts' | 'unknown-columns';
  /** A sentence, without the name of a file. */
  readonly message: string;
}

/** What was seen of rows, of which remarks are made. */
export type RowFacts = Pick<EncodedRows, 'missing' | 'unseen' | 'passedOver'>;

/** Rows as a detector takes them. */
export interface ReadRows {
  /** `[rows, D]`; of a row that cannot be scored they mean nothing. */
  readonly inputs: Float32Array;
  /** Why a row cannot be scored; undefined where it can. */
  fault(row: number): string | undefined;
  /** The item of a row that can be scored. */
  item(row: number): ReadItem;
  /** As `EncodedRows.cell`. */
  cell(row: number, column: number): string;
  /** The numbers of a row by the name of their column, at most 200 of them, NaN where one is missing; not what was made of a time. */
  numbers(row: number): Readonly<Record<string, number>>;
  readonly facts: RowFacts;
}

/** Encodes rows as in training, from a row on. Throws DataError `no-columns` without an encoding, `missing-columns`, `csv`. */
export function readRows(rows: Rows, encoding: TableEncoding | undefined, from = 0): ReadRows {
  if (!encoding) {
    throw new DataError(
      'no-columns',
      'This detector was fitted on arrays of numbers and knows no columns. Score arrays of numbers with it.',
    );
  }
  const width = encodedWidth(encoding);
  const { inputs, values, broken, cell, ...facts } = encodeRows(rows, encoding, from);
  const shown = encoding.columns
    .flatMap((column, c) => (column.kind === 'numeric' && !column.time ? [[column.name, c] as const] : []))
    .slice(0, MOST_NUMBERS);
  return {
    inputs,
    fault: (r) => broken.get(r),
    item: (r) => ({
      values: inputs.subarray(r * width, (r + 1) * width),
      cells: encoding.columns.map((_, column) => cell(r, column)),
    }),
    cell,
    numbers: (r) => Object.fromEntries(shown.map(([name, c]) => [name, values[r * encoding.columns.length + c]])),
    facts,
  };
}

/** What is to be said of rows. */
export function rowRemarks({ missing, unseen, passedOver }: RowFacts): RowRemark[] {
  const remarks: RowRemark[] = [];
  if (missing > 0) {
    const message = `${missing} missing ${missing === 1 ? 'number is' : 'numbers are'} replaced by the median of the training rows.`;
    remarks.push({ code: 'missing-values', message });
  }
  for (const [name, texts] of unseen) {
    const message = `${name} has values that were not in the training data (${some(texts)}); they match none of the known ones.`;
    remarks.push({ code: 'unseen-texts', message });
  }
  if (passedOver.length > 0) {
    const message = `columns ignored because training did not use them: ${some(passedOver)}.`;
    remarks.push({ code: 'unknown-columns', message });
  }
  return remarks;
}

/** What was seen of the parts of a file, together. Of a column at most `MOST_TEXTS` new texts are held. */
export function joinFacts(before: RowFacts | undefined, now: RowFacts): RowFacts {
  if (!before) return now;
  const unseen = new Map(before.unseen);
  for (const [name, texts] of now.unseen) {
    const held = unseen.get(name) ?? [];
    if (held.length < MOST_TEXTS) unseen.set(name, [...new Set([...held, ...texts])].slice(0, MOST_TEXTS));
  }
  return { missing: before.missing + now.missing, unseen, passedOver: before.passedOver };
}

/** A column of identifiers has as many texts as rows; a remark names a few. */
const MOST_TEXTS = 10_000;

const some = (names: readonly string[]) =>
  `${names.slice(0, SHOWN).join(', ')}${names.length > SHOWN ? ` and ${names.length - SHOWN} more` : ''}`;
