import { expect, it } from 'vitest';
import { Rng } from '../../../core/random.ts';
import { float32 } from '../../../core/tensor.ts';
import * as g from '../../../graph/index.ts';
import * as nn from '../../../nn/index.ts';
import { initialize } from '../../../nn/training.ts';
import { discriminateRows, kddDiscriminator, kddGenerator, rowGenerator, rowLatent, rowTraining } from './rows.ts';

function traced(build: (net: nn.Scope) => g.Value) {
  const trace = new nn.Trace(true);
  const { shape } = build(trace.group('net'));
  const sizes = [...trace.parameters.values()].map(({ spec }) => spec.shape.reduce((a, b) => a * b, 1));
  return { shape, parameters: sizes.reduce((a, b) => a + b, 0), draws: trace.draws.size };
}

it('has the published sizes of AnoGAN for KDD99', () => {
  const x = g.input('x', [5, 121]);
  expect(traced((net) => rowGenerator(net, g.input('z', [5, 32]), [...kddGenerator, 121]))).toEqual({
    shape: [5, 121],
    parameters: 26_041,
    draws: 0,
  });
  // Dropout after each of the three layers, also below the logit.
  expect(traced((net) => discriminateRows(net, x, kddDiscriminator).logit)).toEqual({
    shape: [5, 1],
    parameters: 80_769,
    draws: 3,
  });
  expect(discriminateRows(new nn.Trace(true).group('net'), x, kddDiscriminator).features.shape).toEqual([5, 128]);
});

it('gives rows a code of about a quarter of their numbers', () => {
  expect([121, 274, 6, 2, 1].map((inputs) => rowLatent([inputs]))).toEqual([32, 64, 2, 2, 2]);
});

it('trains few rows in small batches and more often: about 3,000 steps', () => {
  expect(rowTraining(178_533)).toEqual({ batchSize: 64, epochs: 1 });
  expect(rowTraining(174)).toEqual({ batchSize: 16, epochs: 276 });
  expect(rowTraining(1)).toEqual({ batchSize: 16, epochs: 48_000 });
  expect(rowTraining(5_000_000).epochs).toBe(1);
});

it('holds the numbers of a drawn row in [0, 1] where asked to, by the same parameters', () => {
  const trace = new nn.Trace(false);
  const [net, z] = [trace.group('net'), g.input('z', [3, 2])];
  const rows = (['linear', 'sigmoid'] as const).map((drawn) => rowGenerator(net, z, [8, 5], drawn));
  const specs = [...trace.parameters.values()].map(({ spec }) => spec);
  expect(specs.map(({ shape }) => shape)).toEqual([[2, 8], [8], [8, 5], [5]]);
  const feeds = { ...initialize(specs, new Rng(1)), z: float32(new Rng(2).normals(6), [3, 2]) };
  const [linear, held] = g.evaluate(rows, feeds).map(({ data }) => Array.from(data as Float32Array));
  expect(Math.min(...linear)).toBeLessThan(0);
  held.forEach((v, i) => {
    expect(v).toBeCloseTo(1 / (1 + Math.exp(-linear[i])), 6);
  });
});
