/**
 * The cells of a delimited file (RFC 4180, with any separator; quotes; LF or CRLF), as places in its bytes.
 * Half a million rows of 42 columns are millions of cells, so none becomes a text or a number before it is asked for.
 */
import { DataError } from '../../core/errors.ts';
import { badRows, missingWords, type Rows, SHOWN } from './rows.ts';

const [LF, CR, QUOTE, SPACE] = [10, 13, 34, 32];

/** How text is to be read. */
export interface CellOptions {
  /** Names of the columns of a file without a head. */
  readonly heads?: readonly string[];
  /** What columns are, where the file says it elsewhere. */
  readonly kinds?: Rows['kinds'];
  /** Else a comma. */
  readonly separator?: string;
  /** Lines before the head, which are left out. */
  readonly skip?: number;
  /** A column that the head does not name: before its first or behind its last. */
  readonly unnamed?: 'first' | 'last';
  /** How the file was understood. */
  readonly about?: string;
  /** Lines of rows that are wanted, first and last: what is wrong with the others is passed over. */
  readonly wanted?: readonly [first: number, last: number];
  /** Line of the first byte, of a part of a file; default 1. */
  readonly line?: number;
}

/**
 * Finds the cells.
 * @throws DataError `csv` for an empty file, one that is too large or a quote without end; `csv-rows` with the lines of
 * rows that have another number of cells than the head.
 */
export function readCells(bytes: Uint8Array, file: string, options: CellOptions = {}): Rows {
  const { heads, kinds = {}, separator = ',', skip = 0, unnamed, wanted, about } = options;
  if (bytes.length >= 2 ** 32 - 1) throw new DataError('csv', `${file} must be smaller than 4 GiB. Split it.`);
  const begin = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
  const mark = separator.charCodeAt(0);
  let lineCount = 1;
  for (let i = begin; i < bytes.length; i++) if (bytes[i] === LF) lineCount++;

  let at = begin;
  let line = options.line ?? 1;
  /** Reads one row from `at` on into `out`; returns its cells, 0 for a blank line. */
  const readRow = (out: Uint32Array | number[], to: number, most: number): number => {
    let count = 0;
    const first = at;
    const n = bytes.length;
    for (;;) {
      if (count < most) out[to + count] = at;
      count++;
      if (bytes[at] === QUOTE) at = closingQuote(at);
      while (at < n && bytes[at] !== mark && bytes[at] !== LF) at++;
      if (at < n && bytes[at] === mark) {
        at++;
        continue;
      }
      const end = at > first && bytes[at - 1] === CR ? at - 1 : at;
      if (count <= most) out[to + count] = end + 1;
      at++;
      return count === 1 && end === first ? 0 : count;
    }
  };
  const closingQuote = (from: number): number => {
    for (let i = from + 1; i < bytes.length; i++) {
      if (bytes[i] === LF) line++;
      if (bytes[i] !== QUOTE) continue;
      if (bytes[i + 1] === QUOTE) i++;
      else return i + 1;
    }
    throw new DataError('csv', `${file} must be a CSV file: a quote on line ${line} is not closed. Close it.`);
  };

  for (; line <= skip && at < bytes.length; line++) {
    const end = bytes.indexOf(LF, at);
    at = end < 0 ? bytes.length : end + 1;
  }
  let names = heads;
  while (!names && at < bytes.length) {
    const found: number[] = [];
    const count = readRow(found, 0, 2 ** 20);
    line++;
    if (count > 0) names = Array.from({ length: count }, (_, c) => cellText(bytes, found[c], found[c + 1] - 1).trim());
  }
  if (!names)
    throw new DataError('csv', `${file} must be a CSV file with a header and rows below it, but it is empty.`);
  if (unnamed === 'first') names = ['', ...names];
  if (unnamed === 'last') names = [...names, ''];
  const width = names.length;
  const starts = new Uint32Array((lineCount + 1) * (width + 1));
  const lines = new Uint32Array(lineCount + 1);
  const problems: string[] = [];
  let faults = 0;
  let rows = 0;
  while (at < bytes.length) {
    const here = line;
    const count = readRow(starts, rows * (width + 1), width);
    line++;
    if (count === 0) continue;
    if (wanted && (here < wanted[0] || here > wanted[1])) continue;
    if (count !== width) {
      if (faults++ < SHOWN) problems.push(`line ${here}: ${count} fields instead of ${width}`);
      continue;
    }
    lines[rows++] = here;
  }
  if (faults > 0) throw badRows(file, `${width} fields in each row, as its head has`, problems, faults);
  // Of each row where each cell begins, and one past where the next would: a cell ends one byte before.
  const step = width + 1;
  return {
    file,
    heads: names,
    kinds,
    ...(separator === ';' && { decimal: ',' as const }),
    rows,
    where: (row) => `line ${lines[row]}`,
    numbers: lines.slice(0, rows),
    ...(about !== undefined && { about }),
    number: (row, column) => cellNumber(bytes, starts[row * step + column], starts[row * step + column + 1] - 1),
    texts(column) {
      const texts = new Texts(bytes);
      const code = (row: number) => texts.at(starts[row * step + column], starts[row * step + column + 1] - 1);
      return { values: texts.values, code };
    },
    show(row, column) {
      const from = starts[row * step + column];
      const to = Math.min(starts[row * step + column + 1] - 1, from + 40);
      return shown(bytes, from, to);
    },
  };
}

/** Bytes as text, whatever they are. Letters of one byte each, as most cells have, are made faster one by one. */
function shown(bytes: Uint8Array, from: number, to: number): string {
  let text = '';
  for (let i = from; i < to; i++) {
    if (bytes[i] >= 128) return new TextDecoder().decode(bytes.subarray(from, to));
    text += String.fromCharCode(bytes[i]);
  }
  return text;
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** The text of a cell without its quotes. Throws DataError `csv` for bytes that are not UTF-8. */
export function cellText(bytes: Uint8Array, from: number, to: number): string {
  const isQuoted = bytes[from] === QUOTE && to > from + 1;
  try {
    const text = utf8.decode(
      isQuoted ? bytes.subarray(from + 1, bytes[to - 1] === QUOTE ? to - 1 : to) : bytes.subarray(from, to),
    );
    return isQuoted ? text.replaceAll('""', '"') : text;
  } catch {
    throw new DataError('csv', 'A CSV file must be UTF-8 text, but this one has bytes that are not. Save it as UTF-8.');
  }
}

const powers = Array.from({ length: 23 }, (_, i) => 10 ** i);
const decimal = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/**
 * The number in a cell: NaN where it is missing (`missingWords`), undefined for any other text. Correctly rounded, as `Number` is: up to 15 digits and 10^22 one division is exact.
 */
export function cellNumber(bytes: Uint8Array, from: number, to: number): number | undefined {
  let i = from;
  while (i < to && bytes[i] === SPACE) i++;
  const sign = bytes[i] === 45 ? -1 : 1;
  if (bytes[i] === 45 || bytes[i] === 43) i++;
  let mantissa = 0;
  let digits = 0;
  let decimals = -1;
  for (; i < to; i++) {
    const digit = bytes[i] - 48;
    if (digit >= 0 && digit <= 9) {
      mantissa = 10 * mantissa + digit;
      digits++;
      if (decimals >= 0) decimals++;
    } else if (bytes[i] === 46 && decimals < 0) decimals = 0;
    else break;
  }
  if (i === to && digits > 0 && digits <= 15) return sign * (decimals > 0 ? mantissa / powers[decimals] : mantissa);
  const text = cellText(bytes, from, to).trim();
  if (decimal.test(text)) return Number(text);
  if (missingWords.has(text.toLowerCase())) return Number.NaN;
  return undefined;
}

/** Gives texts numbers in the order in which they first come. */
class Texts {
  readonly values: string[] = [];
  /** By bytes of a cell, and by text: quotes and blanks make different bytes of one text. */
  private readonly known = new Map<string, number>();
  private readonly codes = new Map<string, number>();

  constructor(private readonly bytes: Uint8Array) {}

  /** The number of a cell's text, trimmed. */
  at(from: number, to: number): number {
    // One byte, one character: twice as quick as decoding, and as good a key as the text itself.
    let key = '';
    for (let i = from; i < to; i++) key += String.fromCharCode(this.bytes[i]);
    const known = this.known.get(key);
    if (known !== undefined) return known;
    const text = cellText(this.bytes, from, to).trim();
    const code = this.codes.get(text) ?? this.values.push(text) - 1;
    this.codes.set(text, code);
    this.known.set(key, code);
    return code;
  }
}
