/**
 * How files that a user names are read: what is no regular file is refused before it is opened, because reading a pipe or a
 * device may never end. Node only.
 */
import { type Stats, statSync } from 'node:fs';
import { open, readFile, stat } from 'node:fs/promises';
import { DataError } from '../../core/errors.ts';

/** What a path is when it is no regular file. */
function strangeKind(found: Stats): string | undefined {
  if (found.isFile()) return undefined;
  if (found.isDirectory()) return 'a folder';
  if (found.isFIFO()) return 'a named pipe';
  if (found.isSocket()) return 'a socket';
  return 'a device';
}

/** The error for a path that is there and is no regular file; undefined where it is one. */
function notAFile(path: string, found: Stats): DataError | undefined {
  const kind = strangeKind(found);
  if (kind === undefined) return undefined;
  const remedy = found.isDirectory() ? 'Name a file in it.' : 'Save its content to a file and name that.';
  return new DataError('not-a-file', `${path} must be a regular file, but is ${kind}. ${remedy}`);
}

/** Throws DataError `not-a-file` for a path that is there and is no regular file; a path where nothing is passes. */
export async function requireFile(path: string | URL): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  const error = found && notAFile(String(path), found);
  if (error) throw error;
}

/** The same for threads that may wait. */
export function requireFileSync(path: string): void {
  const found = statSync(path, { throwIfNoEntry: false });
  const error = found && notAFile(path, found);
  if (error) throw error;
}

/** True for a path that is a folder. */
export async function isFolder(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  return found?.isDirectory() === true;
}

/** Plain words for what the system says about a file. */
const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'file not found',
  ENOTDIR: 'a part of the path is no folder',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  ERR_FS_FILE_TOO_LARGE: 'it has more than 2 GiB',
};

/**
 * The bytes of a file that a user named; of a text with more than `glance` bytes only the lines that end within them.
 * @throws DataError `not-a-file` for a folder, pipe, socket or device; DataError `code` for what cannot be read.
 */
export async function readInput(path: string, code: string, glance?: number): Promise<Uint8Array> {
  await requireFile(path);
  const begun = glance === undefined ? undefined : await beginOf(path, glance).catch(() => undefined);
  if (begun) return begun;
  return readFile(path).catch((error) => {
    throw unreadable(path, code, error);
  });
}

/** What the system says about reading a file, as DataError `code`. */
export function unreadable(path: string, code: string, error: NodeJS.ErrnoException): DataError {
  const reason = reasons[error.code ?? ''] ?? error.code ?? 'unknown error';
  return new DataError(code, `${path} cannot be read (${reason}). Check the path.`);
}

/** The whole lines within the first bytes of a file; undefined where it has no more bytes than that, or no such line. */
async function beginOf(path: string, bytes: number): Promise<Uint8Array | undefined> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(new Uint8Array(bytes), 0, bytes, 0);
    const end = buffer.lastIndexOf(10, bytesRead - 1);
    return bytesRead < bytes || end <= 0 ? undefined : buffer.subarray(0, end + 1);
  } finally {
    await file.close();
  }
}
