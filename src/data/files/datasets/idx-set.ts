/** Data sets of four IDX files, the layout of MNIST and its replacements. Node only. */
import { join } from 'node:path';
import { DataError } from '../../../core/errors.ts';
import { silent } from '../../../core/events.ts';
import { readIdx } from '../../formats/idx.ts';
import type { Source } from '../../item.ts';
import { type MemoryPart, memorySource } from '../../memory.ts';
import { download } from '../download.ts';
import { type Dataset, findFiles, type LoadOptions, missingData, readChecked } from './dataset.ts';

/** A file of the set: its sha256 unpacked, and packed as the download serves it. */
interface IdxFile {
  readonly content?: string;
  readonly gzip: string;
}

/** What one set of four files needs to be loaded. */
export interface IdxSet extends Omit<Dataset, 'load'> {
  readonly classes: readonly string[];
  /** Folders to look in after `<root>/<name>`. */
  readonly folders: () => readonly (string | undefined)[];
  /** Another way to get the files, for the error when they are missing. */
  readonly hint?: string;
  /** The address of the folder that serves the `.gz` files. */
  readonly url: string;
  readonly files: Readonly<Record<(typeof fileNames)[number], IdxFile>>;
}

const fileNames = [
  'train-images-idx3-ubyte',
  'train-labels-idx1-ubyte',
  't10k-images-idx3-ubyte',
  't10k-labels-idx1-ubyte',
] as const;

/** The data set of four files. */
export function idxDataset(set: IdxSet): Dataset {
  const { name, title, licence, origin } = set;
  return { name, title, licence, origin, load: (options) => loadIdxSet(set, options) };
}

/** Finds or downloads the four files, checks them and wraps them as a Source. */
async function loadIdxSet(set: IdxSet, options: LoadOptions): Promise<Source> {
  const { root, onEvent = silent, signal } = options;
  const home = join(root, set.name);
  const folders = [home, ...set.folders().filter((f) => f !== undefined)];
  let paths = findFiles(folders, fileNames);
  if (!paths) {
    if (options.download === false) throw missingData(set.name, fileNames, folders, set.hint);
    onEvent({ type: 'log', level: 'info', message: `${set.title} is not on this machine; fetching it to ${home}.` });
    paths = [];
    for (const name of fileNames) {
      const there = findFiles([home], [name]);
      const file = { url: `${set.url}/${name}.gz`, to: join(home, `${name}.gz`), sha256: set.files[name].gzip };
      paths.push(there ? there[0] : (await download({ ...file, onEvent, signal })).path);
    }
  }

  const parts: MemoryPart[] = [];
  for (const [part, i] of [['train', 0] as const, ['test', 2] as const]) {
    const [images, labels] = await Promise.all(
      [3, 1].map(async (axes, k) =>
        readIdx(await readChecked(paths[i + k], set.files[fileNames[i + k]].content), paths[i + k], axes),
      ),
    );
    const [n, height, width] = images.shape;
    if (n !== labels.shape[0] || height !== 28 || width !== 28) {
      throw new DataError(
        'count-mismatch',
        `${paths[i]} must hold one 28x28 image for each of ${labels.shape[0]} labels in ${paths[i + 1]}, ` +
          `found ${n} images of ${height}x${width}. Use files of one set.`,
      );
    }
    parts.push({ part, labels: labels.data as Uint8Array, pixels: images.data as Uint8Array });
  }
  return memorySource({ ...set, shape: [1, 28, 28], parts });
}
