/**
 * What `exclude` names: intervals of series – two times with a slash between, or a CSV file with a column of begins and one of
 * ends – and lists of images or rows. Node only.
 */
import { readFile } from 'node:fs/promises';
import { csvValue } from '../core/csv.ts';
import { ConfigError, DataError, nearestName } from '../core/errors.ts';
import { type Interval, type IntervalTexts, readIntervals, type Source, type Split } from '../data/index.ts';

/** The intervals. ConfigError `exclude` for texts that are none, DataError `exclude` for a file that cannot be read. */
export async function intervalsOf(given: readonly string[]): Promise<Interval[]> {
  const lists = await Promise.all(
    given.map((text) => (/\.(csv|txt)$/i.test(text) ? fromFile(text) : [fromText(text)])),
  );
  return lists.flatMap((list) => readIntervals(list));
}

function fromText(text: string): IntervalTexts {
  const parts = text.split('/').map((part) => part.trim());
  if (parts.length === 2) return { from: parts[0], to: parts[1], place: text };
  throw new ConfigError(
    'exclude',
    `An interval must be two times with a slash between, as in 2014-01-01T00:00/2014-01-02, or the path of a CSV file; found "${text}".`,
  );
}

async function fromFile(path: string): Promise<IntervalTexts[]> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw new DataError('exclude', `${path} cannot be read: ${(error as NodeJS.ErrnoException).code}. Check the path.`);
  }
  const rows = text
    .replace(/^\ufeff/, '')
    .split(/\r?\n/)
    .map((line) => line.split(/[,;\t]/).map((cell) => cell.trim().replace(/^"|"$/g, '')));
  const lines = rows
    .map((cells, i) => ({ cells, number: i + 1 }))
    .filter(({ cells }) => cells.some((cell) => cell !== ''));
  // The head is no pair of times.
  const [head, ...rest] = lines;
  const isHead = head !== undefined && !/\d/.test(head.cells.slice(0, 2).join(''));
  return (isHead ? rest : lines).map(({ cells, number }) => ({
    from: cells[0],
    to: cells[1] ?? '',
    place: `${path}:${number}`,
  }));
}

/** Ids of the items that files name, in a column `id`. ConfigError `exclude` for texts that are no files of that kind, DataError for others. */
export async function excludedIds(given: readonly string[]): Promise<string[]> {
  const { parse } = await import('csv-parse/sync'); // only lists of items need it
  const lists = given.map(async (path) => {
    const must = `Images and rows are left out by CSV files with a column "id", as oddity writes them`;
    if (!/\.csv$/i.test(path)) throw new ConfigError('exclude', `${must}; found "${path}".`);
    let rows: Record<string, string>[];
    try {
      rows = parse(await readFile(path), { columns: true, bom: true, skip_empty_lines: true });
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      throw new DataError('exclude', `${path} cannot be read: ${code ?? message}. Check the path and the file.`);
    }
    if (rows.length > 0 && rows[0].id === undefined)
      throw new DataError('exclude', `${must}; ${path} has ${Object.keys(rows[0]).join(', ')}.`);
    return rows.map(({ id }) => csvValue(id));
  });
  return (await Promise.all(lists)).flat();
}

/**
 * The split without items of these ids: they neither train nor are held out. Those of the test part stay there, so that
 * nothing that is judged is picked by its looks; the description says how many.
 * @throws DataError `exclude` for ids that no item has, `too-few-items` when no normal item is left.
 */
export function withoutItems(source: Source, split: Split, ids: readonly string[]): Split {
  const leaving = new Set(ids);
  const known = new Set(source.items.map(({ id }) => id));
  const missing = ids.filter((id) => !known.has(id));
  if (missing.length > 0) {
    const near = nearestName(missing[0], [...known]);
    throw new DataError(
      'exclude',
      `${missing.length} of ${ids.length} items to leave out are not in ${source.name}, such as ${missing[0]}.` +
        `${near ? ` Did you mean ${near}?` : ''} Use the list of the same data.`,
    );
  }
  const stays = (item: number) => !leaving.has(source.items[item].id);
  const train = split.train.filter(stays);
  const trainLabels = split.trainLabels.filter((_, k) => stays(split.train[k]));
  if (trainLabels.every((label) => label === 1)) {
    throw new DataError('too-few-items', `${source.name}: no normal items would be left to train on. Leave out fewer.`);
  }
  const validation = split.validation.filter(stays);
  const gone = split.train.length - train.length + split.validation.length - validation.length;
  const tested = split.test.filter((item) => !stays(item)).length;
  const note = `${gone} items were left out of training${tested > 0 ? `; ${tested} more of the list stay in the test part` : ''}.`;
  return {
    ...split,
    ...{ train, trainLabels, validation },
    contaminants: split.contaminants.filter(stays),
    description: `${split.description} ${note}`,
  };
}
