/** From what a user names – files, folders, patterns – to image files, in the order named and in natural order. Node only. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { DataError } from '../../core/errors.ts';
import { type Listener, silent } from '../../core/events.ts';
import { type FileList, listFiles } from './file-list.ts';

/**
 * A folder stands for the images in it and below it, a pattern (`*`, `?` and `**` for folders; `\` and `/` both part
 * folders) for the images that it matches, and every other path for itself, even when nothing is there: whoever reads
 * it says so. Links that lead out of a folder are not followed, with a warning `link-outside`.
 * @throws DataError `no-images` for a folder without images and a pattern that matches none.
 */
export async function findImages(named: readonly string[], onEvent: Listener = silent): Promise<string[]> {
  const found: string[] = [];
  for (const path of named) {
    const kind = await stat(path).catch(() => undefined);
    if (kind?.isDirectory()) found.push(...(await imagesBelow(path, path, () => true, onEvent)));
    else if (!kind && /[*?]/.test(path)) {
      const { folder, matches } = patternOf(path);
      found.push(...(await imagesBelow(folder, path, matches, onEvent)));
    } else found.push(path);
  }
  return found;
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
  const chosen = images.filter(matches);
  if (chosen.length > 0) return chosen.map((id) => join(folder, id));
  const must = folder === named ? 'hold images' : 'match images';
  throw new DataError('no-images', `${named} must ${must} (PNG, JPEG, TIFF, BMP, WebP, GIF, AVIF); there are none.`);
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
