/**
 * Finds the odd ones among supposed normal items, without a normal set: images by mutual scoring, rows by their neighbours.
 * Nothing is deleted; lists are written that `train` takes. Left out: series and clips, whose windows share their steps.
 * Node only.
 */
import { basename, join, relative, resolve } from 'node:path';
import { csv } from '../core/csv.ts';
import { ConfigError, DataError } from '../core/errors.ts';
import { type Listener, silent } from '../core/events.ts';
import { type ImageShape, type ItemKind, isImage } from '../core/item-shape.ts';
import { Rng } from '../core/random.ts';
import { say } from '../core/text.ts';
import { type ColumnShare, dataRoot, findDataset, resolveClass, type Source } from '../data/index.ts';
import { suggestCut } from '../engine/ranking/cut.ts';
import { neighbourScores, type RankedImages, rankUnlabelled } from '../engine/ranking/mutual.ts';
import { rankRows } from '../engine/ranking/rows.ts';
import { findKind, table } from '../kinds/index.ts';
import { headlineMetrics, type MetricValue, measureItems } from '../metrics/index.ts';
import { mapScale } from '../report/map-image.ts';
import { closed, opened } from './closing.ts';
import { openDevice } from './device.ts';
import { makeFolder, writeAtomic, writeJson } from './files.ts';
import { MapWriter } from './map-files.ts';
import type { RunOptions } from './options.ts';
import { nodePlatform } from './platform.ts';
import { checkNoRun } from './run-files.ts';

/** Options of `clean`. */
export interface CleanOptions
  extends Pick<
    RunOptions,
    | 'size'
    | 'channels'
    | 'folderNames'
    | 'maxPixels'
    | 'class'
    | 'columns'
    | 'missing'
    | 'decimal'
    | 'acceptLicence'
    | 'seed'
    | 'dataRoot'
    | 'download'
    | 'device'
    | 'threads'
  > {
  /** As for `train`: a folder of images, a list of them, a file of rows, a data set by name, or a Source. */
  data: string | Source;
  /** Takes all items, whatever their labels say, and ranks them as MuSc does. Default false: those that are called normal. */
  unlabelled?: boolean;
  /** The pretrained network that compares images; default `oddity`. */
  backbone?: string;
  /** Other items that each one is compared with, at most; default 32 images, 5,000 rows. */
  references?: number;
  /** A folder for the lists, the page and the maps; nothing is written without. */
  out?: string;
  onEvent?: Listener;
  signal?: AbortSignal;
}

/** An item and how odd it is among the others. */
export interface RankedItem {
  readonly id: string;
  /** The image file, where it is one. */
  readonly path?: string;
  /** Larger = less like the others; it has a meaning within one ranking only. */
  readonly score: number;
  /** Its score lies above the suggested cut. */
  readonly isOdd: boolean;
  /** Of a row: the columns that make it so. */
  readonly columns?: readonly ColumnShare[];
}

/** What `clean` found. */
export interface CleanResult {
  readonly data: string;
  readonly kind: ItemKind;
  readonly counts: { readonly items: number; readonly odd: number };
  /** Scores from here on are called odd; null where the scores say nothing of how far they spread. */
  readonly cut: number | null;
  /** The oddest first. */
  readonly ranked: readonly RankedItem[];
  /** With `unlabelled`, where there are labels: how well the ranking agrees with them. */
  readonly metrics?: Readonly<Record<string, MetricValue>>;
  readonly seconds: number;
  /** Paths of what was written, by kind. */
  readonly files?: Readonly<Record<'scores' | 'odd' | 'answer' | 'page', string>>;
}

/** Images are compared at this size. */
const SIZE = [256, 256] as const;
/** Fewer cannot say what is usual. */
const LEAST = 10;
const REFERENCES = { image: 32, table: 5000 } as const;
const NEIGHBOURS = 5;
/**
 * Images of one kind have a median of at most about 0.2 for the mean of their maps, a cosine distance; those of photographs of
 * ten different things is 0.34.
 */
const NO_CORE = 0.25;
/** Pictures on the page. */
const PICTURES = 12;
/** Rows with columns in the answer; of others they are left out. */
const EXPLAINED = 100;

/** A picture with its map. */
interface Shown {
  readonly at: number;
  readonly image: Float32Array;
  readonly map: Float32Array;
  readonly score: number;
}

/** Scores, and what can be shown of the oddest. */
interface Found {
  readonly scores: Float32Array;
  readonly shown?: readonly Shown[];
  readonly maps?: Float32Array;
}

/**
 * Ranks supposed normal items by how odd they are among themselves and suggests which to leave out.
 * @throws ConfigError for options and kinds that do not suit; DataError `too-few-items`, `no-core` where images have nothing
 * in common, and those of loading; Cancelled.
 */
export async function clean(options: CleanOptions): Promise<CleanResult> {
  const begin = performance.now();
  const { data, out, seed = 1, onEvent = silent, signal, unlabelled = false } = options;
  if (out !== undefined) checkNoRun(out);
  const loaded = await load(options);
  let { source } = loaded;
  try {
    const { items } = loaded;
    source = (await source.prepare?.(items, { scaling: 'standard', onEvent })) ?? source;
    const { kind, shape } = source;
    const what = { source, items, rng: new Rng(seed).split('clean') };
    const found = isImage(shape) ? await imagesOf(what, options) : await rowsOf(what, options);
    const cut = suggestCut(found.scores);
    const order = [...items.keys()].sort((a, b) => found.scores[b] - found.scores[a] || a - b);
    const ranked = order.map((at, place): RankedItem => {
      const { id, path } = source.items[items[at]];
      const columns = place < EXPLAINED ? columnsOf(source, items, found, at) : undefined;
      const score = found.scores[at];
      return { id, ...(path !== undefined && { path }), score, isOdd: score > cut, ...(columns && { columns }) };
    });
    const labels = unlabelled ? labelsOf(source, items) : undefined;
    const measured = labels && measureItems({ scores: found.scores, labels }, headlineMetrics).values;
    const odd = ranked.filter(({ isOdd }) => isOdd).length;
    const result: CleanResult = {
      data: typeof data === 'string' ? data : data.name,
      kind,
      counts: { items: items.length, odd },
      cut: Number.isFinite(cut) ? cut : null,
      ranked,
      ...(measured && { metrics: measured }),
      seconds: (performance.now() - begin) / 1000,
    };
    if (out === undefined) return result;
    return await written(out, result, found, { source, items, signal });
  } finally {
    await source.close?.();
  }
}

/** The data, and which of its items are ranked. */
async function load(options: CleanOptions): Promise<{ source: Source; items: Uint32Array }> {
  const { data, seed: _, unlabelled, onEvent, signal, size, channels, folderNames, maxPixels } = options;
  const { columns, missing, decimal, acceptLicence, download } = options;
  const dataset = typeof data === 'string' ? findDataset(data) : undefined;
  const source = dataset
    ? await dataset.load({
        root: options.dataRoot ?? dataRoot(),
        ...{ onEvent, signal, columns, missing, decimal, acceptLicence, download, ofRows: true },
        ...(dataset.isOfFiles && { size: size ?? SIZE, channels, folderNames, maxPixels }),
      })
    : (data as Source);
  const { kind, name } = source;
  if (kind !== 'image' && kind !== 'table')
    throw new ConfigError(
      'unsuitable',
      say`${name} has ${findKind(kind).words.items}, but images or rows are needed: windows of a series share their steps.`,
    );
  const normal = options.class === undefined ? source.normalClass : resolveClass(source, options.class);
  const own = [...source.items.keys()].filter((i) => {
    const { class: number, part } = source.items[i];
    return unlabelled || ((normal === undefined || number === normal) && part !== 'test');
  });
  if (own.length >= LEAST) return { source, items: Uint32Array.from(own) };
  const { items } = findKind(kind).words;
  throw new DataError(
    'too-few-items',
    `${name} has ${own.length} ${unlabelled ? '' : 'normal '}${items}; at least ${LEAST} are needed to say what is usual among them.`,
  );
}

const labelsOf = (source: Source, items: Uint32Array): Uint8Array | undefined => {
  const { normalClass } = source;
  if (normalClass === undefined || source.classes.length < 2) return undefined;
  return Uint8Array.from(items, (i) => (source.items[i].class === normalClass ? 0 : 1));
};

type What = { readonly source: Source; readonly items: Uint32Array; readonly rng: Rng };

async function imagesOf(what: What, options: CleanOptions): Promise<Found> {
  const { backbone = 'oddity', unlabelled = false, references = REFERENCES.image } = options;
  const { onEvent = silent, signal, dataRoot: root, download } = options;
  const platform = nodePlatform({ root, download });
  const weights = await platform.loadBackbone({ name: backbone, taps: [] }, { onEvent, signal });
  const pretrained = Object.fromEntries(Object.entries(weights).map(([name, t]) => [`backbone.${name}`, t]));
  const runtime = await opened(openDevice(options.device ?? 'auto', { threads: options.threads, onEvent }), signal);
  const shown: Shown[] = [];
  const onImage = ({ at, image, map, score }: Shown) => {
    if (shown.length === PICTURES && score <= shown[PICTURES - 1].score) return;
    shown.push({ at, image: image.slice(), map: map.slice(), score });
    shown.sort((a, b) => b.score - a.score || a.at - b.at);
    shown.length = Math.min(shown.length, PICTURES);
  };
  try {
    const ranked = await rankUnlabelled({
      ...what,
      references,
      pretrained,
      runtime,
      onEvent,
      signal,
      onImage,
      options: {
        ...{ backbone, weights: '', taps: '', preparation: 'own' },
        ...{ neighbourhoods: [1, 3, 5], share: 0.3, leastSide: 128, finest: unlabelled ? 32 : 16, smoothing: 4 },
        // A defect is a small part of an image; a strange image is strange nearly everywhere.
        pooling: unlabelled ? 'max' : 'tenth',
      },
    });
    checkCore(what.source, ranked);
    const { scores, descriptors } = ranked;
    return { scores: unlabelled ? neighbourScores(scores, descriptors, [1, 2, 3]) : scores, shown };
  } finally {
    await closed(runtime, signal);
    await platform.close();
  }
}

/** Throws DataError `no-core` where the images have next to nothing in common. */
function checkCore({ name }: Source, { means }: RankedImages): void {
  const middle = Float64Array.from(means).sort()[means.length >> 1];
  if (middle <= NO_CORE) return;
  throw new DataError(
    'no-core',
    `No core of alike images found in ${name}: half of its ${means.length} images differ from the images most like them by a cosine ` +
      `distance of ${middle.toFixed(2)} or more, and images of one kind by less than ${NO_CORE}. Give it images of one kind only.`,
  );
}

async function rowsOf({ source, items, rng }: What, { references = REFERENCES.table }: CleanOptions): Promise<Found> {
  const rows = new Float32Array(items.length * source.shape[0]);
  await source.read(items, rows);
  return rankRows(rows, source.shape[0], { neighbours: NEIGHBOURS, references, rng });
}

/** The columns that make a row odd. */
function columnsOf({ encoding, shape, ...source }: Source, items: Uint32Array, { maps }: Found, at: number) {
  if (!maps || !encoding) return undefined;
  const map = maps.subarray(at * shape[0], (at + 1) * shape[0]);
  const { columns = [] } = table.locate(map, { shape, mapThreshold: null, encoding, cells: source.cells?.(items[at]) });
  return columns.filter(({ share }) => share > 0);
}

/** Writes lists, maps and the page. */
async function written(
  out: string,
  result: CleanResult,
  found: Found,
  { source, items, signal }: { source: Source; items: Uint32Array; signal?: AbortSignal },
): Promise<CleanResult> {
  signal?.throwIfAborted();
  await makeFolder(out);
  const files = {
    scores: join(out, 'scores.csv'),
    odd: join(out, 'odd.csv'),
    answer: join(out, 'clean.json'),
    page: join(out, 'clean.html'),
  };
  const all = { ...result, files };
  const rowOf = ({ id, path, score, isOdd }: RankedItem) => [
    id,
    path === undefined ? '' : relative(resolve(out), resolve(path)),
    String(score),
    isOdd ? '1' : '0',
  ];
  const head = ['id', 'path', 'score', 'odd'];
  await writeAtomic(files.scores, csv(head, result.ranked.map(rowOf)));
  await writeAtomic(files.odd, csv(head, result.ranked.filter(({ isOdd }) => isOdd).map(rowOf)));
  await writeJson(files.answer, all);
  const shape = source.shape as ImageShape;
  const shown = (found.shown ?? []).map(({ at, image, map }) => {
    const { id, path = id } = source.items[items[at]];
    return { id, path, score: found.scores[at], image, map };
  });
  const scale = shown.length > 0 ? mapScale(joined(shown.map(({ map }) => map)), null) : undefined;
  if (scale) {
    const folder = join(out, 'maps');
    await makeFolder(folder);
    const writer = new MapWriter(folder, ['overlay']);
    for (const one of shown) await writer.write({ ...one, shape, scale, mapThreshold: null });
  }
  const { cleanPage } = await import('../report/clean-page.ts');
  const pictures = scale && { shape, scale, shown };
  await writeAtomic(files.page, cleanPage({ ...result, data: basename(result.data), pictures }));
  return all;
}

function joined(maps: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(maps.length * maps[0].length);
  for (const [i, map] of maps.entries()) all.set(map, i * map.length);
  return all;
}
