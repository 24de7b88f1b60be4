/**
 * Downloads of one file: resumed after a cut line (Range), hashed while streaming, renamed when whole, so that a file
 * under its final name is always complete and checked. Node only.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Cancelled, DataError, OddityError } from '../../core/errors.ts';
import { type Listener, silent } from '../../core/events.ts';

/** What to fetch, and how patiently. */
export interface DownloadOptions {
  readonly url: string;
  /** Path of the file; its folder is made. While it is incomplete it is called `<to>.part`. */
  readonly to: string;
  /** sha256 the file must have (hex). Without it a `.part` of an earlier call is not trusted and starts again. */
  readonly sha256?: string;
  /** Hears `progress` in bytes (total 0 while unknown) and a `log` line for every retry. */
  readonly onEvent?: Listener;
  /** Tries after the first one; default 4. */
  readonly retries?: number;
  /** Pause before the first retry, doubled each time; default 500. */
  readonly waitMs?: number;
  /** A line that is silent for so long counts as cut; default 30000. */
  readonly idleMs?: number;
  /** Bytes that the file may have; default 2 GiB, which is what can be read at once. */
  readonly maxBytes?: number;
  readonly signal?: AbortSignal;
}

/** A complete file. */
export interface Downloaded {
  readonly path: string;
  readonly sha256: string;
  readonly sizeBytes: number;
}

/**
 * Fetches a file; one that exists under its name is replaced.
 * @throws DataError `download-refused` (the server says no), `too-large` (the part is removed), `download-failed` (no answer or a cut line, after all
 * retries; the part stays, to go on from), `checksum` (the part is removed), `disk` (full, read-only, not allowed);
 * Cancelled.
 */
export async function download(options: DownloadOptions): Promise<Downloaded> {
  const { url, to, sha256, onEvent = silent, retries = 4, waitMs = 500, signal } = options;
  const part = `${to}.part`;
  try {
    await mkdir(dirname(to), { recursive: true });
    if (!sha256) await rm(part, { force: true });
    const validator: Validator = {};
    for (let attempt = 0; ; attempt++) {
      let trouble: string;
      try {
        const { digest, sizeBytes, resumed } = await transfer(options, part, validator);
        if (!sha256 || digest === sha256) {
          await rename(part, to);
          return { path: to, sha256: digest, sizeBytes };
        }
        await rm(part, { force: true });
        if (!resumed || attempt >= retries) {
          throw new DataError(
            'checksum',
            `${url} must have the sha256 ${sha256}, got ${digest}. The partial file was removed: try again, ` +
              `and if that does not help, get the file elsewhere and put it at ${to}.`,
          );
        }
        trouble = 'the resumed file has a wrong checksum, starting over';
      } catch (error) {
        if (error instanceof OddityError && error.code === 'too-large') await rm(part, { force: true });
        if (error instanceof OddityError || isDiskError(error)) throw error;
        if (signal?.aborted) throw new Cancelled(`The download of ${url} was cancelled.`);
        trouble = reasonOf(error);
        if (attempt >= retries) {
          throw new DataError(
            'download-failed',
            `${url} could not be fetched in ${attempt + 1} tries (last: ${trouble}). ` +
              `Check the connection and try again: the download resumes where it stopped. Or put the file at ${to}.`,
          );
        }
      }
      onEvent({ type: 'log', level: 'info', message: `${basename(to)}: ${trouble}; starting try ${attempt + 2}.` });
      await sleep(waitMs * 2 ** attempt, undefined, { signal }).catch(() => {});
    }
  } catch (error) {
    if (!isDiskError(error)) throw error;
    throw new DataError(
      'disk',
      `${to} cannot be written (${reasonOf(error)}). Free some space or choose another folder (ODDITY_DATA).`,
    );
  }
}

/** The ETag of the first answer: a later part must come from the same file. */
interface Validator {
  etag?: string;
}

/** One try: asks for what the part lacks and appends it. Throws a plain Error for what a retry may cure. */
async function transfer(
  options: DownloadOptions,
  part: string,
  validator: Validator,
): Promise<{ digest: string; sizeBytes: number; resumed: boolean }> {
  const { url, to, onEvent = silent, idleMs = 30_000, maxBytes = 2 ** 31, signal } = options;
  let hash = createHash('sha256');
  let sizeBytes = await stat(part).then(
    (s) => s.size,
    () => 0,
  );
  if (sizeBytes > 0) for await (const chunk of createReadStream(part)) hash.update(chunk);

  const idle = new AbortController();
  const watch = setTimeout(() => idle.abort(new Error(`no answer for ${idleMs} ms`)), idleMs);
  try {
    const headers: Record<string, string> = { 'accept-encoding': 'identity' };
    if (sizeBytes > 0) headers.range = `bytes=${sizeBytes}-`;
    if (sizeBytes > 0 && validator.etag) headers['if-range'] = validator.etag;
    const answer = await fetch(url, {
      headers,
      signal: signal ? AbortSignal.any([signal, idle.signal]) : idle.signal,
    });
    const { status } = answer;
    if (status === 416) {
      // Nothing is left to send: the part is whole, or it is longer than the file and the checksum will tell.
      await answer.body?.cancel();
      return { digest: hash.digest('hex'), sizeBytes, resumed: true };
    }
    if (!answer.ok || !answer.body) {
      await answer.body?.cancel();
      if (status >= 500 || status === 408 || status === 429) throw new Error(`the server answered ${status}`);
      throw new DataError(
        'download-refused',
        `${url} could not be fetched: the server answered ${status} ${answer.statusText}. ` +
          `The address may have changed: get the file elsewhere and put it at ${to}.`,
      );
    }
    const range = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(answer.headers.get('content-range') ?? '');
    const resumed = status === 206 && Number(range?.[1]) === sizeBytes;
    if (!resumed) {
      if (status === 206) {
        await answer.body.cancel();
        await rm(part, { force: true });
        throw new Error('the server sent another range than asked for');
      }
      hash = createHash('sha256');
      sizeBytes = 0;
    }
    validator.etag = strongEtag(answer.headers.get('etag'));
    const total = resumed ? Number(range?.[2]) || 0 : Number(answer.headers.get('content-length')) || 0;
    if (total > maxBytes) {
      await answer.body.cancel();
      throw tooLarge(url, maxBytes);
    }

    const file = await open(part, resumed ? 'a' : 'w');
    try {
      for await (const chunk of answer.body) {
        watch.refresh();
        if (sizeBytes + chunk.length > maxBytes) throw tooLarge(url, maxBytes);
        await file.appendFile(chunk);
        hash.update(chunk);
        sizeBytes += chunk.length;
        onEvent({ type: 'progress', task: `download ${basename(to)}`, done: sizeBytes, total, unit: 'bytes' });
      }
    } finally {
      await file.close();
    }
    if (total > 0 && sizeBytes !== total) throw new Error(`the line was cut at ${sizeBytes} of ${total} bytes`);
    return { digest: hash.digest('hex'), sizeBytes, resumed };
  } finally {
    clearTimeout(watch);
  }
}

function tooLarge(url: string, maxBytes: number): DataError {
  return new DataError(
    'too-large',
    `${url} must have at most ${maxBytes} bytes, but the server sends more. The partial file was removed.`,
  );
}

/** Weak ETags (`W/"…"`) do not promise the same bytes. */
function strongEtag(etag: string | null): string | undefined {
  return etag && !etag.startsWith('W/') ? etag : undefined;
}

const diskCodes = new Set('ENOSPC EDQUOT EROFS EACCES EPERM EEXIST ENOTDIR EISDIR ENAMETOOLONG EIO EMFILE'.split(' '));

function isDiskError(error: unknown): boolean {
  const { code, syscall } = error as NodeJS.ErrnoException;
  return code !== undefined && diskCodes.has(code) && syscall !== 'connect';
}

/** The innermost message: fetch hides the reason in `cause`. */
function reasonOf(error: unknown): string {
  let e = error as Error & { code?: string };
  while (e.cause instanceof Error) e = e.cause;
  return e.message || e.code || String(error);
}
