/**
 * `feedback.jsonl` and the folder `feedback/` of a run: what people said of items, one JSON object a line, in the order in which it was
 * said; the last word on an item counts. Lines are only ever added, each in one piece and flushed, so that whoever is killed loses
 * nothing that was acknowledged and two processes do not disturb each other. Images are kept as copies. Node only.
 */
import { copyFile, mkdir, open, rename, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import * as z from 'zod';
import { DataError } from '../core/errors.ts';
import { parseStored } from '../core/stored.ts';
import { readIfThere, writeFailure } from './files.ts';
import { runFiles } from './run-files.ts';

/** What a person can say of an item. */
export const feedbackLabels = ['normal', 'anomalous'] as const;
/** What somebody says that an item is. */
export type FeedbackLabel = (typeof feedbackLabels)[number];

const imageSchema = z.looseObject({
  kind: z.literal('image'),
  path: z.string(),
  page: z.int().min(1).optional(),
  file: z.string().regex(/^[0-9a-f]{16}-[^/\\]+$/, 'the name of a copy'),
});
const rowSchema = z.looseObject({
  kind: z.literal('table'),
  path: z.string(),
  line: z.int().min(1),
  cells: z.record(z.string(), z.string()),
});
const stepsSchema = z.looseObject({
  kind: z.literal('series'),
  path: z.string(),
  lines: z.tuple([z.int().min(1), z.int().min(1)]),
});

/** An image: where it lay, the page of a file of several, and its copy in the folder `feedback` of the run. */
export interface FeedbackImage {
  readonly kind: 'image';
  readonly path: string;
  readonly page?: number;
  readonly file: string;
}

/** A row: where it stood, by its line or its number from 1, and what its cells held by the names of their columns. */
export interface FeedbackRow {
  readonly kind: 'table';
  readonly path: string;
  readonly line: number;
  readonly cells: Readonly<Record<string, string>>;
}

/** Steps of a series: its file, and the first and last line, or numbers from 1. */
export interface FeedbackSteps {
  readonly kind: 'series';
  readonly path: string;
  readonly lines: readonly [first: number, last: number];
}

/** What somebody said something of. */
export type FeedbackItem = FeedbackImage | FeedbackRow | FeedbackSteps;

/** What was last said of an item. */
export interface FeedbackEntry {
  /** sha256 of the content, and of the page of an image: the same item has the same key wherever it lies. */
  readonly key: string;
  readonly label: FeedbackLabel;
  /** When it was said, ISO 8601. */
  readonly time: string;
  readonly item: FeedbackItem;
}

/** A line: a word on an item, or null where it was taken back. */
export type FeedbackLine = Omit<FeedbackEntry, 'label'> & { readonly label: FeedbackLabel | null };

const lineSchema = z.looseObject({
  key: z.string().regex(/^[0-9a-f]{64}$/, 'a sha256'),
  label: z.enum(feedbackLabels).nullable(),
  time: z.string(),
  item: z.discriminatedUnion('kind', [imageSchema, rowSchema, stepsSchema]),
});

/**
 * What counts of a run's feedback, in the order in which it was last said. A line that is no whole JSON is of a process that was
 * killed while it wrote, and is passed over.
 * @throws DataError `feedback-damaged` for lines of another kind.
 */
export async function readFeedback(folder: string): Promise<FeedbackEntry[]> {
  const path = runFiles(folder).feedback;
  const bytes = await readIfThere(path);
  const found = new Map<string, FeedbackEntry>();
  for (const [i, text] of new TextDecoder().decode(bytes).split('\n').entries()) {
    const value = parsed(text);
    if (value === undefined) continue;
    const line = parseStored(
      lineSchema,
      value,
      (what) =>
        new DataError(
          'feedback-damaged',
          `${path} must hold feedback, one JSON object a line, but of line ${i + 1} ${what}. Mend or delete that line.`,
        ),
    ) as FeedbackLine;
    found.delete(line.key);
    if (line.label !== null) found.set(line.key, { ...line, label: line.label });
  }
  return [...found.values()];
}

function parsed(text: string): object | undefined {
  try {
    const value = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Adds lines; when this returns they are on the disk. Throws DataError `disk`, `unwritable`. */
export async function addFeedback(folder: string, lines: readonly FeedbackLine[]): Promise<void> {
  if (lines.length === 0) return;
  const path = runFiles(folder).feedback;
  await readIfThere(path); // refuses what is no file
  try {
    const file = await open(path, 'a+');
    try {
      // What a killed process left of a line stays a line of its own.
      const { size } = await file.stat();
      const last = size > 0 ? (await file.read(new Uint8Array(1), 0, 1, size - 1)).buffer[0] : 10;
      const text = lines.map((line) => `${JSON.stringify(line)}\n`).join('');
      await file.appendFile(last === 10 ? text : `\n${text}`);
      await file.datasync();
    } finally {
      await file.close();
    }
  } catch (error) {
    throw writeFailure(error, path);
  }
}

/** Copies an image into the folder of feedback, whole or not at all, and returns its name there. */
export async function keepImage(folder: string, path: string, hash: string): Promise<string> {
  const name = `${hash.slice(0, 16)}-${basename(path).slice(-200)}`;
  await copyWhole(path, runFiles(folder).feedbackItems, name);
  return name;
}

async function copyWhole(from: string, folder: string, name: string): Promise<void> {
  const beside = join(folder, `${name}.tmp`);
  try {
    await mkdir(folder, { recursive: true });
    await copyFile(from, beside);
    const file = await open(beside, 'r+');
    await file.sync().finally(() => file.close());
    await rename(beside, join(folder, name));
  } catch (error) {
    await rm(beside, { force: true }).catch(() => {});
    throw writeFailure(error, join(folder, name));
  }
}

/** Where the image of an entry is read: its copy, with the page of a file of several. */
export const copyOf = (folder: string, { file, page }: FeedbackImage): string =>
  join(runFiles(folder).feedbackItems, file) + (page === undefined ? '' : `:${page}`);

/** Where an item lay, as a person names it. */
export function placeOf(item: FeedbackItem): string {
  if (item.kind === 'image') return item.page === undefined ? item.path : `${item.path}:${item.page}`;
  if (item.kind === 'table') return `${item.path}:${item.line}`;
  const [first, last] = item.lines;
  return `${item.path}:${first === last ? first : `${first}-${last}`}`;
}

/** Takes the feedback on a run along to another one, where nothing was said of an item there. */
export async function carryFeedback(from: string, to: string): Promise<void> {
  const known = new Set((await readFeedback(to)).map(({ key }) => key));
  const entries = (await readFeedback(from)).filter(({ key }) => !known.has(key));
  for (const { item } of entries) {
    if (item.kind !== 'image') continue;
    await copyWhole(join(runFiles(from).feedbackItems, item.file), runFiles(to).feedbackItems, item.file);
  }
  await addFeedback(to, entries);
}
