/** Gzip by the platform's DecompressionStream (Node and browsers), which checks the trailing CRC. */
import { DataError } from '../../core/errors.ts';
import { ByteBudget } from './budget.ts';

/** True when the bytes begin as a gzip file does (RFC 1952). */
export function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/**
 * The content of a gzip file, or a view of the bytes themselves when they are not gzip. `file` names them in messages.
 * @throws DataError `gzip-corrupt` for truncated or damaged files, `too-large` for content beyond the budget.
 */
export async function gunzip(
  bytes: Uint8Array,
  file: string,
  budget = new ByteBudget(file, bytes.length),
): Promise<Uint8Array> {
  if (!isGzip(bytes)) return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength); // never a Node Buffer
  const chunks: Uint8Array[] = [];
  let length = 0;
  const reader = new Blob([bytes as Uint8Array<ArrayBuffer>])
    .stream()
    .pipeThrough(new DecompressionStream('gzip'))
    .getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      chunks.push(value);
      length += value.length;
      budget.unpack(value.length);
    }
  } catch (error) {
    await reader.cancel().catch(() => {}); // it may have ended by itself
    if (error instanceof DataError) throw error;
    throw new DataError(
      'gzip-corrupt',
      `${file} must be a whole gzip file, but is cut off or damaged. Fetch it again.`,
    );
  }
  const out = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    out.set(chunk, at);
    at += chunk.length;
  }
  return out;
}
