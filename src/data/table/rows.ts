/**
 * Rows of a file before they are a table, whatever its format: named columns of cells that are read as numbers or as texts
 * when asked, and the place of each row for messages.
 */
import { DataError } from '../../core/errors.ts';
import type { ColumnKind } from './table.ts';

export interface Rows {
  /** Names the file in messages. */
  readonly file: string;
  /** Names of the columns, trimmed. */
  readonly heads: readonly string[];
  /** What the file itself says that columns are; a caller may say otherwise. */
  readonly kinds: Readonly<Record<string, ColumnKind>>;
  readonly rows: number;
  /** What `numbers` counts: lines of a text, else rows from 1. */
  readonly place: 'line' | 'row';
  /** Line or number of each row. */
  readonly numbers: Uint32Array;
  /** How the file was understood, where that could surprise. */
  readonly about?: string;
  /** The number in a cell: NaN where it is missing, infinite where it says so, undefined for any other text. */
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

/** Texts that mean that a value is missing, in small letters. */
export const missingWords: ReadonlySet<string> = new Set(['', '?', 'na', 'n/a', 'nan', 'null', 'none', '-nan']);

/** Bad rows that a message names. */
export const SHOWN = 10;

/** An error about rows, at most ten of which are named. */
export function badRows(file: string, what: string, problems: readonly string[], total = problems.length): DataError {
  const more = total > SHOWN ? `; and ${total - SHOWN} more` : '';
  return new DataError(
    'csv-rows',
    `${file} must have ${what}; these are wrong: ${problems.slice(0, SHOWN).join('; ')}${more}. Correct them.`,
  );
}
