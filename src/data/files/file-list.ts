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

/** Lists the files below `root`. Throws DataError `unreadable-folder` where one of its folders cannot be read. */
export async function listFiles(root: string): Promise<FileList> {
  const images: string[] = [];
  const others: string[] = [];
  const links = { outside: [] as string[], loops: [] as string[], broken: [] as string[] };
  const top = await realpath(root);
  const inside = (real: string) => real === top || real.startsWith(top.endsWith(sep) ? top : top + sep);

  async function walk(folder: string, real: string, parents: readonly string[]): Promise<void> {
    const entries = await readdir(real, { withFileTypes: true }).catch(({ code, message }) => {
      throw new DataError(
        'unreadable-folder',
        `The folder ${join(root, folder)} cannot be read (${code ?? message}). ` +
          'Change its permissions, or move it elsewhere.',
      );
    });
    for (const entry of entries) {
      if (entry.name.startsWith('.')) continue;
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
      let target = join(real, entry.name);
      let kind: { isDirectory(): boolean; isFile(): boolean } = entry;
      if (entry.isSymbolicLink()) {
        try {
          target = await realpath(target);
          kind = await stat(target);
        } catch {
          links.broken.push(path);
          continue;
        }
        if (!inside(target)) {
          links.outside.push(path);
          continue;
        }
      }
      if (kind.isDirectory()) {
        if (target === real || parents.includes(target)) links.loops.push(path);
        else await walk(path, target, [...parents, real]);
      } else if (kind.isFile()) (isImageName(entry.name) ? images : others).push(path);
    }
  }
  await walk('', top, []);
  for (const list of [images, others, ...Object.values(links)]) sortNaturally(list);
  return { images, others, links };
}

/**
 * Compares as people count: `2.png` before `10.png`. Runs of digits by their value, everything else by code point, and
 * no two different texts are equal, so that an order is the same on every machine.
 */
export const naturalOrder = (a: string, b: string): number => comparePieces(a, piecesOf(a), b, piecesOf(b));

/** Sorts names in natural order, in place; each is taken apart once, because folders may hold a hundred thousand. */
export function sortNaturally(names: string[]): void {
  const taken = names.map((name) => [name, piecesOf(name)] as const);
  taken.sort(([a, left], [b, right]) => comparePieces(a, left, b, right));
  for (const [i, [name]] of taken.entries()) names[i] = name;
}

/** Runs of digits, and other letters one by one. */
const piecesOf = (text: string): readonly string[] => text.match(/\d+|\D/gu) ?? [];

function comparePieces(a: string, left: readonly string[], b: string, right: readonly string[]): number {
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    const [p, q] = [left[i], right[i]];
    if (p === q) continue;
    if (/\d/.test(p) && /\d/.test(q)) {
      const [m, n] = [p.replace(/^0+/, ''), q.replace(/^0+/, '')];
      if (m !== n) return m.length - n.length || (m < n ? -1 : 1);
    } else return p.codePointAt(0)! - q.codePointAt(0)!;
  }
  return left.length - right.length || (a < b ? -1 : a > b ? 1 : 0);
}
