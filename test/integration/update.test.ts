/** A detector whose normal images change, as a user of the library sees it. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Rng } from '../../dist/core/random.js';
import { encodePng } from '../../dist/data/index.js';
import { type ArtifactInfo, predict, type RunReport, test, train, update } from '../../dist/index.js';

const root = mkdtempSync(join(tmpdir(), 'oddity-update-'));
const at = (...parts: string[]) => join(root, ...parts);
afterAll(() => rmSync(root, { recursive: true, force: true }));

const side = 32;
/** A grey image of noise; odd ones have a white square. */
function writeImage(path: string, seed: number, isOdd = false): string {
  const data = Uint8Array.from(new Rng(seed).uniforms(side * side), (v) => 100 + 60 * v);
  if (isOdd) for (let y = 8; y < 20; y++) data.fill(255, y * side + 8, y * side + 20);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, encodePng({ height: side, width: side, channels: 1, data }));
  return path;
}

const info = (run: string): ArtifactInfo => JSON.parse(readFileSync(at(run, 'model.json'), 'utf8'));
let fresh: string[];
let second: RunReport;

beforeAll(async () => {
  for (let i = 0; i < 12; i++) writeImage(at('parts', 'train', 'good', `${i}.png`), i);
  for (let i = 0; i < 4; i++) writeImage(at('parts', 'test', 'good', `${i}.png`), 100 + i);
  for (let i = 0; i < 4; i++) writeImage(at('parts', 'test', 'spot', `${i}.png`), 200 + i, true);
  fresh = [0, 1, 2].map((i) => writeImage(at('fresh', `${i}.png`), 300 + i));
  const config = { taps: 'fine', coreset: 0.5, smoothing: 1 };
  await train({ model: 'patchcore', data: at('parts'), size: [side, side], config, out: at('first'), threads: 1 });
  const [leaver] = info('first').trainingItems!;
  second = await update({ run: at('first'), add: fresh, remove: [leaver], out: at('second') });
});

describe('update', () => {
  it('makes a run of its own, on the images that are left and those that were added', async () => {
    const [before, after] = [info('first').trainingItems!, info('second').trainingItems!];
    expect(after).toEqual([...before.slice(1), ...fresh]);
    expect(second.counts.train).toBe(before.length + 2);
    expect(second.metrics.item.auroc).toBe(1);
    expect(second.description).toMatch(/3 normal images were added to the training part. 1 images were taken out/);
    expect((await test({ run: at('second') })).metrics).toEqual(second.metrics);
    expect(readFileSync(at('second', 'report.html'), 'utf8')).toContain('nearest normal patch');
  });

  it('names the training image that an image resembles most where it is oddest', async () => {
    const { predictions } = await predict({
      run: at('second'),
      images: [fresh[2], at('parts', 'test', 'spot', '0.png')],
    });
    const [own, odd] = predictions.map((p) => p.nearest!);
    expect(info('second').trainingItems).toContain(own.normal.id);
    // The white square lies at 8 … 19; its place in the grid is that of its stride.
    for (const at of [odd.x, odd.y]) expect(Math.abs(at - 14)).toBeLessThan(10);
  });

  it('goes on from an updated run, and takes an added image out again', async () => {
    const third = await update({ run: at('second'), remove: [fresh[1]], out: at('third') });
    expect(third.counts.train).toBe(second.counts.train - 1);
    expect(info('third').trainingItems).toEqual(info('second').trainingItems!.filter((id) => id !== fresh[1]));
  });

  it('says what cannot be changed, and leaves nothing behind', async () => {
    const refused = (changes: { add?: string[]; remove?: string[] }, run = 'first') =>
      expect(update({ run: at(run), ...changes, out: at('none') })).rejects;
    await refused({}).toMatchObject({ code: 'no-changes' });
    const held = `train/good/${Array.from({ length: 12 }, (_, i) => i).find((i) => !info('first').trainingItems!.includes(`train/good/${i}.png`))}.png`;
    await refused({ remove: [held] }).toMatchObject({
      code: 'not-trained-on',
      message: expect.stringContaining(`${held} cannot be removed: it is not a training image of parts.`),
    });
    await refused({ add: [at('parts', 'train', 'good', '3.png')] }).toMatchObject({ code: 'known-image' });
    await refused({ add: [at('nothing.png')] }).toMatchObject({ message: expect.stringContaining('nothing.png') });
    await refused({ remove: [...info('first').trainingItems!] }).toMatchObject({ code: 'too-few-items' });
    await train({ model: 'mean-image', data: at('parts'), size: [side, side], out: at('mean') });
    await refused({ add: fresh }, 'mean').toMatchObject({
      code: 'no-update',
      message: expect.stringContaining('patchcore'),
    });
    const late = writeImage(at('parts', 'train', 'good', 'late.png'), 400);
    await refused({ add: fresh }).toMatchObject({ code: 'data-changed' });
    rmSync(late);
    expect(() => readFileSync(at('none', 'run.json'))).toThrow();
  });
});
