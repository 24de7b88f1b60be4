/**
 * How the files of rows of a project are read, as a person said it: which column holds the labels and which of its values are normal,
 * what columns are or that they are left out, words for missing values, the decimal mark. Options of a run, kept for the whole
 * project, whose files have the same columns: its items, its versions and so its trainings follow from them.
 */
import * as z from 'zod';
import type { OptionReference, Text } from '../../core/text.ts';
import { type TableChoice, tableOptions } from '../../data/files/datasets/rows.ts';
import type { TableOptions } from '../../data/table/table.ts';
import { runOptions } from '../../runs/options.ts';
import type { ReadingChoice } from '../answers-data.ts';
import { readFact } from '../facts.ts';
import type { Project } from '../project.ts';

const { columns, missing, decimal, folderNames } = runOptions.shape;

/** The options of a run that say how files of rows are read, as a page gives them. */
export const readingSchema = z.strictObject({
  ...{ columns, missing, decimal, folderNames },
  kind: z.enum(['table', 'series']).optional(),
});
export type Reading = z.output<typeof readingSchema>;

export const readingOf = (project: Project): Reading => readFact(project, 'reading') ?? {};

/** As reading a file takes them. */
export const asTableOptions = (reading: Reading, kind?: TableChoice['kind']): TableOptions =>
  tableOptions({ ...reading, ...(kind && { kind }) });

/** What a sentence proposes to set: its references to such options. Without a value the choice is a person's. */
export function choicesOf(text: Text): ReadingChoice[] {
  const found = text.flatMap((part) => (typeof part === 'object' && 'option' in part ? [choiceOf(part)] : []));
  const known = found.filter((one) => one !== undefined);
  return known.filter((one, i) => known.findIndex((other) => JSON.stringify(other) === JSON.stringify(one)) === i);
}

const isPlaceholder = (value: unknown) => typeof value === 'string' && /^<.*>$/.test(value);

function choiceOf({ option: path, value }: OptionReference): ReadingChoice | undefined {
  if (!Object.hasOwn(readingSchema.shape, path[0])) return undefined;
  return path.some(isPlaceholder) || isPlaceholder(value) || value === undefined ? { path } : { path, value };
}

/** A reading with one thing set as a sentence proposes it. */
export function withChoice(reading: Reading, { path: [name, key], value }: ReadingChoice): Reading {
  if (value === undefined) return reading;
  if (name === 'columns') {
    // There is one column of labels.
    const others = Object.entries(reading.columns ?? {}).filter(([, kind]) => value !== 'label' || kind !== 'label');
    return readingSchema.parse({ ...reading, columns: { ...Object.fromEntries(others), [key]: value } });
  }
  if (name === 'missing') {
    const words = String(value).split(',');
    return { ...reading, missing: [...new Set([...(reading.missing ?? []), ...words])] };
  }
  return readingSchema.parse({ ...reading, [name]: value });
}
