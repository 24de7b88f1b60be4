import { describe, expect, it, test } from 'vitest';
import { Rng } from '../core/random.ts';
import { float32, type Tensors } from '../core/tensor.ts';
import { libraryWords, write } from '../core/text.ts';
import * as g from '../graph/index.ts';
import * as nn from '../nn/index.ts';
import { deepSvdd } from './deep-svdd.ts';
import type { ItemShape } from './define.ts';
import { upperQuantile } from './parts/fitting/measure.ts';
import { centreOf, normalizeContrast } from './parts/fitting/svdd.ts';

const value = (y: g.Value, feeds: Tensors = {}) => Array.from(g.evaluate([y], feeds)[0].data, Number);
const vector = (values: readonly number[]) => g.constant(float32(values, [values.length]));

function phasesOf(options: Record<string, unknown>, shape: ItemShape) {
  if (deepSvdd.learns !== 'gradient') throw new Error('deep-svdd learns by gradient.');
  return deepSvdd.phases(deepSvdd.config.parse(options), shape);
}

/** The parameters that a phase moves, in the order in which the networks ask for them. */
function trainedBy(phase: string, options: Record<string, unknown>, shape: ItemShape) {
  const found = phasesOf(options, shape).find((p) => p.phase.name === phase)!;
  return nn.assemble(found.phase, { shape: [4, ...shape] }).trained;
}

const shapes = (phase: string, options: Record<string, unknown>, shape: ItemShape) =>
  trainedBy(phase, options, shape).map((s) => `${s.name} ${s.shape.join('x')}`);

describe('networks', () => {
  test('of MNIST, as published', () => {
    expect(shapes('autoencoder', deepSvdd.presets.mnist, [1, 28, 28])).toEqual([
      'encoder.conv1.weight 8x1x5x5',
      'encoder.conv2.weight 4x8x5x5',
      'encoder.code.weight 196x32',
      'decoder.up2.weight 2x4x5x5',
      'decoder.up1.weight 4x8x5x5',
      'decoder.image.weight 8x1x5x5',
    ]);
  });

  test('of CIFAR-10, as published', () => {
    expect(shapes('autoencoder', deepSvdd.presets.cifar10, [3, 32, 32])).toEqual([
      'encoder.conv1.weight 32x3x5x5',
      'encoder.conv2.weight 64x32x5x5',
      'encoder.conv3.weight 128x64x5x5',
      'encoder.code.weight 2048x128',
      'decoder.up3.weight 8x128x5x5',
      'decoder.up2.weight 128x64x5x5',
      'decoder.up1.weight 64x32x5x5',
      'decoder.image.weight 32x3x5x5',
    ]);
  });

  test('of rows are dense', () => {
    expect(shapes('one-class', { code: 4, encoders: 1 }, [20])).toEqual([
      'encoder.fc1.weight 20x16',
      'encoder.fc2.weight 16x8',
      'encoder.code.weight 8x4',
    ]);
  });
});

test.each([
  ['an image', [3, 40, 24]],
  ['a row', [7]],
] as const)('no network of %s has a bias or a learnt scale', (_kind, shape) => {
  const names = phasesOf({ code: 8 }, shape).flatMap(({ phase }) =>
    nn.assemble(phase, { shape: [4, ...shape] }).trained.map((s) => s.name),
  );
  expect(names.length).toBeGreaterThan(5);
  expect(names.filter((name) => /bias|norm/.test(name))).toEqual([]);
});

test('several encoders begin differently, are trained side by side, and give the mean of their scores', () => {
  const config = deepSvdd.config.parse({ code: 4, encoders: 2 });
  const trace = new nn.Trace(false);
  const scoreOf = (encoders: number) =>
    deepSvdd.score({ ...config, encoders }, (group) => trace.group(group), g.input('x', [3, 6])).score;
  const [both, first] = [scoreOf(2), scoreOf(1)];
  const feeds: Tensors = { x: float32(new Rng(1).uniforms(18), [3, 6]) };
  for (const { spec } of [...trace.parameters.values(), ...trace.buffers.values()])
    feeds[spec.name] = float32(spec.init(spec.shape, new Rng(2).split(spec.name), spec.fan), spec.shape);
  const renamed = Object.fromEntries(
    Object.entries(feeds).map(([name, tensor]) => [
      name.replace('encoder2', 'encoder').replace('centre2', 'centre'),
      tensor,
    ]),
  );
  const [mean, one] = [value(both, feeds), value(first, feeds)];
  const second = value(first, { ...feeds, ...renamed });
  for (const [i, v] of mean.entries()) expect(v).toBeCloseTo((one[i] + second[i]) / 2, 5);
  expect(one).not.toEqual(second);
  const names = trainedBy('one-class', { code: 4, encoders: 2 }, [6]).map((s) => s.name.split('.')[0]);
  expect([...new Set(names)]).toEqual(['encoder', 'encoder2']);
});

test('the published net for 28 × 28 begins as PyTorch does, that for 32 × 32 as Glorot says', () => {
  const largest = (preset: 'mnist' | 'cifar10', shape: ItemShape) => {
    const [kernel] = trainedBy('one-class', deepSvdd.presets[preset], shape);
    return Math.max(...kernel.init(kernel.shape, new Rng(1), kernel.fan).map(Math.abs));
  };
  expect(largest('mnist', [1, 28, 28])).toBeLessThanOrEqual(1 / 5); // 1 / √25
  expect(largest('mnist', [1, 28, 28])).toBeGreaterThan(0.19);
  const glorot = Math.sqrt(6 / (3 * 25 + 32 * 25)) * Math.sqrt(2 / 1.0001);
  expect(largest('cifar10', [3, 32, 32])).toBeLessThanOrEqual(glorot);
  expect(largest('cifar10', [3, 32, 32])).toBeGreaterThan(0.98 * glorot);
});

test('codes are unbounded and grow with the weights', () => {
  const config = deepSvdd.config.parse({ code: 4, encoders: 1 });
  const scoreWith = (factor: number) => {
    const trace = new nn.Trace(false);
    const { score } = deepSvdd.score(config, (group) => trace.group(group), g.input('x', [1, 6]));
    const feeds: Tensors = { x: float32(new Rng(1).uniforms(6), [1, 6]) };
    for (const { spec } of [...trace.parameters.values(), ...trace.buffers.values()]) {
      const values = spec.init(spec.shape, new Rng(2).split(spec.name), spec.fan);
      feeds[spec.name] = float32(spec.name.includes('code') ? values.map((v) => factor * v) : values, spec.shape);
    }
    return value(score, feeds)[0];
  };
  expect(scoreWith(1000) / scoreWith(100)).toBeGreaterThan(50);
});

describe('contrast', () => {
  it('is normalised to mean 0 and mean deviation 1, for each image by itself', () => {
    const images = [...new Rng(3).uniforms(12, 0.2, 0.4), ...new Rng(4).uniforms(12, 0, 1)];
    const y = value(normalizeContrast(g.constant(float32(images, [2, 1, 3, 4]))));
    for (const image of [y.slice(0, 12), y.slice(12)]) {
      expect(image.reduce((a, b) => a + b) / 12).toBeCloseTo(0, 6);
      expect(image.reduce((a, b) => a + Math.abs(b), 0) / 12).toBeCloseTo(1, 6);
    }
  });

  it('of one grey is 0, not a division by 0', () => {
    expect(value(normalizeContrast(g.constant(float32(new Float32Array(8).fill(0), [2, 1, 2, 2]))))).toEqual(
      Array(8).fill(0),
    );
  });
});

test('the centre is the mean code with every coordinate at least 0.1 from 0', () => {
  const centre = value(centreOf(vector([2, -0.4, 0.2, 0, -8]), g.constant(float32([4], []))));
  const expected = [0.5, -0.1, 0.1, 0.1, -2];
  centre.forEach((c, i) => {
    expect(c).toBeCloseTo(expected[i], 6);
  });
});

test.each([
  [0.1, 9.1], // numpy.quantile([1 … 10], 0.9)
  [0.5, 5.5],
  [0.25, 7.75],
  [0.001, 9.991],
])('the radius leaves a share of %d out', (nu, expected) => {
  expect(value(upperQuantile(vector([3, 1, 10, 5, 2, 8, 9, 4, 6, 7]), nu))[0]).toBeCloseTo(expected, 5);
});

describe('the soft boundary', () => {
  const options = { objective: 'soft-boundary', warmUpEpochs: 10, epochs: 40, schedule: 'step', milestone: 0.5 };
  const [warmUp, rest] = phasesOf(options, [6]).slice(-2);

  it('warms up with radius 0, then follows the batches; the rate falls once over both', () => {
    expect([warmUp.phase.name, warmUp.epochs, rest.phase.name, rest.epochs]).toEqual([
      'warm-up',
      10,
      'soft-boundary',
      30,
    ]);
    const rates = (phase: typeof rest, at: number[]) => at.map((i) => phase.phase.steps[0].schedule!(i, phase.epochs));
    expect(rates(warmUp, [0, 9])).toEqual([1, 1]);
    expect(rates(rest, [0, 9, 10, 29])).toEqual([1, 1, 0.1, 0.1]);
  });

  it('takes R² off the score', () => {
    const trace = new nn.Trace(false);
    const scoreOf = (objective: string) =>
      deepSvdd.score(deepSvdd.config.parse({ objective, code: 4 }), (group) => trace.group(group), g.input('x', [2, 6]))
        .score;
    const [soft, hard] = [scoreOf('soft-boundary'), scoreOf('one-class')];
    const feeds: Tensors = { x: float32(new Rng(1).uniforms(12), [2, 6]) };
    for (const { spec } of [...trace.parameters.values(), ...trace.buffers.values()])
      feeds[spec.name] = float32(spec.init(spec.shape, new Rng(2).split(spec.name), spec.fan), spec.shape);
    for (const [name, radius] of [
      ['boundary', 3],
      ['boundary2', 1],
      ['boundary3', 2],
    ] as const)
      feeds[`${name}.radius`] = float32([radius], []);
    const [a, b] = [value(soft, feeds), value(hard, feeds)];
    a.forEach((s, i) => {
      expect(s).toBeCloseTo(b[i] - (9 + 1 + 4) / 3, 5); // their mean
    });
  });
});

test.each([
  [{ objective: 'soft-boundary', epochs: 5 }, [6], '`config.warmUpEpochs` must be below `config.epochs` (5), got 10.'],
  [{ network: 'lenet-28' }, [1, 32, 28], 'network lenet-28 needs images of 28 × 28 pixels, got 32 × 28.'],
  [{ network: 'lenet-32', code: 30 }, [3, 32, 32], 'network lenet-32 needs a code of a multiple of 16, got 30.'],
  [{}, [1, 7, 64], 'deep-svdd needs images of at least 8 × 8 pixels, got 7 × 64.'],
] as const)('what does not fit is a sentence: %j', (options, shape, message) => {
  expect(write(deepSvdd.unsuitable!(deepSvdd.config.parse(options), shape)!, libraryWords)).toBe(message);
});
