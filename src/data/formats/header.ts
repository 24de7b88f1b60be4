/**
 * What the first bytes of an image file say: format, size, colour and depth. Content decides, never the name of the
 * file. Nothing is decoded, so that a file that is too large or of another kind is refused before it costs memory.
 */
import { dicomSize, isDicom } from './dicom-header.ts';
import { isTiff, type ReadAt, readerOf, type TiffPage, tiffPages } from './tiff.ts';

/** What a header says. */
export interface ImageHeader {
  readonly format: 'jpeg' | 'png' | 'bmp' | 'webp' | 'tiff' | 'gif' | 'avif' | 'dicom';
  /** As stored, before any turn that EXIF asks for; 0 where the header does not say (AVIF). */
  readonly height: number;
  readonly width: number;
  /** Samples of a pixel without transparency: 1 grey, 3 colour, 4 CMYK; other numbers are no picture. */
  readonly channels: number;
  /** Bits of a sample: 8 for everything that fits into a byte. */
  readonly bits: number;
  /** Samples are not whole numbers. */
  readonly isFloat?: boolean;
  /** Whole numbers may be below 0. */
  readonly isSigned?: boolean;
  /** There is a sample beyond the colours, and it is not transparency. */
  readonly isOpaque?: boolean;
}

/** True where samples have a range of their own: floats, whole numbers below 0 and those of more than 16 bits. */
export function isWide({ bits, isFloat, isSigned }: Pick<ImageHeader, 'bits' | 'isFloat' | 'isSigned'>): boolean {
  return bits > 16 || isFloat === true || isSigned === true;
}

/** The usual endings of names, by format. */
export const endings: Readonly<Record<ImageHeader['format'], readonly string[]>> = {
  jpeg: ['jpg', 'jpeg', 'jpe', 'jfif'],
  png: ['png'],
  bmp: ['bmp', 'dib'],
  webp: ['webp'],
  tiff: ['tif', 'tiff'],
  gif: ['gif'],
  avif: ['avif'],
  dicom: ['dcm', 'dicom', 'dic'],
};

/** True for a name that ends as image files do. */
export function isImageName(name: string): boolean {
  const ending = /\.([^./\\]+)$/.exec(name)?.[1].toLowerCase();
  return ending !== undefined && Object.values(endings).some((list) => list.includes(ending));
}

/**
 * Reads a header, of a file with several pages that of one of them, from 1; undefined for what is no image of these
 * formats, ends before its header does, or has no such page.
 */
export function readHeader(bytes: Uint8Array, page = 1): ImageHeader | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const text = (at: number, length: number) => String.fromCharCode(...bytes.subarray(at, at + length));
  try {
    if (view.getUint16(0) === 0xffd8) return jpeg(view);
    if (view.getUint32(0) === 0x89504e47) return png(view);
    if (text(0, 2) === 'BM') return bmp(view);
    if (text(0, 4) === 'RIFF' && text(8, 4) === 'WEBP') return webp(view, text(12, 4));
    if (text(0, 3) === 'GIF') {
      return { format: 'gif', width: view.getUint16(6, true), height: view.getUint16(8, true), channels: 3, bits: 8 };
    }
    if (/^ftyp(avif|avis|mif1)/.test(text(4, 8))) return { format: 'avif', width: 0, height: 0, channels: 3, bits: 8 };
    if (isTiff(view)) return tiffHeader(readerOf(bytes), page);
    if (isDicom(bytes)) return { format: 'dicom', ...dicomSize(bytes), bits: 16 };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error; // a read behind the end: the file is cut inside its header
  }
  return undefined;
}

/** Walks the segments to the first frame header (ITU T.81, B.2.2). */
function jpeg(view: DataView): ImageHeader {
  for (let at = 2; ; ) {
    while (view.getUint8(at) === 0xff && view.getUint8(at + 1) === 0xff) at++; // fill bytes
    const marker = view.getUint16(at);
    const isFrame = marker >= 0xffc0 && marker <= 0xffcf && ![0xffc4, 0xffc8, 0xffcc].includes(marker);
    if (isFrame) {
      const [bits, height, width] = [view.getUint8(at + 4), view.getUint16(at + 5), view.getUint16(at + 7)];
      return { format: 'jpeg', height, width, channels: view.getUint8(at + 9), bits };
    }
    at += 2 + view.getUint16(at + 2);
  }
}

/** The IHDR chunk comes first (W3C PNG, 11.2.1). */
function png(view: DataView): ImageHeader {
  const [width, height] = [view.getUint32(16), view.getUint32(20)];
  const [bits, colourType] = [view.getUint8(24), view.getUint8(25)];
  return {
    format: 'png',
    height,
    width,
    channels: colourType === 0 || colourType === 4 ? 1 : 3,
    bits: Math.max(8, bits),
  };
}

function bmp(view: DataView): ImageHeader {
  const isOld = view.getUint32(14, true) === 12;
  const width = isOld ? view.getUint16(18, true) : view.getInt32(18, true);
  const height = isOld ? view.getUint16(20, true) : Math.abs(view.getInt32(22, true));
  const bits = view.getUint16(isOld ? 24 : 28, true);
  // A palette is grey when every entry of it is.
  let isGrey = bits <= 8;
  const entry = isOld ? 3 : 4;
  const begin = 14 + view.getUint32(14, true);
  const end = Math.min(view.getUint32(10, true), begin + (entry << bits));
  for (let at = begin; isGrey && at + entry <= end; at += entry) {
    isGrey = view.getUint8(at) === view.getUint8(at + 1) && view.getUint8(at) === view.getUint8(at + 2);
  }
  return { format: 'bmp', height, width, channels: isGrey ? 1 : 3, bits: 8 };
}

/** The three kinds of WebP (RFC 9649): lossy, lossless, extended. */
function webp(view: DataView, kind: string): ImageHeader | undefined {
  const uint24 = (at: number) => view.getUint16(at, true) + (view.getUint8(at + 2) << 16);
  const made = (width: number, height: number): ImageHeader => ({
    format: 'webp',
    height,
    width,
    channels: 3,
    bits: 8,
  });
  if (kind === 'VP8 ') return made(view.getUint16(26, true) & 0x3fff, view.getUint16(28, true) & 0x3fff);
  if (kind === 'VP8X') return made(uint24(24) + 1, uint24(27) + 1);
  if (kind !== 'VP8L') return undefined;
  const packed = view.getUint32(21, true);
  return made((packed & 0x3fff) + 1, ((packed >>> 14) & 0x3fff) + 1);
}

/** The header of one page of a TIFF file, from 1; undefined where there is none. Throws RangeError for a cut file. */
export function tiffHeader(read: ReadAt, page: number): ImageHeader | undefined {
  const found: TiffPage | undefined = tiffPages(read, page)[page - 1];
  if (!found) return undefined;
  const tag = (number: number, otherwise: number) => found.tags.get(number) ?? otherwise;
  const [width, height, samples, photometric] = [tag(256, 0), tag(257, 0), tag(277, 1), tag(262, 1)];
  // 0 and 1 grey, 2 RGB, 3 palette, 5 CMYK, 6 YCbCr; what is more than that is transparency, if it is one sample.
  const usual = photometric <= 1 ? 1 : photometric === 5 ? 4 : 3;
  const stored = photometric === 3 ? 1 : usual;
  const channels = samples === stored || samples === stored + 1 ? usual : samples;
  const [bits, format] = [Math.max(8, tag(258, 1)), tag(339, 1)];
  return {
    format: 'tiff',
    height,
    width,
    channels,
    bits,
    ...(format === 3 && { isFloat: true }),
    ...(format === 2 && { isSigned: true }),
    ...(samples > stored && tag(338, 0) === 0 && { isOpaque: true }),
  };
}
