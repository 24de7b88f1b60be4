/**
 * Image files to pixels. BMP is read by us; everything else by sharp, an optional package that only this file loads. It
 * decodes and nothing else: channels and sizes are changed in `resize.ts`. EXIF turns are applied, CMYK becomes RGB,
 * transparent pixels are laid over white (of masks over black), colour profiles are passed over (as browsers are told to
 * do), samples of more than 8 bits stay 16 bits deep, and those that 16 bits do not hold become floats. Node only.
 */
import { DataError, OddityError, RuntimeUnavailable } from '../../core/errors.ts';
import { type Background, withoutAlpha } from '../alpha.ts';
import { readBmp } from '../formats/bmp.ts';
import { checkHeader, checkHeaderFacts, MAX_PIXELS, tooLarge } from '../formats/check-header.ts';
import { frameCount } from '../formats/frames.ts';
import { type ImageHeader, isWide } from '../formats/header.ts';
import { readerOf, tiffPages } from '../formats/tiff.ts';
import type { Pixels } from '../resize.ts';
import { readDicom } from './dicom.ts';
import { findPage } from './page-path.ts';

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
 * Decodes the bytes of an image file that holds one image.
 * @throws those of `checkHeader`; DataError `several-pages` for a file of more, `unreadable-image` for damaged and
 * truncated files, `not-finite` for floats that are no numbers; RuntimeUnavailable `sharp-missing`.
 */
export async function decodeImage(
  bytes: Uint8Array,
  file: string,
  maxPixels = MAX_PIXELS,
  background: Background = 'white',
): Promise<Pixels> {
  const header = checkHeader(bytes, file, maxPixels);
  if (header.format === 'bmp') return readBmp(bytes, file);
  if (header.format === 'dicom') {
    return readDicom(bytes, file, maxPixels, (jpeg) => decodeImage(jpeg, file, maxPixels));
  }
  const pages = countPages(bytes, header, file);
  if (pages > 1) {
    throw new DataError(
      'several-pages',
      `${file} has ${pages} pages, and an image is one of them. Name the page, such as ${file}:1, or save each as a file.`,
    );
  }
  return decode(bytes, header, { file, maxPixels, background });
}

/**
 * Decodes one page, from 1, of a file on disk; the others are not read. Throws as `decodeImage`, and DataError `no-page`.
 */
export async function decodePage(
  path: string,
  page: number,
  maxPixels = MAX_PIXELS,
  background: Background = 'white',
): Promise<Pixels> {
  const file = `${path}:${page}`;
  const { header, frame } = findPage(path, page);
  return decode(path, checkHeaderFacts(header, file, maxPixels), { file, maxPixels, background, frame });
}

/** Pages of a file in memory. Throws DataError `unreadable-image` where the list of its pages is cut. */
function countPages(bytes: Uint8Array, { format }: ImageHeader, file: string): number {
  if (format !== 'tiff') return frameCount(bytes, format);
  try {
    return tiffPages(readerOf(bytes)).length;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new DataError('unreadable-image', `${file} must be a whole TIFF file, but it ends before its pages do.`);
  }
}

interface DecodeOptions {
  /** In messages. */
  readonly file: string;
  readonly maxPixels: number;
  readonly background: Background;
  /** Number of the page in the file, as decoders count. */
  readonly frame?: number;
}

async function decode(
  input: Uint8Array | string,
  header: ImageHeader,
  { file, maxPixels, background, frame }: DecodeOptions,
): Promise<Pixels> {
  const sharp = await loadSharp();
  const [isGrey, isRaw, isDeep] = [header.channels === 1, isWide(header), header.bits > 8];
  // The decoder clips 16 bits below 0, so they are moved up and back.
  const shift = header.isSigned && header.bits === 16 ? 32_768 : 0;
  try {
    const options = { failOn: 'warning', limitInputPixels: maxPixels, ignoreIcc: true, autoOrient: true } as const;
    let image = sharp(input, { ...options, ...(frame !== undefined && { page: frame }) });
    if (isRaw || header.isOpaque) image = image.removeAlpha();
    if (shift > 0) image = image.linear(1, shift);
    // As grey the decoder would leave transparency out.
    const asGrey =
      isGrey && (isRaw || header.isOpaque || header.format === 'jpeg' || !(await image.metadata()).hasAlpha);
    if (isRaw && shift === 0) image = image.toColourspace(asGrey ? 'b-w' : 'scrgb').raw({ depth: 'float' });
    else if (isDeep) image = image.toColourspace(asGrey ? 'grey16' : 'rgb16').raw({ depth: 'ushort' });
    else image = image.toColourspace(asGrey ? 'b-w' : 'srgb').raw();
    const { data: bytes, info } = await image.toBuffer({ resolveWithObject: true });
    const { height, width } = info;
    const channels = info.channels as number;
    if (channels < 1 || channels > 4) {
      throw new DataError('image-channels', `${file} must be grey or RGB once decoded, found ${channels} channels.`);
    }
    const data =
      shift > 0
        ? Float32Array.from(wide(bytes), (v) => v - shift)
        : isRaw
          ? floats(bytes)
          : isDeep
            ? wide(bytes)
            : bytes;
    if (isRaw) checkFinite(data, file);
    if (channels === 1 || channels === 3) return { height, width, channels, data, ...(isRaw && { isRaw }) };
    const laid = withoutAlpha(data, channels as 2 | 4, background);
    const isTriple = isGrey && channels === 4;
    return {
      height,
      width,
      channels: isTriple || channels === 2 ? 1 : 3,
      data: isTriple ? laid.filter((_, i) => i % 3 === 0) : laid,
    };
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

/**
 * A small picture for people, as JPEG: at most `side` pixels a side, never larger than the image. Deep images are shown from their
 * lowest value to their highest. Throws RuntimeUnavailable `sharp-missing`.
 */
export async function encodeJpeg({ height, width, channels, data }: Pixels, side: number): Promise<Uint8Array> {
  const sharp = await loadSharp();
  const raw = { height, width, channels: channels as 1 | 3 };
  const bytes = data instanceof Uint8Array ? data : inBytes(data);
  return sharp(bytes, { raw })
    .resize({ height: side, width: side, fit: 'inside', withoutEnlargement: true })
    .jpeg({ quality: 80 })
    .toBuffer();
}

/** Values from the lowest to the highest as 0 … 255. */
export function inBytes(data: Uint16Array | Float32Array): Uint8Array {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of data) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  const scale = high > low ? 255 / (high - low) : 0;
  return Uint8Array.from(data, (value) => Math.round((value - low) * scale));
}

/** Bytes as 16-bit numbers, copied where they do not lie at an even address. */
function wide(bytes: Uint8Array): Uint16Array {
  const aligned = bytes.byteOffset % 2 === 0 ? bytes : new Uint8Array(bytes);
  return new Uint16Array(aligned.buffer, aligned.byteOffset, aligned.length / 2);
}

function floats(bytes: Uint8Array): Float32Array {
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : new Uint8Array(bytes);
  return new Float32Array(aligned.buffer, aligned.byteOffset, aligned.length / 4);
}

/** Throws DataError `not-finite` for pixels that are no numbers. */
function checkFinite(data: ArrayLike<number>, file: string): void {
  let broken = 0;
  for (let i = 0; i < data.length; i++) if (!Number.isFinite(data[i])) broken++;
  if (broken === 0) return;
  throw new DataError(
    'not-finite',
    `${file} must have finite values, but ${broken} of its ${data.length} are NaN or infinite. Fill them in and save it again.`,
  );
}
