/** A file of rows as it would be read: its columns, its labels and its first rows, with what may be chosen otherwise. Node only. */
import { basename } from 'node:path';
import { DataError, OddityError } from '../../core/errors.ts';
import { propertiesOf, rangeOf } from '../../core/schema.ts';
import { type Words, write } from '../../core/text.ts';
import { rowFilesIn } from '../../data/files/datasets/rows.ts';
import { isTakenAsSeries } from '../../data/files/datasets/series-files.ts';
import { isFolder } from '../../data/files/read-input.ts';
import { openRows } from '../../data/index.ts';
import { columnFacts, type LabelledTable, readTable } from '../../data/table/table.ts';
import type { ReadingAnswer } from '../answers-data.ts';
import { cellsOf } from './read-data.ts';
import { asTableOptions, choicesOf, type Reading, readingSchema } from './reading.ts';

/** Rows that are shown. */
const SHOWN = 8;
/** Values of labels that one can choose among. */
const MOST_LABELS = 60;

/** The options as a form takes them, in the order of the schema. */
const options = Object.entries(propertiesOf(readingSchema)).map(([name, schema]) => ({
  ...{ name, schema, must: rangeOf(schema) },
}));

/** The first file below a path as it is read. What cannot be read so is told in the answer. Throws DataError `not-rows`, and as `openRows`. */
export async function readAs(path: string, reading: Reading, words: Words): Promise<ReadingAnswer> {
  const file = (await isFolder(path)) ? (await rowFilesIn(path))[0] : path;
  if (file === undefined) throw new DataError('not-rows', `${path} holds no file of rows. Choose a table or a series.`);
  const rows = await openRows(file);
  try {
    const read = readTable(rows, asTableOptions(reading, reading.kind));
    const labels = labelsOf(read);
    return {
      ...{ kind: isTakenAsSeries(read, reading) ? 'series' : 'table', reading, options },
      ...{ explanation: read.explanation.replaceAll(file, basename(file)), columns: read.facts, rows: firstRows(read) },
      ...(labels && { labels }),
    };
  } catch (error) {
    if (!(error instanceof OddityError)) throw error;
    const columns = columnFacts(rows, asTableOptions(knownOnly(reading, rows.heads), reading.kind));
    const cells = cellsOf(rows);
    return {
      ...{ kind: reading.kind ?? 'table', reading, options, explanation: '', columns },
      rows: Array.from({ length: Math.min(SHOWN, rows.rows) }, (_, r) => cells(r)),
      fault: { message: write(error.text, words), choices: choicesOf(error.text) },
    };
  }
}

/** Without what is said of columns that there are not, which is the fault that is told. */
const knownOnly = (reading: Reading, heads: readonly string[]): Reading => ({
  ...reading,
  columns: Object.fromEntries(Object.entries(reading.columns ?? {}).filter(([name]) => heads.includes(name))),
});

function labelsOf({ raw, facts, labels, normalClass }: LabelledTable): ReadingAnswer['labels'] {
  const at = facts.findIndex(({ kind }) => kind === 'label');
  if (at < 0) return undefined;
  const texts = raw.texts(at);
  const counts = new Map<string, { count: number; isNormal: boolean }>();
  for (let r = 0; r < raw.rows; r++) {
    const value = texts.values[texts.code(r)];
    const { count = 0 } = counts.get(value) ?? {};
    counts.set(value, { count: count + 1, isNormal: labels[r] === normalClass });
    if (counts.size > MOST_LABELS) return undefined;
  }
  return [...counts].map(([value, one]) => ({ value, ...one })).sort((a, b) => b.count - a.count);
}

/** Numbers and texts as a model takes them; what it does not take as the file has it. */
function firstRows({ raw, facts, table, labels, classes }: LabelledTable): ReadingAnswer['rows'] {
  const cells = cellsOf(raw);
  const width = table.columns.length;
  const places = facts.map(({ name }) => table.columns.findIndex((column) => column.name === name));
  return Array.from({ length: Math.min(SHOWN, raw.rows) }, (_, r) => {
    const own = cells(r);
    return facts.map(({ kind }, c) => {
      if (kind === 'label') return classes[labels[r]];
      const column = table.columns[places[c]];
      if (!column) return own[c];
      const value = table.cells[r * width + places[c]];
      if (column.kind === 'categorical') return column.values[value] || null;
      return Number.isNaN(value) ? null : value;
    });
  });
}
