/** Rows of a table `[D]`: from an object of columns to inputs, by the encoding that training left; from maps to columns. */
import { DataError } from '../core/errors.ts';
import { columnReasons, encodeRows, objectRows, type RowObject } from '../data/pure.ts';
import { defineKind } from './define.ts';

/** Columns that are named as the ones that stand out. */
const COLUMNS = 3;

export const table = defineKind<RowObject>({
  name: 'table',
  axes: 1,
  words: { item: 'row', items: 'rows', data: 'a table', place: 'column', places: 'columns' },
  input: { name: 'row', layout: 'ND', range: null },
  batch: 1024,
  mapShape: (shape) => shape,

  async read(row, { encoding }) {
    if (!encoding) {
      throw new DataError(
        'no-columns',
        'This detector was fitted on arrays of numbers and knows no columns. Score arrays with score(values, n).',
      );
    }
    const { inputs, broken, cell } = encodeRows(objectRows([row], 'The row'), encoding);
    const fault = broken.get(0);
    if (fault !== undefined) throw new DataError('row-value', `The row cannot be scored: ${fault}.`);
    return { values: inputs, cells: encoding.columns.map((_, column) => cell(0, column)) };
  },

  locate(map, { encoding, cells }) {
    return encoding ? { columns: columnReasons(encoding, map, COLUMNS, cells && ((column) => cells[column])) } : {};
  },
});
