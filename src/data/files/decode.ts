/** One image file to the pixels that a model takes: what a decode worker does, and who has no worker does himself. */
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { DataError, OddityError } from '../../core/errors.ts';
import { fitImage, fitMask, type Pixels } from '../resize.ts';
import { drawMask, isAnnotation } from './annotation-files.ts';
import { decodeImage, decodePage } from './decode-image.ts';
import { splitPage } from './page-path.ts';
import { requireFile, requireFileSync } from './read-input.ts';

/** A file and what it is to become. */
export interface DecodeJob {
  /** A file, or `stack.tif:2`. */
  readonly path: string;
  /** `image`: planes `[C, H, W]`, see `fitImage`; `mask`: `[H, W]` of 0 and 1, see `fitMask`. */
  readonly as: 'image' | 'mask';
  readonly shape: readonly [number, number, number];
  /** Pixels that the file may have. */
  readonly maxPixels?: number;
  /** Of the image that a mask belongs to: annotations may not know it. */
  readonly imageSize?: { readonly height: number; readonly width: number };
}

/** Pixels at the wanted shape, and the size that the file had, upright. */
export interface Decoded {
  readonly data: Pixels['data'];
  readonly height: number;
  readonly width: number;
  /** The floats are the numbers of the file, of any range. */
  readonly isRaw?: boolean;
}

/**
/**
 * Reads, decodes and fits one file or page; reading blocks the thread, which is a worker's. Throws DataError `not-a-file`,
 * `unreadable-file` and those of `decodeImage`.
 */
export async function decodeFile({ path, as, shape, maxPixels, imageSize }: DecodeJob): Promise<Decoded> {
  const image = await decodePath(path, { maxPixels, isMask: as === 'mask', imageSize });
  const { height, width, isRaw } = image;
  const data = as === 'image' ? fitImage(image, shape) : fitMask(image, shape[1], shape[2]);
  return { data, height, width, ...(isRaw && as === 'image' && { isRaw }) };
}

/** The pixels of a file, of a page that the path names, or of an annotation that is a mask. Throws as `decodeFile`. */
export async function decodePath(
  path: string,
  options: Pick<DecodeJob, 'maxPixels' | 'imageSize'> & { readonly isMask?: boolean },
): Promise<Pixels> {
  const { maxPixels, isMask, imageSize } = options;
  const background = isMask ? 'black' : 'white';
  const { file, page } = splitPage(path);
  requireFileSync(file);
  try {
    if (isMask && isAnnotation(path)) return drawMask(path, imageSize);
    if (page !== undefined) return await decodePage(file, page, maxPixels, background);
    return await decodeImage(readFileSync(file), path, maxPixels, background);
  } catch (error) {
    const isOfDisk = !(error instanceof OddityError) && (error as NodeJS.ErrnoException).syscall !== undefined;
    throw isOfDisk ? unreadable(path, error) : error;
  }
}

/** The bytes of a file; DataError `not-a-file`, and `unreadable-file` with what the system says. */
export async function readImageFile(path: string | URL): Promise<Uint8Array> {
  await requireFile(path);
  try {
    return await readFile(path);
  } catch (error) {
    throw unreadable(path, error);
  }
}

function unreadable(path: string | URL, error: unknown): DataError {
  const { code, message } = error as NodeJS.ErrnoException;
  const known: Record<string, string> = {
    ENOENT: 'file not found. Check the path.',
  };
  return new DataError('unreadable-file', `${path}: ${known[code ?? ''] ?? `cannot be read (${code ?? message}).`}`);
}
