/** A small writer of TIFF files of several pages, uncompressed, one strip each, for tests of their reader. */

export interface TiffImage {
  readonly height: number;
  readonly width: number;
  /** Samples, channels side by side. */
  readonly data: Uint8Array | Uint16Array | Int16Array | Uint32Array | Float32Array;
  /** Default 1. */
  readonly channels?: 1 | 3 | 4;
  /** 1 a smaller copy of another page, 4 a mask. */
  readonly subfile?: number;
  /** What the fourth channel is: 0 unknown, 2 transparency. */
  readonly extra?: number;
}

/** Pages as the bytes of one file, little-endian; directories behind the pixels. */
export function writeTiff(pages: readonly TiffImage[]): Uint8Array {
  const chunks: Uint8Array[] = [];
  let size = 8;
  const add = (bytes: Uint8Array) => {
    const at = size;
    const padded = bytes.length % 2 === 0 ? bytes : Uint8Array.from([...bytes, 0]);
    chunks.push(padded);
    size += padded.length;
    return at;
  };
  const links: { chunk: number; at: number }[] = [];
  const begins: number[] = [];
  for (const { height, width, data, channels = 1, subfile = 0, extra } of pages) {
    const strip = add(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    const bits = 8 * data.BYTES_PER_ELEMENT;
    const format = data instanceof Float32Array ? 3 : data instanceof Int16Array ? 2 : 1;
    const shorts = (value: number) => add(new Uint8Array(Uint16Array.from({ length: channels }, () => value).buffer));
    const many = (tag: number, value: number): Entry =>
      channels <= 2 ? [tag, 3, channels, value] : [tag, 3, channels, shorts(value)];
    const entries: Entry[] = [
      [254, 4, 1, subfile],
      [256, 4, 1, width],
      [257, 4, 1, height],
      many(258, bits),
      [259, 3, 1, 1],
      [262, 3, 1, channels >= 3 ? 2 : 1],
      [273, 4, 1, strip],
      [277, 3, 1, channels],
      [278, 4, 1, height],
      [279, 4, 1, data.byteLength],
      ...(extra === undefined ? [] : ([[338, 3, 1, extra]] as Entry[])),
      many(339, format),
    ];
    const directory = new DataView(new ArrayBuffer(2 + 12 * entries.length + 4));
    directory.setUint16(0, entries.length, true);
    for (const [i, [tag, type, count, value]] of entries.entries()) {
      const at = 2 + 12 * i;
      directory.setUint16(at, tag, true);
      directory.setUint16(at + 2, type, true);
      directory.setUint32(at + 4, count, true);
      directory.setUint32(at + 8, value, true);
    }
    links.push({ chunk: chunks.length, at: directory.byteLength - 4 });
    begins.push(add(new Uint8Array(directory.buffer)));
  }
  for (const [i, { chunk, at }] of links.entries()) {
    new DataView(chunks[chunk].buffer, chunks[chunk].byteOffset).setUint32(at, begins[i + 1] ?? 0, true);
  }
  const head = new DataView(new ArrayBuffer(8));
  head.setUint16(0, 0x4949);
  head.setUint16(2, 42, true);
  head.setUint32(4, begins[0], true);
  const out = new Uint8Array(size);
  let at = 0;
  for (const bytes of [new Uint8Array(head.buffer), ...chunks]) {
    out.set(bytes, at);
    at += bytes.length;
  }
  return out;
}

type Entry = readonly [tag: number, type: number, count: number, value: number];
