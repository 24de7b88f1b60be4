/** From what a user names – files, folders, patterns – to image files, in the order named and in natural order. Node only. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { DataError, OddityError } from '../../core/errors.ts';
import { type Listener, silent } from '../../core/events.ts';
import { LayoutWords } from '../layout-words.ts';
import { findMasksBeside } from './beside-masks.ts';
import { type FileList, listFiles } from './file-list.ts';
import { placeFiles } from './layout-masks.ts';

/**
 * A folder stands for the images in it and below it, a pattern (`*`, `?` and `**` for folders; `\` and `/` both part
 * folders) for the images that it matches, and every other path for itself, even when nothing is there: whoever reads
 * it says so. Masks of images among them are left out, with a warning `masks-left-out`: those in folders of masks, named
 * `_mask`, or beside their image and known by what they hold. Links that lead out of a folder are not followed, with a
 * warning `link-outside`.
 * @throws DataError `no-images` for a folder without images and a pattern that matches none, `mask-or-image`.
 */
export async function findImages(named: readonly string[], onEvent: Listener = silent): Promise<string[]> {
  const found: string[] = [];
  const alone: string[] = [];
  for (const path of named) {
    const kind = await stat(path).catch(() => undefined);
    if (kind?.isDirectory()) found.push(...(await imagesBelow(path, path, () => true, onEvent)));
    else if (!kind && /[*?]/.test(path)) {
      const { folder, matches } = patternOf(path);
      found.push(...(await imagesBelow(folder, path, matches, onEvent)));
    } else {
      // A path that Windows wrote is read elsewhere too.
      const plain = path.replaceAll('\\', '/');
      const isThere = kind || plain === path || !(await stat(plain).catch(() => undefined));
      found.push(isThere ? path : plain);
      alone.push(found.at(-1)!);
    }
  }
  const masks = await masksAmong(alone);
  tellMasks(masks, onEvent);
  return found.filter((path) => !masks.includes(path));
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

function tellMasks(masks: readonly string[], onEvent: Listener): void {
  if (masks.length === 0) return;
  const shown = `${masks.slice(0, 3).join(', ')}${masks.length > 3 ? `, and ${masks.length - 3} more` : ''}`;
  const message = `Masks of images are left out: ${shown}. Name a mask alone to use it as an image.`;
  onEvent({ type: 'warning', code: 'masks-left-out', message });
}

async function imagesBelow(
  folder: string,
  named: string,
  matches: (id: string) => boolean,
  onEvent: Listener,
): Promise<string[]> {
  const empty: FileList = { images: [], others: [], links: { outside: [], loops: [], broken: [] } };
  const kind = await stat(folder).catch(() => undefined);
  const { images, links } = kind?.isDirectory() ? await listFiles(folder) : empty;
  if (links.outside.length > 0) {
    onEvent({
      type: 'warning',
      code: 'link-outside',
      message: `Links that point outside ${folder} are not followed: ${links.outside.join(', ')}. Name their targets.`,
    });
  }
  const placed = placeFiles(images, new LayoutWords());
  const beside = await findMasksBeside(folder, placed);
  const asked = placed.filter(({ id }) => matches(id));
  const [chosen, masks]: string[][] = [[], []];
  for (const { id, isMask } of asked) (isMask || beside.has(id) ? masks : chosen).push(join(folder, id));
  if (chosen.length > 0) {
    tellMasks(masks, onEvent);
    return chosen;
  }
  const must = folder === named ? 'hold images' : 'match images';
  const found = masks.length === 0 ? 'there are none' : `there are masks of images only, such as ${masks[0]}`;
  throw new DataError('no-images', `${named} must ${must} (PNG, JPEG, TIFF, BMP, WebP, GIF, AVIF); ${found}.`);
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
