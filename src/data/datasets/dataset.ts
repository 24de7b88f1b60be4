/** What a data set's file exports, and how its files are found on this machine. Node only. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { DataError } from '../../core/errors.ts';
import type { Listener } from '../../core/events.ts';
import { gunzip } from '../formats/gzip.ts';
import { sha256 } from '../hash.ts';
import type { Source } from '../item.ts';

/** How to load a data set. */
export interface LoadOptions {
  /** The data root (see `dataRoot`); the data set's folder lies in it. */
  readonly root: string;
  /** Hears progress, log lines and warnings. */
  readonly onEvent?: Listener;
  /** Fetch what is on this machine nowhere; default true. */
  readonly download?: boolean;
  readonly signal?: AbortSignal;
}

/** A data set that oddity knows by name. */
export interface Dataset {
  /** The name users type. */
  readonly name: string;
  readonly title: string;
  readonly licence: string;
  /** Who made it and where it comes from. */
  readonly origin: string;
  /**
   * Reads all images into memory as bytes.
   * @throws DataError `missing-data` (says where it looked), `checksum`, those of the format, those of `download`.
   */
  load(options: LoadOptions): Promise<Source>;
}

/** The first folder that has every one of `names` (plain or with `.gz`), as paths in the same order. */
export function findFiles(folders: readonly string[], names: readonly string[]): string[] | undefined {
  for (const folder of folders) {
    const paths = names.map((name) => [join(folder, name), join(folder, `${name}.gz`)].find((p) => existsSync(p)));
    if (paths.every((p) => p !== undefined)) return paths;
  }
  return undefined;
}

/** The folder of an npm package, seen from the working directory or from oddity; undefined when not installed. */
export function npmFolder(name: string): string | undefined {
  for (const from of [join(process.cwd(), 'package.json'), import.meta.url]) {
    try {
      return dirname(createRequire(from).resolve(`${name}/package.json`));
    } catch {
      // Not installed there.
    }
  }
  return undefined;
}

/** The error for files that are nowhere. `also` names another way to get them. */
export function missingData(
  name: string,
  files: readonly string[],
  folders: readonly string[],
  also?: string,
): DataError {
  return new DataError(
    'missing-data',
    `${name} needs ${files.join(', ')} (or .gz of each), found in none of: ${folders.join(', ')}. ` +
      `Put the files into ${folders[0]}, set ODDITY_DATA to another data root, ${also ? `${also}, ` : ''}or allow the download.`,
  );
}

/** Reads a file, unpacks gzip and compares the sha256 of the content, if one is given. */
export async function readChecked(path: string, hash?: string): Promise<Uint8Array> {
  const content = await gunzip(await readFile(path), path);
  if (!hash) return content;
  const found = await sha256(content);
  if (found !== hash) {
    throw new DataError(
      'checksum',
      `${path} must have the sha256 ${hash} (unpacked), found ${found}. It is damaged or another file: remove it and load again.`,
    );
  }
  return content;
}
