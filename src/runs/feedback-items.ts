/**
 * What a person names – image files, rows of a table by line or by the value of a column, steps of a series – as items that are known
 * again by their content. Left out: frames of clips. Node only.
 */
import { resolve } from 'node:path';
import { ConfigError, DataError, nearestName } from '../core/errors.ts';
import { splitPage } from '../data/files/page-path.ts';
import { readInput } from '../data/files/read-input.ts';
import {
  decodePath,
  encodeRows,
  openRows,
  openSeries,
  pagePaths,
  type Rows,
  sha256,
  sourceColumn,
} from '../data/index.ts';
import type { ArtifactInfo } from '../engine/scoring/artifact.ts';
import type { FeedbackItem, FeedbackRow, FeedbackSteps } from './feedback-file.ts';

/** An item with the hash of its content; an image lacks its copy, which is made when all that was named is right. */
export interface NamedItem {
  readonly key: string;
  readonly item: FeedbackItem;
  /** sha256 of the file of an image. */
  readonly hash?: string;
}

/** What stands behind the path of a file of rows: `17`, `17-24`, `id=4711`. */
export interface RowsNamed {
  readonly file: string;
  readonly lines?: readonly [first: number, last: number];
  readonly where?: { readonly column: string; readonly value: string };
}

/** A path of rows, parted from the rows that it names. */
export function rowsNamed(text: string): RowsNamed {
  const byLine = /^(.+):(\d+)(?:-(\d+))?$/s.exec(text);
  if (byLine) return { file: byLine[1], lines: [Number(byLine[2]), Number(byLine[3] ?? byLine[2])] };
  const byValue = /^(.+?\.[A-Za-z]+):([^=]+)=(.*)$/s.exec(text);
  if (byValue) return { file: byValue[1], where: { column: byValue[2].trim(), value: byValue[3].trim() } };
  return { file: text };
}

/**
 * The items that texts name, each read and checked. Throws ConfigError `feedback-kind` for clips; DataError `feedback-item` for a
 * line, column or value that is not there, and those of reading images, rows and series.
 */
export async function findItems(named: readonly string[], info: ArtifactInfo): Promise<NamedItem[]> {
  const found: NamedItem[] = [];
  for (const text of named) {
    if (info.kind === 'image') found.push(...(await imagesOf(text)));
    else if (info.kind === 'table') found.push(...(await rowsOf(text, info)));
    else if (info.kind === 'series') found.push(await stepsOf(text, info));
    else {
      throw new ConfigError(
        'feedback-kind',
        `Feedback is given on images, rows and steps of series, but this detector takes ${info.kind} items.`,
      );
    }
  }
  return found;
}

async function imagesOf(path: string): Promise<NamedItem[]> {
  const found: NamedItem[] = [];
  for (const one of pagePaths(path)) {
    const { file, page } = splitPage(one);
    const hash = await sha256(await readInput(file, 'unreadable-file'));
    await decodePath(one, {}); // what is no image is refused
    const key = page === undefined ? hash : await sha256(`${hash}:${page}`);
    found.push({
      key,
      hash,
      item: { kind: 'image', path: resolve(file), ...(page !== undefined && { page }), file: '' },
    });
  }
  return found;
}

async function rowsOf(text: string, { table }: ArtifactInfo): Promise<NamedItem[]> {
  if (!table) throw new DataError('artefact-corrupt', 'The detector lacks the names of its columns. Train again.');
  const { file, lines, where } = rowsNamed(text);
  // A log may hold lines that are no rows.
  const rows = await openRows(file, { wanted: lines });
  const { broken } = encodeRows(rows, table);
  const chosen = lines ? await betweenLines(rows, lines) : where ? [theRow(rows, where)] : [...Array(rows.rows).keys()];
  const heads = rows.heads.map((name, i) => (name === '' ? `column ${i + 1}` : name));
  const names = [...new Set(table.columns.map(sourceColumn))];
  const texts = names.map((name) => rows.texts(heads.indexOf(name)));
  return Promise.all(
    chosen.map(async (r) => {
      const fault = broken.get(r);
      if (fault !== undefined) throw new DataError('csv-rows', `${file} (${rows.where(r)}): ${fault}.`);
      const cells = Object.fromEntries(names.map((name, c) => [name, texts[c].values[texts[c].code(r)]]));
      const item: FeedbackRow = { kind: 'table', path: resolve(file), line: rows.numbers[r], cells };
      return { key: await sha256(JSON.stringify(cells)), item };
    }),
  );
}

async function betweenLines(rows: Rows, [first, last]: readonly [number, number]): Promise<number[]> {
  const chosen = [...rows.numbers.keys()].filter((r) => rows.numbers[r] >= first && rows.numbers[r] <= last);
  if (chosen.length > 0) return chosen;
  const { numbers } = rows.rows > 0 ? rows : await openRows(rows.file);
  const [low, high] = [numbers[0], numbers.at(-1)];
  throw new DataError(
    'feedback-item',
    `${rows.file} has no row at ${first === last ? `line ${first}` : `lines ${first} to ${last}`}; its rows stand at ${low} to ${high}. Name some of these.`,
  );
}

/** The one row whose column has a value. */
function theRow(rows: Rows, { column, value }: { readonly column: string; readonly value: string }): number {
  const at = rows.heads.indexOf(column);
  if (at < 0) {
    const near = nearestName(column, [...rows.heads]);
    throw new DataError(
      'feedback-item',
      `${rows.file} has no column "${column}".${near ? ` Did you mean ${near}?` : ` It has ${rows.heads.slice(0, 8).join(', ')}.`}`,
    );
  }
  const texts = rows.texts(at);
  const found = Array.from({ length: rows.rows }, (_, r) => r).filter((r) => texts.values[texts.code(r)] === value);
  if (found.length === 1) return found[0];
  throw new DataError(
    'feedback-item',
    found.length === 0
      ? `${rows.file} has no row with ${column}=${value}. Check the value, or name the line.`
      : `${rows.file} must have one row with ${column}=${value}, but has ${found.length}, the first at ${rows.where(found[0])}. Name the line.`,
  );
}

async function stepsOf(text: string, { table }: ArtifactInfo): Promise<NamedItem> {
  const { file, lines, where } = rowsNamed(text);
  if (where || !lines) {
    throw new ConfigError(
      'feedback-steps',
      `Steps of a series are named by their lines, ${file}:17 or ${file}:17-24; found "${text}".`,
    );
  }
  const key = await hashOfSteps(file, lines, table);
  if (key === undefined)
    throw new DataError('feedback-item', `${file} has no steps at ${text.slice(file.length + 1)}.`);
  const item: FeedbackSteps = { kind: 'series', path: resolve(file), lines };
  return { key, item };
}

/** sha256 of the values of some steps, and of their times where there are any; undefined where there are none. */
export async function hashOfSteps(
  file: string,
  [first, last]: readonly [number, number],
  table: ArtifactInfo['table'],
): Promise<string | undefined> {
  const { series } = await openSeries(file, table);
  const width = series.channels.length;
  const chosen = [...Array(series.values.length / width).keys()].filter((t) => {
    const line = series.rows?.[t] ?? t + 1;
    return line >= first && line <= last;
  });
  if (chosen.length === 0) return undefined;
  const told = chosen.map((t) => [series.times?.[t], ...series.values.subarray(t * width, (t + 1) * width)]);
  return sha256(JSON.stringify(told));
}
