/** Which image files are taken, by what their headers say: the same in Node and in a page. */
import { DataError } from '../../core/errors.ts';
import { option, say } from '../../core/text.ts';
import { type ImageHeader, readHeader } from './header.ts';

/** Pixels that an image file may have: 100 megapixels, 300 MB of colour while it is decoded. */
export const MAX_PIXELS = 100_000_000;

/**
 * Checks what the header of a file says, of a file with several pages that of the first, and returns it. `file` names it
 * in messages.
 * @throws DataError `empty-file`, `not-an-image`, `image-too-large` or `image-channels`.
 */
export function checkHeader(bytes: Uint8Array, file: string, maxPixels = MAX_PIXELS): ImageHeader {
  if (bytes.length === 0) throw new DataError('empty-file', `${file} must be an image, but it is empty (0 bytes).`);
  return checkHeaderFacts(readHeader(bytes), file, maxPixels);
}

/** The same of a header that was read; undefined is none. */
export function checkHeaderFacts(header: ImageHeader | undefined, file: string, maxPixels = MAX_PIXELS): ImageHeader {
  if (!header) {
    throw new DataError(
      'not-an-image',
      `${file} must be a PNG, JPEG, TIFF, BMP, WebP, GIF or AVIF file; its first bytes match none of these.`,
    );
  }
  const { height, width, channels, bits } = header;
  if (height * width > maxPixels) throw tooLarge(file, `${height}x${width} pixels`, maxPixels);
  if (![1, 3, 4].includes(channels) || bits > 64) {
    const found = bits > 64 ? `${bits}-bit samples` : `${channels} channels`;
    throw new DataError('image-channels', `${file} must be grey, RGB or CMYK, found ${found}. Convert it first.`);
  }
  return header;
}

/** The error of a file with more pixels than `maxPixels`; `size` says how many were found. */
export function tooLarge(file: string, size: string, maxPixels: number): DataError {
  return new DataError(
    'image-too-large',
    say`${file} must have at most ${maxPixels} pixels, found ${size}. Make it smaller, or raise
      ${option('maxPixels')}.`,
  );
}
