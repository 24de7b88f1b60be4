/** Where an item of a test part lies, as a person would name it: a file, a row of a file, steps of a log. */
import { join, resolve } from 'node:path';
import { splitPage } from '../../data/files/page-path.ts';
import type { FeedbackItem } from '../../runs/index.ts';
import type { OpenRun } from './open-runs.ts';

/** The file that an item stands in, and the line of rows and steps: their ids hold it. */
function standsIn({ data, isFolder, task, test }: OpenRun, index: number): { file: string; line?: number } {
  const { path } = task.source.items[task.split.test[index]];
  if (path !== undefined) return { file: path };
  const id = test.ids[index];
  const end = id.lastIndexOf(':');
  if (end < 0) return { file: data, line: Number(id) };
  return { file: isFolder ? join(data, id.slice(0, end)) : data, line: Number(id.slice(end + 1)) };
}

/** The place of an item of the test part, as feedback takes it. */
export function placeOf(run: OpenRun, index: number): string {
  const { file, line } = standsIn(run, index);
  return line === undefined ? file : `${file}:${line}`;
}

/** True where somebody named an item of the test part. */
export function isNamedAt(run: OpenRun, index: number, said: FeedbackItem): boolean {
  const { file, line } = standsIn(run, index);
  if (said.kind === 'image') {
    const { file: image, page } = splitPage(file);
    return line === undefined && resolve(image) === said.path && page === said.page;
  }
  if (line === undefined || resolve(file) !== said.path) return false;
  return said.kind === 'table' ? said.line === line : said.lines[0] <= line && line <= said.lines[1];
}
