/**
 * Who writes a run's folder: one process at a time, named in `lock.json` by its number, its host and the time at which
 * it started. A process that is gone leaves its lock behind; on the same host the next one takes it over. Node only.
 */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { open, rename, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { ConfigError, DataError } from '../core/errors.ts';
import { option, say } from '../core/text.ts';
import { readIfThere, writeFailure } from './files.ts';

/** `lock.json`. */
interface Holder {
  readonly pid: number;
  readonly host: string;
  /** When the process began, in the system's own count; numbers of processes are used again. Null where unknown. */
  readonly processStart: string | null;
  readonly lockedAt: string;
  /** Tells two locks of one process apart. */
  readonly token: string;
}

/** A lock is written in one go; one that cannot be read for this long is of a process that died while writing it. */
const WRITING_MS = 200;
/** After taking a lock over, how long another process that did the same has to show itself. */
const SETTLE_MS = 50;

/** A held lock. */
export interface Lock {
  /** Throws DataError `run-locked` when another process has taken the folder meanwhile. */
  check(): void;
  /** Gives the folder free. */
  release(): Promise<void>;
}

const lockFile = (folder: string) => join(folder, 'lock.json');

/** Locks a folder that exists. Throws DataError `run-locked` while another process, or this one, writes to it. */
export async function lockFolder(folder: string): Promise<Lock> {
  const path = lockFile(folder);
  const own: Holder = {
    pid: process.pid,
    host: hostname(),
    processStart: processStart(process.pid),
    lockedAt: new Date().toISOString(),
    token: randomUUID(),
  };
  const content = `${JSON.stringify(own)}\n`;
  if (!(await create(path, content))) {
    const holder = await readHolder(path);
    if (holder && lives(holder)) throw lockedBy(folder, holder);
    if (!holder) await checkOwn(path);
    const beside = `${path}.${own.token}`;
    try {
      await writeFile(beside, content);
      await rename(beside, path);
    } catch (error) {
      throw writeFailure(error, path);
    }
    await pause(SETTLE_MS);
  }
  const lock: Lock = {
    check() {
      const holder = parse(readSync(path));
      if (holder && holder.token !== own.token) throw lockedBy(folder, holder);
    },
    async release() {
      if (parse(readSync(path))?.token === own.token) await rm(path, { force: true });
    },
  };
  lock.check();
  return lock;
}

/** True while a living process holds the folder; of another host that cannot be known, and its lock counts. */
export async function isLocked(folder: string): Promise<boolean> {
  const holder = await readHolder(lockFile(folder));
  return holder !== undefined && lives(holder);
}

/** Makes the file, unless it is there. */
async function create(path: string, content: string): Promise<boolean> {
  try {
    const file = await open(path, 'wx');
    await file.writeFile(content);
    await file.close();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw writeFailure(error, path);
  }
}

/** Throws ConfigError `strange-files` for a file that is no lock, and none that a process died in writing. */
async function checkOwn(path: string): Promise<void> {
  const text = new TextDecoder().decode(await readIfThere(path));
  if (text.startsWith(BEGIN) || BEGIN.startsWith(text)) return;
  throw new ConfigError(
    'strange-files',
    say`${path} must be the lock of a run, but is another file. Move it away, or choose another folder with
      ${option('out')}.`,
  );
}

/** How a lock begins. */
const BEGIN = '{"pid":';

async function readHolder(path: string): Promise<Holder | undefined> {
  const begin = performance.now();
  for (;;) {
    const bytes = await readIfThere(path);
    const holder = parse(bytes);
    if (!bytes || holder || performance.now() - begin > WRITING_MS) return holder;
    await pause(20);
  }
}

function readSync(path: string): Uint8Array | undefined {
  try {
    return readFileSync(path);
  } catch {
    return undefined;
  }
}

function parse(bytes: Uint8Array | undefined): Holder | undefined {
  try {
    const holder = JSON.parse(new TextDecoder().decode(bytes)) as Holder;
    return typeof holder?.pid === 'number' && typeof holder.token === 'string' ? holder : undefined;
  } catch {
    return undefined;
  }
}

function lives({ pid, host, processStart: began }: Holder): boolean {
  if (host !== hostname()) return true;
  try {
    process.kill(pid, 0); // sends nothing
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  const now = processStart(pid);
  return began === null || now === null || began === now;
}

/** Start of a process in clock ticks since the machine was started, from proc(5); null where there is no such file. */
function processStart(pid: number): string | null {
  const stat = new TextDecoder().decode(readSync(`/proc/${pid}/stat`));
  // The 22nd field; the second is a name in brackets that may hold spaces.
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null;
}

function lockedBy(folder: string, { pid, host, lockedAt }: Holder): DataError {
  const elsewhere = host !== hostname();
  return new DataError(
    'run-locked',
    say`${folder} can be written by one process at a time; process ${pid}${elsewhere ? ` on ${host}` : ''} has been
      writing to it since ${lockedAt}. Wait until it ends, or choose another folder with
      ${option('out')}${elsewhere ? `; if that process is gone, delete ${lockFile(folder)}` : ''}.`,
  );
}
