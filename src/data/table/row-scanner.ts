/**
 * Where the rows of a delimited text begin, found in pieces of any size without making a cell: what `readCells` would say of
 * the whole text, for texts that are larger than memory.
 */
import { DataError } from '../../core/errors.ts';
import { badRows, SHOWN } from './rows.ts';

const [LF, CR, QUOTE] = [10, 13, 34];
/** Where in a cell the scan is. */
const [BEGIN, INSIDE, QUOTED, AFTER_QUOTE] = [0, 1, 2, 3];

/** The head of a text, and where blocks of its rows begin. */
export interface RowIndex {
  /** First byte of the head and of what follows it. */
  readonly head: readonly [from: number, to: number];
  readonly rows: number;
  /** Of each block the byte and the line at which it begins; one more for the end of the text. */
  readonly starts: readonly number[];
  readonly lines: readonly number[];
  /** Of each block the byte and the line at which the row before its first begins. */
  readonly before: readonly { readonly start: number; readonly line: number }[];
}

export interface RowScannerOptions {
  readonly separator: string;
  /** Lines before the head. */
  readonly skip: number;
  /** Columns that the head does not name. */
  readonly unnamed: number;
  /** Rows of a block. */
  readonly size: number;
}

/** Takes the bytes of a text, one piece after the other. */
export class RowScanner {
  private at = 0;
  private line = 1;
  private state = BEGIN;
  private marks = 0;
  private rowStart = 0;
  private rowLine = 1;
  private isAfterCr = false;
  private width = 0;
  private head?: [number, number];
  private rows = 0;
  private lastRow = { start: 0, line: 1 };
  private readonly starts: number[] = [];
  private readonly lines: number[] = [];
  private readonly before: { start: number; line: number }[] = [];
  private readonly problems: string[] = [];
  private faults = 0;

  constructor(
    private readonly file: string,
    private readonly options: RowScannerOptions,
  ) {}

  /** Looks at the next bytes. */
  scan(bytes: Uint8Array): void {
    const { separator, skip } = this.options;
    const mark = separator.charCodeAt(0);
    let i = 0;
    if (this.at === 0 && bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) this.rowStart = i = 3;
    let { state, marks } = this;
    for (; i < bytes.length; i++) {
      const byte = bytes[i];
      if (state === QUOTED) {
        if (byte === QUOTE) state = AFTER_QUOTE;
        else if (byte === LF) this.line++;
      } else if (byte === mark) {
        marks++;
        state = BEGIN;
      } else if (byte === LF) {
        this.marks = marks;
        this.isAfterCr = i > 0 ? bytes[i - 1] === CR : this.isAfterCr;
        this.endRow(this.at + i);
        state = BEGIN;
        marks = 0;
      } else if (byte === QUOTE && (state === BEGIN || state === AFTER_QUOTE) && this.line > skip) state = QUOTED;
      else state = INSIDE;
    }
    this.state = state;
    this.marks = marks;
    this.isAfterCr = bytes.length > 0 ? bytes[bytes.length - 1] === CR : this.isAfterCr;
    this.at += bytes.length;
  }

  /**
   * The index, once all bytes were seen; undefined without a head.
   * @throws DataError `csv` for a quote without end, `csv-rows` with the lines of rows of another width than the head.
   */
  finish(): RowIndex | undefined {
    if (this.state === QUOTED) {
      throw new DataError(
        'csv',
        `${this.file} must be a CSV file: a quote on line ${this.line} is not closed. Close it.`,
      );
    }
    if (this.at > this.rowStart) this.endRow(this.at);
    if (this.faults > 0)
      throw badRows(this.file, `${this.width} fields in each row, as its head has`, this.problems, this.faults);
    const { head, rows, starts, lines, before } = this;
    return head && { head, rows, starts: [...starts, this.at], lines: [...lines, this.line], before };
  }

  /** A row ends before byte `end`. */
  private endRow(end: number): void {
    const { skip, unnamed, size } = this.options;
    const { rowStart: start, rowLine: line, marks } = this;
    const length = end - start;
    const isBlank = marks === 0 && (length === 0 || (length === 1 && this.isAfterCr));
    this.rowStart = end + 1;
    this.rowLine = ++this.line;
    if (line <= skip || isBlank) return;
    if (!this.head) {
      this.head = [start, end + 1];
      this.width = marks + 1 + unnamed;
      return;
    }
    if (marks + 1 !== this.width) {
      if (this.faults++ < SHOWN) this.problems.push(`line ${line}: ${marks + 1} fields instead of ${this.width}`);
      return;
    }
    if (this.rows % size === 0) {
      this.starts.push(start);
      this.lines.push(line);
      this.before.push(this.lastRow);
    }
    if (this.rows % size === size - 1) this.lastRow = { start, line };
    this.rows++;
  }
}
