/**
 * A CSV file of image paths with labels, parts, defect types and masks, as a layout. Paths are read from the file's own
 * folder. Every bad row is named with its line; a table with bad rows is refused as a whole, because leaving rows out
 * would change what is measured.
 */
import { stat } from 'node:fs/promises';
import { basename, dirname, relative, resolve, sep } from 'node:path';
import { ConfigError, DataError } from '../../core/errors.ts';
import { option, say } from '../../core/text.ts';
import type { LayoutWords } from '../layout-words.ts';
import { explain } from './explain-layout.ts';
import { naturalOrder } from './file-list.ts';
import type { Layout, LayoutItem } from './layout.ts';
import { withPages } from './layout-pages.ts';
import { splitPage } from './page-path.ts';
import { readInput } from './read-input.ts';

/** Heads of columns, in small letters with `_`; the first that is there counts. */
const columns = {
  path: ['image_path', 'image', 'path', 'file', 'filename', 'file_name'],
  label: ['label', 'label_index', 'target'],
  split: ['split', 'part', 'subset', 'set'],
  type: ['type', 'defect', 'defect_type'],
  mask: ['mask', 'mask_path'],
} as const;

type Column = keyof typeof columns;

/**
 * Reads a CSV file (RFC 4180, UTF-8, separated by comma, semicolon or tab, with a head). Columns: `path` and, if wanted,
 * `label` (0, 1, a word for normal or anomalous, or a defect's name), `split`, `type`, `mask`; others are passed over.
 * Without `label` and `type` every image is normal.
 * @throws DataError `csv` for a file that is no such table, `csv-rows` with the lines of the bad rows, `no-images`.
 */
export async function readCsvLayout(path: string, words: LayoutWords): Promise<Layout> {
  const { heads, rows } = await readTable(path, decode(path, await readInput(path, 'no-data')));
  if (rows.length === 0)
    throw new DataError('no-images', `${path} has a header but no rows. Add a row for each image.`);
  const at = findColumns(path, heads);
  const root = dirname(path);
  const problems: string[] = [];
  const items: LayoutItem[] = [];
  const lineOf = new Map<string, number>();
  const used = { normal: [] as string[], abnormal: [] as string[], mask: [] };
  for (const { line, fields } of rows) {
    const cell = (column: Column) => fields[at[column] ?? -1]?.trim() ?? '';
    const fault = (problem: string) => problems.push(`line ${line}: ${problem}`);
    if (fields.length !== heads.length) {
      fault(`${fields.length} fields instead of ${heads.length}`);
      continue;
    }
    if (cell('path') === '') {
      fault('no path');
      continue;
    }
    const image = await placeOf(root, cell('path'));
    const before = lineOf.get(image);
    if (before !== undefined) {
      fault(`the image of line ${before} again`);
      continue;
    }
    lineOf.set(image, line);
    const meaning = meaningOf(cell('label'), cell('type'), at, words);
    const split = cell('split');
    const part = split === '' ? undefined : words.part(split);
    const mask = cell('mask') === '' ? undefined : await placeOf(root, cell('mask'));
    if (typeof meaning === 'string') fault(meaning);
    if (split !== '' && !part) fault(`the split "${split}" must be train, validation or test`);
    if (!(await isFile(image))) fault(`the image ${cell('path')} does not exist`);
    if (mask && !(await isFile(mask))) fault(`the mask ${cell('mask')} does not exist`);
    if (typeof meaning === 'string') continue;
    used[meaning.label].push(cell('label'), cell('type'));
    const id = relative(root, image).split(sep).join('/');
    items.push({ path: image, id, part, ...meaning, ...(mask && { mask }) });
  }
  if (problems.length > 0) throw badRows(path, problems);
  const idle = words.idle(used);
  if (idle) {
    throw new ConfigError(
      'layout-name',
      say`${option(['folderNames', idle.meaning], idle.name)} has no effect: no row of ${path} has it as
        ${idle.meaning === 'mask' ? 'a folder; masks are named in its column mask' : 'label or type'}. Leave it out.`,
    );
  }
  items.sort((a, b) => naturalOrder(a.id, b.id));
  const without = at.label === undefined && at.type === undefined ? ', no label column, all normal' : '';
  const what = `CSV file ${basename(path)}${without}`;
  const paged = withPages(items);
  const explanation = explain(what, paged.items, [paged.remark]);
  return { root, kind: 'csv', explanation, items: paged.items, warnings: paged.warnings };
}

/** Label and type of a row, or what is wrong with them. */
function meaningOf(
  label: string,
  type: string,
  at: Partial<Record<Column, number>>,
  words: LayoutWords,
): Pick<LayoutItem, 'label' | 'type'> | string {
  const isAbnormal = (text: string): boolean | undefined => {
    if (/^(0|0\.0|false)$/i.test(text)) return false;
    if (/^(1|1\.0|true)$/i.test(text)) return true;
    if (text === '' || !Number.isNaN(Number(text))) return undefined;
    const known = words.label(text);
    return known && known === 'abnormal';
  };
  const byLabel = at.label === undefined ? undefined : isAbnormal(label);
  if (at.label !== undefined && byLabel === undefined) {
    return `the label "${label}" must be 0, 1, a word such as good or bad, or the name of a defect`;
  }
  const byType = type === '' ? undefined : words.label(type) !== 'normal';
  if (byLabel !== undefined && byType !== undefined && byLabel !== byType) {
    return `the label "${label}" and the type "${type}" contradict each other`;
  }
  if (!(byLabel ?? byType ?? false)) return { label: 'normal', type: 'good' };
  return { label: 'abnormal', type: type || (/^(1|1\.0|true)$/i.test(label) ? 'abnormal' : label) };
}

/** The text of a file in UTF-8, with or without a byte order mark. */
function decode(path: string, bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new DataError('csv', `${path} must be UTF-8 text, but has bytes that are not. Save it as UTF-8.`);
  }
}

/** Head and rows, each with its line in the file. */
async function readTable(
  path: string,
  text: string,
): Promise<{ heads: string[]; rows: { line: number; fields: string[] }[] }> {
  const head = /^[^\r\n]*/.exec(text)![0];
  const marks = [',', ';', '\t'].map((mark) => ({ mark, n: head.split(mark).length }));
  const { parse } = await import('csv-parse/sync'); // only lists of images need it
  const { mark } = marks.reduce((best, next) => (next.n > best.n ? next : best));
  try {
    const options = { delimiter: mark, info: true, relax_column_count: true, skip_empty_lines: true } as const;
    // With `info` each record comes with the line on which it ends.
    const records = parse(text, options) as unknown as { record: string[]; info: { lines: number } }[];
    const [first, ...rest] = records.map(({ record, info }) => ({ line: info.lines, fields: record }));
    if (first) return { heads: first.fields, rows: rest };
  } catch (error) {
    const { message, lines } = error as Error & { lines?: number };
    const where = lines === undefined ? '' : ` (line ${lines})`;
    throw new DataError('csv', `${path} must be a CSV file${where}: ${message.replace(/\.?$/, '.')}`);
  }
  throw new DataError('csv', `${path} must be a CSV file with a header and a row for each image, but it is empty.`);
}

/** Where the columns are. */
function findColumns(path: string, heads: readonly string[]): Partial<Record<Column, number>> {
  const names = heads.map((head) =>
    head
      .trim()
      .toLowerCase()
      .replace(/[\s-]+/g, '_'),
  );
  const at: Partial<Record<Column, number>> = {};
  for (const column of Object.keys(columns) as Column[]) {
    const found = columns[column].map((name) => names.indexOf(name)).find((index) => index >= 0);
    if (found !== undefined) at[column] = found;
  }
  if (at.path !== undefined) return at;
  throw new DataError(
    'csv',
    `${path} must have a column of paths named ${columns.path.slice(0, -1).join(', ')} or ${columns.path.at(-1)}; its header ` +
      `is: ${heads.slice(0, 20).join(', ')}${heads.length > 20 ? ', …' : ''}. Rename the column of paths.`,
  );
}

function badRows(path: string, problems: readonly string[]): DataError {
  const shown = problems.slice(0, 10).join('; ');
  const more = problems.length > 10 ? `; and ${problems.length - 10} more` : '';
  return new DataError(
    'csv-rows',
    `${path} must have an image in each row; these are wrong: ${shown}${more}. Correct them.`,
  );
}

/** Where a cell points to; paths that Windows wrote are read elsewhere too, where no file has such a name. */
async function placeOf(root: string, cell: string): Promise<string> {
  const path = resolve(root, cell);
  return cell.includes('\\') && !(await isFile(path)) ? resolve(root, cell.replaceAll('\\', '/')) : path;
}

const isFile = (path: string) =>
  stat(splitPage(path).file).then(
    (found) => found.isFile(),
    () => false,
  );
