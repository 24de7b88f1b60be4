/** Files that are whole or absent: written beside their place, flushed, and renamed. Node only. */
import { mkdir, open, readFile, rename, rm, rmdir, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { DataError } from '../core/errors.ts';
import { option, say } from '../core/text.ts';
import { requireFile } from '../data/files/read-input.ts';

/** Codes of the operating system by what a user can do about them. */
const full = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);
const closed = new Set(['EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'EISDIR', 'EEXIST', 'ENOENT', 'ENAMETOOLONG']);

/** What went wrong with writing `path`, as a DataError `disk` or `unwritable`; other errors are returned as they are. */
export function writeFailure(error: unknown, path: string): Error {
  const code = (error as NodeJS.ErrnoException)?.code ?? '';
  if (full.has(code)) {
    return new DataError(
      'disk',
      say`${path} cannot be written: the disk is full (${code}). The previous file is intact. Free some space and try
        again; a training run continues with ${option('resume', true)}.`,
    );
  }
  if (closed.has(code)) {
    return new DataError(
      'unwritable',
      say`${path} cannot be written (${code}). Choose another folder with ${option('out')}.`,
    );
  }
  return error as Error;
}

/**
 * Replaces a file as a whole: whoever reads `path` sees the old content or the new, never a part. Flushing makes that
 * true of a power cut as well; thousands of files that can be made again go without it.
 */
export async function writeAtomic(path: string, content: Uint8Array | string, { flush = true } = {}): Promise<void> {
  const beside = `${path}.tmp`;
  await requireReplaceable(path);
  try {
    const file = await open(beside, 'w');
    try {
      await file.writeFile(content);
      if (flush) await file.sync();
    } finally {
      await file.close();
    }
    await rename(beside, path);
  } catch (error) {
    await rm(beside, { force: true }).catch(() => {});
    throw writeFailure(error, path);
  }
}

/** Refuses to put a file in the place of a device, a pipe or a socket, such as `/dev/null`. */
async function requireReplaceable(path: string): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  if (!found || found.isFile() || found.isDirectory()) return;
  throw new DataError(
    'unwritable',
    `${path} must be the name of a file, but is a device, a pipe or a socket. Choose another.`,
  );
}

/** Replaces a JSON file as a whole. */
export function writeJson(path: string, value: unknown, options: { flush?: boolean } = {}): Promise<void> {
  return writeAtomic(path, `${JSON.stringify(value, null, 2)}\n`, options);
}

/** Makes a folder and shows that it can be written to. Returns how to take it back while it is empty. */
export async function makeFolder(path: string): Promise<() => Promise<void>> {
  let first: string | undefined;
  try {
    first = await makeFolders(path);
    const probe = join(path, '.oddity-probe');
    await writeAtomic(probe, '');
    await rm(probe, { force: true });
  } catch (error) {
    throw writeFailure(error, path);
  }
  return async () => {
    if (first === undefined) return;
    try {
      for (let folder = resolve(path); ; folder = dirname(folder)) {
        await rmdir(folder);
        if (folder === first || folder === dirname(folder)) break;
      }
    } catch {
      // Something was written there meanwhile: it stays.
    }
  };
}

/**
 * Makes a folder and those above it; returns the topmost that was made. Node's own recursive mkdir never returns where
 * the parent is there and still nothing can be made in it, as under /proc.
 */
async function makeFolders(path: string): Promise<string | undefined> {
  const missing: string[] = [];
  for (let folder = resolve(path); !(await isFolder(folder)); folder = dirname(folder)) missing.push(folder);
  for (const folder of [...missing].reverse()) {
    await mkdir(folder).catch(async (error) => {
      if (error.code !== 'EEXIST' || !(await isFolder(folder))) throw error; // another process may have been quicker
    });
  }
  return missing.at(-1);
}

/** True for a folder, false where nothing is; a file in the way throws ENOTDIR. */
async function isFolder(path: string): Promise<boolean> {
  try {
    if ((await stat(path)).isDirectory()) return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
  throw Object.assign(new Error(`${path} is a file`), { code: 'ENOTDIR' });
}

/** The bytes of a file, or undefined when there is none; DataError `not-a-file`, and `unreadable` for other failures. */
export async function readIfThere(path: string): Promise<Uint8Array | undefined> {
  await requireFile(path);
  try {
    return await readFile(path);
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw new DataError('unreadable', `${path} cannot be read (${code || message}).`);
  }
}

/** A JSON file as a value, or undefined when there is none; DataError `code` when it is no JSON object. */
export async function readJsonIfThere<T extends object>(path: string, code = 'corrupt'): Promise<T | undefined> {
  const bytes = await readIfThere(path);
  if (!bytes) return undefined;
  try {
    const value = JSON.parse(new TextDecoder().decode(bytes));
    if (typeof value === 'object' && value !== null) return value as T;
  } catch {
    // Said below.
  }
  throw new DataError(code, `${path} must hold a JSON object, but does not: it is damaged or a different file.`);
}
