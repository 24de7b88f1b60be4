import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, test } from 'vitest';
import { Rng } from '../core/random.ts';
import { float32 } from '../core/tensor.ts';
import { libraryWords, write } from '../core/text.ts';
import { readTextures } from '../data/index.ts';
import { openPlanter } from '../engine/fitting/plant.ts';
import * as g from '../graph/index.ts';
import * as nn from '../nn/index.ts';
import { draem } from './draem.ts';
import { focalLoss } from './parts/nets/defect-logit.ts';

const value = (y: g.Value) => Array.from(g.evaluate([y], {})[0].data, Number);
const image = (values: ArrayLike<number>, shape: readonly number[]) => g.constant(float32(values, shape));

function phaseOf(options: Record<string, unknown>, shape: readonly number[]) {
  if (draem.learns !== 'gradient') throw new Error('draem learns by gradient.');
  return draem.phases(draem.config.parse(options), shape)[0];
}

test('the focal loss is that of a softmax of two logits', () => {
  const [logits, mask] = [
    [0, 2, -3, 40],
    [0, 1, 1, 0],
  ];
  const terms = logits.map((l, i) => {
    const right = mask[i] === 1 ? l : -l;
    const p = 1 / (1 + Math.exp(-right));
    return -((1 - p) ** 2) * Math.log(p);
  });
  const found = value(focalLoss(image(logits, [1, 1, 2, 2]), image(mask, [1, 1, 2, 2]), 2))[0];
  expect(found).toBeCloseTo(terms.reduce((a, b) => a + b) / 4, 4);
});

test('the published second network has 64 to 512 filters in six levels and reads image and drawing', () => {
  const { phase } = phaseOf({ ...draem.presets['paper-256'] }, [3, 256, 256]);
  const { trained, feeds } = nn.assemble(phase, { shape: [2, 3, 256, 256] });
  const of = (group: string) =>
    trained
      .filter((s) => s.name.startsWith(`${group}.down`) && s.name.endsWith('a.weight'))
      .map((s) => s.shape.slice(0, 2));
  expect(of('segmentation')).toEqual([
    [64, 6],
    [128, 64],
    [256, 128],
    [512, 256],
    [512, 512],
    [512, 512],
  ]);
  expect(of('drawing')[0]).toEqual([128, 3]);
  expect(trained.find((s) => s.name === 'drawing.up0.a.weight')!.shape).toEqual([128, 128, 3, 3]); // no skips
  expect(trained.find((s) => s.name === 'segmentation.up0.a.weight')!.shape).toEqual([64, 128, 3, 3]);
  expect(feeds.filter((f) => f.kind !== 'rate').map((f) => [f.name, 'shape' in f && f.shape])).toEqual(
    expect.arrayContaining([
      ['planted/0', [2, 3, 256, 256]],
      ['masks/0', [2, 1, 256, 256]],
      ['batch/0', [2, 3, 256, 256]],
    ]),
  );
});

describe('planted batches', () => {
  const batch = new Rng(1).uniforms(4 * 256, 0.4, 0.6);
  const plant = openPlanter({ share: 1, filling: 'texture' }, [1, 16, 16]);

  it('follow from the batch and the stream alone', async () => {
    const once = await plant(batch, new Rng(2));
    expect(await openPlanter({ share: 1, filling: 'texture' }, [1, 16, 16])(batch, new Rng(2))).toEqual(once);
    expect(await plant(batch, new Rng(3))).not.toEqual(once);
    once.images.forEach((v, p) => {
      expect(v !== batch[p]).toBe(once.masks[p] === 1);
    });
    expect(once.masks.some((m) => m === 1)).toBe(true);
  });

  it('need images in the folder of textures', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'oddity-textures-'));
    try {
      const { defects } = phaseOf({ textures: folder }, [1, 16, 16]);
      await expect(openPlanter(defects!, [1, 16, 16], readTextures)(batch, new Rng(2))).rejects.toMatchObject({
        code: 'no-images',
        message: `${folder} must hold images (PNG, JPEG, TIFF, BMP, WebP, GIF, AVIF); there are none.`,
      });
      await expect(openPlanter(defects!, [1, 16, 16])(batch, new Rng(2))).rejects.toMatchObject({ code: 'no-disk' });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

test.each([
  [{ window: 4 }, [1, 64, 64], '`config.window` must be odd, got 4.'],
  [
    { window: 21 },
    [1, 16, 64],
    'draem of 5 levels and window 21 needs images of at least 21 × 21 pixels, got 16 × 64.',
  ],
] as const)('what does not fit is a sentence: %j', (options, shape, message) => {
  expect(write(draem.unsuitable!(draem.config.parse(options), shape)!, libraryWords)).toBe(message);
});
