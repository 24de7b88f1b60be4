/** The body of an answer to a request, up to a largest size. */
import { DataError } from '../core/errors.ts';

/** What can be held and read at once. */
const MOST_BYTES = 2 ** 31;

/** Reads a body as a whole; `name` is for messages. Throws DataError `too-large` once it has more than `most` bytes. */
export async function readBody(response: Response, name: string, most = MOST_BYTES): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let size = 0;
  const reader = response.body?.getReader();
  for (;;) {
    const { done, value } = (await reader?.read()) ?? { done: true, value: undefined };
    if (done || !value) break;
    size += value.length;
    if (size > most) {
      await reader?.cancel();
      throw new DataError('too-large', `${name} must have at most ${most} bytes, but the server sends more.`);
    }
    parts.push(value);
  }
  const out = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
