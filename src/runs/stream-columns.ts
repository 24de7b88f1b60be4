/**
 * What the lines of a stream hold: CSV with a head, or a JSON object per line. The head and the first points decide which column
 * is the time and which are channels. Left out: fields with line ends inside, nested objects.
 */
import * as z from 'zod';
import { DataError, unknownName } from '../core/errors.ts';
import { epochOf, readTime, type TimeForm, timeForms } from '../data/table/times.ts';

/** How lines are read. */
export interface Head {
  readonly format: 'csv' | 'ndjson';
  readonly delimiter: string;
  readonly columns: readonly string[];
}

/** What the columns are, by their places. */
export interface Roles {
  readonly channels: readonly number[];
  /** -1 where there is no time. */
  readonly time: number;
  /** In which the times may be written, the likeliest first. */
  readonly forms: readonly TimeForm[];
}

/** Head and roles as they are stored. */
export const storedColumns = {
  head: z.object({
    format: z.enum(['csv', 'ndjson']),
    delimiter: z.string().min(1),
    columns: z.array(z.string()).min(1),
  }),
  roles: z.object({
    channels: z.array(z.int().min(0)).min(1),
    time: z.int().min(-1),
    forms: z.array(z.enum([...timeForms, 'seconds', 'milliseconds', 'microseconds', 'nanoseconds'])),
  }),
};

/** Lines that are looked at before columns which are still empty are given up. */
export const MOST_SAMPLES = 20;
const timeName =
  /^(time|date|datetime|timestamp|ts|when|index|date[ _-]?time|time[ _-]?stamp|.*[ _-](at|time|date|timestamp))$/i;
const onlyTime = /^(time|date|datetime|timestamp|ts|date[ _-]?time|time[ _-]?stamp)$/i;
const labelName = /^(labels?|target|is[ _-]?anomaly|anomaly|is[ _-]?outlier|outlier)$/i;

/** The head from the first line: of CSV its names, of JSON the keys of the first object. DataError `stream-head`. */
export function headOf(text: string, place: string): Head {
  if (text.trimStart().startsWith('{')) {
    const columns = Object.keys(objectOf(text, place));
    return { format: 'ndjson', delimiter: ',', columns };
  }
  const [delimiter] = [',', ';', '\t'].sort((a, b) => fieldsOf(text, b).length - fieldsOf(text, a).length);
  const columns = fieldsOf(text, delimiter).map((name) => name.trim());
  if (columns.every((name) => Number.isFinite(numberOf(name, delimiter))))
    throw new DataError(
      'stream-head',
      `${place}: the first line must name the columns, found only numbers. Put a line with names in front.`,
    );
  const twice = columns.find((name, i) => columns.indexOf(name) !== i);
  if (twice !== undefined)
    throw new DataError('stream-head', `${place}: each column must have a name of its own, found "${twice}" twice.`);
  return { format: 'csv', delimiter, columns };
}

/** The fields of a line of CSV. */
function fieldsOf(text: string, delimiter: string): string[] {
  if (!text.includes('"')) return text.split(delimiter);
  const fields: string[] = [];
  let [field, isQuoted] = ['', false];
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (isQuoted && c === '"' && text[i + 1] === '"') {
      field += c;
      i++;
    } else if (c === '"') isQuoted = !isQuoted;
    else if (c === delimiter && !isQuoted) {
      fields.push(field);
      field = '';
    } else field += c;
  }
  return [...fields, field];
}

function objectOf(text: string, place: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch {
    // Said below.
  }
  throw new DataError(
    'stream-line',
    `${place}: each line must be a JSON object, as the first is; found ${quote(text)}. Mend or remove the line.`,
  );
}

/** A text in quotes, shortened. */
export const quote = (text: string): string => JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);

/**
 * The cells of a line in the order of the columns, missing ones empty; undefined for a head that is repeated.
 * DataError `stream-line` for another number of cells, `stream-head` for another head.
 */
export function cellsOf(text: string, { format, delimiter, columns }: Head, place: string): string[] | undefined {
  if (format === 'ndjson') {
    const object = objectOf(text, place);
    return columns.map((name) => (Object.hasOwn(object, name) ? jsonCell(object[name]) : ''));
  }
  const cells = fieldsOf(text, delimiter);
  if (cells.every((cell, i) => cell.trim() === columns[i]) && cells.length === columns.length) return undefined;
  if (cells.length !== columns.length) {
    if (cells.every(isName)) throw otherHead(place, columns, cells);
    throw new DataError(
      'stream-line',
      `${place}: each line must have as many cells as the head; expected ${columns.length}, found ${cells.length} in ${quote(text)}. Mend or remove the line, or start a new stream for new columns.`,
    );
  }
  return cells;
}

const jsonCell = (value: unknown): string =>
  typeof value === 'string' || typeof value === 'number' ? String(value) : '';

/** Refuses a line with names where times and numbers should be. DataError `stream-head`. */
export function checkNoHead(cells: readonly string[], head: Head, { channels, time }: Roles, place: string): void {
  const told = [...channels, ...(time < 0 ? [] : [time])];
  if (head.format === 'csv' && told.length > 1 && told.every((c) => isName(cells[c])))
    throw otherHead(place, head.columns, cells);
}

/** True for a text that may be the name of a column, but is no number, time or sign of a missing value. */
const isName = (cell: string) =>
  /^[^\d]*\p{L}{2}/u.test(cell) && !isTime(cell) && !/^\s*(nan|null|none|n\/a|missing|error|bad.*)\s*$/i.test(cell);

const isTime = (text: string) => timeForms.some((form) => !Number.isNaN(readTime(text.trim(), form)));

/** The error of a stream whose head changes. */
export const otherHead = (place: string, columns: readonly string[], found: readonly string[]): DataError =>
  new DataError(
    'stream-head',
    `${place}: the columns of a stream must stay the same; expected ${columns.join(', ')}, found ${found.join(', ').slice(0, 200)}. Start a new stream for new columns.`,
  );

/** The number in a cell, with a decimal comma where commas do not separate cells; NaN for anything else. */
export function numberOf(cell: string, delimiter: string): number {
  const text = cell.trim();
  if (text === '') return Number.NaN;
  const value = Number(delimiter !== ',' && /^[-+]?\d+,\d+$/.test(text) ? text.replace(',', '.') : text);
  return Number.isFinite(value) ? value : Number.NaN;
}

/** True where each column has shown a value. */
export const isDecidable = (samples: readonly (readonly string[])[], { columns, delimiter }: Head): boolean =>
  columns.every((_, c) => samples.some((cells) => isTelling(cells[c], delimiter)));

const isTelling = (cell: string, delimiter: string) =>
  Number.isFinite(numberOf(cell, delimiter)) ||
  (/[^\s-]/.test(cell) && !/^\s*(nan|null|none|n\/?a|-?inf.*)\s*$/i.test(cell));

/**
 * What the columns are, from the first points: a time is known by its form or name, channels are columns of numbers, or those that
 * are `wanted`. ConfigError `unknown-column`, DataError `no-channels`.
 */
export function rolesOf(
  { columns, delimiter }: Head,
  samples: readonly (readonly string[])[],
  wanted?: readonly string[],
): Roles {
  for (const name of wanted ?? []) if (!columns.includes(name)) throw unknownName('column', name, columns, 'channels');
  const shown = columns.map((_, c) => samples.map((cells) => cells[c].trim()).filter((t) => isTelling(t, delimiter)));
  const isNumeric = shown.map(
    (texts) => texts.length > 0 && texts.every((t) => Number.isFinite(numberOf(t, delimiter))),
  );
  let [time, forms]: [number, readonly TimeForm[]] = [-1, []];
  for (let c = 0; c < columns.length && time < 0; c++) {
    if (wanted?.includes(columns[c])) continue;
    forms = formsOf(shown[c], isNumeric[c], columns[c]);
    if (forms.length > 0) time = c;
  }
  const isChannel = (name: string, c: number) =>
    isNumeric[c] && c !== time && !labelName.test(name) && !onlyTime.test(name);
  const channels = wanted
    ? wanted.map((name) => columns.indexOf(name))
    : columns.flatMap((name, c) => (isChannel(name, c) ? [c] : []));
  if (channels.length === 0)
    throw new DataError(
      'no-channels',
      `A stream must have a column of numbers; found ${columns.join(', ').slice(0, 200)}, and none of them is one in the first lines.`,
    );
  return { channels, time, forms };
}

/** The forms in which all texts of a column are times; numbers are times only under a name that says so. */
function formsOf(texts: readonly string[], isNumeric: boolean, name: string): readonly TimeForm[] {
  if (texts.length === 0 || (isNumeric && !timeName.test(name))) return [];
  if (isNumeric) {
    const numbers = texts.map(Number);
    const unit = epochOf(Math.min(...numbers), Math.max(...numbers));
    if (unit) return [unit];
    if (!onlyTime.test(name)) return [];
  }
  return timeForms.filter((form) => texts.every((text) => !Number.isNaN(readTime(text, form))));
}
