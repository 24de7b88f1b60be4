/** Stated intervals as options name them: two times with a slash between, or a CSV file with a column of begins and one of ends. Node only. */
import { readFile } from 'node:fs/promises';
import { ConfigError, DataError } from '../core/errors.ts';
import { type Interval, type IntervalTexts, readIntervals } from '../data/index.ts';

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
