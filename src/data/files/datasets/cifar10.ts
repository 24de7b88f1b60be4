/**
 * CIFAR-10: 50000 + 10000 photographs of ten classes, 32x32 RGB (Krizhevsky, "Learning multiple layers of features from
 * tiny images", technical report, 2009). Also reads copies made from JPEG files, and warns that they are not the same.
 */
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DataError } from '../../../core/errors.ts';
import { silent } from '../../../core/events.ts';
import { readCifarBinary } from '../../formats/cifar-binary.ts';
import { readTar } from '../../formats/tar.ts';
import { type MemoryPart, memorySource } from '../../memory.ts';
import { download } from '../download.ts';
import { type Dataset, findFiles, type LoadOptions, missingData, readChecked } from './dataset.ts';

/** The official files (training first) and their sha256. */
const official = {
  'data_batch_1.bin': 'cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5',
  'data_batch_2.bin': 'a591ca11fa1708a91ee40f54b3da4784ccd871ecf2137de63f51ada8b3fa57ed',
  'data_batch_3.bin': 'bbe8596564c0f86427f876058170b84dac6670ddf06d79402899d93ceea26f67',
  'data_batch_4.bin': '014e562d6e23c72197cc727519169a60359f5eccd8945ad5a09d710285ff4e48',
  'data_batch_5.bin': '755304fc0b379caeae8c14f0dac912fbc7d6cd469eb67a1029a08a39453a9add',
  'test_batch.bin': '8e2eb146ae340b09e24670f29cabc6326dba54da8789dab6768acf480273f65b',
};
const officialNames = Object.keys(official);
const archive = {
  name: 'cifar-10-binary.tar.gz',
  url: 'https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz',
  sha256: 'c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd',
  folder: 'cifar-10-batches-bin',
};

/** Copies decoded from JPEG: 1000 training images a class, and all test images in another order. */
const lossyNames = ['data_batch_from_jpeg_10000.bin', 'test_batch_from_jpeg.bin'];

/** CIFAR-10, from `<root>/cifar10` (official files, else lossy copies), or a download of 170 MB. */
export const cifar10: Dataset = {
  name: 'cifar10',
  title: 'CIFAR-10',
  licence: 'not stated by the authors; cite Krizhevsky 2009',
  origin: 'Krizhevsky, Nair and Hinton, University of Toronto',
  async load(options) {
    const { root, onEvent = silent } = options;
    const home = join(root, 'cifar10');
    const folders = [home, join(home, archive.folder)];
    let paths = findFiles(folders, officialNames);
    let hashes: (string | undefined)[] = Object.values(official);
    let { title } = cifar10;
    if (!paths) {
      paths = findFiles(folders, lossyNames);
      if (paths) {
        hashes = [];
        title = 'CIFAR-10 (lossy copy)';
        onEvent({
          type: 'warning',
          code: 'lossy-copy',
          message:
            `${paths[0]} and ${paths[1]} were decoded from JPEG files and hold only part of the training images: ` +
            `results are not those of CIFAR-10. Put the official ${officialNames[0]} … ${officialNames[5]} into ${home}.`,
        });
      } else if (options.download === false) {
        throw missingData('cifar10', officialNames, folders);
      } else {
        paths = await fetchArchive(home, options);
      }
    }

    const batches = [];
    for (const [i, path] of paths.entries()) {
      batches.push(await readCifarBinary(await readChecked(path, hashes[i]), path));
    }
    const test = batches.pop();
    if (!test) throw missingData('cifar10', officialNames, folders);
    const train = {
      labels: concatenate(batches.map((b) => b.labels)),
      pixels: concatenate(batches.map((b) => b.pixels)),
    };
    const parts: MemoryPart[] = [
      { part: 'train', ...train },
      { part: 'test', ...test },
    ];
    return memorySource({
      name: 'cifar10',
      title,
      licence: cifar10.licence,
      shape: [3, 32, 32],
      classes: ['airplane', 'automobile', 'bird', 'cat', 'deer', 'dog', 'frog', 'horse', 'ship', 'truck'],
      parts,
    });
  },
};

/** Downloads the official archive, unpacks the six files into `home` and removes the archive. */
async function fetchArchive(home: string, { onEvent = silent, signal }: LoadOptions): Promise<string[]> {
  onEvent({ type: 'log', level: 'info', message: `CIFAR-10 is not on this machine; fetching it to ${home}.` });
  const to = join(home, archive.name);
  await download({ url: archive.url, to, sha256: archive.sha256, onEvent, signal });
  const files = await readTar(await readFile(to), to);
  await mkdir(home, { recursive: true });
  const paths: string[] = [];
  for (const name of officialNames) {
    const content = files.get(`${archive.folder}/${name}`);
    if (!content)
      throw new DataError('tar-corrupt', `${to} must hold ${archive.folder}/${name}, but does not. Fetch it again.`);
    const path = join(home, name);
    await writeFile(`${path}.part`, content);
    await rename(`${path}.part`, path);
    paths.push(path);
  }
  await rm(to);
  return paths;
}

function concatenate(arrays: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(arrays.reduce((n, a) => n + a.length, 0));
  let at = 0;
  for (const a of arrays) {
    out.set(a, at);
    at += a.length;
  }
  return out;
}
