/** What a file of this folder exports – sets of series by name – and how their files are read. Node only. */
import { readdirSync, statSync } from 'node:fs';
import { DataError, unknownName } from '../../../../core/errors.ts';
import { gunzip } from '../../../formats/gzip.ts';
import { clockChanges, withoutChanges, withoutStops } from '../../../series/clock-changes.ts';
import type { Series } from '../../../series/series.ts';
import { profile, readTimes } from '../../../table/profile.ts';
import { openRows } from '../../open-rows.ts';
import { readInput } from '../../read-input.ts';
import type { Dataset } from '../dataset.ts';

/** Series of one name, such as `nab/nyc_taxi`, as their files have them: gaps and missing values are still there. */
export interface SeriesSet {
  readonly series: readonly Series[];
  readonly title: string;
  readonly licence: string;
}

/** A collection of series, each or each few a task of its own. */
export interface SeriesDataset extends Pick<Dataset, 'name' | 'title' | 'licence' | 'origin'> {
  /** A name behind the slash that is meant where none is given and no files are there. */
  readonly example: string;
  /** The names behind the slash, by the files that are below a data root; none where there are no files. */
  categoriesAt(root: string): readonly string[];
  /**
   * Reads the series of one name.
   * @throws DataError `missing-data` (says where it looked), those of the format; ConfigError `unknown-category`.
   */
  read(category: string, root: string): Promise<SeriesSet>;
}

/** Names of the files in a folder in natural order, without `.gz`; none where there is no such folder. */
export function fileNames(folder: string): string[] {
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) return [];
  const names = readdirSync(folder).map((name) => name.replace(/\.gz$/, ''));
  return [...new Set(names)].sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
}

/** Throws ConfigError `unknown-category` where there are others, but not this one; passes where there are none at all. */
export function requireCategory(dataset: SeriesDataset, category: string, root: string): void {
  const known = dataset.categoriesAt(root);
  if (known.length > 0 && !known.includes(category)) throw unknownName('category', category, known, 'data');
}

/** Numbers of a text file, apart by white space. Throws DataError `not-numbers` with the first that is none. */
export async function readNumbers(path: string): Promise<Float64Array> {
  const bytes = await gunzip(await readInput(path, 'missing-data'), path);
  const words = new TextDecoder().decode(bytes).split(/\s+/);
  const cells = words.filter((word) => word !== '');
  const numbers = Float64Array.from(cells, (word) => (/^[+-]?nan$/i.test(word) ? Number.NaN : Number(word)));
  const odd = cells.findIndex((word, i) => Number.isNaN(numbers[i]) && !/^[+-]?nan$/i.test(word));
  if (odd < 0 && numbers.length > 0) return numbers;
  throw new DataError(
    'not-numbers',
    odd < 0
      ? `${path} must hold numbers, one a line, but is empty. Fetch it again.`
      : `${path} must hold numbers, one a line, but value ${odd + 1} is "${cells[odd].slice(0, 40)}". Correct it.`,
  );
}

/** What the columns of a file of series are. */
export interface SeriesColumns {
  readonly label?: string;
  readonly time?: string;
  /** Left out. */
  readonly others?: readonly string[];
}

/**
 * Reads a file of rows whose columns are known: step after step in the order of the file. Times are left out where they do
 * not go on even when daylight saving and clocks that stood still are undone; `written` are those of the file.
 * @throws DataError `not-numbers`, `missing-column`, those of `openRows`.
 */
export async function readColumns(
  path: string,
  id: string,
  { label, time, others = [] }: SeriesColumns,
): Promise<Series & { readonly written?: Float64Array }> {
  const raw = await openRows(path);
  for (const name of [label, time]) {
    if (name === undefined || raw.heads.includes(name)) continue;
    throw new DataError(
      'missing-column',
      `${path} must have a column ${name}; it has ${raw.heads.slice(0, 8).join(', ')}.`,
    );
  }
  const channels = raw.heads.filter((name) => name !== label && name !== time && !others.includes(name));
  const numbers = (name: string) => {
    const { numbers: found, badCount, bad, rows } = profile(raw, raw.heads.indexOf(name));
    if (found && badCount === 0) return found;
    const place = bad[0] ? `, but ${raw.where(bad[0].row)} has "${bad[0].text}"` : ', but it holds texts or nothing';
    throw new DataError(
      'not-numbers',
      `${path} must have numbers in the column ${name}, at least one of ${rows}${place}. Fetch it again.`,
    );
  };
  const columns = channels.map(numbers);
  const values = new Float64Array(raw.rows * channels.length);
  for (const [d, column] of columns.entries()) {
    for (let t = 0; t < raw.rows; t++) values[t * channels.length + d] = column[t];
  }
  const labels = label === undefined ? undefined : Uint8Array.from(numbers(label), (value) => Number(value !== 0));
  const written = time === undefined ? undefined : readTimes(profile(raw, raw.heads.indexOf(time)));
  const times = written && goingOn(written);
  return {
    ...{ id, channels, values, rows: raw.numbers },
    ...(labels && { labels }),
    ...(times && { times }),
    ...(written && { written }),
  };
}

/** Times that rise strictly, once what clocks do is undone; undefined where they do not. */
function goingOn(written: Float64Array): Float64Array | undefined {
  if (written.some(Number.isNaN)) return undefined;
  const moved = withoutChanges(written, clockChanges(written));
  const rises = (times: Float64Array, equal: boolean) =>
    times.every((time, t) => t === 0 || time > times[t - 1] || (equal && time === times[t - 1]));
  if (!rises(moved, true)) return undefined;
  const { times } = withoutStops(moved);
  return rises(times, false) ? times : undefined;
}

/**
 * Labels of `steps` steps that are 1 in these intervals, their ends not included.
 * @throws DataError `label-interval` for one that reaches beyond the steps or is empty.
 */
export function labelsIn(steps: number, intervals: readonly (readonly [number, number])[], name: string): Uint8Array {
  const labels = new Uint8Array(steps);
  for (const [begin, end] of intervals) {
    if (!(begin >= 0 && begin < end && end <= steps)) {
      throw new DataError(
        'label-interval',
        `${name} has ${steps} steps, so that an anomaly must lie from 0 to ${steps}, but one is said to lie from ${begin} to ${end}. ` +
          'Take the labels and the series from the same place.',
      );
    }
    labels.fill(1, begin, end);
  }
  return labels;
}

/** The first `train` steps are for training. Throws DataError `train-end` where there are fewer, or none would be left. */
export function requireTrain(steps: number, train: number, name: string): number {
  if (train > 0 && train < steps) return train;
  throw new DataError(
    'train-end',
    `${name} has ${steps} steps, of which by its name ${train} are for training; these must be fewer than all, and at least 1. ` +
      'The file may be cut off: fetch it again.',
  );
}
