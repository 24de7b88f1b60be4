/** What the cells of a column are, counted before anything is decided: numbers, texts, times, gaps. */
import { formOf, type NumberForm, readForm } from './number-forms.ts';
import type { ColumnTexts, Rows } from './rows.ts';
import { epochOf, readTime, type TimeForm, timeFormOf } from './times.ts';

/** How numbers are to be read, where the file alone does not say. */
export interface NumberReading {
  /** The decimal mark; else by the evidence of the cells. */
  readonly decimal?: '.' | ',';
  /** Texts that mean a missing value, besides the usual ones; a number among them stands for that value. */
  readonly missing?: readonly string[];
}

/** A cell that is not what the column holds. */
export interface BadCell {
  /** Position of the row. */
  readonly row: number;
  readonly text: string;
}

export interface Profile {
  readonly rows: number;
  readonly missing: number;
  /** Different values; counting ends at `MOST_DISTINCT` unless nearly all differ. */
  readonly distinct: number;
  /** Every value is there once. */
  readonly isUnique: boolean;
  /** Numbers by row, NaN where missing or bad; absent where the column holds texts. */
  readonly numbers?: Float64Array;
  /** Of numbers. */
  readonly range?: readonly [number, number];
  readonly form?: NumberForm;
  /** Cells that are no numbers among numbers: the first of them, and how many there are. */
  readonly bad: readonly BadCell[];
  readonly badCount: number;
  /** Of texts. */
  readonly texts?: ColumnTexts;
  /** How all its values are times. */
  readonly time?: TimeForm;
  /** Some values as the file has them. */
  readonly examples: readonly string[];
}

/** Different values that are counted. */
export const MOST_DISTINCT = 1001;
/** Texts by which a form is tried before all are. */
const SAMPLE = 500;
/** Bad cells that are kept. */
const KEPT = 10;
/** Share of numbers from which a column is one of numbers with bad cells. */
const MOSTLY = 0.8;

/** Reads a column once; as texts a second time where it does not hold numbers. */
export function profile(raw: Rows, at: number, reading: NumberReading = {}): Profile {
  const { rows } = raw;
  const missing = missingOf(reading);
  const numbers = new Float64Array(rows);
  let [strange, present] = [0, 0];
  for (let r = 0; r < rows; r++) {
    const value = raw.number(r, at);
    if (value === undefined) {
      strange++;
      numbers[r] = Number.NaN;
      continue;
    }
    numbers[r] = missing.numbers.has(value) ? Number.NaN : value;
    if (!Number.isNaN(numbers[r])) present++;
  }
  if (strange === 0 && present > 0) return ofNumbers(raw, at, numbers, [], 0);
  const texts = raw.texts(at);
  const codes = Uint32Array.from({ length: rows }, (_, r) => texts.code(r));
  const isGap = gapsOf(raw, at, texts, codes, missing.words);
  if (strange === 0) {
    // Nothing but words for missing values: a column of a few such words may be a state.
    const words = texts.values.filter((text) => text !== '');
    return words.length > 1 ? ofTexts(rows, texts, codes, isGap) : emptyColumn(rows);
  }
  return (
    asWritten(raw, at, texts, codes, isGap, reading) ??
    withBad(raw, at, numbers, present, texts, codes, isGap) ??
    ofTexts(rows, texts, codes, isGap)
  );
}

/** Beyond it a number is no float32. */
export const LARGEST = 1e38;

/** The caller's signs of a missing value: texts in small letters, and numbers. */
export function missingOf({ missing = [] }: NumberReading) {
  const numbers = new Set(missing.filter((word) => word.trim() !== '' && !Number.isNaN(Number(word))).map(Number));
  return { words: new Set(missing.map((word) => word.trim().toLowerCase())), numbers };
}

/** For each text whether it means that a value is missing: to the file's own reader, or by the caller's words. */
function gapsOf(raw: Rows, at: number, { values }: ColumnTexts, codes: Uint32Array, words: ReadonlySet<string>) {
  const firstRow = new Uint32Array(values.length);
  for (let r = codes.length - 1; r >= 0; r--) firstRow[codes[r]] = r;
  return values.map((text, i) => words.has(text.toLowerCase()) || Number.isNaN(raw.number(firstRow[i], at)));
}

const emptyColumn = (rows: number): Profile => ({
  ...{ rows, missing: rows, distinct: 0, isUnique: false, bad: [], badCount: 0, examples: [] },
});

/** Numbers in a form of writing that reads every cell. */
function asWritten(
  raw: Rows,
  at: number,
  { values }: ColumnTexts,
  codes: Uint32Array,
  isGap: readonly boolean[],
  { decimal = raw.decimal }: NumberReading,
): Profile | undefined {
  const isPlain = (text: string) => text !== '' && !Number.isNaN(Number(text));
  const written = values.filter((text, i) => !isGap[i] && !isPlain(text));
  const form = written.length > 0 && formOf(written.slice(0, SAMPLE), decimal);
  if (!form) return undefined;
  const read = values.map((text, i) => {
    if (isGap[i]) return Number.NaN;
    const value = readForm(text, form) ?? (form === 'percent' || !isPlain(text) ? undefined : Number(text));
    return form === 'decimal-comma' && text.includes('.') && !text.includes(',') && decimal !== ',' ? undefined : value;
  });
  if (read.includes(undefined)) return undefined;
  const numbers = Float64Array.from(codes, (code) => read[code] as number);
  return { ...ofNumbers(raw, at, numbers, [], 0), form };
}

/** Numbers with some cells that are none. */
function withBad(
  raw: Rows,
  at: number,
  numbers: Float64Array,
  present: number,
  { values }: ColumnTexts,
  codes: Uint32Array,
  isGap: readonly boolean[],
): Profile | undefined {
  const bad: BadCell[] = [];
  const words = new Set<number>();
  let badCount = 0;
  for (let r = 0; r < raw.rows; r++) {
    if (!Number.isNaN(numbers[r]) || isGap[codes[r]] || raw.number(r, at) !== undefined) continue;
    if (badCount++ < KEPT) bad.push({ row: r, text: values[codes[r]] });
    words.add(codes[r]);
  }
  const share = present / (present + badCount);
  const distinct = new Set(numbers).size;
  const isOfNumbers = present > 0 && (share >= MOSTLY || (share >= 0.3 && distinct > 20 && words.size <= 5));
  return isOfNumbers ? ofNumbers(raw, at, numbers, bad, badCount) : undefined;
}

function ofNumbers(raw: Rows, at: number, numbers: Float64Array, bad: BadCell[], badCount: number): Profile {
  let [low, high, missing] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0];
  const seen = new Set<number>();
  const examples: string[] = [];
  // Counting goes on only while the column may still be one of different values.
  for (const [r, value] of numbers.entries()) {
    if (Number.isNaN(value)) {
      missing++;
      continue;
    }
    low = Math.min(low, value);
    high = Math.max(high, value);
    if (seen.size < MOST_DISTINCT || seen.size > 0.9 * (r - missing)) seen.add(value);
    if (examples.length < 3) examples.push(raw.show(r, at));
  }
  const rows = numbers.length;
  const present = rows - missing;
  const isUnique = seen.size === present;
  const time = present > 0 ? timeOfNumbers(numbers, low, high) : undefined;
  return {
    ...{ rows, missing: missing - badCount, distinct: seen.size, isUnique, numbers, bad, badCount, examples },
    ...(present > 0 && { range: [low, high] as const }),
    ...(time && { time }),
  };
}

/** Whole numbers of eight digits that are all dates, or numbers that all lie in our time counted from 1970. */
function timeOfNumbers(numbers: Float64Array, low: number, high: number): TimeForm | undefined {
  const isDates = low >= 19_000_101 && high <= 21_001_231 && numbers.every(isDateOrGap);
  return isDates ? 'without separators' : epochOf(low, high);
}
const isDateOrGap = (value: number) =>
  Number.isNaN(value) || (Number.isInteger(value) && !Number.isNaN(readTime(String(value), 'without separators')));

function ofTexts(rows: number, texts: ColumnTexts, codes: Uint32Array, isGap: readonly boolean[]): Profile {
  const filled = texts.values.filter((_, i) => !isGap[i]);
  const missing = codes.reduce((n, code) => n + (isGap[code] ? 1 : 0), 0);
  const form = timeFormOf(filled.slice(0, SAMPLE));
  const time = form && filled.every((text) => !Number.isNaN(readTime(text, form))) ? form : undefined;
  return {
    ...{ rows, missing, distinct: filled.length, isUnique: filled.length === rows - missing, texts },
    ...{ bad: [], badCount: 0, examples: filled.slice(0, 3) },
    ...(time && { time }),
  };
}

/** The times of a column that holds such, in milliseconds since 1970, NaN where missing; of the first `count` rows. */
export function readTimes({ rows, time: form, numbers, texts }: Profile, count = rows): Float64Array {
  const out = new Float64Array(Math.min(rows, count)).fill(Number.NaN);
  if (form === undefined) return out;
  if (numbers) return out.map((_, r) => (Number.isNaN(numbers[r]) ? Number.NaN : readTime(String(numbers[r]), form)));
  return texts ? out.map((_, r) => readTime(texts.values[texts.code(r)], form)) : out;
}
