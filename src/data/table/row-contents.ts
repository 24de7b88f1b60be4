/** What rows hold, as short texts: equal ones hold the same values, so that rows of the test part that also trained are seen. */
import type { Table } from './table.ts';

const [FIRST, SECOND] = [0x01000193, 0x85ebca6b];
/** Rows at most: texts take memory. */
const MOST = 2_000_000;

/** A text of the cells of a row, by its number; undefined for tables whose texts would take too much memory. */
export function rowContents({ cells, columns, rows }: Table): ((row: number) => string) | undefined {
  if (rows > MOST) return undefined;
  const width = 2 * columns.length;
  const bits = new Uint32Array(cells.buffer, cells.byteOffset, 2 * cells.length);
  return (row) => {
    let [one, two] = [0x811c9dc5, 0x9747b28c];
    for (let k = row * width; k < (row + 1) * width; k++) {
      one = Math.imul(one ^ bits[k], FIRST) ^ (one >>> 15);
      two = Math.imul(two ^ bits[k], SECOND) ^ (two >>> 13);
    }
    return String.fromCharCode(one >>> 16, one & 0xffff, two >>> 16, two & 0xffff);
  };
}
