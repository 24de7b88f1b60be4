/** Augmentation, tiles and a region of interest from training to prediction, with the built package. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodePng, tileGrid } from '../../dist/data/index.js';
import { exportModel, predict, test as testRun, train } from '../../dist/index.js';

const root = mkdtempSync(join(tmpdir(), 'oddity-views-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const withCode = (code: string) => expect.objectContaining({ code });

const [height, width] = [24, 32];
/** Slow waves, with a white square at (x, y) where one is wanted. */
function picture(i: number, square?: readonly [number, number]): Uint8Array {
  const data = Uint8Array.from({ length: height * width }, (_, p) => {
    const [x, y] = [p % width, Math.floor(p / width)];
    const isOdd = square && x >= square[0] && x < square[0] + 5 && y >= square[1] && y < square[1] + 5;
    return isOdd ? 255 : 100 + 10 * Math.sin(x / 4 + i) + 10 * Math.cos(y / 3 + i * i);
  });
  return encodePng({ height, width, channels: 1, data });
}
function put(path: string, content: Uint8Array): string {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
  return path;
}

const data = join(root, 'data');
/** White squares: to the left, where the region is, and to the right. */
const [left, right] = [[4, 8] as const, [24, 8] as const];
const files = { left: join(root, 'left.png'), right: join(root, 'right.png'), normal: join(root, 'normal.png') };
beforeAll(() => {
  for (let i = 0; i < 30; i++) put(join(data, 'train', 'good', `${i}.png`), picture(i));
  for (let i = 0; i < 6; i++) put(join(data, 'test', 'good', `${i}.png`), picture(40 + i));
  for (let i = 0; i < 6; i++) {
    put(join(data, 'test', 'spot', `${i}.png`), picture(50 + i, left));
    const mask = Uint8Array.from({ length: height * width }, (_, p) => {
      const [x, y] = [p % width, Math.floor(p / width)];
      return x >= 4 && x < 9 && y >= 8 && y < 13 ? 255 : 0;
    });
    put(join(data, 'ground_truth', 'spot', `${i}_mask.png`), encodePng({ height, width, channels: 1, data: mask }));
  }
  put(files.left, picture(60, left));
  put(files.right, picture(60, right));
  put(files.normal, picture(60));
});

const common = { model: 'mean-image' as const, data, size: [height, width] as const, maps: 0, threads: 1 };
const small = { width: 4, code: 4, epochs: 1, batchSize: 9 };
const readJson = (...path: string[]) => JSON.parse(readFileSync(join(...path), 'utf8'));
const scoresOf = async (run: string) =>
  (await predict({ run, images: Object.values(files), device: 'cpu' })).predictions.map(({ score }) => score);

describe('a region of interest', () => {
  const region = { x: 0, y: 0, width: 16, height };

  it('hides what is outside, in training and afterwards', async () => {
    const out = join(root, 'region');
    const report = await train({ ...common, region, out });
    expect(report.region).toEqual(region);
    expect(report.metrics.item.auroc).toBe(1);
    expect(readJson(out, 'run.json').region).toEqual(region);
    expect(readJson(out, 'model.json').region).toEqual(region);
    const [inside, outside, normal] = await scoresOf(out);
    expect(outside).toBe(normal);
    expect(inside).toBeGreaterThan(normal);
    expect((await testRun({ run: out, device: 'cpu' })).metrics).toEqual(report.metrics);
    expect((await exportModel({ run: out, verify: true, device: 'cpu' })).maxDifference).toBeLessThan(1e-4);
  });

  it('may be a mask', async () => {
    const white = Uint8Array.from({ length: height * width }, (_, p) => (p % width < 16 ? 255 : 0));
    const mask = put(join(root, 'region.png'), encodePng({ height, width, channels: 1, data: white }));
    const report = await train({ ...common, region: mask, out: join(root, 'region-mask') });
    const rectangle = readJson(root, 'region', 'metrics.json');
    expect(report.metrics).toEqual(rectangle.metrics);
  });

  it('refuses what is not one', async () => {
    const refused = (bad: typeof region | string) => train({ ...common, region: bad, out: join(root, 'refused') });
    await expect(refused({ ...region, width: 33 })).rejects.toThrow('must lie inside the images of 24 x 32');
    await expect(refused(join(root, 'gone.png'))).rejects.toThrow(withCode('no-region'));
    const black = encodePng({ height, width, channels: 1, data: new Uint8Array(height * width) });
    await expect(refused(put(join(root, 'black.png'), black))).rejects.toThrow(withCode('empty-region'));
  });
});

describe('tiles', () => {
  const tiles = { height: 16, width: 16, overlap: 0.5 };

  it('are what a model learns from, and whole images what is judged', async () => {
    const out = join(root, 'tiles');
    const report = await train({ ...common, model: 'autoencoder' as const, config: small, tiles, out });
    expect(report).toMatchObject({ tiles, counts: { train: 27, test: 12 } });
    expect(readJson(out, 'run.json').tiles).toEqual(tiles);
    expect(readJson(out, 'model.json')).toMatchObject({ tiles, shape: [1, height, width] });
    const grid = tileGrid({ height, width, tileHeight: 16, tileWidth: 16, overlap: 0.5 });
    // What was trained is the network of a tile: as large as that of the same data at the size of a tile.
    const plain = await train({
      ...common,
      model: 'autoencoder' as const,
      config: small,
      size: [16, 16],
      out: join(root, 'tile-sized'),
    });
    expect(report.parameters).toBe(plain.parameters);
    expect((await testRun({ run: out, device: 'cpu' })).parameters).toBe(plain.parameters);
    // 27 images of T tiles in batches of 9: one epoch.
    expect(report.history).toHaveLength(1);
    expect(readFileSync(join(out, 'events.jsonl'), 'utf8')).toContain(`"total":${(27 * grid.tiles.length) / 9}`);
    expect((await scoresOf(out)).every(Number.isFinite)).toBe(true);
    expect((await testRun({ run: out, device: 'cpu' })).metrics).toEqual(report.metrics);
    expect((await exportModel({ run: out, verify: true, device: 'cpu' })).maxDifference).toBeLessThan(1e-4);
  });

  it('refuse tiles that are too large, labels and z-scores', async () => {
    const refused = (more: object) => train({ ...common, out: join(root, 'refused'), ...more });
    await expect(refused({ tiles: { height: 25, width: 16 } })).rejects.toThrow('Use smaller tiles');
    await expect(refused({ tiles: { ...tiles, overlap: 1 } })).rejects.toThrow(withCode('option-range'));
    await expect(refused({ tiles, model: 'cnn' as const, protocol: 'labelled' })).rejects.toThrow('learns from labels');
    await expect(refused({ tiles, model: 'pca' as const, mapNormalization: 'zscore' })).rejects.toThrow(
      'Leave `mapNormalization` or',
    );
  });
});

describe('augmentation', () => {
  const learner = { ...common, model: 'autoencoder' as const, config: small };
  const augment = { flipHorizontal: true, brightness: 0.2 };

  it('changes what is learnt, the same with the same seed, and is on record', async () => {
    const plain = await train({ ...learner, out: join(root, 'plain') });
    const varied = await train({ ...learner, augment, out: join(root, 'varied') });
    const again = await train({ ...learner, augment, out: join(root, 'again') });
    expect(varied.history).toEqual(again.history);
    expect(varied.metrics).toEqual(again.metrics);
    expect(varied.history).not.toEqual(plain.history);
    expect(varied.augment).toEqual(augment);
    expect(readJson(root, 'varied', 'run.json').augment).toEqual(augment);
    expect((await testRun({ run: join(root, 'varied'), device: 'cpu' })).metrics).toEqual(varied.metrics);
  });

  it('is refused for tables, for models of one pass and for values that cannot be', async () => {
    const table = join(root, 'rows.csv');
    const rows = Array.from({ length: 60 }, (_, i) => `${i % 7},${i % 5},${i % 10 === 0 ? 1 : 0}`);
    writeFileSync(table, `a,b,label\n${rows.join('\n')}\n`);
    const out = join(root, 'refused');
    const one = { data: table, columns: { label: 'label' as const }, threads: 1, class: '0', augment, out };
    await expect(train({ ...one, model: 'dagmm' as const })).rejects.toThrow('Augmentation applies to images only');
    await expect(train({ ...common, model: 'pca' as const, augment, out })).rejects.toThrow('pca sees each image once');
    await expect(train({ ...learner, augment: { noise: 2 }, out })).rejects.toThrow(
      '`augment.noise` must be a number from 0 to 1',
    );
  });
});
