/**
 * Files of several images: TIFF stacks, animated GIF and WebP. `stack.tif:2` is the second page, an item like any other.
 * Node only.
 */
import { closeSync, existsSync, openSync, readSync, statSync } from 'node:fs';
import { DataError } from '../../core/errors.ts';
import { frameCount } from '../formats/frames.ts';
import { type ImageHeader, readHeader, tiffHeader } from '../formats/header.ts';
import { isTiff, type ReadAt, tiffPages } from '../formats/tiff.ts';

/** A path with its page taken off; a file of exactly that name comes first. */
export function splitPage(path: string): { readonly file: string; readonly page?: number } {
  const [, file, number] = /^(.+):(\d+)$/s.exec(path) ?? [];
  return file === undefined || existsSync(path) ? { file: path } : { file, page: Number(number) };
}

/** The path itself; of a file of several pages the path of each, `stack.tif:1` first. Nothing is said of broken files. */
export function pagePaths(path: string): string[] {
  const pages = pageCount(path);
  return pages === 1 ? [path] : Array.from({ length: pages }, (_, i) => `${path}:${i + 1}`);
}

/** Pages of a file; 1 for what is not there or broken, which is named when it is decoded. */
function pageCount(path: string): number {
  try {
    if (!statSync(path).isFile()) return 1;
    return withReader(path, (read) => {
      if (isTiff(read(0, 8))) return Math.max(1, tiffPages(read).length);
      const bytes = bytesOf(read(0, 64));
      const format = readHeader(bytes)?.format ?? 'other';
      return format === 'gif' || format === 'webp' ? frameCount(bytesOf(read(0, statSync(path).size)), format) : 1;
    });
  } catch {
    return 1;
  }
}

/**
 * Header of one page of a file, from 1, and its number in the file, as decoders count. Throws DataError `no-page`, and
 * what the file system throws.
 */
export function findPage(path: string, page: number): { readonly header: ImageHeader | undefined; frame: number } {
  const found = withReader(path, (read) => {
    try {
      if (!isTiff(read(0, 8))) return { header: readHeader(bytesOf(read(0, 65_536))), frame: page - 1 };
      const frame = tiffPages(read, page)[page - 1]?.directory;
      return frame === undefined ? undefined : { header: tiffHeader(read, page), frame };
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      throw new DataError(
        'unreadable-image',
        `${path} must be a whole image file, but it ends before its page ${page}.`,
      );
    }
  });
  if (found && page >= 1 && (found.header?.format === 'tiff' || page <= pageCount(path))) return found;
  throw new DataError('no-page', `${path} has no page ${page}; it has ${pageCount(path)}. Name one of these.`);
}

/** Reads a file here and there while `work` runs. */
function withReader<T>(path: string, work: (read: ReadAt) => T): T {
  const file = openSync(path, 'r');
  try {
    return work((at, length) => {
      const bytes = new Uint8Array(length);
      return new DataView(bytes.buffer, 0, readSync(file, bytes, 0, length, at));
    });
  } finally {
    closeSync(file);
  }
}

const bytesOf = (view: DataView) => new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
