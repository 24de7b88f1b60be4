/** Deflate (RFC 1951) and zlib (RFC 1950) in small steps, so that what unpacks to too much is stopped on the way. */
import { Inflate, Unzlib } from 'fflate';

/** Packed bytes a step: no step gives more than 16 MiB. */
const STEP = 2 ** 14;

/** Unpacks `bytes`; `spend` hears of each part before the next, and ends it by throwing. Throws Error for what is not whole. */
export function inflate(
  bytes: Uint8Array,
  format: 'deflate' | 'zlib',
  spend: (unpackedBytes: number) => void,
): Uint8Array {
  const parts: Uint8Array[] = [];
  let size = 0;
  const take = (part: Uint8Array) => {
    spend(part.length);
    size += part.length;
    parts.push(part);
  };
  const stream = format === 'zlib' ? new Unzlib(take) : new Inflate(take);
  for (let at = 0, end = 0; at === 0 || end < bytes.length; at = end) {
    // The last step holds the checksum as a whole.
    end = at + STEP < bytes.length - 4 ? at + STEP : bytes.length;
    stream.push(bytes.subarray(at, end), end === bytes.length);
  }
  const out = new Uint8Array(size);
  let filled = 0;
  for (const part of parts) {
    out.set(part, filled);
    filled += part.length;
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (format === 'zlib' && adler32(out) !== view.getUint32(bytes.length - 4)) throw new Error('the checksum differs');
  return out;
}

/** The checksum of zlib (RFC 1950, 8.2). */
function adler32(bytes: Uint8Array): number {
  let [a, b] = [1, 0];
  for (let i = 0; i < bytes.length; ) {
    // So many sums fit 32 bits before the remainder is taken.
    for (const end = Math.min(i + 3800, bytes.length); i < end; i++) {
      a += bytes[i];
      b += a;
    }
    a %= 65521;
    b %= 65521;
  }
  return ((b << 16) | a) >>> 0;
}
