/**
 * Rows of a file before they are a table, whatever its format: named columns of cells that are read as numbers or as texts
 * when asked, and where each row stands for messages.
 */
import { DataError } from '../../core/errors.ts';
import { type Said, say } from '../../core/text.ts';
import type { ColumnKind } from './column-use.ts';

export interface Rows {
  /** Names the file in messages. */
  readonly file: string;
  /** Names of the columns, trimmed; empty where the file gives none. */
  readonly heads: readonly string[];
  /** What the file itself says that columns are; a caller may say otherwise. */
  readonly kinds: Readonly<Record<string, ColumnKind>>;
  readonly rows: number;
  /** Line of each row in a text, else its number from 1. */
  readonly numbers: Uint32Array;
  /** Where a row stands, for messages: `line 12`, `row 12`, of several files `b.csv line 12`. */
  where(row: number): string;
  /** The decimal mark that its separator suggests, where a number could be read both ways; else a point. */
  readonly decimal?: ',';
  /** How the file was understood, where that could surprise. */
  readonly about?: string;
  /** The number in a cell: NaN where it is missing, undefined for any other text; infinite only where a file stores it so. */
  number(row: number, column: number): number | undefined;
  /** Texts of a column by number, in the order in which they were first asked for. */
  texts(column: number): ColumnTexts;
  /** The beginning of a cell as it stands in the file. */
  show(row: number, column: number): string;
}

export interface ColumnTexts {
  readonly values: string[];
  /** The number of a cell's text, trimmed. */
  code(row: number): number;
}

/**
 * Texts that mean that a number is missing, in small letters: those of pandas, R, SQL, Excel, Weka and process historians,
 * and infinities, which no detector can use.
 */
export const missingWords: ReadonlySet<string> = new Set([
  ...[
    '',
    '?',
    '-',
    '--',
    '---',
    '.',
    '..',
    '...',
    '*',
    'na',
    'n/a',
    'n.a.',
    'n.a',
    '<na>',
    'nan',
    '-nan',
    '+nan',
    'nat',
  ],
  ...['null', '(null)', '<null>', '\\n', 'nil', 'none', 'missing', '(missing)', 'empty', '(empty)', 'not available'],
  ...['unknown', 'undefined', '#n/a', '#na', '#n/a n/a', '#div/0!', '#value!', '#ref!', '#num!', '#null!', '#name?'],
  ...['bad', 'bad input', 'no data', 'no_data', 'nodata', 'i/o timeout', 'intf shut', 'pt created', 'comm fail'],
  ...['1.#ind', '-1.#ind', '1.#qnan', '-1.#qnan', '1.#inf', '-1.#inf', 'inf', '+inf', '-inf', 'infinity', '+infinity'],
  ...['-infinity', '∞', '-∞'],
]);

/** Bad rows that a message names. */
export const SHOWN = 10;

/** An error about rows, at most ten of which are named; `remedy` has no full stop. */
export function badRows(
  file: string,
  what: string,
  problems: readonly string[],
  total = problems.length,
  remedy: Said = 'Correct them',
): DataError {
  const more = total > SHOWN ? `; and ${total - SHOWN} more` : '';
  return new DataError(
    'csv-rows',
    say`${file} must have ${what}; these are wrong: ${problems.slice(0, SHOWN).join('; ')}${more}. ${remedy}.`,
  );
}

/** Rows that are looked at below a line of units. */
const BELOW_UNITS = 30;

/**
 * Takes away a first row that names units: texts without digits at their start in the columns whose other cells are
 * numbers. `units` says what it held.
 */
export function withoutUnits(raw: Rows): { raw: Rows; units?: string } {
  if (raw.rows < 3) return { raw };
  const shown: string[] = [];
  for (const [c] of raw.heads.entries()) {
    let numbers = 0;
    let isOfNumbers = true;
    for (let r = 1; r < Math.min(raw.rows, BELOW_UNITS) && isOfNumbers; r++) {
      const value = raw.number(r, c);
      isOfNumbers = value !== undefined;
      if (isOfNumbers && !Number.isNaN(value)) numbers++;
    }
    if (!isOfNumbers || numbers === 0) continue;
    const first = raw.number(0, c);
    const text = raw.show(0, c);
    const isUnit = first === undefined && /^[^\d<>~+.,-][^,]{0,11}$/.test(text.replace(/^"|"$/g, ''));
    if (isUnit) shown.push(text);
    else if (!Number.isNaN(first)) return { raw };
  }
  if (shown.length === 0) return { raw };
  const units = `${raw.where(0)}: ${shown.slice(0, 6).join(', ')}`;
  return { raw: sliceRows(raw, 1, raw.rows), units };
}

/** The rows from one position to before another, by themselves. */
export function sliceRows(raw: Rows, from: number, to: number): Rows {
  return {
    ...raw,
    rows: to - from,
    numbers: raw.numbers.subarray(from, to),
    where: (row) => raw.where(row + from),
    number: (row, column) => raw.number(row + from, column),
    show: (row, column) => raw.show(row + from, column),
    texts(column) {
      const { values, code } = raw.texts(column);
      return { values, code: (row) => code(row + from) };
    },
  };
}
