/**
 * Which clips a path holds: folders of images, files of several pages (TIFF, GIF, WebP) and videos. Names of folders say what
 * is for training and for testing; frames are taken in the natural order of their names. Node only.
 */
import { basename, dirname, join } from 'node:path';
import { DataError } from '../../../core/errors.ts';
import { isImageName } from '../../formats/header.ts';
import { LayoutWords } from '../../layout-words.ts';
import { listFiles } from '../file-list.ts';
import { pagePaths } from '../page-path.ts';
import { isFolder, requireFile } from '../read-input.ts';
import { isVideoName } from './video.ts';

/** A clip on disk, not read yet. */
export interface ClipFile {
  /** Path from the root, with `/`; the name of what was named itself. */
  readonly id: string;
  readonly path: string;
  /** Paths of its frames, each an image or a page; absent of a video. */
  readonly frames?: readonly string[];
  /** The part that a folder names. */
  readonly part?: 'train' | 'test';
}

/** What lies below a folder of clips. */
export interface FoundClips {
  readonly root: string;
  readonly clips: readonly ClipFile[];
  /** Folders of images that are masks, by their paths from the root, with their files in order. */
  readonly maskFolders: ReadonlyMap<string, readonly string[]>;
  /** All other files, as paths from the root. */
  readonly others: readonly string[];
}

/** Endings of images that may have several pages. */
const mayHavePages = (name: string) => /\.(tiff?|gif|webp)$/i.test(name);

/** The clips at a path. Throws DataError `no-clips` where there are none, and what reading folders throws. */
export async function findClips(path: string): Promise<FoundClips> {
  if (!(await isFolder(path))) return { ...(await oneFile(path)), maskFolders: new Map(), others: [] };
  const { images, others } = await listFiles(path);
  const byFolder = new Map<string, string[]>();
  for (const file of images) {
    const folder = dirname(file);
    byFolder.set(folder, [...(byFolder.get(folder) ?? []), file]);
  }
  const clips: ClipFile[] = [];
  const maskFolders = new Map<string, readonly string[]>();
  for (const [folder, files] of byFolder) {
    if (isOfMasks(folder)) {
      maskFolders.set(
        folder,
        files.map((file) => join(path, file)),
      );
      continue;
    }
    const single: string[] = [];
    for (const file of files) {
      const pages = mayHavePages(file) ? pagePaths(join(path, file)) : [];
      if (pages.length > 1) clips.push({ id: file, path: join(path, file), frames: pages, ...partOf(file) });
      else single.push(join(path, file));
    }
    if (single.length > 0) {
      const id = folder === '.' ? basename(path) : folder;
      clips.push({ id, path: join(path, folder), frames: single, ...partOf(folder) });
    }
  }
  for (const file of others) if (isVideoName(file)) clips.push({ id: file, path: join(path, file), ...partOf(file) });
  if (clips.length === 0) {
    throw new DataError(
      'no-clips',
      `${path} must hold clips: folders of numbered images, TIFF files of several pages, animated GIF or WebP files, or videos; there are none.`,
    );
  }
  clips.sort((a, b) => a.id.localeCompare(b.id, 'en', { numeric: true }));
  return { root: path, clips, maskFolders, others: others.filter((file) => !isVideoName(file)) };
}

async function oneFile(path: string): Promise<Pick<FoundClips, 'root' | 'clips'>> {
  await requireFile(path);
  const [root, id] = [dirname(path), basename(path)];
  if (isVideoName(path)) return { root, clips: [{ id, path }] };
  if (isImageName(path)) return { root, clips: [{ id, path, frames: pagePaths(path) }] };
  throw new DataError(
    'no-clips',
    `${path} must be a clip: a folder of numbered images, a TIFF file of several pages, an animated GIF or WebP file, or a video.`,
  );
}

/** Whether a path is a clip, or holds clips only, so that nothing else is to be asked: a video, a file of several pages. */
export async function isOfClips(path: string): Promise<boolean> {
  if (isVideoName(path)) return true;
  if (!(await isFolder(path))) return mayHavePages(path) && pagePaths(path).length > 1;
  const { images, others } = await listFiles(path);
  return images.length === 0 && others.some(isVideoName);
}

const words = new LayoutWords();

/** `Test001_gt`, or a folder of masks somewhere above. */
const isOfMasks = (folder: string) => folder.split('/').some((name) => words.isMask(name) || /_gt$/i.test(name));

/** The part that the first folder with such a name says: `Train`, `training`, `training_videos`, `test` and the like. */
function partOf(id: string): { part?: 'train' | 'test' } {
  for (const name of id.split('/')) {
    const part = words.part(name.replace(/[_-]?(videos|frames)$/i, ''));
    if (part !== undefined) return { part: part === 'test' ? 'test' : 'train' };
  }
  return {};
}
