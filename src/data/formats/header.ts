/**
 * What the first bytes of an image file say: format, size, colour and depth. Content decides, never the name of the
 * file. Nothing is decoded, so that a file that is too large or of another kind is refused before it costs memory.
 */

/** What a header says. */
export interface ImageHeader {
  readonly format: 'jpeg' | 'png' | 'bmp' | 'webp' | 'tiff' | 'gif' | 'avif';
  /** As stored, before any turn that EXIF asks for; 0 where the header does not say (AVIF). */
  readonly height: number;
  readonly width: number;
  /** Samples of a pixel without transparency: 1 grey, 3 colour, 4 CMYK; other numbers are no picture. */
  readonly channels: number;
  /** Bits of a sample: 8 for everything that fits into a byte. */
  readonly bits: number;
  /** Samples are not whole numbers. */
  readonly isFloat?: boolean;
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
};

/** True for a name that ends as image files do. */
export function isImageName(name: string): boolean {
  const ending = /\.([^./\\]+)$/.exec(name)?.[1].toLowerCase();
  return ending !== undefined && Object.values(endings).some((list) => list.includes(ending));
}

/** Reads a header; undefined for what is no image of these formats, or ends before its header does. */
export function readHeader(bytes: Uint8Array): ImageHeader | undefined {
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
    const order = text(0, 2);
    if ((order === 'II' || order === 'MM') && view.getUint16(2, order === 'II') === 42)
      return tiff(view, order === 'II');
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

/** The tags of the first directory (TIFF 6.0). */
function tiff(view: DataView, little: boolean): ImageHeader {
  const at = view.getUint32(4, little);
  const tags = new Map<number, number>();
  for (let i = 0; i < view.getUint16(at, little); i++) {
    const entry = at + 2 + 12 * i;
    const [tag, type, count] = [
      view.getUint16(entry, little),
      view.getUint16(entry + 2, little),
      view.getUint32(entry + 4, little),
    ];
    const isShort = type === 3;
    const inside = count * (isShort ? 2 : 4) <= 4;
    const place = inside ? entry + 8 : view.getUint32(entry + 8, little);
    if (type === 3 || type === 4)
      tags.set(tag, isShort ? view.getUint16(place, little) : view.getUint32(place, little));
  }
  const tag = (number: number, otherwise: number) => tags.get(number) ?? otherwise;
  const [width, height, samples, photometric] = [tag(256, 0), tag(257, 0), tag(277, 1), tag(262, 1)];
  // 0 and 1 grey, 2 RGB, 3 palette, 5 CMYK, 6 YCbCr; what is more than that is transparency, if it is one sample.
  const usual = photometric <= 1 ? 1 : photometric === 5 ? 4 : 3;
  const stored = photometric === 3 ? 1 : usual;
  const channels = samples === stored || samples === stored + 1 ? usual : samples;
  return {
    format: 'tiff',
    height,
    width,
    channels,
    bits: Math.max(8, tag(258, 1)),
    ...(tag(339, 1) === 3 && { isFloat: true }),
  };
}
