/**
 * Image files to pixels. BMP is read by us; everything else by sharp, an optional package that only this file loads. It
 * decodes and nothing else: channels and sizes are changed in `resize.ts`. EXIF turns are applied, CMYK becomes RGB,
 * transparency is dropped, colour profiles are passed over (as browsers are told to do), of several pages the first is
 * taken, and samples of more than 8 bits stay 16 bits deep. Node only.
 */
import { DataError, OddityError, RuntimeUnavailable } from '../../core/errors.ts';
import { readBmp } from '../formats/bmp.ts';
import { checkHeader, MAX_PIXELS, tooLarge } from '../formats/check-header.ts';
import type { Pixels } from '../resize.ts';

type Sharp = typeof import('sharp').default;

let loading: Promise<Sharp> | undefined;

/** Loads the decoder once; throws RuntimeUnavailable `sharp-missing`. */
function loadSharp(): Promise<Sharp> {
  loading ??= import('sharp').then(
    ({ default: sharp }) => {
      sharp.cache(false);
      return sharp;
    },
    (error) => {
      const [reason] = (error as Error).message.split('\n');
      throw new RuntimeUnavailable(
        'sharp-missing',
        `Reading image files needs the package sharp, which did not load (${reason}). Install it with: npm install sharp`,
      );
    },
  );
  return loading;
}

/**
 * Decodes the bytes of an image file.
 * @throws those of `checkHeader`; DataError `unreadable-image` for damaged and truncated files; RuntimeUnavailable
 * `sharp-missing`.
 */
export async function decodeImage(bytes: Uint8Array, file: string, maxPixels = MAX_PIXELS): Promise<Pixels> {
  const header = checkHeader(bytes, file, maxPixels);
  if (header.format === 'bmp') return readBmp(bytes, file);
  const sharp = await loadSharp();
  const isDeep = header.bits > 8;
  try {
    const options = { failOn: 'warning', limitInputPixels: maxPixels, ignoreIcc: true, autoOrient: true } as const;
    let image = sharp(bytes, options).removeAlpha();
    const isGrey = header.channels === 1;
    if (isDeep) image = image.toColourspace(isGrey ? 'grey16' : 'rgb16').raw({ depth: 'ushort' });
    else image = image.toColourspace(isGrey ? 'b-w' : 'srgb').raw();
    const { data, info } = await image.toBuffer({ resolveWithObject: true });
    const { height, width } = info;
    const channels = info.channels as number;
    if (channels !== 1 && channels !== 3) {
      throw new DataError('image-channels', `${file} must be grey or RGB once decoded, found ${channels} channels.`);
    }
    return { height, width, channels, data: isDeep ? wide(data) : data };
  } catch (error) {
    if (error instanceof OddityError) throw error;
    const [reason] = (error as Error).message.split('\n');
    if (/pixel limit/i.test(reason)) throw tooLarge(file, 'more', maxPixels);
    throw new DataError(
      'unreadable-image',
      `${file} must be a whole image file, but it cannot be decoded (${reason.trim()}). It is damaged or truncated.`,
    );
  }
}

/** Bytes as 16-bit numbers, copied where they do not lie at an even address. */
function wide(bytes: Uint8Array): Uint16Array {
  const aligned = bytes.byteOffset % 2 === 0 ? bytes : new Uint8Array(bytes);
  return new Uint16Array(aligned.buffer, aligned.byteOffset, aligned.length / 2);
}
