/**
 * The directories of a TIFF file (TIFF 6.0), which are its pages. Only directories are read, piece by piece, so that a
 * stack of gigabytes costs no more than a photo.
 */

/** Bytes of a file from a place on; throws RangeError where it ends before. */
export type ReadAt = (at: number, length: number) => DataView;

/** What stands in one directory: the first value of each tag that holds whole numbers. */
export interface TiffPage {
  /** Number of the directory, from 0, as decoders count. */
  readonly directory: number;
  readonly tags: ReadonlyMap<number, number>;
}

/** More directories than this are a damaged file. */
const MOST = 65_536;
/** NewSubfileType: bit 0 is a smaller copy of another page, bit 2 its mask of transparency. */
const [SUBFILE, COPY_OR_MASK] = [254, 0b101];

/** True for the first bytes of a TIFF file. */
export function isTiff(view: DataView): boolean {
  const order = view.getUint16(0);
  return (order === 0x4949 || order === 0x4d4d) && view.getUint16(2, order === 0x4949) === 42;
}

/**
 * The pages of a TIFF file, in order, without smaller copies of other pages; the first `upTo` of them, or all. Throws
 * RangeError for a file that ends inside a directory.
 */
export function tiffPages(read: ReadAt, upTo = MOST): readonly TiffPage[] {
  const little = read(0, 2).getUint16(0) === 0x4949;
  const pages: TiffPage[] = [];
  const seen = new Set<number>();
  let at = read(4, 4).getUint32(0, little);
  for (let directory = 0; at !== 0 && !seen.has(at) && pages.length < upTo; directory++) {
    seen.add(at);
    const entries = read(at, 2).getUint16(0, little);
    const tags = tagsOf(read, at + 2, entries, little);
    if (directory === 0 || ((tags.get(SUBFILE) ?? 0) & COPY_OR_MASK) === 0) pages.push({ directory, tags });
    at = read(at + 2 + 12 * entries, 4).getUint32(0, little);
  }
  return pages;
}

function tagsOf(read: ReadAt, at: number, entries: number, little: boolean): Map<number, number> {
  const view = read(at, 12 * entries);
  const tags = new Map<number, number>();
  for (let i = 0; i < entries; i++) {
    const entry = 12 * i;
    const [tag, type] = [view.getUint16(entry, little), view.getUint16(entry + 2, little)];
    if (type !== 3 && type !== 4) continue; // SHORT, LONG
    const [isShort, count] = [type === 3, view.getUint32(entry + 4, little)];
    const inside = count * (isShort ? 2 : 4) <= 4;
    const from = inside ? view : read(view.getUint32(entry + 8, little), isShort ? 2 : 4);
    const place = inside ? entry + 8 : 0;
    tags.set(tag, isShort ? from.getUint16(place, little) : from.getUint32(place, little));
  }
  return tags;
}

/** Reads bytes that are in memory. */
export function readerOf(bytes: Uint8Array): ReadAt {
  return (at, length) => new DataView(bytes.buffer, bytes.byteOffset + at, Math.min(length, bytes.byteLength - at));
}
