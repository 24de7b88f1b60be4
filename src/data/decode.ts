/** One image file to the pixels that a model takes: what a decode worker does, and who has no worker does himself. */
import { readFile } from 'node:fs/promises';
import { DataError } from '../core/errors.ts';
import { decodeImage } from './formats/image.ts';
import { fitImage, fitMask, type Pixels } from './resize.ts';

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

/** Reads, decodes and fits one file. Throws DataError `unreadable-file` and those of `decodeImage`. */
export async function decodeFile({ path, as, shape, maxPixels }: DecodeJob): Promise<Decoded> {
  const image = await decodeImage(await readImageFile(path), path, maxPixels);
  const { height, width } = image;
  const data = as === 'image' ? fitImage(image, shape) : fitMask(image, shape[1], shape[2]);
  return { data, height, width };
}

/** The bytes of a file; DataError `unreadable-file`, with what the system says. */
export async function readImageFile(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const reason =
      code === 'ENOENT' ? 'does not exist' : code === 'EISDIR' ? 'is a folder' : `cannot be read (${code ?? message})`;
    throw new DataError('unreadable-file', `${path} must be an image file, and ${reason}.`);
  }
}
