/** Whether a file has its end: a decoder may fill what is missing with grey, or only say that it failed. */
import type { ImageHeader } from '../../formats/header.ts';

/** True when the mark that ends a file of this format is missing; false where the format has none. */
export function isCut(bytes: Uint8Array, format: ImageHeader['format']): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  switch (format) {
    case 'jpeg':
      // End of image, FF D9, perhaps with something behind it.
      for (let i = bytes.length - 2; i >= 2 && i > bytes.length - 65_536; i--) {
        if (bytes[i] === 0xff && bytes[i + 1] === 0xd9) return false;
      }
      return true;
    case 'png':
      return !String.fromCharCode(...bytes.subarray(-1024)).includes('IEND');
    case 'webp':
      return bytes.length < view.getUint32(4, true) + 8;
    case 'bmp':
      return bytes.length < view.getUint32(2, true);
    default:
      return false;
  }
}
