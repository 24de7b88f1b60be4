/** What is no regular file is refused at once, whoever reads it. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findBackbone } from '../../dist/backbones/index.js';
import { loadWeights } from '../../dist/backbones/load.js';
import { readConfigFile } from '../../dist/cli/config-file.js';
import { findDataset } from '../../dist/data/files/datasets/index.js';
import { decodeFile, readImageFile } from '../../dist/data/files/decode.js';
import { readHdf5 } from '../../dist/data/files/hdf5.js';
import { readLayout } from '../../dist/data/files/layout.js';
import { openRows } from '../../dist/data/files/open-rows.js';
import { readInput, requireFile } from '../../dist/data/files/read-input.js';
import { readIfThere, writeAtomic } from '../../dist/runs/files.js';
import { loadPlugin } from '../../dist/runs/plugins.js';

const root = mkdtempSync(join(tmpdir(), 'oddity-inputs-'));
const at = (name: string) => join(root, name);
const server = createServer();
beforeAll(async () => {
  for (const end of ['csv', 'npz', 'png', 'yaml', 'onnx', 'mjs', 'h5', 'safetensors'])
    spawnSync('mkfifo', [at(`pipe.${end}`)]);
  mkdirSync(at('folder.csv'));
  symlinkSync(at('pipe.csv'), at('link.csv'));
  writeFileSync(at('a.csv'), 'x\n1\n');
  await new Promise<void>((resolve) => server.listen(at('socket'), resolve));
});
afterAll(() => {
  server.close();
  rmSync(root, { recursive: true, force: true });
});

describe.skipIf(process.platform === 'win32')('what is no file', () => {
  test.each([
    ['pipe.csv', 'a named pipe'],
    ['link.csv', 'a named pipe'],
    ['socket', 'a socket'],
    ['folder.csv', 'a folder'],
    ['/dev/zero', 'a device'],
    ['/dev/stdin', ''],
  ])('%s is refused as %s', async (name, kind) => {
    const path = name.startsWith('/') ? name : at(name);
    if (kind === '') return; // a file, a pipe or a terminal, as it comes
    await expect(requireFile(path)).rejects.toMatchObject({
      code: 'not-a-file',
      message: expect.stringContaining(`${path} must be a regular file, but is ${kind}.`),
    });
  });

  test.each<[string, () => Promise<unknown>]>([
    ['rows', () => openRows(at('pipe.csv'))],
    ['arrays', () => openRows(at('pipe.npz'))],
    ['a data set', () => findDataset(at('pipe.csv')).load({ root })],
    ['a data set of another name', () => findDataset(at('pipe.yaml')).load({ root })],
    ['a layout', () => readLayout(at('pipe.csv'))],
    ['a picture', () => readImageFile(at('pipe.png'))],
    ['a picture in a worker', () => decodeFile({ path: at('pipe.png'), as: 'image', shape: [1, 8, 8] })],
    ['a configuration', () => readConfigFile(at('pipe.yaml'))],
    ['a plugin', () => loadPlugin(at('pipe.mjs'))],
    ['weights', () => loadWeights(findBackbone('squeezenet1_1'), { root, path: at('pipe.safetensors') })],
    ['HDF5', () => readHdf5(at('pipe.h5'))],
    ['a file of a run', () => readIfThere(at('pipe.onnx'))],
  ])('%s: at once', async (_, read) => {
    const begin = performance.now();
    await expect(read()).rejects.toMatchObject({ code: 'not-a-file' });
    expect(performance.now() - begin).toBeLessThan(1000);
  });

  test('a device is not replaced by a file', async () => {
    await expect(writeAtomic(at('pipe.csv'), 'x')).rejects.toMatchObject({ code: 'unwritable' });
  });

  test('the name of a folder does not make it a file', async () => {
    mkdirSync(at('good.csv'));
    writeFileSync(join(at('good.csv'), 'a.png'), '');
    expect((await readLayout(at('good.csv'))).items.length).toBe(1);
  });

  test('files are read, and what is not there is said in words', async () => {
    expect(await readInput(at('a.csv'), 'x')).toEqual(Buffer.from('x\n1\n'));
    await expect(readInput(at('none'), 'no-data')).rejects.toMatchObject({
      code: 'no-data',
      message: `${at('none')} cannot be read (file not found). Check the path.`,
    });
  });
});
