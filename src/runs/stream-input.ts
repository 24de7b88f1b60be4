/**
 * Lines of a file or of standard input as they come, each with its number and its place in bytes, so that whoever is stopped can
 * go on behind the last line. A file may grow meanwhile. UTF-8 only; left out: compressed files, named pipes. Node only.
 */
import { createHash } from 'node:crypto';
import { watch } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import * as z from 'zod';
import { DataError } from '../core/errors.ts';
import { type Said, say } from '../core/text.ts';
import { requireFile } from '../data/files/read-input.ts';

/** A line without its end. */
export interface Line {
  readonly text: string;
  /** Counted from 1. */
  readonly number: number;
  /** Its first byte, and the first one behind its end. */
  readonly from: number;
  readonly to: number;
}

/** How far a file was read: behind line `line`, which begins at byte `from` and ends before byte `to`. */
export interface Position {
  readonly line: number;
  readonly from: number;
  readonly to: number;
  /** SHA-256 of the text of the line. */
  readonly print: string;
}

/** A position as it is stored. */
export const storedPosition = z.object({
  line: z.int().min(0),
  from: z.int().min(0),
  to: z.int().min(0),
  print: z.string(),
});

/** Nothing was read yet. */
export const atStart: Position = { line: 0, from: 0, to: 0, print: '' };

/** The place behind a line. */
export const behind = ({ number, from, to, text }: Line): Position => ({
  line: number,
  from,
  to,
  print: printOf(text),
});

const printOf = (text: string) => createHash('sha256').update(text).digest('hex');

/** What is read. */
export interface LinesOptions {
  readonly file?: string;
  /** Read where there is no file. */
  readonly input?: AsyncIterable<Uint8Array>;
  /** Where to go on. */
  readonly from: Position;
  /** Waits for more at the end of the file. */
  readonly follow?: boolean;
  /** Leaves a last line without a line end for the next time, when it may be longer. */
  readonly keepsRest: boolean;
  /** What to do about a file that begins anew, as a sentence. */
  readonly remedy?: Said;
  readonly signal?: AbortSignal;
}

const CHUNK = 65_536;
/** Bytes of the longest line: what is longer is no line of numbers. */
const LONGEST = 1_048_576;
/** Milliseconds after which a file is looked at, even where the system tells nothing of its changes. */
const POLL_MS = 500;

/** Lines in batches, as they come; ends early where the signal aborts. DataError `stream-file`, `stream-line`, `stream-file-anew`. */
export async function* readLines(options: LinesOptions): AsyncGenerator<readonly Line[], void> {
  const { signal, from, keepsRest } = options;
  let rest = Buffer.alloc(0);
  let { line, to: at } = from;
  const next = (bytes: Buffer, length: number): Line => {
    const text = textOf(bytes, line === 0);
    line += 1;
    const one = { text, number: line, from: at, to: at + length };
    at += length;
    return one;
  };
  for await (const chunk of options.file === undefined ? chunksOf(options) : fileChunks(options.file, options)) {
    const bytes = rest.length > 0 ? Buffer.concat([rest, chunk]) : Buffer.from(chunk);
    const lines: Line[] = [];
    let begin = 0;
    for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, begin)) {
      lines.push(next(bytes.subarray(begin, end), end + 1 - begin));
      begin = end + 1;
    }
    rest = bytes.subarray(begin);
    if (rest.length > LONGEST)
      throw new DataError(
        'stream-line',
        `Each line must have at most ${LONGEST} bytes; line ${line + 1} has more. Is this a text file with a point per line?`,
      );
    if (lines.length > 0) yield lines;
  }
  if (rest.length > 0 && !keepsRest && !signal?.aborted) yield [next(rest, rest.length)];
}

/** The text of a line without its line end, and of the first one without the mark of UTF-8. */
function textOf(bytes: Buffer, isFirst: boolean): string {
  if (isFirst && bytes.length >= 2 && bytes[0] + bytes[1] === 0xff + 0xfe && Math.abs(bytes[0] - bytes[1]) === 1)
    throw new DataError('stream-line', 'A stream must be text in UTF-8, but begins as UTF-16 does. Convert it first.');
  const text = bytes.toString('utf8', 0, bytes.at(-1) === 13 ? bytes.length - 1 : bytes.length);
  return isFirst && text.startsWith('\ufeff') ? text.slice(1) : text;
}

async function* chunksOf({ input, signal }: LinesOptions): AsyncGenerator<Uint8Array, void> {
  if (!input) return;
  const iterator = input[Symbol.asyncIterator]();
  for (;;) {
    const read = await unlessAborted(iterator.next(), signal);
    if (!read || read.done) return;
    yield read.value;
  }
}

async function* fileChunks(
  path: string,
  { from, follow, remedy, signal }: LinesOptions,
): AsyncGenerator<Uint8Array, void> {
  const file = await openFile(path);
  try {
    const { ino } = await file.stat();
    let at = from.to;
    while (!signal?.aborted) {
      const { bytesRead, buffer } = await file.read(Buffer.alloc(CHUNK), 0, CHUNK, at);
      at += bytesRead;
      if (bytesRead > 0) yield buffer.subarray(0, bytesRead);
      else if (!follow) return;
      else await growth(path, { at, ino, remedy }, signal);
    }
  } finally {
    await file.close();
  }
}

async function openFile(path: string): Promise<FileHandle> {
  await requireFile(path);
  try {
    return await open(path, 'r');
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    const why = code === 'ENOENT' ? 'it does not exist. Check the path' : code || message;
    throw new DataError('stream-file', `${path} cannot be read: ${why}.`);
  }
}

/** Waits until a file is longer than what was read, or for a moment. DataError where it has become shorter or another one. */
async function growth(
  path: string,
  { at, ino, remedy }: { at: number; ino: number; remedy?: Said },
  signal?: AbortSignal,
): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  if (found && found.ino !== ino) throw anew(path, 'another file has taken its place', remedy);
  if (found && found.size < at) throw anew(path, `${at} bytes were read of it, and now it has ${found.size}`, remedy);
  if (found && found.size > at) return;
  await new Promise<void>((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      watcher?.close();
      resolve();
    };
    const timer = setTimeout(done, POLL_MS);
    signal?.addEventListener('abort', done, { once: true });
    const watcher = watcherOf(path, done);
    if (signal?.aborted) done();
  });
}

/** Calls back at a change of a file; undefined where the system cannot tell. */
function watcherOf(path: string, changed: () => void) {
  try {
    return watch(path, changed).on('error', () => {});
  } catch {
    return undefined;
  }
}

/** A promise's value; undefined as soon as the signal aborts. */
async function unlessAborted<T>(promise: Promise<T>, signal?: AbortSignal): Promise<T | undefined> {
  if (!signal) return promise;
  let abort = () => {};
  const aborted = new Promise<undefined>((resolve) => {
    abort = () => resolve(undefined);
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
  });
  try {
    return await Promise.race([promise, aborted]);
  } catch (error) {
    if (signal.aborted) return undefined;
    throw error;
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

/** The error of a file that begins anew. */
const anew = (
  path: string,
  what: string,
  remedy: Said = 'Read it with a new state, or as standard input with the same state to go on with what was learnt.',
) => new DataError('stream-file-anew', say`${path} must only grow while it is streamed, but ${what}. ${remedy}`);

/** Refuses a file that no longer holds the last line that was read of it, where it was. DataError `stream-file-anew`. */
export async function checkContinued(path: string, { line, from, to, print }: Position, remedy?: Said): Promise<void> {
  const file = await openFile(path);
  try {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(to - from), 0, to - from, from);
    if (bytesRead < to - from) throw anew(path, `${to} bytes were read of it, and now it has fewer`, remedy);
    const text = textOf(buffer.at(-1) === 10 ? buffer.subarray(0, -1) : buffer, line === 1);
    if (line > 0 && printOf(text) !== print)
      throw anew(path, `line ${line}, the last that was read, is not what it was`, remedy);
  } finally {
    await file.close();
  }
}
