/**
 * A source over image files. What each file is comes from a layout; pixels are decoded when they are asked for, at one
 * size for all, and kept as whole numbers while memory lasts. Every file is read and decoded once before the source is
 * handed out, so that a broken one is named now and not in the middle of a training. Node only.
 */
import { basename } from 'node:path';
import { Cancelled, DataError, OddityError, ShapeError } from '../../core/errors.ts';
import { type Listener, silent } from '../../core/events.ts';
import { findRange } from '../find-range.ts';
import { checkHeader, checkHeaderFacts, MAX_PIXELS } from '../formats/check-header.ts';
import { endings, type ImageHeader, isWide } from '../formats/header.ts';
import { sha256 } from '../hash.ts';
import { checkImageOptions, DEFAULT_SIZE, type ImageOptions, type ImageSize } from '../image-options.ts';
import type { Source, SourceItem } from '../item.ts';
import { type Pixels, writeUnit } from '../resize.ts';
import type { ValueRange } from '../value-range.ts';
import { isAnnotation } from './annotation-files.ts';
import { type Decoded, readImageFile } from './decode.ts';
import { type DecoderOptions, openDecoder } from './decoder.ts';
import type { Layout, LayoutItem } from './layout.ts';
import { warnOfMixtures } from './mixtures.ts';
import { findPage, splitPage } from './page-path.ts';

/** What `folderSource` needs to know. */
export interface FolderSourceOptions extends Omit<ImageOptions, 'folderNames'>, DecoderOptions {
  readonly layout: Layout;
  /** Ids of the items to read, in this order, as if there were no others; default all. */
  readonly only?: readonly string[];
  /** Default: the name of the folder. */
  readonly name?: string;
  readonly title?: string;
  readonly licence?: string;
  /** Bytes of decoded pixels to keep; what does not fit is decoded whenever it is read. Default 1 GiB. */
  readonly cacheBytes?: number;
  readonly onEvent?: Listener;
  readonly signal?: AbortSignal;
}

/** Files that are read at a time while they are checked. */
const FILES_AT_A_TIME = 16;

/** Messages of broken files that are shown. */
const SHOWN = 5;

/** What is known of a file before it is decoded. */
interface File {
  readonly header: ImageHeader;
  readonly sha256: string;
}

/**
 * Checks, hashes and decodes all files of a layout. The caller closes the source.
 * @throws ConfigError for sizes and channels; DataError `no-images`, `mask-size`, `broken-images` (several files at
 * once) and those of `decodeFile`; Cancelled.
 */
export async function folderSource(options: FolderSourceOptions): Promise<Source> {
  checkImageOptions(options);
  const { layout, onEvent = silent, signal, maxPixels = MAX_PIXELS } = options;
  const found = options.only ? chosen(layout, options.only) : layout.items;
  const name = options.name ?? basename(layout.root);
  onEvent({ type: 'log', level: 'info', message: layout.explanation });
  for (const { code, message, paths } of layout.warnings) {
    onEvent({ type: 'warning', code, message: paths.length > 0 ? `${message} (${shorten(paths)})` : message });
  }
  if (found.length === 0) throw new DataError('no-images', `${layout.root} must hold images, but has none.`);

  const files = await checkFiles(found, { maxPixels, onEvent, signal });
  const headers = files.images.map(({ header }) => header);
  const channels = options.channels ?? (headers.every((header) => header.channels === 1) ? 1 : 3);
  const [height, width] = sizeOf(options.size ?? DEFAULT_SIZE, headers);
  const shape = [channels, height, width] as const;
  warnOfMixtures(found, headers, { shape, channelsGiven: options.channels !== undefined, onEvent });
  const [values, area] = [channels * height * width, height * width];
  const { classes, items } = itemsOf(found, files.images);
  const hash = await hashOf(shape, found, files);
  const pixels = openPixels(found, shape, { ...options, maxPixels });
  try {
    await checkAll('decode', found, (i) => checkMaskSize(found[i], i, pixels), { onEvent, signal });
  } catch (error) {
    await pixels.close();
    throw error;
  }
  const visit = (indices: ArrayLike<number>, length: number, perItem: number, copy: Copy) => {
    checkReading(name, items.length, indices, length, perItem);
    return forEach(indices.length, (k) => copy(indices[k], k));
  };
  const dataOf = async (i: number) => pixels.known(i, 'image') ?? (await pixels.decode(i, 'image')).data;
  const readBy =
    (range?: ValueRange): Source['read'] =>
    async (indices, out) =>
      visit(indices, out.length, values, async (i, k) => writeUnit(await dataOf(i), out, k * values, range));
  const source: Source = {
    name,
    kind: 'image',
    title: options.title ?? `Images in ${name}`,
    licence: options.licence ?? 'that of the images',
    shape,
    classes,
    normalClass: 0,
    items,
    hash,
    read: readBy(),
    ...(found.some((item) => item.mask !== undefined) && {
      readMasks: async (indices: ArrayLike<number>, out: Uint8Array) =>
        visit(indices, out.length, area, async (i, k) => {
          const to = out.subarray(k * area, (k + 1) * area);
          if (found[i].mask === undefined) to.fill(0);
          else to.set(pixels.known(i, 'mask') ?? (await pixels.decode(i, 'mask')).data);
        }),
      hasMask: (i: number) => found[i].mask !== undefined || found[i].label === 'normal',
    }),
    close: () => pixels.close(),
  };
  if (!headers.some((header) => header.bits > 8 || isWide(header))) return source;
  return {
    ...source,
    async prepare(train, { valueRange: given, onEvent }) {
      const valueRange = given ?? (await findRange(train, dataOf, onEvent));
      return valueRange ? { ...source, valueRange, read: readBy(valueRange) } : source;
    },
  };
}

/** The items of some ids. Throws DataError `data-changed` where one is no longer there. */
function chosen({ root, items }: Layout, ids: readonly string[]): LayoutItem[] {
  const byId = new Map(items.map((item) => [item.id, item]));
  return ids.map((id) => {
    const item = byId.get(id);
    if (item) return item;
    throw new DataError('data-changed', `${root} must still hold ${id}, but does not. Restore the data.`);
  });
}

/** Copies item `i` to place `k` of an output. */
type Copy = (i: number, k: number) => Promise<void>;

/** What is known of all files: of each image, and of each mask where there is one. */
interface Files {
  readonly images: readonly File[];
  readonly masks: readonly (File | undefined)[];
}

/** Items and their classes: the normal one, then the types of defects. */
function itemsOf(
  found: readonly LayoutItem[],
  images: readonly File[],
): { classes: readonly string[]; items: readonly SourceItem[] } {
  const types = [...new Set(found.filter((item) => item.label === 'abnormal').map((item) => item.type))];
  const normalName = found.find((item) => item.label === 'normal')?.type ?? 'good';
  const items = found.map(
    ({ id, part = 'train', label, type, path }, i): SourceItem => ({
      id,
      class: label === 'normal' ? 0 : 1 + types.indexOf(type),
      part,
      path,
      content: images[i].sha256,
    }),
  );
  return { classes: [normalName, ...types], items };
}

/** SHA-256 over the shape and what every item is, file contents included. */
function hashOf(shape: readonly number[], found: readonly LayoutItem[], { images, masks }: Files): Promise<string> {
  const items = found.map(({ id, part = null, label, type }, i) => [
    ...[id, part, label, type],
    ...[images[i].sha256, masks[i]?.sha256 ?? null],
  ]);
  return sha256(JSON.stringify({ shape, items }));
}

type As = 'image' | 'mask';

/** Decoded images and masks of a layout. */
interface PixelStore {
  /** Pixels that are kept; undefined for those that must be decoded. */
  known(i: number, as: As): Pixels['data'] | undefined;
  /** Decodes a file, and keeps its pixels while memory lasts. */
  decode(i: number, as: As): Promise<Decoded>;
  close(): Promise<void>;
}

function openPixels(
  found: readonly LayoutItem[],
  shape: readonly [number, number, number],
  options: Pick<FolderSourceOptions, 'cacheBytes' | keyof DecoderOptions> & { maxPixels: number },
): PixelStore {
  const { maxPixels, cacheBytes = 2 ** 30 } = options;
  const decoder = openDecoder(options);
  const kept = { image: new Map<number, Pixels['data']>(), mask: new Map<number, Pixels['data']>() };
  const sizes = new Map<number, { height: number; width: number }>();
  let keptBytes = 0;
  return {
    known: (i, as) => kept[as].get(i),
    async decode(i, as) {
      const path = as === 'image' ? found[i].path : found[i].mask!;
      const decoded = await decoder.decode({ path, as, shape, maxPixels, imageSize: sizes.get(i) });
      const { data, height, width } = decoded;
      if (as === 'image' && found[i].mask !== undefined) sizes.set(i, { height, width });
      if (!kept[as].has(i) && keptBytes + data.byteLength <= cacheBytes) {
        keptBytes += data.byteLength;
        kept[as].set(i, data);
      }
      return decoded;
    },
    close: () => decoder.close(),
  };
}

/** Decodes an item and its mask; throws DataError `mask-size` where they differ in size. */
async function checkMaskSize({ path, mask: maskPath }: LayoutItem, i: number, pixels: PixelStore): Promise<void> {
  const image = await pixels.decode(i, 'image');
  if (maskPath === undefined) return;
  const mask = await pixels.decode(i, 'mask');
  if (mask.height === image.height && mask.width === image.width) return;
  throw new DataError(
    'mask-size',
    `A mask must have the size of its image, but ${maskPath} is ${mask.height}x${mask.width} and ${path} is ` +
      `${image.height}x${image.width}. Make the mask again, or remove it.`,
  );
}

/** Throws ShapeError for an output that does not fit the items asked for, or an item that there is not. */
function checkReading(name: string, count: number, indices: ArrayLike<number>, length: number, perItem: number): void {
  if (length !== indices.length * perItem) {
    throw new ShapeError(`${name}: ${indices.length} items need ${indices.length * perItem} values, got ${length}.`);
  }
  const strange = Array.from(indices).find((i) => !(i >= 0 && i < count));
  if (strange !== undefined) {
    throw new ShapeError(`${name}: item numbers must be in 0 … ${count - 1}, got ${strange}.`);
  }
}

/** The size that images are read at. */
function sizeOf(size: ImageSize, headers: readonly ImageHeader[]): readonly [number, number] {
  if (!('atMost' in size)) return size;
  const median = (side: 'height' | 'width') =>
    headers.map((header) => header[side]).sort((a, b) => a - b)[headers.length >> 1];
  const whole = (n: number) => Math.max(64, Math.min(size.atMost, 32 * Math.round(n / 32)));
  return [whole(median('height')), whole(median('width'))];
}

/** Reads every file once: its header and its hash. */
async function checkFiles(
  found: readonly LayoutItem[],
  options: { maxPixels: number; onEvent: Listener; signal?: AbortSignal },
): Promise<Files> {
  const images = new Array<File>(found.length);
  const masks = new Array<File | undefined>(found.length);
  const { maxPixels } = options;
  const hashes = new Map<string, Promise<string>>(); // of files with several pages
  const checkOne = async (path: string): Promise<File> => {
    const { file, page } = splitPage(path);
    if (page === undefined) {
      const bytes = await readImageFile(file);
      return { header: checkHeader(bytes, path, maxPixels), sha256: await sha256(bytes) };
    }
    const hash = hashes.get(file) ?? readImageFile(file).then(sha256);
    hashes.set(file, hash);
    return { header: checkHeaderFacts(findPage(file, page).header, path, maxPixels), sha256: `${await hash}:${page}` };
  };
  const annotationHash = async (path: string) => {
    const { file, page = 0 } = splitPage(path);
    const hash = hashes.get(file) ?? readImageFile(file).then(sha256);
    hashes.set(file, hash);
    return `${await hash}:${page}`;
  };
  const check = async (i: number) => {
    images[i] = await checkOne(found[i].path);
    const { mask } = found[i];
    if (mask === undefined) return;
    if (!isAnnotation(mask)) masks[i] = await checkOne(mask);
    else masks[i] = { header: images[i].header, sha256: await annotationHash(mask) };
  };
  await checkAll('read', found, check, options);
  const misnamed = found.filter(({ path }, i) => {
    const ending = /\.([^./\\]+)$/.exec(splitPage(path).file)?.[1].toLowerCase() ?? '';
    return !endings[images[i].header.format].includes(ending);
  });
  if (misnamed.length > 0) {
    options.onEvent({
      type: 'warning',
      code: 'wrong-ending',
      message: `These images have the file extension of another format; they are read by their content: ${shorten(misnamed.map((item) => item.id))}.`,
    });
  }
  return { images, masks };
}

/** Runs a check for every item and reports all broken files in one error. */
async function checkAll(
  task: string,
  found: readonly LayoutItem[],
  check: (i: number) => Promise<void>,
  { onEvent, signal }: { onEvent: Listener; signal?: AbortSignal },
): Promise<void> {
  const total = found.length;
  const broken: DataError[] = [];
  const begin = performance.now();
  let done = 0;
  await forEach(total, async (i) => {
    if (signal?.aborted) throw new Cancelled();
    try {
      await check(i);
    } catch (error) {
      if (!(error instanceof OddityError) || error.name !== 'DataError') throw error;
      broken.push(error);
    }
    done++;
    const rate = done / Math.max(1e-3, (performance.now() - begin) / 1000);
    onEvent({ type: 'progress', task, done, total, unit: 'image', rate });
  });
  if (broken.length === 0) return;
  if (broken.length === 1) throw broken[0];
  broken.sort((a, b) => (a.message < b.message ? -1 : 1));
  const code = broken.every((error) => error.code === broken[0].code) ? broken[0].code : 'broken-images';
  const rest = broken.length - SHOWN;
  throw new DataError(
    code,
    `${broken.length} of ${total} images cannot be used: ` +
      `${broken
        .slice(0, SHOWN)
        .map((error) => error.message)
        .join(' ')}${rest > 0 ? ` And ${rest} more.` : ''} ` +
      'Repair or remove them.',
  );
}

/** Calls `work` for 0 … n − 1, a bounded number at a time; the first failure ends it. */
async function forEach(n: number, work: (i: number) => Promise<void> | void): Promise<void> {
  let next = 0;
  let failed = false;
  const lane = async () => {
    while (next < n && !failed) {
      try {
        await work(next++);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(n, FILES_AT_A_TIME) }, lane));
}

/** The first names and how many more there are. */
function shorten(names: readonly string[]): string {
  const rest = names.length - SHOWN;
  return names.slice(0, SHOWN).join(', ') + (rest > 0 ? ` and ${rest} more` : '');
}
