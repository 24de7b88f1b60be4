/** One image file to the pixels that a model takes: what a decode worker does, and who has no worker does himself. */
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { DataError } from '../../core/errors.ts';
import { fitImage, fitMask, type Pixels } from '../resize.ts';
import { decodeImage } from './decode-image.ts';
import { requireFile, requireFileSync } from './read-input.ts';

/** A file and what it is to become. */
export interface DecodeJob {
  readonly path: string;
  /** `image`: planes `[C, H, W]`, see `fitImage`; `mask`: `[H, W]` of 0 and 1, see `fitMask`. */
  readonly as: 'image' | 'mask';
  readonly shape: readonly [number, number, number];
  /** Pixels that the file may have. */
  readonly maxPixels?: number;
}

/** Pixels at the wanted shape, and the size that the file had, upright. */
export interface Decoded {
  readonly data: Pixels['data'];
  readonly height: number;
  readonly width: number;
}

/**
 * Reads, decodes and fits one file; reading blocks the thread, which is a worker's. Throws DataError `not-a-file`,
 * `unreadable-file` and those of `decodeImage`.
 */
export async function decodeFile({ path, as, shape, maxPixels }: DecodeJob): Promise<Decoded> {
  requireFileSync(path);
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    throw unreadable(path, error);
  }
  const image = await decodeImage(bytes, path, maxPixels);
  const { height, width } = image;
  const data = as === 'image' ? fitImage(image, shape) : fitMask(image, shape[1], shape[2]);
  return { data, height, width };
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
