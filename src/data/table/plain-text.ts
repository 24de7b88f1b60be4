/** Text files as they are found, as the text that the reader of cells takes: UTF-8 with line feeds. */
import { DataError } from '../../core/errors.ts';

const [LF, CR] = [10, 13];

export interface PlainText {
  /** UTF-8; the bytes that were given where they are. */
  readonly bytes: Uint8Array;
  /** What was done, where that could surprise; as parts of a sentence. */
  readonly notes: readonly string[];
}

/**
 * Decodes UTF-16 with or without a byte order mark, and Windows-1252 (of which Latin-1 is a part) where the bytes are not
 * UTF-8; gives files of the old Mac line feeds. Throws DataError `csv` for bytes that are no text.
 */
export function plainText(bytes: Uint8Array, file: string): PlainText {
  const wide = utf16Of(bytes);
  if (wide) {
    const text = new TextDecoder(wide).decode(bytes);
    return withLineFeeds(new TextEncoder().encode(text), ['read as UTF-16']);
  }
  if (bytes.subarray(0, 2 ** 16).includes(0)) {
    throw new DataError('csv', `${file} must be a text file, but has bytes of value 0. Save it as UTF-8 text.`);
  }
  if (isUtf8(bytes)) return withLineFeeds(bytes, []);
  const text = new TextDecoder('windows-1252').decode(bytes);
  return withLineFeeds(new TextEncoder().encode(text), ['read as Windows-1252 (Latin-1), since it is not UTF-8']);
}

/** The kind of UTF-16 by the byte order mark, or by where the zeros of plain letters stand. */
function utf16Of(bytes: Uint8Array): 'utf-16le' | 'utf-16be' | undefined {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le';
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return 'utf-16be';
  const sample = bytes.subarray(0, 2 ** 12);
  const zeros = [0, 0];
  for (let i = 0; i < sample.length; i++) if (sample[i] === 0) zeros[i % 2]++;
  const half = sample.length / 2;
  if (zeros[1] > 0.6 * half && zeros[0] < 0.1 * half) return 'utf-16le';
  if (zeros[0] > 0.6 * half && zeros[1] < 0.1 * half) return 'utf-16be';
  return undefined;
}

/** Checked in pieces, so that no text of the whole file is held. */
function isUtf8(bytes: Uint8Array): boolean {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const piece = 2 ** 22;
  try {
    for (let at = 0; at < bytes.length; at += piece) decoder.decode(bytes.subarray(at, at + piece), { stream: true });
    decoder.decode();
    return true;
  } catch {
    return false;
  }
}

function withLineFeeds(bytes: Uint8Array, notes: readonly string[]): PlainText {
  if (bytes.includes(LF) || !bytes.includes(CR)) return { bytes, notes };
  return { bytes: bytes.map((byte) => (byte === CR ? LF : byte)), notes };
}
