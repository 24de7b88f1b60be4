/**
 * ARFF, the text format of Weka (https://waikato.github.io/weka-wiki/formats_and_processing/arff_stable/): names and kinds of
 * columns in a head, then rows separated by commas. Rewritten as CSV with the same lines, so that one reader gives one kind
 * of message. Sparse rows and relational attributes are refused.
 */
import { DataError } from '../../core/errors.ts';
import { readCells } from '../table/cells.ts';
import { badRows, type Rows } from '../table/rows.ts';
import type { ColumnKind } from '../table/table.ts';

/** A name or value: in quotes of either kind with backslashes, or plain up to the next comma. */
const CELL = String.raw`'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"|([^,]*)`;

/** Reads the rows. `file` names it in messages. @throws DataError `arff` with the line, `csv-rows` as `readCells`. */
export function readArff(bytes: Uint8Array, file: string): Rows {
  const lines = decode(bytes, file).split(/\r?\n/);
  const fail = (line: number, what: string): DataError =>
    new DataError('arff', `${file} must be an ARFF file, but line ${line + 1} ${what}. Correct it.`);
  const heads: string[] = [];
  const kinds: Record<string, ColumnKind> = {};
  const nominal: (ReadonlySet<string> | undefined)[] = [];
  let at = 0;
  for (; at < lines.length; at++) {
    const line = lines[at].trim();
    if (line === '' || line.startsWith('%') || /^@relation\b/i.test(line)) continue;
    if (/^@data\s*$/i.test(line)) break;
    const found = /^@attribute\s+(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"|([^\s{]+))\s*(.+)$/i.exec(line);
    if (!found) throw fail(at, `must be @relation, @attribute with a name and a type, or @data: ${line.slice(0, 60)}`);
    const name = (found[1] ?? found[2] ?? found[3]).replace(/\\(.)/g, '$1').trim();
    const type = found[4].trim();
    const values = /^\{(.*)\}/.exec(type)?.[1];
    if (values !== undefined) kinds[name] = 'categorical';
    else if (/^(numeric|real|integer)\b/i.test(type)) kinds[name] = 'numeric';
    else if (!/^(string|date)\b/i.test(type))
      throw fail(at, `has the type "${type.slice(0, 40)}", which is not supported`);
    heads.push(name);
    nominal.push(values === undefined ? undefined : new Set(cellsOf(values)));
  }
  if (at === lines.length || heads.length === 0) {
    throw new DataError(
      'arff',
      `${file} must be an ARFF file with @attribute lines and a @data line; one of them is missing. Add it.`,
    );
  }
  lines.fill('', 0, at + 1);
  const problems: string[] = [];
  let faults = 0;
  for (at++; at < lines.length; at++) {
    const line = lines[at].trim();
    lines[at] = '';
    if (line === '' || line.startsWith('%')) continue;
    if (line.startsWith('{')) throw fail(at, 'is a sparse row, which is not supported');
    const cells = cellsOf(line);
    if (!cells) throw fail(at, 'has a quote without end');
    const strange = cells.findIndex((cell, c) => cell !== '?' && nominal[c]?.has(cell) === false);
    if (strange >= 0 && faults++ < 10)
      problems.push(`line ${at + 1}: "${cells[strange]}" is none of ${heads[strange]}`);
    lines[at] = cells.map((cell) => (/[",]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell)).join(',');
    // A row of one empty cell would pass for a blank line.
    if (lines[at] === '') lines[at] = '""';
  }
  if (faults > 0) throw badRows(file, 'values that its head declares', problems, faults);
  return readCells(new TextEncoder().encode(lines.join('\n')), file, { heads, kinds, separator: ',' });
}

/** The cells of a row without their quotes; undefined for a quote without end. */
function cellsOf(line: string): string[] | undefined {
  const cell = new RegExp(`\\s*(?:${CELL})\\s*(,|$)`, 'y');
  const cells: string[] = [];
  for (;;) {
    const found = cell.exec(line);
    if (!found) return undefined;
    const quoted = found[1] ?? found[2];
    if (quoted === undefined && /^['"]/.test(found[3])) return undefined;
    cells.push(quoted?.replace(/\\(.)/g, '$1') ?? found[3].trim());
    if (found[4] === '') return cells;
  }
}

function decode(bytes: Uint8Array, file: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new DataError('arff', `${file} must be UTF-8 text, but has bytes that are not. Save it as UTF-8.`);
  }
}
