/**
 * The files below a folder, in natural order. Hidden files are passed over; a symbolic link is followed only while it
 * stays below the folder, so that a data set never reads what its owner did not put there. Node only.
 */
import { readdir, realpath, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { DataError } from '../../core/errors.ts';
import { isImageName } from '../formats/header.ts';

/** What lies below a folder. Every path is relative to it, with `/`. */
export interface FileList {
  /** Files whose names are those of images. */
  readonly images: readonly string[];
  /** Every other file. */
  readonly others: readonly string[];
  /** Links that lead out of the folder, to one of their own parents, or to nothing: not followed. */
  readonly links: {
    readonly outside: readonly string[];
    readonly loops: readonly string[];
    readonly broken: readonly string[];
  };
}

/** Something below a folder: an image, another file, or a link that is not followed and why. */
export interface Listed {
  readonly kind: 'image' | 'other' | 'outside' | 'loop' | 'broken';
  /** From the folder, with `/`. */
  readonly path: string;
  /** Names of all images in the same folder. */
  readonly images: readonly string[];
}

/** Lists the files below `root`. Throws DataError `unreadable-folder` where one of its folders cannot be read. */
export async function listFiles(root: string): Promise<FileList> {
  const lists = { image: [], other: [], outside: [], loop: [], broken: [] } satisfies Record<Listed['kind'], string[]>;
  for await (const { kind, path } of walkFiles(root)) (lists[kind] as string[]).push(path);
  for (const list of Object.values(lists)) sortNaturally(list);
  const { image: images, other: others, outside, loop: loops, broken } = lists;
  return { images, others, links: { outside, loops, broken } };
}

/**
 * Walks the files below `root` in natural order, one folder in memory at a time: of a million files only the names of those
 * beside each other are held. Throws DataError `unreadable-folder`.
 */
export async function* walkFiles(root: string): AsyncGenerator<Listed> {
  const top = await realpath(root);
  const inside = (real: string) => real === top || real.startsWith(top.endsWith(sep) ? top : top + sep);

  async function* walk(folder: string, real: string, parents: readonly string[]): AsyncGenerator<Listed> {
    const entries = await readdir(real, { withFileTypes: true }).catch(({ code, message }) => {
      throw new DataError(
        'unreadable-folder',
        `The folder ${join(root, folder)} cannot be read (${code ?? message}). ` +
          'Change its permissions, or move it elsewhere.',
      );
    });
    const found: { name: string; kind: Listed['kind'] | 'folder'; target: string }[] = [];
    for (const entry of entries) {
      if (entry.name.startsWith('.')) continue;
      let target = join(real, entry.name);
      let kind: { isDirectory(): boolean; isFile(): boolean } = entry;
      const add = (kind: Listed['kind'] | 'folder') => found.push({ name: entry.name, kind, target });
      if (entry.isSymbolicLink()) {
        try {
          target = await realpath(target);
          kind = await stat(target);
        } catch {
          add('broken');
          continue;
        }
        if (!inside(target)) {
          add('outside');
          continue;
        }
      }
      if (kind.isDirectory()) add(target === real || parents.includes(target) ? 'loop' : 'folder');
      else if (kind.isFile()) add(isImageName(entry.name) ? 'image' : 'other');
    }
    // A folder stands where the paths below it do.
    const placeOf = (one: (typeof found)[number]) => (one.kind === 'folder' ? `${one.name}/` : one.name);
    found.sort((a, b) => naturalOrder(placeOf(a), placeOf(b)));
    const images = found.flatMap(({ name, kind }) => (kind === 'image' ? [name] : []));
    for (const { name, kind, target } of found) {
      const path = folder === '' ? name : `${folder}/${name}`;
      if (kind === 'folder') yield* walk(path, target, [...parents, real]);
      else yield { kind, path, images };
    }
  }
  yield* walk('', top, []);
}

/**
 * Compares as people count: `2.png` before `10.png`. Runs of digits by their value, everything else by code point, and
 * no two different texts are equal, so that an order is the same on every machine. Read in place, since folders may hold a
 * million names.
 */
export function naturalOrder(a: string, b: string): number {
  let [i, j] = [0, 0];
  while (i < a.length && j < b.length) {
    if (isDigit(a, i) && isDigit(b, j)) {
      const [p, q] = [endOfDigits(a, i), endOfDigits(b, j)];
      for (; i < p && a[i] === '0'; i++);
      for (; j < q && b[j] === '0'; j++);
      if (p - i !== q - j) return p - i - (q - j);
      for (; i < p; i++, j++) if (a[i] !== b[j]) return a[i] < b[j] ? -1 : 1;
      continue;
    }
    const [m, n] = [a.codePointAt(i)!, b.codePointAt(j)!];
    if (m !== n) return m - n;
    const width = m > 0xffff ? 2 : 1;
    i += width;
    j += width;
  }
  return Number(i < a.length) - Number(j < b.length) || (a < b ? -1 : a > b ? 1 : 0);
}

/** Sorts names in natural order, in place. */
export function sortNaturally(names: string[]): void {
  names.sort(naturalOrder);
}

function isDigit(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code >= 48 && code <= 57;
}

function endOfDigits(text: string, from: number): number {
  let at = from;
  while (isDigit(text, at)) at++;
  return at;
}
