/**
 * Features of the items of a project, by which those that are alike lie near each other. A job makes them once for what there is, and
 * labels change nothing of it; the page lays them out. Images and rows only: series and clips have no single row of features. Node only.
 */
import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ConfigError } from '../../core/errors.ts';
import { splitPage } from '../../data/files/page-path.ts';
import { sha256 } from '../../data/hash.ts';
import type { EmbeddedItems } from '../../jobs/embed.ts';
import { writeAtomic, writeJson } from '../../runs/files.ts';
import { Problem } from '../../server/problem.ts';
import type { SimilarFacts, SimilarItem } from '../answers-similar.ts';
import { readFact } from '../facts.ts';
import { type Project, projectFiles } from '../project.ts';
import { brokenItems } from './findings.ts';
import { fullPath } from './places.ts';
import { itemsFile, itemsOfData, type VersionItems } from './run-items.ts';
import { sampleEvenly } from './sample-evenly.ts';
import { field, tableOfRows, type VersionRow } from './versions.ts';

/** Items of one map, at most: more are neither told apart by eye nor laid out in a time that one waits for. */
const MOST = 5000;
/** Goes up when features are made in another way. */
const WAY = 1;

interface Content {
  readonly kind: 'image' | 'table';
  readonly key: string;
  /** Without labels and parts, and only those whose files are there and whole. */
  readonly rows: readonly VersionRow[];
  /** The others of those that were chosen. */
  readonly missing: number;
  readonly all: number;
  readonly files: { readonly list: string; readonly ids: string; readonly features: string };
}

/** How the map stands. Throws ConfigError `no-map` for series, clips and projects without items. */
export async function similarOf(project: Project): Promise<SimilarFacts> {
  const { key, rows, missing, all, files } = await contentOf(project);
  const job = (await project.queue.list()).find(
    ({ kind, options }) => kind === 'embed' && options.out === files.features,
  );
  const { error, endedAt } = job ?? {};
  return {
    ...{ key, all, taken: rows.length, missing, isReady: existsSync(files.features) },
    ...(job && {
      job: { id: job.id, state: job.state, ...(error && { error: error.message }), ...(endedAt && { endedAt }) },
    }),
  };
}

/** Begins the job that makes the features, unless they are there or one is at it. Throws as `similarOf`. */
export async function beginSimilar(project: Project): Promise<SimilarFacts> {
  const { kind, rows, files } = await contentOf(project);
  const atWork = (await project.queue.list()).filter(
    (job) => job.kind === 'embed' && (job.state === 'waiting' || job.state === 'running'),
  );
  const isBusy = atWork.some(({ options }) => options.out === files.features);
  if (!isBusy && !existsSync(files.features)) {
    // Features of what there was before are of no use any more.
    if (atWork.length === 0) await rm(dirname(files.features), { recursive: true, force: true });
    await mkdir(dirname(itemsFile(files.list)), { recursive: true });
    if (kind === 'table') {
      const { files: written, items, reading } = await tableOfRows(project, rows);
      await writeJson(itemsFile(files.list), items satisfies VersionItems);
      await writeAtomic(files.list, written[0].text);
      await project.queue.add('embed', { data: files.list, kind, out: files.features, items: files.ids, ...reading });
    } else {
      const paths = rows.map(({ path }) => field(fullPath(project, path)));
      await writeAtomic(files.list, `path\n${paths.join('\n')}\n`);
      await project.queue.add('embed', { data: files.list, kind, out: files.features, items: files.ids });
    }
  }
  return similarOf(project);
}

/** The items of the map as they are now. Throws as `featuresOf`. */
export async function itemsOfSimilar(project: Project): Promise<SimilarItem[]> {
  const { ids } = await readFeatures(project);
  const rows = project.database
    .prepare('SELECT id, name, label FROM items WHERE id IN (SELECT value FROM json_each(?))')
    .all(JSON.stringify(ids)) as SimilarItem[];
  const byId = new Map(rows.map((row) => [row.id, row]));
  return ids.flatMap((id) => byId.get(id) ?? []);
}

/**
 * Count and width (uint32), ids of items (uint32 each), features (float32, `[count, width]`), all little-endian. Throws Problem 404 where
 * they are not made yet.
 */
export async function featuresOf(project: Project): Promise<Uint8Array<ArrayBuffer>> {
  const { ids, width, rows } = await readFeatures(project);
  const bytes = new Uint8Array(8 + 4 * ids.length + rows.reduce((sum, { length }) => sum + length, 0));
  const view = new DataView(bytes.buffer);
  view.setUint32(0, ids.length, true);
  view.setUint32(4, width, true);
  for (const [i, id] of ids.entries()) view.setUint32(8 + 4 * i, id, true);
  for (const [i, row] of rows.entries()) bytes.set(row, 8 + 4 * ids.length + i * 4 * width);
  return bytes;
}

async function readFeatures(project: Project) {
  const { files } = await contentOf(project);
  if (!existsSync(files.features))
    throw new Problem(404, 'no-features', 'The items are not compared yet. Make the map first.');
  const [bytes, told] = await Promise.all([readFile(files.features), readFile(files.ids, 'utf8')]);
  const { ids, width } = JSON.parse(told) as EmbeddedItems;
  const items = await itemsOfData(project, ids, files.list);
  const there = [...items.keys()].filter((i) => items[i] !== undefined);
  return {
    ids: there.map((i) => items[i]!),
    width,
    rows: there.map((i) => bytes.subarray(4 * i * width, 4 * (i + 1) * width)),
  };
}

/** What is compared, and where that is kept: by a name that changes with the items and their files, and not with their labels. */
async function contentOf(project: Project): Promise<Content> {
  const { database, folder } = project;
  const known = readFact(project, 'kind');
  const kind = (['image', 'table'] as const).find((one) => one === known);
  if (!kind)
    throw new ConfigError('no-map', 'A map of similar items is made of images and of rows. This project has neither.');
  const ids = (database.prepare('SELECT id FROM items ORDER BY id').all() as { id: number }[]).map(({ id }) => id);
  const chosen = sampleEvenly(ids, MOST);
  const rows = database
    .prepare(
      `SELECT id, path, line, name, NULL AS label, NULL AS type, NULL AS split, NULL AS mask FROM items
       WHERE id IN (SELECT value FROM json_each(?)) ORDER BY id`,
    )
    .all(JSON.stringify(chosen)) as VersionRow[];
  const stamps = new Map<string, string | undefined>();
  for (const path of new Set(rows.map((row) => splitPage(fullPath(project, row.path)).file))) {
    const found = await stat(path).catch(() => undefined);
    stamps.set(path, found && `${found.mtimeMs} ${found.size}`);
  }
  const stampOf = ({ path }: VersionRow) => stamps.get(splitPage(fullPath(project, path)).file);
  const broken = brokenItems(project);
  const there = rows.filter((row) => !broken.has(row.id) && stampOf(row) !== undefined);
  const made = [WAY, readFact(project, 'reading'), ...there.map((row) => [row.id, row.path, row.line, stampOf(row)])];
  const key = (await sha256(JSON.stringify(made))).slice(0, 16);
  const at = (ending: string) => join(projectFiles(folder).cache, 'similar', `${key}${ending}`);
  const files = { list: at('.csv'), ids: at('.json'), features: at('.f32') };
  return { kind, key, rows: there, missing: rows.length - there.length, all: ids.length, files };
}
