/**
 * Rows of text without a head, as UCI has them in `.data` files: separated by commas, semicolons, tabs or white space, `?`
 * where a value is missing. Columns are named x1, x2, … unless the first line is a head.
 */
import { DataError } from '../../core/errors.ts';
import { cellNumber, readCells } from '../table/cells.ts';
import { plainText } from '../table/plain-text.ts';
import type { Rows } from '../table/rows.ts';

const [LF, CR, TAB, SPACE] = [10, 13, 9, 32];

/**
 * Reads the rows. The first line is a head when none of its cells is a number or missing and some cell of the second line
 * is; else it is data. `about` of the result says which.
 * @throws as `readCells`.
 */
export function readPlainRows(content: Uint8Array, file: string): Rows {
  const { bytes } = plainText(content, file);
  const [first, second] = firstLines(bytes);
  if (first === undefined) throw new DataError('csv', `${file} must have rows, but it is empty.`);
  const separator = [',', ';', '\t', '|'].find((mark) => first.includes(mark));
  const split = (line: string) => (separator ? line.split(separator) : line.trim().split(/\s+/));
  const isHead = second !== undefined && !split(first).some(isNumber) && split(second).some(isNumber);
  const width = split(first).length;
  const heads = isHead ? undefined : Array.from({ length: width }, (_, i) => `x${i + 1}`);
  return readCells(separator ? bytes : withTabs(bytes), file, {
    heads,
    separator: separator ?? '\t',
    about: isHead ? 'its first line names the columns' : `no line names the columns: they are x1 … x${width}`,
  });
}

/** A number, or the sign of a missing one. */
const isNumber = (cell: string) => {
  const bytes = new TextEncoder().encode(cell.trim());
  return cellNumber(bytes, 0, bytes.length) !== undefined;
};

/** The first two lines that are not blank. */
function firstLines(bytes: Uint8Array): string[] {
  const found: string[] = [];
  for (let from = 0; from < bytes.length && found.length < 2; ) {
    const end = bytes.indexOf(LF, from);
    const to = end < 0 ? bytes.length : end;
    const line = new TextDecoder().decode(bytes.subarray(from, to));
    if (line.trim() !== '') found.push(line.replace(/\r$/, ''));
    from = to + 1;
  }
  return found;
}

/** The same lines with one tab for each run of blanks between cells and none at the ends. */
function withTabs(bytes: Uint8Array): Uint8Array {
  const out = new Uint8Array(bytes.length);
  let n = 0;
  let isGap = false;
  for (const byte of bytes) {
    if (byte === SPACE || byte === TAB || byte === CR) isGap = true;
    else {
      if (isGap && byte !== LF && n > 0 && out[n - 1] !== LF) out[n++] = TAB;
      out[n++] = byte;
      isGap = false;
    }
  }
  return out.subarray(0, n);
}
