/** A small PNG writer (W3C PNG, third edition): grey of 8 or 16 bits and RGB of 8 bits, no filter. It does not read. */
import { zlibSync } from 'fflate';
import { ShapeError } from '../../core/errors.ts';
import { crc32 } from './crc32.ts';

/** Pixels of one image, row by row from the top left. */
export interface PngImage {
  readonly height: number;
  readonly width: number;
  /** 1 grey, 3 RGB (interleaved: r, g, b of a pixel side by side). */
  readonly channels: 1 | 3;
  /** `height · width · channels` values; a Uint16Array makes a 16-bit grey image. */
  readonly data: Uint8Array | Uint16Array;
}

/** Encodes an image as PNG. Throws ShapeError when the data does not fit the sizes. */
export function encodePng(image: PngImage): Uint8Array {
  const { height, width, channels, data } = image;
  const rowValues = width * channels;
  const wide = data instanceof Uint16Array;
  if (!(width > 0 && height > 0) || data.length !== height * rowValues || (wide && channels !== 1)) {
    throw new ShapeError(
      `A PNG of ${height}x${width} with ${channels} channels needs ${height * rowValues} values (16-bit: grey only), got ${data.length}.`,
    );
  }
  const rowBytes = wide ? 2 * rowValues : rowValues;
  const raw = new Uint8Array(height * (1 + rowBytes)); // each row begins with its filter, 0 = none
  for (let y = 0; y < height; y++) {
    const at = y * (1 + rowBytes) + 1;
    const row = data.subarray(y * rowValues, (y + 1) * rowValues);
    if (!wide) raw.set(row, at);
    else for (const [x, value] of row.entries()) raw.set([value >> 8, value & 255], at + 2 * x);
  }
  const header = new Uint8Array(13);
  const view = new DataView(header.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  header[8] = wide ? 16 : 8;
  header[9] = channels === 1 ? 0 : 2; // colour type

  const chunks = [
    Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a),
    chunk('IHDR', header),
    chunk('IDAT', zlibSync(raw)),
    chunk('IEND', new Uint8Array(0)),
  ];
  const out = new Uint8Array(chunks.reduce((n, c) => n + c.length, 0));
  let at = 0;
  for (const c of chunks) {
    out.set(c, at);
    at += c.length;
  }
  return out;
}

/** Length, type, content, and the CRC of type and content. */
function chunk(type: string, content: Uint8Array): Uint8Array {
  const out = new Uint8Array(12 + content.length);
  const view = new DataView(out.buffer);
  view.setUint32(0, content.length);
  out.set(new TextEncoder().encode(type), 4);
  out.set(content, 8);
  view.setUint32(8 + content.length, crc32(out.subarray(4, 8 + content.length)));
  return out;
}
