/**
 * WGAN-GP (Gulrajani et al. 2017, algorithm 1) on a ring of eight Gaussians: the gradient of the gradient penalty against
 * differences in float64, and training that brings generated points close to the data.
 */
import { describe, expect, it } from 'vitest';
import { Rng } from '../../dist/core/random.js';
import type { Tensor, Tensors } from '../../dist/core/tensor.js';
import type { Value } from '../../dist/graph/index.js';
import * as g from '../../dist/graph/index.js';
import * as nn from '../../dist/nn/index.js';
import { openRuntime } from '../../dist/runtime/index.js';
import { type Source, train } from '../helpers/training.ts';

/** Dense, layer norm, leaky ReLU twice; one score per row: `[N, 2] → [N, 1]`. */
function critic(scope: nn.Scope, x: Value, width: number): Value {
  let h = x;
  for (const layer of ['first', 'second']) {
    const place = scope.at(layer);
    h = g.leakyRelu(nn.layerNorm(place.at('norm'), nn.dense(place, h, width)));
  }
  return nn.dense(scope.at('score'), h, 1);
}

function generator(scope: nn.Scope, z: Value): Value {
  const h = g.relu(nn.dense(scope.at('first'), z, 48));
  return nn.dense(scope.at('points'), g.relu(nn.dense(scope.at('second'), h, 48)), 2);
}

/** Mean of (‖∇D(x̃)‖₂ − 1)² with x̃ between real and made points, mix in [0, 1] per row (equation 3). */
function penalty(score: (x: Value) => Value, real: Value, made: Value, mix: Value): Value {
  const between = g.add(g.mul(real, mix), g.mul(made, g.sub(1, mix)));
  const [slope] = g.gradients(g.reduceSum(score(between)), [between]);
  const norm = g.sqrt(g.add(g.reduceSum(g.square(slope), { axes: [1] }), 1e-12));
  return g.reduceMean(g.square(g.sub(norm, 1)));
}

it('the gradient of the penalty is right for every weight of the critic', () => {
  const trace = new nn.Trace(true);
  const rng = new Rng(4);
  const [real, made, mix] = [g.input('real', [3, 2]), g.input('made', [3, 2]), g.input('mix', [3, 1])];
  const loss = g.mul(
    penalty((x) => critic(trace.group('critic'), x, 5), real, made, mix),
    10,
  );
  const parameters = [...trace.parameters.values()];
  const wide = (data: Float32Array, shape: readonly number[]): Tensor => ({
    dtype: 'float64',
    shape,
    data: Float64Array.from(data),
  });
  const feeds: Tensors = {
    real: wide(rng.split('real').normals(6), [3, 2]),
    made: wide(rng.split('made').normals(6), [3, 2]),
    mix: wide(rng.split('mix').uniforms(3), [3, 1]),
  };
  for (const { spec } of parameters) {
    const noise = rng.split(spec.name).normals(
      spec.shape.reduce((n, d) => n * d, 1),
      0,
      0.3,
    );
    const start = spec.init(spec.shape, rng.split('init').split(spec.name), spec.fan);
    feeds[spec.name] = wide(
      start.map((v, i) => v + noise[i]),
      spec.shape,
    );
  }
  const values = parameters.map(({ value }) => value);
  const slopes = g.evaluate([...g.gradients(loss, values), ...values], feeds, 'float64');
  const names = parameters.map(({ spec }) => spec.name);
  expect(names).toHaveLength(10);
  const width = 1e-5;
  names.forEach((name, k) => {
    const { data, shape } = feeds[name];
    data.forEach((_, i) => {
      const at = (sign: number): number => {
        const moved = Float64Array.from(data as Float64Array, (v, j) => (i === j ? v + sign * width : v));
        return Number(
          g.evaluate([loss], { ...feeds, [name]: { dtype: 'float64', shape, data: moved } }, 'float64')[0].data[0],
        );
      };
      const expected = (at(1) - at(-1)) / (2 * width);
      expect(Math.abs(Number(slopes[k].data[i]) - expected), `${name}[${i}]`).toBeLessThan(
        1e-5 * Math.max(1, Math.abs(expected)),
      );
    });
    const moves = slopes[k].data.some((v) => Math.abs(Number(v)) > 1e-4);
    // The last offsets only shift the score, or move a kink: they do not matter to a slope.
    expect(moves, name).toBe(!['critic.second.norm.bias', 'critic.score.bias'].includes(name));
  });
});

const rows = 64;

/** Points of a ring of eight Gaussians, radius 2, standard deviation 0.1. */
function ring(rng: Rng, count: number): Float32Array {
  const points = rng.normals(2 * count, 0, 0.1);
  for (let i = 0; i < count; i++) {
    const angle = (2 * Math.PI * rng.int(8)) / 8;
    points[2 * i] += 2 * Math.cos(angle);
    points[2 * i + 1] += 2 * Math.sin(angle);
  }
  return points;
}

/** Mean over 32 directions of the Wasserstein-1 distance of the projections (sorted differences). */
function slicedWasserstein(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let d = 0; d < 32; d++) {
    const [x, y] = [Math.cos((Math.PI * d) / 32), Math.sin((Math.PI * d) / 32)];
    const along = (p: Float32Array) =>
      Float64Array.from({ length: p.length / 2 }, (_, i) => p[2 * i] * x + p[2 * i + 1] * y).sort();
    const [pa, pb] = [along(a), along(b)];
    sum += pa.reduce((s, v, i) => s + Math.abs(v - pb[i]), 0) / pa.length;
  }
  return sum / 32;
}

describe('training', () => {
  const optimizer = nn.adam({ learningRate: 1e-3, beta1: 0, beta2: 0.9 });
  const latent: nn.Draw = { kind: 'normal', shape: [rows, 4] };
  const phase = nn.assemble(
    {
      name: 'wgan-gp',
      steps: [
        {
          name: 'critic',
          updates: ['critic'],
          optimizer,
          repeats: 5,
          loss: ({ net, x, draw }) => {
            const made = generator(net('generator'), draw('z', latent));
            const score = (points: Value) => critic(net('critic'), points, 48);
            const distance = g.sub(g.reduceMean(score(x)), g.reduceMean(score(made)));
            const away = penalty(score, x, made, draw('mix', { kind: 'uniform', shape: [rows, 1] }));
            return { loss: g.sub(g.mul(away, 10), distance), metrics: { distance, penalty: away } };
          },
        },
        {
          name: 'generator',
          updates: ['generator'],
          optimizer,
          loss: ({ net, draw }) =>
            g.neg(g.reduceMean(critic(net('critic'), generator(net('generator'), draw('z', latent)), 48))),
        },
      ],
      average: { groups: ['generator'], decay: 0.98 },
    },
    { shape: [rows, 2] },
  );
  const source: Source = (feed, iteration) =>
    feed.kind === 'batch' ? ring(new Rng(3).split(feed.name).split(iteration), rows) : undefined;

  /** Distance of 1,000 points of the averaged generator to as many of the data. */
  function distanceOf(tensors: Tensors): number {
    const z = g.input('z', [1000, 4]);
    const points = generator(new nn.Trace(false).group('generator'), z);
    const feeds: Tensors = {
      ...Object.fromEntries(Object.entries(tensors).map(([name, t]) => [name, tensors[`ema.${name}`] ?? t])),
      z: { dtype: 'float32', shape: [1000, 4], data: new Rng(9).split('z').normals(4000) },
    };
    const [made] = g.evaluate([points], feeds);
    return slicedWasserstein(made.data as Float32Array, ring(new Rng(9).split('data'), 1000));
  }

  it('brings generated points more than three times closer to the data in 700 iterations', async () => {
    const start = nn.initialize(phase.specs, new Rng(1));
    const runtime = await openRuntime('cpu', { threads: 1 });
    try {
      const { tensors, metrics } = await train(runtime, phase, start, new Array(14).fill(50), { source });
      const [before, after] = [distanceOf(start), distanceOf(tensors)];
      console.log(
        `sliced Wasserstein distance: ${before.toFixed(3)} at the start, ${after.toFixed(3)} after 700 iterations`,
      );
      expect(before / after).toBeGreaterThan(3);
      // The critic stays near slope 1, so its loss is an estimate of the distance.
      const late = metrics['critic.penalty'].slice(-50);
      expect(late.reduce((a, b) => a + b) / 50).toBeLessThan(0.1);
      expect(metrics['critic.distance'].slice(-50).reduce((a, b) => a + b) / 50).toBeLessThan(0.5);
    } finally {
      await runtime.close();
    }
  });
});
