import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Rng } from '../core/random.ts';
import { batchOrder, epochOrder, gatherBatch } from './batches.ts';
import { dataRoot } from './files/root.ts';
import { sha256 } from './hash.ts';
import { memorySource } from './memory.ts';
import { findProtocol, protocols, resolveClass } from './protocols/index.ts';
import { checkSplit, finishSplit } from './split.ts';
import { synthetic } from './synthetic.ts';

/** A source of 1x2x2 images whose pixels all equal the item's number. */
function numbered(trainLabels: number[], testLabels: number[], classes = ['cat', 'dog', 'airplane']) {
  const pixels = (n: number, from: number) => Uint8Array.from({ length: 4 * n }, (_, i) => from + Math.floor(i / 4));
  return memorySource({
    name: 'numbered',
    title: 'Numbered',
    licence: 'none',
    shape: [1, 2, 2],
    classes,
    parts: [
      { part: 'train', labels: Uint8Array.from(trainLabels), pixels: pixels(trainLabels.length, 0) },
      { part: 'test', labels: Uint8Array.from(testLabels), pixels: pixels(testLabels.length, trainLabels.length) },
    ],
  });
}

test('sha256 of the standard text', async () => {
  expect(await sha256('abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
});

describe('memorySource', () => {
  test('lists items of both parts and reads them in any order', async () => {
    const source = await numbered([0, 1], [2]);
    expect(source.items).toEqual([
      { id: 'train/0', class: 0, part: 'train' },
      { id: 'train/1', class: 1, part: 'train' },
      { id: 'test/0', class: 2, part: 'test' },
    ]);
    const out = new Float32Array(12);
    await source.read([2, 0, 1], out);
    const f = Math.fround;
    expect([...out]).toEqual([...Array(4).fill(f(2 / 255)), ...Array(4).fill(0), ...Array(4).fill(f(1 / 255))]);
    expect(source.readMasks).toBe(undefined);
  });

  test('the hash follows the content only', async () => {
    const one = await numbered([0, 1], [2]);
    expect((await numbered([0, 1], [2])).hash).toBe(one.hash);
    expect((await numbered([0, 2], [2])).hash).not.toBe(one.hash);
    expect((await numbered([0], [1, 2])).hash).not.toBe(one.hash);
    expect(one.hash).toMatch(/^[0-9a-f]{64}$/);
  });

  test('wrong sizes, labels and numbers are refused', async () => {
    const source = await numbered([0, 1], [2]);
    await expect(source.read([0], new Float32Array(5))).rejects.toThrow('1 items need 4 values, got 5');
    await expect(source.read([3], new Float32Array(4))).rejects.toThrow('0 … 2, got 3');
    await expect(numbered([0, 7], [])).rejects.toMatchObject({ code: 'labels' });
    const part = { part: 'train' as const, labels: new Uint8Array(2), pixels: new Uint8Array(7) };
    await expect(memorySource({ ...source, shape: [1, 2, 2], parts: [part] })).rejects.toMatchObject({
      code: 'count-mismatch',
    });
  });
});

describe('protocols', () => {
  test('one-class: the official parts, the class is normal', async () => {
    const train = Array.from({ length: 60 }, (_, i) => i % 3);
    const source = await numbered(train, [0, 1, 2, 0]);
    const split = findProtocol('one-class').split(source, { class: 'Dog', rng: new Rng(1) });
    expect(split.train.length + split.validation.length).toBe(20);
    expect(split.validation.length).toBe(2);
    expect([...split.train, ...split.validation].every((i) => i < 60 && i % 3 === 1)).toBe(true);
    expect([...split.test]).toEqual([60, 61, 62, 63]);
    expect([...split.testLabels]).toEqual([1, 0, 1, 1]);
    expect(split).toMatchObject({ protocol: 'one-class', leakFree: true, prevalence: 0.75 });
    expect(split.description).toBe('One-class: "dog" of numbered is normal, every other class is anomalous.');
  });

  test('one-anomaly: both parts pooled, the class is the anomaly', async () => {
    const source = await numbered(
      Array.from({ length: 60 }, (_, i) => i % 3),
      Array.from({ length: 30 }, (_, i) => i % 3),
    );
    const split = findProtocol('one-anomaly').split(source, { class: 1, validationFraction: 0.25, rng: new Rng(1) });
    expect([split.train.length, split.validation.length, split.test.length]).toEqual([36, 12, 42]);
    expect(split.testLabels.reduce((n, y) => n + y, 0)).toBe(30);
    expect(split.prevalence).toBe(30 / 42);
    expect([...split.train, ...split.validation].every((i) => source.items[i].class !== 1)).toBe(true);
  });

  test('imbalance: the class is normal, some others are labelled, some are held out', async () => {
    const train = Array.from({ length: 120 }, (_, i) => i % 3);
    const source = await numbered(train, [0, 1, 2, 0]);
    const imbalance = findProtocol('imbalance');
    const options = { class: 'dog', rng: new Rng(1) };
    const classOf = (i: number) => source.items[i].class;
    const split = imbalance.split(source, { ...options, heldOut: ['2'] });
    expect(split.heldOut).toEqual([2]);
    expect([split.train.length, split.validation.length]).toEqual([36 + 40, 4]);
    expect([...split.train].map((i) => classOf(i) === 1)).toEqual([...split.trainLabels].map((y) => y === 0));
    expect([...split.train, ...split.validation].some((i) => classOf(i) === 2 || i >= 120)).toBe(false);
    expect([...split.testLabels]).toEqual([1, 0, 1, 1]);
    // Half of the classes of anomalies are held out unless they are named, which ones follows from the seed.
    const drawn = [1, 2, 3, 4, 5, 6].map((seed) => imbalance.split(source, { ...options, rng: new Rng(seed) }).heldOut);
    expect(drawn.every((list) => list?.length === 1)).toBe(true);
    expect(new Set(drawn.flat())).toEqual(new Set([0, 2]));
    expect(imbalance.split(source, { ...options, heldOut: [] }).heldOut).toEqual([]);
    // The share of labels is one of each class, at least one item.
    const few = imbalance.split(source, { ...options, heldOut: [], labelledFraction: 0.05 });
    expect([0, 2].map((c) => [...few.train].filter((i) => classOf(i) === c).length)).toEqual([2, 2]);
    const least = imbalance.split(source, { ...options, heldOut: [], labelledFraction: 0.001 });
    expect([0, 2].map((c) => [...least.train].filter((i) => classOf(i) === c).length)).toEqual([1, 1]);
    for (const [more, code] of [
      [{ heldOut: ['dog'] }, 'held-out'],
      [{ heldOut: [0, 2] }, 'no-labelled-anomalies'],
      [{ heldOut: ['cta'] }, 'unknown-class'],
      [{ labelledFraction: 0 }, 'labelled-fraction'],
    ] as const) {
      expect(() => imbalance.split(source, { ...options, ...more })).toThrow(expect.objectContaining({ code }));
    }
    expect(() => imbalance.split(source, { ...options, heldOut: ['dog'] })).toThrow(
      'Held-out classes must be anomalous, but "dog" is the normal class. Remove it from `heldOut`.',
    );
  });

  test('every split is disjoint, follows the seed alone, and does not advance the stream', async () => {
    const source = await numbered(
      Array.from({ length: 90 }, (_, i) => i % 3),
      Array.from({ length: 30 }, (_, i) => i % 3),
    );
    const ofOtherSources = ['prefix', 'whole', 'other-series', 'folder']; // of series and of folders
    fc.assert(
      fc.property(
        fc.constantFrom(...protocols.filter(({ name }) => !ofOtherSources.includes(name))),
        fc.integer({ min: 0, max: 2 }),
        fc.integer(),
        fc.double({ min: 0, max: 0.9, noNaN: true }),
        (protocol, label, seed, validationFraction) => {
          const rng = new Rng(seed);
          const options = { class: label, validationFraction, rng };
          const split = protocol.split(source, options);
          const all = [...split.train, ...split.validation, ...split.test];
          expect(new Set(all).size).toBe(all.length);
          expect(protocol.split(source, options)).toEqual(split);
          for (const list of [split.train, split.validation, split.test]) {
            expect([...list]).toEqual([...list].sort((a, b) => a - b));
          }
        },
      ),
    );
    const [a, b] = [1, 2].map((seed) => findProtocol('one-anomaly').split(source, { class: 0, rng: new Rng(seed) }));
    expect(a.train).not.toEqual(b.train);
    expect(protocols[0].split(source, { class: 0, validationFraction: 0, rng: new Rng(1) }).validation.length).toBe(0);
  });

  test('unknown, empty and tiny classes are refused with a sentence', async () => {
    const source = await numbered([0, 0, 1], [0, 1]);
    expect(resolveClass(source, ' CAT ')).toBe(0);
    expect(resolveClass(source, '1')).toBe(1);
    expect(() => resolveClass(source, 'airplan')).toThrow(
      'There is no class named "airplan". Did you mean "airplane"?',
    );
    expect(() => resolveClass(source, 7)).toThrow('There is no class named "7". Known: cat, dog, airplane.');
    expect(() => resolveClass(source, 1.5)).toThrow(expect.objectContaining({ code: 'unknown-class' }));
    expect(() => resolveClass(source, -1)).toThrow(expect.objectContaining({ code: 'unknown-class' }));
    expect(() => resolveClass(source, 'airplane')).toThrow(expect.objectContaining({ code: 'empty-class' }));
    const rng = new Rng(1);
    expect(() => protocols[0].split(source, { class: 'dog', rng })).toThrow(
      expect.objectContaining({ name: 'DataError', code: 'too-few-items' }),
    );
    const untested = { class: 'cat', rng };
    expect(() => protocols[0].split({ ...source, items: source.items.slice(0, 3) }, untested)).toThrow(
      "tests on the official test part, but numbered has none. Use `protocol: 'alad'`",
    );
    expect(() => protocols[0].split(source, { class: 'cat', validationFraction: 1, rng })).toThrow('from 0 to 0.9');
    expect(() => findProtocol('one-clas')).toThrow('Did you mean "one-class"?');
  });

  test('leaks are found', async () => {
    const lists = { train: Uint32Array.of(0, 1), validation: Uint32Array.of(2), test: Uint32Array.of(3) };
    const none = () => false;
    expect(() => checkSplit(4, lists, none)).not.toThrow();
    expect(() => checkSplit(4, { ...lists, test: Uint32Array.of(1) }, none)).toThrow('item 1 is in the train list');
    expect(() => checkSplit(4, { ...lists, test: Uint32Array.of(3, 3) }, none)).toThrow('item 3 is in the test list');
    expect(() => checkSplit(3, lists, none)).toThrow('names item 3 of 3');
    expect(() => checkSplit(4, lists, (i) => i === 2)).toThrow('item 2 of validation is anomalous');
    const source = await numbered([0, 0, 0], [1]);
    const plan = { protocol: 'p', description: 'P.', options: { validationFraction: 0 }, rng: new Rng(1) };
    const isAnomalous = (i: number) => i === 3;
    expect(() => finishSplit(source, { ...plan, normals: [0, 1], test: [1, 3], isAnomalous })).toThrow('internal:');
  });
});

describe('batches', () => {
  const rng = new Rng(3);

  test('an epoch is a permutation that depends on seed and epoch only', () => {
    const order = epochOrder(rng, 50, 2);
    expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, i) => i));
    expect(epochOrder(new Rng(3), 50, 2)).toEqual(order);
    expect(epochOrder(rng, 50, 3)).not.toEqual(order);
  });

  test('drop visits whole batches, wrap visits every item', () => {
    const drop = batchOrder({ n: 10, batchSize: 4, rng });
    expect(drop.perEpoch).toBe(2);
    const wrap = batchOrder({ n: 10, batchSize: 4, last: 'wrap', rng });
    expect(wrap.perEpoch).toBe(3);
    const order = epochOrder(rng, 10, 1);
    expect([...wrap.at(5)]).toEqual([order[8], order[9], order[0], order[1]]);
    expect(new Set([3, 4, 5].flatMap((s) => [...wrap.at(s)])).size).toBe(10);
    expect([...drop.at(3)]).toEqual([...order.slice(4, 8)]);
    // Any step, in any order, gives the same batch.
    expect(batchOrder({ n: 10, batchSize: 4, rng }).at(3)).toEqual(drop.at(3));
    expect([...batchOrder({ n: 2, batchSize: 5, rng }).at(0)].length).toBe(5);
    expect(() => batchOrder({ n: 10, batchSize: 0, rng })).toThrow('got 10 items and a batch size of 0');
  });

  test('gatherBatch reads members by position', async () => {
    const source = await numbered([0, 1, 2], [0]);
    const batch = await gatherBatch(source, Uint32Array.of(3, 1), [1, 0, 1]);
    expect(batch.shape).toEqual([3, 1, 2, 2]);
    expect([0, 4, 8].map((i) => Math.round(255 * Number(batch.data[i])))).toEqual([1, 3, 1]);
    expect((await gatherBatch(source, Uint32Array.of(3, 1))).shape).toEqual([2, 1, 2, 2]);
  });
});

describe('synthetic', () => {
  test('plants what its masks say, and nothing else', async () => {
    const source = await synthetic({ count: 60, size: 16, channels: 3, classes: 3, seed: 4 });
    expect(source.shape).toEqual([3, 16, 16]);
    expect(source.items.length).toBe(60);
    expect(source.items.filter((i) => i.part === 'test').length).toBe(15);
    const masks = new Uint8Array(60 * 256);
    await source.readMasks?.(
      source.items.map((_, i) => i),
      masks,
    );
    for (const [i, item] of source.items.entries()) {
      const area = masks.subarray(i * 256, (i + 1) * 256).reduce((n, m) => n + m, 0);
      if (item.class === 0) expect(area).toBe(0);
      else expect(area).toBeGreaterThan(1);
      expect(area).toBeLessThan(64);
    }
    const { data } = await gatherBatch(source, [0, 1, 2]);
    expect(data.every((v) => Number(v) >= 0 && Number(v) <= 1)).toBe(true);
  });

  test('the same options give the same bytes; items do not depend on the count', async () => {
    const a = await synthetic({ count: 20, seed: 1 });
    expect((await synthetic({ count: 20, seed: 1 })).hash).toBe(a.hash);
    expect((await synthetic({ count: 20, seed: 2 })).hash).not.toBe(a.hash);
    const more = await synthetic({ count: 40, seed: 1 });
    expect((await gatherBatch(more, [3])).data).toEqual((await gatherBatch(a, [3])).data);
    await expect(synthetic({ size: 3 })).rejects.toThrow('synthetic: size must be an integer of at least 4, got 3.');
  });
});

test('dataRoot: the variable, else the cache folder of the system', () => {
  const at = (platform: string, env: Record<string, string> = {}) => dataRoot({ env, platform, home: 'HOME' });
  expect(at('linux', { ODDITY_DATA: 'X' })).toBe('X');
  expect(at('linux')).toBe(join('HOME', '.cache', 'oddity', 'data'));
  expect(at('linux', { XDG_CACHE_HOME: 'C' })).toBe(join('C', 'oddity', 'data'));
  expect(at('darwin')).toBe(join('HOME', 'Library', 'Caches', 'oddity', 'data'));
  expect(at('win32', { LOCALAPPDATA: 'L' })).toBe(join('L', 'oddity', 'data'));
});
