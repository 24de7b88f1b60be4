import { describe, expect, it, test } from 'vitest';
import { Rng } from '../core/random.ts';
import { float32, type Tensors } from '../core/tensor.ts';
import * as g from '../graph/index.ts';
import * as nn from '../nn/index.ts';
import { divergence, surprise, vae, warmUpOf } from './vae.ts';

const value = (y: g.Value, feeds: Tensors = {}) => Array.from(g.evaluate([y], feeds)[0].data, Number);
const constant = (values: ArrayLike<number>, shape: readonly number[]) => g.constant(float32(values, shape));

/** Outputs of a scoring graph on made-up items and weights. */
function scored(
  options: Record<string, unknown>,
  shape: readonly number[],
  count = 3,
  fixed: (name: string) => number | undefined = () => undefined,
) {
  const trace = new nn.Trace(false);
  const config = vae.config.parse({ code: 3, width: 2, ...options });
  const { score, map } = vae.score(config, (group) => trace.group(group), g.input('x', [count, ...shape]));
  const size = shape.reduce((n, d) => n * d, 1);
  const x = new Rng(1).uniforms(count * size);
  const feeds: Tensors = { x: float32(x, [count, ...shape]) };
  for (const { spec } of [...trace.parameters.values(), ...trace.buffers.values()]) {
    const made = spec.init(spec.shape, new Rng(2).split(spec.name), spec.fan);
    feeds[spec.name] = float32(
      made.map((v) => fixed(spec.name) ?? v),
      spec.shape,
    );
  }
  const scoreAt = (values: Float32Array) => value(score, { ...feeds, x: float32(values, [count, ...shape]) });
  return { score: value(score, feeds), map: value(map, feeds), draws: trace.draws.size, x, scoreAt };
}

test('β rises in steps, and all of it counts at the end', () => {
  expect(warmUpOf(10, 0)).toEqual([{ epochs: 10, share: 1 }]);
  expect(warmUpOf(1, 0.5)).toEqual([{ epochs: 1, share: 1 }]);
  expect(warmUpOf(40, 0.25)).toEqual([
    { epochs: 2, share: 0 },
    { epochs: 3, share: 0.25 },
    { epochs: 2, share: 0.5 },
    { epochs: 3, share: 0.75 },
    { epochs: 30, share: 1 },
  ]);
  expect(warmUpOf(4, 0.9).map(({ epochs }) => epochs)).toEqual([1, 1, 1, 1]);
  const names = (options: object, shape: number[]) =>
    vae.learns === 'gradient' && vae.phases(vae.config.parse(options), shape).map(({ phase }) => phase.name);
  expect(names({ epochs: 8, warmUp: 0.25 }, [5])).toEqual(['warm-up 1', 'warm-up 2', 'fit']);
  expect(names({}, [1, 16, 16])).toEqual(['fit']);
});

test('the divergence is that of two normal distributions', () => {
  const [mean, logVariance] = [
    [0, 1, -2, 0.5],
    [0, 0, 1, -1],
  ];
  const expected = [0, 1].map((n) =>
    [0, 1].reduce((sum, d) => {
      const [m, l] = [mean[2 * n + d], logVariance[2 * n + d]];
      return sum + (m * m + Math.exp(l) - 1 - l) / 2;
    }, 0),
  );
  const found = value(divergence({ mean: constant(mean, [2, 2]), logVariance: constant(logVariance, [2, 2]) }));
  found.forEach((kl, n) => {
    expect(kl).toBeCloseTo(expected[n], 5);
  });
});

describe('−log p of a drawing', () => {
  const [x, drawn] = [
    [0, 1, 0.25, 0.5],
    [0.1, 0.8, 0.25, 0.9],
  ];
  const found = (likelihood: 'gaussian' | 'bernoulli', logVariance: number) =>
    value(surprise(likelihood, constant(x, [1, 1, 2, 2]), constant(drawn, [1, 1, 2, 2]), g.constant(logVariance)))[0];

  it('is that of a normal distribution of one variance', () => {
    const expected = x.reduce(
      (sum, v, i) => sum + 0.5 * ((v - drawn[i]) ** 2 / Math.exp(-3) - 3 + Math.log(2 * Math.PI)),
      0,
    );
    expect(found('gaussian', -3)).toBeCloseTo(expected, 4);
  });

  it('is the cross-entropy where values are shares of white', () => {
    const expected = x.reduce((sum, v, i) => sum - v * Math.log(drawn[i]) - (1 - v) * Math.log(1 - drawn[i]), 0);
    expect(found('bernoulli', 7)).toBeCloseTo(expected, 4);
  });
});

describe('scores', () => {
  it('are four, draw nothing, and give a map of the size of the item', () => {
    for (const shape of [[1, 12, 10], [6]]) {
      const all = ['reconstruction', 'elbo', 'probability', 'kl'].map((score) => scored({ score, samples: 3 }, shape));
      expect(new Set(all.map(({ score }) => score[0])).size).toBe(4);
      expect(all.map(({ draws }) => draws)).toEqual([0, 0, 0, 0]);
      expect(all.every(({ map }) => map.length === 3 * shape.reduce((n, d) => n * d, 1))).toBe(true);
      // The bound is the mean surprise and the divergence.
      all[1].score.forEach((bound, n) => {
        expect(bound).toBeCloseTo(all[2].score[n] + all[3].score[n], 2);
      });
    }
  });

  it('weigh the divergence by β', () => {
    const [none, two, kl] = [{ beta: 0 }, { beta: 2 }, { score: 'kl' }].map(
      (options) => scored({ score: 'elbo', ...options }, [6]).score,
    );
    two.forEach((bound, n) => {
      expect(bound - none[n]).toBeCloseTo(2 * kl[n], 3);
    });
  });
});

test('the gradient map is how much the negative bound changes with each value', () => {
  // Codes that hardly vary: the bound of samples is then that of the mean, from which the map is taken.
  const narrow = (name: string) =>
    name === 'encoder.logVariance.weight' ? 0 : name === 'encoder.logVariance.bias' ? -10 : undefined;
  const { map, x, scoreAt } = scored({ map: 'gradient', score: 'elbo', samples: 1 }, [6], 1, narrow);
  map.forEach((found, i) => {
    const [up, down] = [1, -1].map((sign) => scoreAt(x.map((v, j) => v + (i === j ? sign * 1e-2 : 0)))[0]);
    expect(found).toBeCloseTo(Math.abs(up - down) / 2e-2, 0);
  });
  expect(Math.max(...map)).toBeGreaterThan(1.5);
});

test.each([
  [{}, [1, 7, 20], 'vae needs images of at least 8 × 8 pixels, got 7 × 20.'],
  [{ likelihood: 'bernoulli' }, [5], 'likelihood bernoulli is for images in [0, 1]; use gaussian for rows.'],
] as const)('what does not fit is a sentence: %j', (options, shape, message) => {
  expect(vae.unsuitable!(vae.config.parse(options), shape)).toBe(message);
});
