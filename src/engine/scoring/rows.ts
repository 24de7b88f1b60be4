/**
 * Rows of a file or of a request as items of a detector, with what is to be said of them: one way from a file of rows to scores, for
 * `predict` and for a server.
 */
import { DataError } from '../../core/errors.ts';
import { encodedWidth, encodeRows, type Rows, type TableEncoding } from '../../data/pure.ts';
import type { ReadItem } from '../../kinds/index.ts';

/** Names that a sentence shows. */
const SHOWN = 8;

/** Something about rows that were scored all the same. */
export interface RowRemark {
  readonly code: 'missing-values' | 'unseen-texts' | 'unknown-columns';
  /** A sentence, without the name of a file. */
  readonly message: string;
}

/** Rows as a detector takes them. */
export interface ReadRows {
  /** `[rows, D]`; of a row that cannot be scored they mean nothing. */
  readonly inputs: Float32Array;
  /** The item of a row; a text says why it cannot be scored. */
  item(row: number): ReadItem | string;
  readonly remarks: readonly RowRemark[];
}

/** Encodes rows as in training. Throws DataError `no-columns` without an encoding, `missing-columns`, `csv`. */
export function readRows(rows: Rows, encoding: TableEncoding | undefined): ReadRows {
  if (!encoding) {
    throw new DataError(
      'no-columns',
      'This detector was fitted on arrays of numbers and knows no columns. Score arrays of numbers with it.',
    );
  }
  const width = encodedWidth(encoding);
  const { inputs, broken, missing, unseen, passedOver, cells } = encodeRows(rows, encoding);
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
  const item = (r: number) => broken.get(r) ?? { values: inputs.subarray(r * width, (r + 1) * width), cells: cells(r) };
  return { inputs, item, remarks };
}

const some = (names: readonly string[]) =>
  `${names.slice(0, SHOWN).join(', ')}${names.length > SHOWN ? ` and ${names.length - SHOWN} more` : ''}`;
