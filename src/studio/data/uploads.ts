/**
 * Files that come through the page. They gather in `imports/.coming`, each whole or absent; the import takes all of them at once
 * into a numbered folder. Names are those of a stranger: none leads out of the folder. Node only.
 */
import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { isVideoName } from '../../data/files/clips/video.ts';
import { rowsFormat } from '../../data/files/open-rows.ts';
import { writeFailure } from '../../runs/files.ts';
import { Problem } from '../../server/problem.ts';
import type { ImportAnswer } from '../answers-data.ts';
import { type Project, projectFiles } from '../project.ts';
import { importPath } from './import.ts';
import type { ReadOptions } from './read-data.ts';

const MIB = 2 ** 20;
/** Folders in a name, and bytes of each part: what file systems take. */
const DEEPEST = 12;
const LONGEST = 200;
/** Names that Windows keeps for devices. */
const devices = /^(con|prn|aux|nul|com\d|lpt\d)(\..*)?$/i;

const comingOf = (project: Project) => join(projectFiles(project.folder).imports, '.coming');

/** The parts of a name that a stranger gave. Throws Problem 400 for one that could mean another place or a hidden file. */
export function partsOfName(name: string): readonly string[] {
  const parts = name.split('/');
  const isFine = (part: string) =>
    part !== '' &&
    !part.startsWith('.') &&
    !/[\\:*?"<>|\p{Cc}]/u.test(part) &&
    !/[. ]$/.test(part) &&
    !devices.test(part) &&
    new TextEncoder().encode(part).length <= LONGEST;
  if (parts.length <= DEEPEST && parts.every(isFine)) return parts;
  throw new Problem(
    400,
    'file-name',
    `The name of a file must be made of at most ${DEEPEST} folders and a name, each of at most ${LONGEST} bytes, without a dot first, "..", and the signs \\ : * ? " < > |. Rename it.`,
  );
}

/** Stores the bytes of one file. Throws Problem 400 for its name, 413 for more than `most` bytes; nothing is then left of it. */
export async function storeUpload(
  project: Project,
  name: string,
  content: Readable,
  { most, declared = 0 }: { readonly most: number; readonly declared?: number },
): Promise<void> {
  const place = join(comingOf(project), ...partsOfName(name));
  if (declared > most) throw tooLarge(most);
  const beside = join(projectFiles(project.folder).imports, `.part-${randomUUID()}`);
  try {
    await mkdir(dirname(place), { recursive: true });
    let size = 0;
    const limit = new Transform({
      transform(chunk: Uint8Array, _, done) {
        size += chunk.length;
        done(size > most ? tooLarge(most) : null, chunk);
      },
    });
    await pipeline(content, limit, createWriteStream(beside, { flush: true }));
    await rename(beside, place);
  } catch (error) {
    await rm(beside, { force: true });
    throw writeFailure(error, name);
  }
}

const tooLarge = (most: number) =>
  new Problem(
    413,
    'too-large',
    `A file may have ${Math.floor(most / MIB)} MiB here. Put larger ones on this machine and give their path instead.`,
    { Connection: 'close' },
  );

/**
 * Imports the files that came. Throws Problem 400 where there are none, and as `importPath`: the files then wait for another try, or
 * to be forgotten.
 */
export async function importUploads(project: Project, options: ReadOptions = {}): Promise<ImportAnswer> {
  const { imports } = projectFiles(project.folder);
  const coming = comingOf(project);
  const came = await readdir(coming).catch(() => []);
  if (came.length === 0) throw new Problem(400, 'no-files', 'No file came in yet. Choose or drop some first.');
  const numbers = (await readdir(imports)).map(Number).filter((n) => n > 0);
  const place = join(imports, String(Math.max(0, ...numbers) + 1));
  await rename(coming, place);
  try {
    return await importPath(project, await rootOf(place), options);
  } catch (error) {
    // Back to those that came: how they are read may be said, and then they come in.
    await rename(place, coming);
    throw error;
  }
}

/** The folder or file among those that came that an import would read; undefined where none came. */
export async function uploadedRoot(project: Project): Promise<string | undefined> {
  const came = await readdir(comingOf(project)).catch(() => []);
  return came.length === 0 ? undefined : rootOf(comingOf(project));
}

/** The folder that was dropped, or the one file of rows. */
async function rootOf(folder: string): Promise<string> {
  const entries = await readdir(folder, { withFileTypes: true });
  const [only] = entries;
  if (entries.length !== 1) return folder;
  const path = join(folder, only.name);
  if (only.isDirectory()) return rootOf(path);
  return rowsFormat(only.name) !== undefined || isVideoName(only.name) ? path : folder;
}

/** Takes away what came in and was not imported. */
export async function forgetUploads(project: Project): Promise<void> {
  await rm(comingOf(project), { recursive: true, force: true });
}
