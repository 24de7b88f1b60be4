/** What a file is by its first bytes, and whether its last ones are there. It does not decode. */

export type ImageFormat = 'jpeg' | 'png' | 'tiff' | 'bmp' | 'webp' | 'avif' | 'gif';

const ascii = (bytes: Uint8Array, from: number, to: number) => String.fromCharCode(...bytes.subarray(from, to));

/** The image format of some bytes by their signature; undefined for anything else. */
export function formatOf(bytes: Uint8Array): ImageFormat | undefined {
  const [a, b, c] = bytes;
  if (a === 0xff && b === 0xd8 && c === 0xff) return 'jpeg';
  if (ascii(bytes, 0, 8) === '\x89PNG\r\n\x1a\n') return 'png';
  if (['II*\0', 'MM\0*', 'II+\0', 'MM\0+'].includes(ascii(bytes, 0, 4))) return 'tiff';
  if (ascii(bytes, 0, 4) === 'RIFF' && ascii(bytes, 8, 12) === 'WEBP') return 'webp';
  if (ascii(bytes, 4, 8) === 'ftyp' && ['avif', 'avis'].includes(ascii(bytes, 8, 12))) return 'avif';
  if (ascii(bytes, 0, 4) === 'GIF8') return 'gif';
  // `BM` alone begins many texts: the reserved words must be zero too.
  if (ascii(bytes, 0, 2) === 'BM' && bytes.length > 14 && bytes.subarray(6, 10).every((v) => v === 0)) return 'bmp';
  return undefined;
}

/** The format that a file's name promises; undefined for other names. */
export function formatOfName(name: string): ImageFormat | undefined {
  const ending = /\.([^.]+)$/.exec(name)?.[1].toLowerCase() ?? '';
  const same: Readonly<Record<string, ImageFormat>> = { jpg: 'jpeg', jpeg: 'jpeg', tif: 'tiff' };
  const formats: readonly string[] = ['png', 'tiff', 'bmp', 'webp', 'avif', 'gif'];
  return same[ending] ?? (formats.includes(ending) ? (ending as ImageFormat) : undefined);
}

/** True when the mark that ends a file of this format is missing; false where the format has none. */
export function isCut(bytes: Uint8Array, format: ImageFormat | undefined): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  switch (format) {
    case 'jpeg': {
      // End of image, FF D9, perhaps with something behind it.
      for (let i = bytes.length - 2; i >= 2 && i > bytes.length - 65_536; i--) {
        if (bytes[i] === 0xff && bytes[i + 1] === 0xd9) return false;
      }
      return true;
    }
    case 'png':
      return !ascii(bytes, Math.max(0, bytes.length - 1024), bytes.length).includes('IEND');
    case 'webp':
      return bytes.length < view.getUint32(4, true) + 8;
    case 'bmp':
      return bytes.length < view.getUint32(2, true);
    default:
      return false;
  }
}
