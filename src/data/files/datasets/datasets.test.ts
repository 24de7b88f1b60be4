import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, type TestContext, test } from 'vitest';
import type { Event } from '../../../core/events.ts';
import { tensor } from '../../../core/tensor.ts';
import { writeIdx } from '../../formats/idx.ts';
import { dataRoot } from '../root.ts';
import { datasets, findDataset } from './index.ts';

const folder = mkdtempSync(join(tmpdir(), 'oddity-datasets-'));
afterAll(() => rmSync(folder, { recursive: true }));

test('the registry: unique names, every one described', () => {
  expect(new Set(datasets.map((d) => d.name)).size).toBe(datasets.length);
  for (const d of datasets) expect(d.title && d.licence && d.origin).toBeTruthy();
  expect(() => findDataset('minst')).toThrow(
    'There is no data set named "minst", and no file or folder of that name. Did you mean "mnist"?',
  );
});

test('synthetic loads from nothing', async () => {
  const source = await findDataset('synthetic').load({ root: folder });
  expect([source.name, source.items.length]).toEqual(['synthetic', 400]);
});

describe('files on disk', () => {
  test('missing files: the sentence says where it looked and what to do', async () => {
    await expect(findDataset('cifar10').load({ root: join(folder, 'none'), download: false })).rejects.toMatchObject({
      code: 'missing-data',
      message: expect.stringMatching(
        /^cifar10 needs data_batch_1\.bin, .*found in none of: .*or allow the download\.$/,
      ),
    });
  });

  test('a file that is not the official one is refused', async () => {
    const root = join(folder, 'fake');
    mkdirSync(join(root, 'mnist'), { recursive: true });
    for (const part of ['train', 't10k']) {
      const images = writeIdx(tensor('uint8', [1, 28, 28], new Uint8Array(784)));
      writeFileSync(join(root, 'mnist', `${part}-images-idx3-ubyte`), images);
      writeFileSync(
        join(root, 'mnist', `${part}-labels-idx1-ubyte.gz`),
        gzipSync(Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 1, 5)),
      );
    }
    await expect(findDataset('mnist').load({ root, download: false })).rejects.toMatchObject({ code: 'checksum' });
  });

  test('lossy copies of CIFAR-10 load with a warning', async () => {
    const root = join(folder, 'lossy');
    mkdirSync(join(root, 'cifar10'), { recursive: true });
    const records = (labels: number[]) => {
      const bytes = new Uint8Array(3073 * labels.length);
      for (const [i, label] of labels.entries()) bytes[3073 * i] = label;
      return gzipSync(bytes);
    };
    writeFileSync(join(root, 'cifar10', 'data_batch_from_jpeg_10000.bin.gz'), records([1, 2, 3]));
    writeFileSync(join(root, 'cifar10', 'test_batch_from_jpeg.bin.gz'), records([9]));
    const events: Event[] = [];
    const source = await findDataset('cifar10').load({ root, download: false, onEvent: (e) => events.push(e) });
    expect(events).toEqual([expect.objectContaining({ type: 'warning', code: 'lossy-copy' })]);
    expect(source.title).toBe('CIFAR-10 (lossy copy)');
    expect(source.items.map((i) => `${i.part} ${i.class}`)).toEqual(['train 1', 'train 2', 'train 3', 'test 9']);
  });
});

/** Loads real data, or skips saying what is missing; where CI is set, missing data fails. */
async function real(context: TestContext, name: string) {
  const events: Event[] = [];
  try {
    const source = await findDataset(name).load({
      root: dataRoot(),
      download: false,
      onEvent: (e) => events.push(e),
    });
    return { source, events };
  } catch (error) {
    if ((error as { code?: string }).code === 'missing-data' && process.env.CI !== 'true') {
      return context.skip((error as Error).message);
    }
    throw error;
  }
}

describe('real data', () => {
  test('mnist', async (context) => {
    const { source, events } = await real(context, 'mnist');
    expect(events).toEqual([]);
    const count = (part: string) => source.items.filter((i) => i.part === part).length;
    expect([count('train'), count('test')]).toEqual([60000, 10000]);
    expect(source.items.slice(0, 5).map((i) => i.class)).toEqual([5, 0, 4, 1, 9]);
    const out = new Float32Array(70000 * 784);
    await source.read(
      source.items.map((_, i) => i),
      out,
    );
    let sum = 0;
    for (let i = 0; i < 60000 * 784; i++) sum += out[i];
    expect(sum / (60000 * 784)).toBeCloseTo(0.1307, 4); // the mean that torchvision's examples use
  });

  test('fashion-mnist', async (context) => {
    const { source } = await real(context, 'fashion-mnist');
    for (const part of ['train', 'test']) {
      const perClass = new Array(10).fill(0);
      for (const item of source.items) if (item.part === part) perClass[item.class]++;
      expect(perClass).toEqual(new Array(10).fill(part === 'train' ? 6000 : 1000));
    }
  });

  test('cifar10', async (context) => {
    const { source, events } = await real(context, 'cifar10');
    const lossy = events.some((e) => e.type === 'warning' && e.code === 'lossy-copy');
    expect(source.shape).toEqual([3, 32, 32]);
    expect(source.items.filter((i) => i.part === 'train').length).toBe(lossy ? 10000 : 50000);
    expect(source.items.filter((i) => i.part === 'test' && i.class === 3).length).toBe(1000);
  });
});
