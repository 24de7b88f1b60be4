import { expect, it } from 'vitest';
import * as z from 'zod';
import type { ItemShape } from '../../core/item-shape.ts';
import { findModel, type Model } from '../../models/index.ts';
import { keptConfig, resolveConfig } from './config.ts';

const model = {
  name: 'made-up',
  config: z.strictObject({
    width: z.int().min(1).default(8),
    epochs: z.int().min(1).default(3),
    code: z.int().min(1).default(2),
  }),
  presets: { small: { epochs: 5 } },
  defaults: ([inputs]: readonly number[], count: number) => ({ width: inputs, epochs: count, code: 7 }),
} as unknown as Model<{ width: number; epochs: number; code: number }>;

it('puts defaults that follow from the data below a preset, and a preset below what is given', () => {
  expect(resolveConfig(model)).toEqual({ width: 8, epochs: 3, code: 2 });
  const about = { shape: [121], count: 40 };
  expect(resolveConfig(model, {}, about)).toEqual({ width: 121, epochs: 40, code: 7 });
  expect(resolveConfig(model, { preset: 'small', config: { code: 1 } }, about)).toEqual({
    width: 121,
    epochs: 5,
    code: 1,
  });
});

it('lets the autoencoder make 300 steps of few images unless told, and score large ones by their highest hundredth', () => {
  const autoencoder = findModel('autoencoder');
  const of = (count: number, given = {}) => resolveConfig(autoencoder, given, { shape: [1, 28, 28], count });
  expect(of(6000)).toMatchObject({ epochs: 10, batchSize: 64 });
  expect(of(200)).toMatchObject({ epochs: 25, batchSize: 16 });
  expect(of(3)).toMatchObject({ epochs: 300, batchSize: 16 });
  expect(of(200, { config: { epochs: 3 } })).toMatchObject({ epochs: 3, batchSize: 16 });
  expect(of(200)).toMatchObject({ pooling: 'mean' });
  const large = { shape: [3, 128, 128], count: 200 };
  expect(resolveConfig(autoencoder, {}, large)).toMatchObject({ pooling: 'top' });
  expect(of(200, { preset: 'cae-ssim' })).toMatchObject({ epochs: 200, batchSize: 128 });
});

it('options that contradict the paper of a GAN or a mixture are refused with a sentence', () => {
  for (const [name, key, most] of [
    ['f-anogan', 'penalty', 1000],
    ['simultaneous-encoder', 'penalty', 1000],
    ['ganomaly', 'encoderWeight', 10000],
    ['dagmm', 'energyWeight', 10],
  ] as const) {
    const resolve = () => resolveConfig(findModel(name), { config: { [key]: 0 } });
    expect(resolve).toThrow(`${name}: \`config.${key}\` must be a number above 0 and at most ${most}, got 0.`);
  }
});

it('presets with layers for one kind of item are refused for another', () => {
  const problem = (name: string, preset: string, shape: readonly number[]) => {
    const model = findModel(name);
    return model.unsuitable?.(resolveConfig(model, { preset }), shape as ItemShape);
  };
  const images = 'has layers for images only, and rows have networks of their own. Leave the option or the preset out.';
  expect(problem('f-anogan', 'image-64', [12])).toBe(`network residual ${images}`);
  expect(problem('fence-gan', 'mnist', [12])).toBe(`network mnist ${images}`);
  expect(problem('fence-gan', 'cifar10', [12])).toBe(`network cifar10 ${images}`);
  expect(problem('f-anogan', 'image-64', [1, 28, 28])).toBeUndefined();
  expect(problem('fence-gan', 'toy', [2])).toBeUndefined();
});

it.each([
  ['anogan', { candidates: 0 }, 'candidates', '0'],
  ['anogan', { penalty: -1 }, 'penalty', '-1'],
  ['anogan', { dropout: 1 }, 'dropout', '1'],
  ['egbad', { weight: 1.5 }, 'weight', '1.5'],
  ['egbad', { inversion: -1 }, 'inversion', '-1'],
] as const)('refuses an option of %s that its paper has no sense for: %j', (name, config, option, value) => {
  expect(() => resolveConfig<Record<string, unknown>>(findModel(name), { config })).toThrow(
    new RegExp(`${option}.*got ${value}`),
  );
});

it('reads options of a run that it lacks as they were in effect', () => {
  expect(keptConfig(findModel('deep-svdd'), { code: 8 })).toMatchObject({ code: 8, encoders: 1 });
  expect(keptConfig(findModel('deep-svdd'), { code: 8, encoders: 2 })).toMatchObject({ encoders: 2 });
  expect(keptConfig(findModel('egbad'), { score: 'fm', weight: 0.1 })).toMatchObject({ terms: 'raw', weight: 0.1 });
  expect(keptConfig(findModel('knn'), { k: 3, gone: true })).toEqual({ k: 3, gone: true });
});
