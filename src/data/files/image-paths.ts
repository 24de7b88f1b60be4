/** From what a user names – files, folders, patterns – to image files, in the order named and in natural order. Node only. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Cancelled, DataError, OddityError } from '../../core/errors.ts';
import { type Listener, silent } from '../../core/events.ts';
import { LayoutWords } from '../layout-words.ts';
import { findMasksBeside } from './beside-masks.ts';
import { type Listed, walkFiles } from './file-list.ts';
import { type Placed, placeFiles } from './layout-masks.ts';
import { requireFile } from './read-input.ts';

/** Files that were found once and can be walked again, however many: their names are never held together. */
export interface FileListing {
  readonly count: number;
  /** sha256 of all paths in their order. */
  readonly hash: string;
  /** The paths in their order, from a position on. */
  paths(from?: number): AsyncGenerator<string>;
}

export interface ListingOptions {
  onEvent?: Listener;
  signal?: AbortSignal;
}

/**
 * A folder stands for the images in it and below it, a pattern (`*`, `?` and `**` for folders; `\` and `/` both part
 * folders) for the images that it matches, and every other path for itself, even when nothing is there: whoever reads
 * it says so. Masks of images among them are left out, with a warning `masks-left-out`: those in folders of masks, named
 * `_mask`, or beside their image and known by what they hold. Links that lead out of a folder are not followed, with a
 * warning `link-outside`.
 * @throws DataError `no-images` for a folder without images and a pattern that matches none, `mask-or-image`.
 */
export async function findImages(named: readonly string[], onEvent: Listener = silent): Promise<string[]> {
  const paths: string[] = [];
  for await (const path of await imagesOf(named, { onEvent })) paths.push(path);
  return paths;
}

/** The same as a listing that holds the names of one folder at a time. Throws as `findImages`, and Cancelled. */
export async function listImages(named: readonly string[], options: ListingOptions = {}): Promise<FileListing> {
  const images = await imagesOf(named, options);
  return listing(() => images[Symbol.asyncIterator](), options);
}

/** The paths in a text file, one on each line; blank lines count for nothing. Throws DataError `not-a-file`, `no-paths`. */
export async function listNamedIn(file: string, options: ListingOptions = {}): Promise<FileListing> {
  await requireFile(file);
  const found = await listing(async function* () {
    const lines = createInterface({ input: createReadStream(file), crlfDelay: Number.POSITIVE_INFINITY });
    for await (const line of lines) if (line.trim() !== '') yield line.trim();
  }, options);
  if (found.count > 0) return found;
  throw new DataError('no-paths', `${file} must hold a path on each line, but is empty.`);
}

/** Counts the files while their names go by. */
async function listing(
  walk: () => AsyncGenerator<string>,
  { onEvent = silent, signal }: ListingOptions,
): Promise<FileListing> {
  const hash = createHash('sha256');
  let count = 0;
  const tell = teller(onEvent, signal);
  for await (const path of walk()) {
    hash.update(`${path}\n`);
    tell(++count);
  }
  return {
    count,
    hash: hash.digest('hex'),
    async *paths(from = 0) {
      let at = 0;
      for await (const path of walk()) if (at++ >= from) yield path;
    },
  };
}

/** Files between two looks at the clock. */
const GLANCE = 256;
/** Milliseconds between two events. */
const TELL_MS = 500;

/** Says how many files were found, twice a second, and throws Cancelled once the signal aborts. */
function teller(onEvent: Listener, signal?: AbortSignal): (done: number) => void {
  let last = performance.now();
  return (done) => {
    if (done % GLANCE !== 0) return;
    if (signal?.aborted) throw new Cancelled();
    const now = performance.now();
    if (now - last < TELL_MS) return;
    last = now;
    onEvent({ type: 'progress', task: 'list', done, total: 0, unit: 'file' });
  };
}

/** What is named, as one walk over the images that can be begun again. */
async function imagesOf(named: readonly string[], options: ListingOptions) {
  const { onEvent = silent } = options;
  const walks: (readonly string[] | (() => AsyncGenerator<string>))[] = [];
  const alone: string[] = [];
  for (const path of named) {
    const kind = await stat(path).catch(() => undefined);
    if (kind?.isDirectory()) walks.push(await imagesBelow(path, path, () => true, options));
    else if (!kind && /[*?]/.test(path)) {
      const { folder, matches } = patternOf(path);
      walks.push(await imagesBelow(folder, path, matches, options));
    } else {
      // A path that Windows wrote is read elsewhere too.
      const plain = path.replaceAll('\\', '/');
      const isThere = kind || plain === path || !(await stat(plain).catch(() => undefined));
      alone.push(isThere ? path : plain);
      walks.push([alone.at(-1)!]);
    }
  }
  const masks = new Set(await masksAmong(alone));
  tellMasks({ count: masks.size, first: [...masks].slice(0, SHOWN) }, onEvent);
  return {
    async *[Symbol.asyncIterator](): AsyncGenerator<string> {
      for (const walk of walks) {
        for await (const path of typeof walk === 'function' ? walk() : walk) if (!masks.has(path)) yield path;
      }
    },
  };
}

/** The files named one by one that are masks of others of them; where that is not clear, all are what was asked for. */
async function masksAmong(paths: readonly string[]): Promise<string[]> {
  const placed = [...new Set(paths)].map((id) => ({ id, part: undefined, isMask: false, folders: [], stem: id }));
  try {
    return [...(await findMasksBeside('', placed)).keys()];
  } catch (error) {
    if (error instanceof OddityError && error.name === 'DataError') return [];
    throw error;
  }
}

/** Masks that a warning names. */
const SHOWN = 3;

function tellMasks({ count, first }: { count: number; first: readonly string[] }, onEvent: Listener): void {
  if (count === 0) return;
  const shown = `${first.join(', ')}${count > SHOWN ? `, and ${count - SHOWN} more` : ''}`;
  const message = `Masks of images are left out: ${shown}. Name a mask alone to use it as an image.`;
  onEvent({ type: 'warning', code: 'masks-left-out', message });
}

/** Looks at the names below a folder, and returns a walk over the images that `matches` asks for. */
async function imagesBelow(
  folder: string,
  named: string,
  matches: (id: string) => boolean,
  { onEvent = silent, signal }: ListingOptions,
): Promise<() => AsyncGenerator<string>> {
  const isThere = (await stat(folder).catch(() => undefined))?.isDirectory() === true;
  const outside: string[] = [];
  const equallyNamed: Placed[] = [];
  const namesOf = folderNames();
  const tell = teller(onEvent, signal);
  let seen = 0;
  for await (const one of isThere ? walkFiles(folder) : []) {
    tell(++seen);
    if (one.kind === 'outside') outside.push(one.path);
    const placed = one.kind === 'image' ? namesOf(one).twins.get(one.path) : undefined;
    if (placed) equallyNamed.push(placed);
  }
  if (outside.length > 0) {
    onEvent({
      type: 'warning',
      code: 'link-outside',
      message: `Links that point outside ${folder} are not followed: ${outside.join(', ')}. Name their targets.`,
    });
  }
  const beside = await findMasksBeside(folder, equallyNamed);
  /** The images asked for, and masks among them. */
  async function* asked(): AsyncGenerator<{ path: string; isMask: boolean }> {
    const namesOf = folderNames();
    for await (const one of isThere ? walkFiles(folder) : []) {
      if (one.kind !== 'image' || !matches(one.path)) continue;
      yield { path: join(folder, one.path), isMask: beside.has(one.path) || namesOf(one).masks.has(one.path) };
    }
  }
  const masks = { count: 0, first: [] as string[] };
  let images = 0;
  for await (const { path, isMask } of asked()) {
    tell(++seen);
    if (!isMask) images++;
    else if (masks.count++ < SHOWN) masks.first.push(path);
  }
  if (images === 0) {
    const must = folder === named ? 'hold images' : 'match images';
    const found = masks.count === 0 ? 'there are none' : `there are masks of images only, such as ${masks.first[0]}`;
    throw new DataError('no-images', `${named} must ${must} (PNG, JPEG, TIFF, BMP, WebP, GIF, AVIF); ${found}.`);
  }
  tellMasks(masks, onEvent);
  return async function* () {
    for await (const { path, isMask } of asked()) if (!isMask) yield path;
  };
}

/** What the names in one folder say of its images: which are masks, and which differ from another in the ending only. */
function folderNames() {
  const known = new WeakMap<readonly string[], { masks: Set<string>; twins: Map<string, Placed> }>();
  return ({ path, images }: Listed) => {
    const before = known.get(images);
    if (before) return before;
    const inFolder = path.slice(0, path.lastIndexOf('/') + 1);
    const placed = placeFiles(
      images.map((name) => inFolder + name),
      new LayoutWords(),
    );
    const times = new Map<string, number>();
    const stem = (id: string) => id.replace(/\.[^./]*$/, '').normalize('NFC');
    for (const { id, isMask } of placed) if (!isMask) times.set(stem(id), (times.get(stem(id)) ?? 0) + 1);
    const twins = placed.filter(({ id, isMask }) => !isMask && times.get(stem(id))! > 1);
    const made = {
      masks: new Set(placed.flatMap(({ id, isMask }) => (isMask ? [id] : []))),
      twins: new Map(twins.map((one) => [one.id, one])),
    };
    known.set(images, made);
    return made;
  };
}

/** The folder before the first wildcard, and whether a path from there matches the rest. */
function patternOf(pattern: string): { folder: string; matches: (id: string) => boolean } {
  const parts = pattern.replaceAll('\\', '/').split('/');
  const first = parts.findIndex((part) => /[*?]/.test(part));
  const folder = parts.slice(0, first).join('/') || (pattern.startsWith('/') ? '/' : '.');
  const rest = parts.slice(first).map((part) => {
    if (part === '**') return '(?:[^/]+/)*';
    const text = part.replace(/[.+^${}()|[\]\\]/g, '\\$&');
    return `${text.replaceAll('*', '[^/]*').replaceAll('?', '[^/]')}/`;
  });
  const expression = new RegExp(`^${rest.join('')}$`);
  return { folder, matches: (id) => expression.test(`${id}/`) };
}
