/** The cells of rows and the steps of series, from their files: read once and kept while the files are the same. Node only. */
import { stat } from 'node:fs/promises';
import { openRows, seriesFromTable } from '../../data/index.ts';
import type { Series } from '../../data/pure.ts';
import { readTable } from '../../data/table/table.ts';
import type { ItemFacts, SeriesView } from '../answers-data.ts';
import type { Project } from '../project.ts';
import { stretchesOf } from './edits.ts';
import { fullPath } from './places.ts';
import { cellsOf } from './read-data.ts';
import { asTableOptions, type Reading, readingOf } from './reading.ts';

/** A file that was read last, and what it was then. */
interface Held<T> {
  readonly stamp: string;
  readonly value: Promise<T>;
}

/** Keeps what was made of a few files, the oldest out first. */
function keeper<T>(most: number, make: (path: string, reading: Reading) => Promise<T>) {
  const held = new Map<string, Held<T>>();
  return async (path: string, reading: Reading): Promise<T> => {
    const { mtimeMs, size } = await stat(path).catch(() => ({ mtimeMs: 0, size: 0 })); // reading says what is missing
    const stamp = `${mtimeMs} ${size} ${JSON.stringify(reading)}`;
    const before = held.get(path);
    if (before?.stamp === stamp) return before.value;
    held.delete(path);
    const value = make(path, reading);
    held.set(path, { stamp, value });
    if (held.size > most) held.delete(held.keys().next().value!);
    value.catch(() => held.delete(path));
    return value;
  };
}

interface OpenTable {
  readonly heads: readonly string[];
  /** Cells by the line, or the number, of the row. */
  cells(line: number): readonly string[];
}

const openTable = keeper(4, async (path, reading): Promise<OpenTable> => {
  const { raw, facts } = readTable(await openRows(path), asTableOptions(reading, 'table'));
  // Labels and parts are those of the items, which a person may have changed since.
  const shown = raw.heads.flatMap((name, c) => {
    const kind = facts.find((one) => one.name === name)?.kind;
    return kind === 'label' || kind === 'part' ? [] : [c];
  });
  const rowOf = new Map(Array.from(raw.numbers, (line, row) => [line, row]));
  const cells = cellsOf(raw);
  return {
    heads: shown.map((c) => raw.heads[c]),
    cells(line) {
      const row = rowOf.get(line);
      if (row === undefined) return [];
      const all = cells(row);
      return shown.map((c) => all[c]);
    },
  };
});

/** The columns of a project of rows, and the cells of its items. */
export async function rowsOf(project: Project): Promise<{
  readonly columns: readonly string[];
  valuesOf(item: Pick<ItemFacts, 'path' | 'line'>): Promise<readonly string[]>;
}> {
  const first = project.database.prepare('SELECT path FROM items ORDER BY id LIMIT 1').get() as
    | { path: string }
    | undefined;
  const reading = readingOf(project);
  const { heads } = first ? await openTable(fullPath(project, first.path), reading) : { heads: [] };
  return {
    columns: heads,
    valuesOf: async ({ path, line }) => (await openTable(fullPath(project, path), reading)).cells(line),
  };
}

/** A series as its file has it, with its rows in the order of their times. */
export const openSteps = keeper(4, async (path, reading): Promise<Series> => {
  const read = readTable(await openRows(path), asTableOptions(reading, 'series'));
  return seriesFromTable(read).series;
});

/** Steps `from` … `to` − 1 of a series in `width` columns: of each the lowest and the highest value. */
export async function seriesView(
  project: Project,
  item: Pick<ItemFacts, 'id' | 'path' | 'name'>,
  { from = 0, to, width }: { readonly from?: number; readonly to?: number; readonly width: number },
): Promise<SeriesView> {
  const { channels, values, times } = await openSteps(fullPath(project, item.path), readingOf(project));
  const steps = values.length / channels.length;
  const first = Math.min(Math.max(0, from), steps - 1);
  const end = Math.min(Math.max(first + 1, to ?? steps), steps);
  const columns = Math.min(width, end - first);
  return {
    ...{ id: item.id, name: item.name, steps, from: first, to: end },
    ...(times && { times: [times[first], times[end - 1]] as const }),
    channels: channels.map((name, c) => {
      const low: (number | null)[] = [];
      const high: (number | null)[] = [];
      for (let i = 0; i < columns; i++) {
        let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
        const begin = first + Math.floor((i * (end - first)) / columns);
        const stop = first + Math.floor(((i + 1) * (end - first)) / columns);
        for (let t = begin; t < Math.max(stop, begin + 1); t++) {
          const value = values[t * channels.length + c];
          if (Number.isNaN(value)) continue;
          least = Math.min(least, value);
          most = Math.max(most, value);
        }
        low.push(Number.isFinite(least) ? least : null);
        high.push(Number.isFinite(most) ? most : null);
      }
      return { name, low, high };
    }),
    stretches: stretchesOf(project.database, item.id),
  };
}
