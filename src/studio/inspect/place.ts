/** Where an item of a test part lies, as a person would name it: a file, a row of a file, steps of a log. */
import { resolve } from 'node:path';
import { ConfigError } from '../../core/errors.ts';
import { splitPage } from '../../data/files/page-path.ts';
import { openRows, openSeries } from '../../data/index.ts';
import type { FeedbackItem } from '../../runs/index.ts';
import type { OpenRun } from './open-runs.ts';

/** Lines of the rows of runs, by folder: the file is read once. */
const lines = new WeakMap<OpenRun, Promise<readonly number[]>>();

/** The lines of the items of a file of rows or steps. Throws ConfigError `no-place` where they do not stand in one file. */
function linesOf(run: OpenRun): Promise<readonly number[]> {
  const known = lines.get(run);
  if (known) return known;
  const reading = readLines(run);
  lines.set(run, reading);
  reading.catch(() => lines.delete(run));
  return reading;
}

async function readLines({ data, task, info }: OpenRun): Promise<readonly number[]> {
  const { source } = task;
  const found = source.series
    ? source.series.spans.length === 1
      ? await stepLines(data, info)
      : []
    : [...(await openRows(data)).numbers];
  if (found.length === source.items.length) return found;
  throw new ConfigError(
    'no-place',
    'What this item is cannot be said from here, because its row in the file is not known. Name the file and the line instead.',
  );
}

async function stepLines(data: string, { table }: OpenRun['info']): Promise<number[]> {
  const { series } = await openSeries(data, table);
  const steps = series.values.length / series.channels.length;
  return Array.from({ length: steps }, (_, t) => series.rows?.[t] || t + 1);
}

/** The place of an item of the test part. */
export async function placeOf(run: OpenRun, index: number): Promise<string> {
  const { source, split } = run.task;
  const item = split.test[index];
  const { path } = source.items[item];
  if (path !== undefined) return path;
  return `${run.data}:${(await linesOf(run))[item]}`;
}

/** True where somebody named an item of the test part; of rows and steps once their lines were read. */
export async function isNamedAt(run: OpenRun, index: number, said: FeedbackItem): Promise<boolean> {
  const { source, split } = run.task;
  const item = split.test[index];
  const { path } = source.items[item];
  if (said.kind === 'image') {
    if (path === undefined) return false;
    const { file, page } = splitPage(path);
    return resolve(file) === said.path && page === said.page;
  }
  if (resolve(run.data) !== said.path) return false;
  const line = (await linesOf(run).catch(() => []))[item];
  if (line === undefined) return false;
  return said.kind === 'table' ? said.line === line : said.lines[0] <= line && line <= said.lines[1];
}
