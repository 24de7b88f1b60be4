/** The content of a file, gzipped or not, read forward a part at a time, so that it may be larger than memory. Node only. */
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { DataError } from '../../core/errors.ts';

/** Bytes of a piece. */
const PIECE = 2 ** 20;

/** Reads parts of a content, none of which begins before the one that was read last. */
export interface ForwardBytes {
  /** Bytes from one position to before another; fewer where the content ends. */
  read(from: number, to: number): Promise<Uint8Array>;
  close(): Promise<void>;
}

/** The whole content in pieces; `onPacked` hears those of the file as it is. Throws DataError `gzip-corrupt`. */
export async function* pieces(
  path: string,
  isGzip: boolean,
  onPacked: (bytes: Uint8Array) => void = () => {},
): AsyncGenerator<Uint8Array> {
  async function* packed(): AsyncGenerator<Uint8Array> {
    for await (const bytes of createReadStream(path, { highWaterMark: PIECE })) {
      onPacked(bytes as Buffer);
      yield bytes as Buffer;
    }
  }
  if (!isGzip) {
    yield* packed();
    return;
  }
  const source = Readable.from(packed());
  const unpacked = createGunzip({ chunkSize: PIECE });
  source.on('error', (error) => unpacked.destroy(error));
  try {
    yield* source.pipe(unpacked) as AsyncIterable<Uint8Array>;
  } catch (error) {
    if (!/^Z_/.test((error as NodeJS.ErrnoException).code ?? '')) throw error;
    throw new DataError(
      'gzip-corrupt',
      `${path} must be a whole gzip file, but is cut off or damaged. Fetch it again.`,
    );
  } finally {
    source.destroy();
  }
}

/** Opens a content. */
export async function openForward(path: string, isGzip: boolean): Promise<ForwardBytes> {
  if (isGzip) return unpackedForward(path);
  const file = await open(path);
  return {
    async read(from, to) {
      const bytes = new Uint8Array(to - from);
      const { bytesRead } = await file.read(bytes, 0, bytes.length, from);
      return bytesRead < bytes.length ? bytes.subarray(0, bytesRead) : bytes;
    },
    close: () => file.close(),
  };
}

/** Keeps what was unpacked and may be asked for. */
function unpackedForward(path: string): ForwardBytes {
  const source = pieces(path, true);
  let begin = 0;
  let held: Uint8Array[] = [];
  let length = 0;
  return {
    async read(from, to) {
      while (begin + length < to) {
        const { done, value } = await source.next();
        if (done) break;
        held.push(value);
        length += value.length;
        while (held.length > 0 && begin + held[0].length <= from) {
          begin += held[0].length;
          length -= held[0].length;
          held.shift();
        }
      }
      const all = Buffer.concat(held);
      held = [all];
      return new Uint8Array(all.subarray(Math.max(0, from - begin), Math.max(0, to - begin)));
    },
    async close() {
      await source.return(undefined);
    },
  };
}
