/** What a data set's file exports, and how its files are found on this machine. Node only. */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { ConfigError, DataError } from '../../../core/errors.ts';
import type { Listener } from '../../../core/events.ts';
import type { ItemKind } from '../../../core/item-shape.ts';
import { option, say } from '../../../core/text.ts';
import { gunzip } from '../../formats/gzip.ts';
import { sha256 } from '../../hash.ts';
import type { ImageOptions } from '../../image-options.ts';
import type { Source } from '../../item.ts';
import type { GapPolicy } from '../../series/regular.ts';
import type { SeriesParts } from '../../series/source.ts';
import type { NumberReading } from '../../table/profile.ts';
import type { ColumnKind } from '../../table/table.ts';
import { readInput } from '../read-input.ts';

/** How to load a data set. Size and channels are for data sets of image files, whose images differ. */
export interface LoadOptions extends ImageOptions, NumberReading {
  /** The data root (see `dataRoot`); the data set's folder lies in it. */
  readonly root: string;
  /** Hears progress, log lines and warnings. */
  readonly onEvent?: Listener;
  /** Fetch what is on this machine nowhere; default true. */
  readonly download?: boolean;
  /** The caller accepts the licence of a data set that asks for it. */
  readonly acceptLicence?: boolean;
  /** One of the data set's categories, where it has some. */
  readonly category?: string;
  readonly signal?: AbortSignal;
  /** Ids of the image files to read, in this order, as if there were no others; default all. */
  readonly only?: readonly string[];
  /** What the columns of a CSV file of rows are, by name. */
  readonly columns?: Readonly<Record<string, ColumnKind>>;
  /**
   * What the rows of a file are; default series where a column of times goes on in even steps. `clip`: images in folders are the
   * frames of clips.
   */
  readonly kind?: 'series' | 'table' | 'clip';
  /** Whoever learns from it takes rows: without `kind` the rows of a file are then a table, whatever their times. */
  readonly ofRows?: boolean;
  /** Steps of the windows through which the steps of series are seen; default by autocorrelation. */
  readonly window?: number;
  /** What becomes of missing values and steps of series. */
  readonly gaps?: GapPolicy;
  /** Milliseconds of the steps to which series are brought. */
  readonly step?: number;
  /** Share of each series that is for training where the data do not say. */
  readonly trainShare?: number;
  /** Which steps of series are for training. */
  readonly parts?: SeriesParts;
}

/** A data set that oddity knows by name. */
export interface Dataset {
  /** The name users type. */
  readonly name: string;
  readonly title: string;
  readonly licence: string;
  /** Who made it and where it comes from. */
  readonly origin: string;
  /** What its items are; images unless said. */
  readonly kind?: ItemKind;
  /** Images are files: size and channels can be chosen, and the folders say what is normal (protocol `folder`). */
  readonly isOfFiles?: boolean;
  /** The protocol under which it is used in the literature; else what suits its kind. */
  readonly protocol?: string;
  /** The preset that models have for it: training uses it where none is named. */
  readonly preset?: string;
  /** Names of its categories, each a task of its own, named as `mvtec:bottle`. */
  readonly categories?: readonly string[];
  /**
   * Makes the images ready to be read.
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

/** The same for data that is never downloaded; `origin` says where it is to be had. */
export function absentData(name: string, file: string, folders: readonly string[], origin: string): DataError {
  return new DataError(
    'missing-data',
    `${name} needs ${file}, found in none of: ${folders.join(', ')}. Fetch it (${origin}) and put it there, or set ` +
      'ODDITY_DATA to another data root.',
  );
}

/** Reads a file, unpacks gzip and compares the sha256 of the content, if one is given. */
export async function readChecked(path: string, hash?: string): Promise<Uint8Array> {
  const content = await gunzip(await readInput(path, 'missing-data'), path);
  if (!hash) return content;
  const found = await sha256(content);
  if (found !== hash) {
    throw new DataError(
      'checksum',
      `${path} must have the sha256 ${hash} (unpacked), found ${found}. It is damaged or a different file: remove it and load again.`,
    );
  }
  return content;
}

/** Throws ConfigError `licence` unless the caller accepts a licence that restricts what may be done with the data. */
export function requireLicence({ name, licence }: Pick<Dataset, 'name' | 'licence'>, options: LoadOptions): void {
  if (options.acceptLicence) return;
  throw new ConfigError(
    'licence',
    say`${name} may be used under its licence only: ${licence}. Accept it with ${option('acceptLicence', true)}.`,
  );
}
