/** What is predicted as numbered parts, each scored by itself: a few image files, or a block of rows. */
import { createHash } from 'node:crypto';
import { Cancelled, DataError, OddityError, RuntimeUnavailable } from '../core/errors.ts';
import { type Listener, silent } from '../core/events.ts';
import { itemSize } from '../core/item-shape.ts';
import {
  type BlockOfRows,
  checkColumns,
  listImages,
  listNamedIn,
  openRowBlocks,
  pagePaths,
  type RowBlocks,
} from '../data/index.ts';
import type { Detector } from '../engine/scoring/detector.ts';
import { joinFacts, type RowFacts } from '../engine/scoring/rows.ts';
import { scoreBatch } from '../engine/scoring/stream.ts';
import type { ReadItem } from '../kinds/index.ts';
import { stored } from './folder.ts';
import { type Prediction, tellRemarks } from './predict.ts';
import { type PendingRows, type ScoredItems, scoreRows } from './score-rows.ts';

/** An input in parts. */
export interface PartedInput {
  /** Parts. */
  readonly total: number;
  /** sha256 over what is scored: paths of images, names and contents of files of rows. */
  readonly hash: string;
  /** What its items are called. */
  readonly unit: string;
  /** Items in the parts before one. */
  itemsBefore(part: number): number;
  /** Scores the parts from one to before another; each gives one result. */
  score(from: number, to: number): AsyncGenerator<ScoredItems>;
}

/** What is named, and who hears of it. */
export interface PartsOptions {
  readonly items?: readonly string[];
  readonly list?: string;
  readonly onEvent?: Listener;
  readonly signal?: AbortSignal;
}

/** Image files of a part, which are the images of one call of the model where each file is one. */
const FILES = 16;

/** Image files. A million of them are listed, not held. */
export async function imageParts(detector: Detector, options: PartsOptions): Promise<PartedInput> {
  const { items = [], list, signal } = options;
  const { count, hash, paths } =
    list === undefined ? await listImages(items, options) : await listNamedIn(list, options);
  return {
    total: Math.ceil(count / FILES),
    hash,
    unit: 'image',
    itemsBefore: (part) => Math.min(count, part * FILES),
    async *score(from, to) {
      const walk = paths(from * FILES);
      const begin = async (part: number) => {
        const files = await take(walk, Math.min(FILES, count - part * FILES));
        const pages = files.flatMap(pagePaths);
        return { pages, first: readImages(detector, pages.slice(0, FILES)) };
      };
      try {
        let coming = begin(from);
        for (let part = from; part < to; part++) {
          if (signal?.aborted) throw new Cancelled();
          const { pages, first } = await coming;
          const read = await first;
          if (part + 1 < to) coming = begin(part + 1);
          coming.catch(() => {}); // heard when it is awaited
          const found = { predictions: [] as Prediction[], failed: [] as Failed[] };
          for (let at = 0; at < pages.length; at += FILES) {
            const now = at === 0 ? read : await readImages(detector, pages.slice(at, at + FILES));
            await scoreImages(detector, now, found, signal);
          }
          yield found;
        }
      } finally {
        await walk.return(undefined);
      }
    },
  };
}

type Failed = ScoredItems['failed'][number];

/** The next paths. Throws DataError `files-changed` where there are fewer than were counted. */
async function take(walk: AsyncGenerator<string>, count: number): Promise<string[]> {
  const taken: string[] = [];
  while (taken.length < count) {
    const { done, value } = await walk.next();
    if (!done) taken.push(value);
    else
      throw new DataError(
        'files-changed',
        'The files to score must stay as they are until all are scored, but some were removed meanwhile. Repeat the command.',
      );
  }
  return taken;
}

interface ReadImages {
  readonly good: readonly { readonly path: string; readonly item: ReadItem }[];
  readonly failed: readonly Failed[];
}

/** Reads images, all at once; never rejects but without a decoder. */
async function readImages(detector: Detector, pages: readonly string[]): Promise<ReadImages> {
  const results = await Promise.allSettled(pages.map((path) => detector.read(path)));
  const good: { path: string; item: ReadItem }[] = [];
  const failed: Failed[] = [];
  for (const [i, result] of results.entries()) {
    if (result.status === 'fulfilled') good.push({ path: pages[i], item: result.value });
    else if (result.reason instanceof RuntimeUnavailable) throw result.reason;
    else failed.push({ path: pages[i], ...stored(result.reason) });
  }
  return { good, failed };
}

async function scoreImages(
  detector: Detector,
  { good, failed }: ReadImages,
  found: { predictions: Prediction[]; failed: Failed[] },
  signal?: AbortSignal,
): Promise<void> {
  const size = itemSize(detector.shape);
  const values = new Float32Array(good.length * size);
  for (const [i, { item }] of good.entries()) values.set(item.values, i * size);
  const batch = await detector.score(values, good.length, { signal });
  found.failed.push(...failed);
  for (const [i, { path, item }] of good.entries()) {
    try {
      const {
        map: _,
        mapShape: __,
        values: ___,
        reconstruction: ____,
        size,
        ...said
      } = detector.describe(item, batch, i);
      found.predictions.push({ path, ...said, regions: said.regions ?? [], imageSize: size });
    } catch (error) {
      found.failed.push({ path, ...stored(error) });
    }
  }
}

/** Calls of the model that a part of a table is. */
const CALLS = 4;

/** A file of rows with its place among the parts. */
interface RowFile {
  readonly path: string;
  readonly first: number;
  readonly parts: number;
  /** Rows of the files before. */
  readonly rowsBefore: number;
  readonly opened: RowBlocks | { readonly fault: Failed; readonly rows: 0; readonly hash: string };
}

/** Files of rows, each looked at once before any row is scored; a file that cannot be read is one part, which says so. */
export async function rowParts(detector: Detector, options: PartsOptions): Promise<PartedInput> {
  const { items = [], list, onEvent = silent, signal } = options;
  const { info } = detector;
  const paths = list === undefined ? [...items] : [];
  if (list !== undefined) for await (const path of (await listNamedIn(list, options)).paths()) paths.push(path);
  const size = CALLS * scoreBatch(info.shape);
  const hash = createHash('sha256');
  const files: RowFile[] = [];
  let [parts, rows] = [0, 0];
  for (const path of paths) {
    const opened = await openedRows(detector, path, { size, onEvent, signal });
    hash.update(`${path}\n${opened.hash}\n`);
    const own = Math.max(1, Math.ceil(opened.rows / size));
    files.push({ path, first: parts, parts: own, rowsBefore: rows, opened });
    parts += own;
    rows += opened.rows;
  }
  return {
    total: parts,
    hash: hash.digest('hex'),
    unit: 'row',
    itemsBefore(part) {
      const file = files.findLast(({ first }) => first <= part);
      return file ? file.rowsBefore + Math.min(file.opened.rows, (part - file.first) * size) : 0;
    },
    async *score(from, to) {
      for (const file of files) {
        const [begin, end] = [Math.max(from - file.first, 0), Math.min(to - file.first, file.parts)];
        if (begin >= end) continue;
        if ('fault' in file.opened) yield { predictions: [], failed: [file.opened.fault] };
        else if (file.opened.rows === 0) yield { predictions: [], failed: [] };
        else yield* scoreBlocks(detector, file.path, file.opened, { begin, end, size, onEvent, signal });
      }
    },
  };
}

async function openedRows(
  { info: { table } }: Detector,
  path: string,
  options: { size: number; onEvent: Listener; signal?: AbortSignal },
): Promise<RowFile['opened']> {
  try {
    const opened = await openRowBlocks(path, options);
    checkColumns({ file: path, heads: opened.heads }, table!);
    return opened;
  } catch (error) {
    return { fault: { path, ...faultOf(error) }, rows: 0, hash: faultOf(error).code };
  }
}

/** What is said of data that cannot be read; throws anything else. */
function faultOf(error: unknown) {
  if (!(error instanceof OddityError) || error.name !== 'DataError') throw error;
  return stored(error);
}

/** Scores blocks of a file; the next one is read while the last one is scored. */
async function* scoreBlocks(
  detector: Detector,
  path: string,
  opened: RowBlocks,
  {
    begin,
    end,
    size,
    onEvent,
    signal,
  }: { begin: number; end: number; size: number; onEvent: Listener; signal?: AbortSignal },
): AsyncGenerator<ScoredItems> {
  const { columns } = detector.info.table!;
  const needsBefore = columns.some((column) => column.kind === 'numeric' && column.time?.part === 'gap');
  let facts: RowFacts | undefined;
  let pending: PendingRows | ScoredItems | undefined;
  const finished = async (one: PendingRows | ScoredItems) => ('finish' in one ? await one.finish() : one);
  let blocks = opened.blocks(begin, end, needsBefore);
  try {
    for (let block = begin; block < end; block++) {
      if (signal?.aborted) throw new Cancelled();
      let now: PendingRows | ScoredItems;
      try {
        const { rows, before } = (await blocks.next()).value as BlockOfRows;
        now = scoreRows(detector, path, rows, { from: before, signal });
        facts = joinFacts(facts, now.facts);
      } catch (error) {
        now = { predictions: [], failed: [{ path: `${path}:${block * size + 1}`, ...faultOf(error) }] };
        blocks = opened.blocks(block + 1, end, needsBefore);
      }
      if (pending) yield await finished(pending);
      pending = now;
    }
    if (pending) yield await finished(pending);
  } finally {
    await blocks.return(undefined);
  }
  if (facts) tellRemarks(path, facts, onEvent);
}
