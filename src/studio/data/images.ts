/**
 * Pictures of items as bytes that a browser shows and that do nothing else there: raster images by what they hold, whatever their
 * names say, and small ones made and kept in the project's cache. Node only.
 */
import { mkdir, readFile, stat } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { DataError } from '../../core/errors.ts';
import { readImageFile } from '../../data/files/decode.ts';
import { encodeJpeg, inBytes } from '../../data/files/decode-image.ts';
import { listFiles } from '../../data/files/file-list.ts';
import { pagePaths, splitPage } from '../../data/files/page-path.ts';
import { isFolder } from '../../data/files/read-input.ts';
import { decodePath } from '../../data/index.ts';
import { encodePng, type ImageHeader, readHeader, sha256 } from '../../data/pure.ts';
import { writeAtomic } from '../../runs/files.ts';
import { readFact } from '../facts.ts';
import { type Project, projectFiles } from '../project.ts';
import { fullPath } from './places.ts';

export interface Picture {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly type: string;
}

/** Sides of small pictures; others would fill the cache. */
export const sides = [80, 160, 320, 640, 1280] as const;

/** What browsers show themselves. */
const shown: Partial<Record<ImageHeader['format'], string>> = {
  png: 'image/png',
  jpeg: 'image/jpeg',
  webp: 'image/webp',
};

/** The picture of an image, or the first of a clip. Throws as the decoder does, DataError `no-picture` for a video. */
export async function pictureOf(project: Project, stored: string, side?: number): Promise<Picture> {
  const path = await pathOfPicture(project, fullPath(project, stored));
  if (side !== undefined) return smallPicture(project, path, side);
  const { file, page } = splitPage(path);
  if (page === undefined) {
    const bytes = await readImageFile(file);
    const header = readHeader(bytes);
    const type = header && header.bits <= 8 ? shown[header.format] : undefined;
    if (type !== undefined) return { bytes: new Uint8Array(bytes), type };
  }
  const { height, width, channels, data } = await decodePath(path, {});
  const png = encodePng({
    ...{ height, width, channels: channels as 1 | 3 },
    data: data instanceof Uint8Array ? data : inBytes(data),
  });
  return { bytes: new Uint8Array(png), type: 'image/png' };
}

async function pathOfPicture(project: Project, path: string): Promise<string> {
  if (readFact(project, 'kind') !== 'clip') return path;
  if (!(await isFolder(path))) return pagePaths(path)[0];
  const [first] = (await listFiles(path)).images;
  if (first !== undefined) return join(path, first);
  throw new DataError('no-picture', `${path} has no image to show.`);
}

async function smallPicture(project: Project, path: string, side: number): Promise<Picture> {
  const { mtimeMs, size } = await stat(splitPage(path).file).catch(() => {
    throw new DataError('unreadable-file', `${path} is no longer there. Put it back, or leave the item out.`);
  });
  const name = (await sha256([path, mtimeMs, size, side].join('\n'))).slice(0, 32);
  const folder = join(projectFiles(project.folder).cache, 'small', name.slice(0, 2));
  const kept = join(folder, `${name}.jpg`);
  const before = await readFile(kept).catch(() => undefined);
  if (before) return { bytes: new Uint8Array(before), type: 'image/jpeg' };
  const bytes = await lane(async () => encodeJpeg(await decodePath(path, {}), side));
  await mkdir(folder, { recursive: true });
  await writeAtomic(kept, bytes, { flush: false });
  return { bytes: new Uint8Array(bytes), type: 'image/jpeg' };
}

/** Pictures that are made at a time: a page asks for many at once, and must itself have a core to scroll on. */
const LANES = Math.max(1, availableParallelism() - 1);
let busy = 0;
const waiting: (() => void)[] = [];

async function lane<T>(work: () => Promise<T>): Promise<T> {
  if (busy >= LANES) await new Promise<void>((next) => waiting.push(next));
  else busy++;
  try {
    return await work();
  } finally {
    // Who waits takes this place over.
    const next = waiting.shift();
    if (next) next();
    else busy--;
  }
}
