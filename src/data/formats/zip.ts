/**
 * Zip archives (PKWARE APPNOTE 6.3.9, with zip64), as NumPy and PyTorch write them: entries stored or deflated. Sizes come from
 * the central directory and are checked before memory is taken, content is checked against its CRC-32. Reading only.
 */
import { crc32 } from './crc32.ts';
import { inflate } from './inflate.ts';

/** One file in an archive. */
export interface ZipEntry {
  readonly name: string;
  /** Bytes in the archive, and unpacked as the archive claims. */
  readonly packed: number;
  readonly size: number;
  readonly isDeflated: boolean;
  readonly crc: number;
  /** Where its local header begins. */
  readonly at: number;
}

/** An archive; `read` gives a copy of an entry's content. */
export interface Zip {
  readonly entries: readonly ZipEntry[];
  read(entry: ZipEntry): Uint8Array;
}

const [END, END64, LOCATOR64, CENTRAL, LOCAL] = [0x06054b50, 0x06064b50, 0x07064b50, 0x02014b50, 0x04034b50];
const ENCRYPTED = 1;

/** Opens an archive. `fail` throws, with what is wrong in words that follow "the archive:". */
export function openZip(bytes: Uint8Array, fail: (what: string) => never): Zip {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const entries: ZipEntry[] = [];
  const cut = 'it is cut off or damaged';
  const inside = (at: number, length: number) => at >= 0 && at + length <= bytes.length;
  const uint64 = (at: number) => Number(view.getBigUint64(at, true));
  const directory = directoryOf(view) ?? fail(cut);
  let { at } = directory;
  for (let i = 0; i < directory.count; i++) {
    if (!inside(at, 46) || view.getUint32(at, true) !== CENTRAL) return fail(cut);
    const [nameLength, extraLength, commentLength] = [28, 30, 32].map((o) => view.getUint16(at + o, true));
    const end = at + 46 + nameLength + extraLength + commentLength;
    if (end > bytes.length) return fail(cut);
    const name = new TextDecoder().decode(bytes.subarray(at + 46, at + 46 + nameLength));
    const method = view.getUint16(at + 10, true);
    if (view.getUint16(at + 8, true) & ENCRYPTED) return fail(`its entry ${i + 1} is encrypted`);
    if (method !== 0 && method !== 8) return fail(`its entry ${i + 1} is packed in a way that is not supported`);
    // Sizes that do not fit 32 bits stand in an extra field, in this order.
    const wide = wideFields(view, at + 46 + nameLength, extraLength);
    const field = (offset: number) => {
      const value = view.getUint32(at + offset, true);
      return value === 0xffffffff && wide.length > 0 ? uint64(wide.shift()!) : value;
    };
    const [size, packed] = [field(24), field(20)];
    entries.push({ name, size, packed, isDeflated: method === 8, crc: view.getUint32(at + 16, true), at: field(42) });
    at = end;
  }
  return {
    entries,
    read({ name, at, packed, size, isDeflated, crc }) {
      if (!inside(at, 30) || view.getUint32(at, true) !== LOCAL) return fail(cut);
      const begin = at + 30 + view.getUint16(at + 26, true) + view.getUint16(at + 28, true);
      if (!inside(begin, packed) || (!isDeflated && packed !== size)) return fail(cut);
      const content = bytes.subarray(begin, begin + packed);
      const damaged = `its entry ${printable(name)} is damaged`;
      const unpacked = isDeflated ? inflated(content, size) : new Uint8Array(content);
      if (unpacked?.length !== size || crc32(unpacked) !== crc) return fail(damaged);
      return unpacked;
    },
  };
}

/** Deflated bytes unpacked; undefined where they are not whole, or give more than `size`. */
function inflated(content: Uint8Array, size: number): Uint8Array | undefined {
  let left = size;
  try {
    return inflate(content, 'deflate', (bytes) => {
      left -= bytes;
      if (left < 0) throw new Error('more than it claims');
    });
  } catch {
    return undefined;
  }
}

/** Where the central directory begins, and how many entries it has; undefined without one. */
function directoryOf(view: DataView): { at: number; count: number } | undefined {
  const last = view.byteLength - 22;
  for (let at = last; at >= Math.max(0, last - 65535); at--) {
    if (view.getUint32(at, true) !== END) continue;
    const found = { count: view.getUint16(at + 10, true), at: view.getUint32(at + 16, true) };
    if (found.count !== 0xffff && found.at !== 0xffffffff) return found;
    if (at < 20 || view.getUint32(at - 20, true) !== LOCATOR64) return undefined;
    const wide = Number(view.getBigUint64(at - 20 + 8, true));
    if (wide + 56 > view.byteLength || view.getUint32(wide, true) !== END64) return undefined;
    return { count: Number(view.getBigUint64(wide + 32, true)), at: Number(view.getBigUint64(wide + 48, true)) };
  }
  return undefined;
}

/** Places of the 64-bit numbers of the extra field 1. */
function wideFields(view: DataView, from: number, length: number): number[] {
  for (let at = from; at + 4 <= from + length; ) {
    const [id, size] = [view.getUint16(at, true), view.getUint16(at + 2, true)];
    const end = Math.min(at + 4 + size, from + length);
    if (id === 1) return Array.from({ length: Math.floor((end - at - 4) / 8) }, (_, i) => at + 4 + 8 * i);
    at = at + 4 + size;
  }
  return [];
}

/** A name of the file for a message: no control characters, not too long. */
export const printable = (name: string) => name.replace(/[^\x20-\x7e]/g, '?').slice(0, 120);
