import { expect, it } from 'vitest';
import * as z from 'zod';
import { findModel, type Model } from '../../models/index.ts';
import { resolveConfig } from './config.ts';

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
