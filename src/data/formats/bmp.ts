/**
 * A reader of BMP (Windows bitmaps): 1, 4 and 8 bits with a palette, 16, 24 and 32 bits, from the bottom up or from the
 * top down. Transparency is passed over; run-length packing is refused.
 */
import { DataError } from '../../core/errors.ts';
import type { Pixels } from '../resize.ts';

/** Decodes a BMP file; `file` names it in messages. Grey palettes give one channel. Throws DataError `unreadable-image`. */
export function readBmp(bytes: Uint8Array, file: string): Pixels {
  const fail = (found: string) =>
    new DataError(
      'unreadable-image',
      `${file} must be a whole BMP file, but ${found}. Save it again, as PNG for example.`,
    );
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 26) throw fail('it ends inside its header');
  const headerSize = view.getUint32(14, true);
  const isOld = headerSize === 12;
  if (bytes.length < 14 + headerSize || (!isOld && headerSize < 40)) throw fail('its header is damaged');
  const width = isOld ? view.getUint16(18, true) : view.getInt32(18, true);
  const signedHeight = isOld ? view.getUint16(20, true) : view.getInt32(22, true);
  const bits = view.getUint16(isOld ? 24 : 28, true);
  const packing = isOld ? 0 : view.getUint32(30, true);
  const height = Math.abs(signedHeight);
  if (!(width > 0 && height > 0)) throw fail(`its size is ${height}x${width}`);
  if (![1, 4, 8, 16, 24, 32].includes(bits)) throw fail(`it has ${bits} bits a pixel`);
  // 0 none, 3 and 6 bit masks; the others are run lengths or whole JPEG and PNG files.
  if (![0, 3, 6].includes(packing)) throw fail(`it is packed (method ${packing}), which is not supported`);

  const stride = 4 * Math.ceil((width * bits) / 32);
  const begin = view.getUint32(10, true);
  if (begin + stride * height > bytes.length) throw fail('it is truncated');
  const rowOf = (y: number) => begin + stride * (signedHeight < 0 ? y : height - 1 - y);

  if (bits <= 8) {
    const entry = isOld ? 3 : 4;
    const at = 14 + headerSize + (packing === 3 && headerSize === 40 ? 12 : 0);
    const count = (!isOld && view.getUint32(46, true)) || 1 << bits;
    const colour = (i: number) => {
      const p = at + entry * i;
      if (i >= count || p + 2 >= begin) throw fail(`a pixel has the colour ${i} of ${count}`);
      return [bytes[p + 2], bytes[p + 1], bytes[p]];
    };
    const numbers = new Uint8Array(height * width);
    for (let y = 0, p = 0; y < height; y++) {
      const row = rowOf(y);
      for (let x = 0; x < width; x++) {
        const bit = x * bits;
        numbers[p++] = (bytes[row + (bit >> 3)] >> (8 - bits - (bit & 7))) & ((1 << bits) - 1);
      }
    }
    const used = [...new Set(numbers)];
    const palette = new Map(used.map((i) => [i, colour(i)]));
    const isGrey = [...palette.values()].every(([r, g, b]) => r === g && g === b);
    const channels = isGrey ? 1 : 3;
    const data = new Uint8Array(height * width * channels);
    const tables = [0, 1, 2].map((c) => Uint8Array.from({ length: 1 << bits }, (_, i) => palette.get(i)?.[c] ?? 0));
    for (let p = 0; p < numbers.length; p++) {
      for (let c = 0; c < channels; c++) data[p * channels + c] = tables[c][numbers[p]];
    }
    return { height, width, channels, data };
  }

  const masks = packing === 0 ? undefined : [54, 58, 62].map((at) => view.getUint32(at, true));
  const fields = (masks ?? (bits === 16 ? [0x7c00, 0x3e0, 0x1f] : [0xff0000, 0xff00, 0xff])).map((mask) => {
    const shift = mask === 0 ? 0 : 31 - Math.clz32(mask & -mask);
    return { shift, most: Math.max(1, mask >>> shift), mask };
  });
  const data = new Uint8Array(height * width * 3);
  const size = bits / 8;
  for (let y = 0, p = 0; y < height; y++) {
    let at = rowOf(y);
    for (let x = 0; x < width; x++, at += size, p += 3) {
      if (bits !== 16 && !masks) {
        data[p] = bytes[at + 2];
        data[p + 1] = bytes[at + 1];
        data[p + 2] = bytes[at];
        continue;
      }
      const value = size === 2 ? view.getUint16(at, true) : view.getUint32(at, true);
      for (const [c, { mask, shift, most }] of fields.entries()) {
        data[p + c] = Math.round((255 * ((value & mask) >>> shift)) / most);
      }
    }
  }
  return { height, width, channels: 3, data };
}
