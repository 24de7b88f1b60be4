/** CSV and TSV with a line that names the columns, as rows. */
import { DataError } from '../../core/errors.ts';
import { type CellOptions, readCells } from './cells.ts';
import { plainText } from './plain-text.ts';
import type { Rows } from './rows.ts';
import { textLayout } from './text-layout.ts';

/**
 * Reads rows below a head, all or those of the lines that are `wanted`. A line of numbers is hardly a head, unless it counts from 0 or 1. Throws DataError `no-head`, and as
 * `readCells`.
 */
export function readWithHead(bytes: Uint8Array, file: string, { wanted }: Pick<CellOptions, 'wanted'> = {}): Rows {
  const text = plainText(bytes, file);
  const layout = textLayout(text.bytes);
  const notes = [...text.notes, ...layout.notes];
  const raw = readCells(text.bytes, file, { ...layout, wanted, ...(notes.length > 0 && { about: notes.join('; ') }) });
  return checkHead(raw);
}

/** Throws DataError `no-head` where the first line looks like data. */
export function checkHead(raw: Rows): Rows {
  const { file } = raw;
  const numbers = raw.heads.map((head) => (head === '' ? Number.NaN : Number(head)));
  const isCount = numbers.every((n, i) => n === i + numbers[0]) && (numbers[0] === 0 || numbers[0] === 1);
  if (numbers.some((n) => Number.isNaN(n)) || isCount) return raw;
  throw new DataError(
    'no-head',
    `${file} must name its columns in its first line, but that line holds numbers (${raw.heads.slice(0, 4).join(', ')}). ` +
      'Add a header, or rename the file to .data, which needs none.',
  );
}
