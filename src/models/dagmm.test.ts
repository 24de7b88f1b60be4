import { expect, test } from 'vitest';
import { float32 } from '../core/tensor.ts';
import { evaluate } from '../graph/evaluate.ts';
import { constant, input } from '../graph/leaf.ts';
import { Trace } from '../nn/scope.ts';
import { dagmm, energy, widthsOf } from './dagmm.ts';

test('the energy is −log of the mixture density', () => {
  const means = [
    [0.5, -1, 2],
    [1, 0, 0],
  ];
  // Inverse and determinant by hand: Σ₁ = diag(1, 4, 0.25); Σ₂ = [[2, 1, 0], [1, 2, 0], [0, 0, 1]], det 3.
  const covariances = [1, 0, 0, 0, 4, 0, 0, 0, 0.25, 2, 1, 0, 1, 2, 0, 0, 0, 1];
  const inverses = [
    [1, 0, 0, 0, 0.25, 0, 0, 0, 4],
    [2 / 3, -1 / 3, 0, -1 / 3, 2 / 3, 0, 0, 0, 1],
  ];
  const [shares, determinants] = [
    [0.3, 0.7],
    [1, 3],
  ];
  const z = [0.2, 0.4, 1];
  const density = means.map((mean, k) => {
    const d = z.map((v, i) => v - mean[i]);
    let exponent = 0;
    for (let i = 0; i < 3; i++) for (let j = 0; j < 3; j++) exponent += d[i] * inverses[k][3 * i + j] * d[j];
    return (shares[k] * Math.exp(-exponent / 2)) / Math.sqrt((2 * Math.PI) ** 3 * determinants[k]);
  });
  const [found] = evaluate(
    [
      energy(input('z', [1, 3]), {
        shares: constant(float32(shares, [2])),
        means: constant(float32(means.flat(), [2, 3])),
        covariances: constant(float32(covariances, [2, 3, 3])),
      }),
    ],
    { z: float32(z, [1, 3]) },
  );
  expect(found.data[0]).toBeCloseTo(-Math.log(density[0] + density[1]), 5);
});

test('the networks of KDD99: 120-60-30-10-1-10-30-60-120 and 3-10-4', () => {
  const config = dagmm.config.parse(dagmm.presets.kdd);
  const trace = new Trace(false);
  dagmm.score(config, (group) => trace.group(group), input('row', ['N', 120]));
  const shapes = [...trace.parameters.values()].map(({ spec }) => spec.shape.join('x'));
  const weights = ['120x60', '60x30', '30x10', '10x1', '1x10', '10x30', '30x60', '60x120'];
  expect(shapes.filter((shape) => shape.includes('x'))).toEqual(weights);
  expect(widthsOf('auto', 120)).toEqual([60, 30, 10, 1]);
  expect(widthsOf('auto', 6)).toEqual([3, 2, 1]);
});
