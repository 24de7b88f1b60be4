import { expect, test } from 'vitest';
import { Rng } from '../core/random.ts';
import { float32 } from '../core/tensor.ts';
import { libraryWords, write } from '../core/text.ts';
import * as g from '../graph/index.ts';
import * as nn from '../nn/index.ts';
import { diffusionAd, noiseLoss } from './diffusion-ad.ts';

test('noise of both levels counts, on images without a defect only, and nothing where there are none', () => {
  const rng = new Rng(1);
  const found = float32(rng.normals(3 * 2 * 4), [3, 2, 1, 2, 2]);
  const noise = float32(rng.normals(3 * 4), [3, 1, 2, 2]);
  const masked = (defects: readonly number[]) => {
    const mask = float32(new Float32Array(12), [3, 1, 2, 2]);
    for (const item of defects) mask.data[item * 4 + 2] = 1;
    const loss = noiseLoss(g.constant(found), g.constant(noise), g.constant(mask));
    return Number(g.evaluate([loss], {})[0].data[0]);
  };
  const of = (items: readonly number[]) => {
    let sum = 0;
    for (const i of items)
      for (let p = 0; p < 8; p++) sum += (Number(found.data[i * 8 + p]) - Number(noise.data[i * 4 + (p % 4)])) ** 2 / 4;
    return sum / Math.max(1, items.length);
  };
  expect(masked([])).toBeCloseTo(of([0, 1, 2]), 5);
  expect(masked([1])).toBeCloseTo(of([0, 2]), 5);
  expect(masked([0, 1, 2])).toBe(0);
});

test('in training the image is drawn from less noise than the border, and led from more', () => {
  if (diffusionAd.learns !== 'gradient') throw new Error('diffusion-ad learns by gradient.');
  const options = diffusionAd.config.parse({ ...diffusionAd.tiny });
  const [{ phase, defects }] = diffusionAd.phases(options, [1, 16, 16]);
  expect(defects).toEqual({ share: 0.5, filling: 'both' });
  const { feeds, trained } = nn.assemble(phase, { shape: [2, 1, 16, 16] });
  expect(feeds.filter((f) => f.kind === 'draw').map((f) => f.name)).toEqual(
    expect.arrayContaining([expect.stringContaining('near'), expect.stringContaining('far')]),
  );
  // The second network reads the image and what is drawn.
  expect(trained.find((s) => s.name === 'segmentation.down0.a.weight')!.shape).toEqual([4, 2, 3, 3]);
});

test.each([
  [{ width: 8, heads: 3 }, '`config.width` must be a multiple of `config.heads` (3), got 8.'],
  [{ near: 301 }, '`config.near` must be at most `config.border` (300), got 301.'],
  [{ far: 300 }, '`config.far` must be above `config.border` (300), got 300.'],
  [{}, 'DiffusionAD needs images of at least 8 × 8 pixels, got 4 × 64.', [1, 4, 64]],
] as const)('what does not fit is a sentence: %j', (options, message, shape: readonly number[] = [1, 64, 64]) => {
  expect(write(diffusionAd.unsuitable!(diffusionAd.config.parse(options), shape)!, libraryWords)).toBe(message);
});
