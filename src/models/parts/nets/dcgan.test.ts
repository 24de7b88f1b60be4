import { expect, it } from 'vitest';
import { float32 } from '../../../core/tensor.ts';
import * as g from '../../../graph/index.ts';
import * as nn from '../../../nn/index.ts';
import type { ImageShape } from '../../define.ts';
import { discriminate, discriminatorLoss, type GanNetwork, generate, generatorLoss } from './dcgan.ts';

const value = (v: g.Value) => Number(g.evaluate([v], {})[0].data[0]);
const logits = (...values: number[]) => g.constant(float32(values));

function trace(network: GanNetwork, shape: ImageShape, latent: number, width = 64) {
  const scope = new nn.Trace(true);
  const made = generate({ network, width }, scope.group('generator'), g.input('z', [2, latent]), shape);
  const { features, logit } = discriminate({ network, width }, scope.group('discriminator'), made);
  const count = (group: string) =>
    [...scope.parameters.values()]
      .filter(({ spec }) => spec.name.startsWith(group))
      .reduce((n, { spec }) => n + spec.shape.reduce((a, b) => a * b, 1), 0);
  return { made, features, logit, generator: count('generator'), discriminator: count('discriminator') };
}

it('has the published sizes of the MNIST nets', () => {
  const { generator, discriminator, features } = trace('zenati', [1, 28, 28], 200);
  expect(generator).toBe(6_781_505);
  expect(discriminator).toBe(3_282_177);
  expect(features.shape).toEqual([2, 1024]);
});

it('draws images of the size asked for, and judges each with one logit', () => {
  const cases: [GanNetwork, ImageShape, number][] = [
    ['strided', [1, 28, 28], 64 * 2 * 7 * 7],
    ['strided', [3, 30, 45], 64 * 2 * 7 * 11],
    ['strided', [1, 8, 8], 64 * 4 * 4],
    ['strided', [3, 256, 256], 512 * 4 * 4],
    ['dcgan-5', [3, 64, 64], 512 * 4 * 4],
    ['dcgan-5', [1, 28, 28], 512 * 2 * 2],
    ['seed-256', [3, 256, 256], 512 * 4 * 4],
  ];
  for (const [network, shape, features] of cases) {
    const traced = trace(network, shape, 10);
    expect(traced.made.shape, network).toEqual([2, ...shape]);
    expect(traced.features.shape, `${network} ${shape}`).toEqual([2, features]);
    expect(traced.logit.shape).toEqual([2]);
  }
});

it('wants real images judged real and drawn ones drawn, and the generator the contrary', () => {
  const softplus = (v: number) => Math.log1p(Math.exp(v));
  expect(value(discriminatorLoss(logits(2), logits(-1)))).toBeCloseTo(softplus(-2) + softplus(-1), 6);
  expect(value(discriminatorLoss(logits(2), logits(-1), 0.9))).toBeCloseTo(softplus(2) - 1.8 + softplus(-1), 6);
  expect(value(generatorLoss(logits(-1, 3)))).toBeCloseTo((softplus(1) + softplus(-3)) / 2, 6);
});
