/** Layers, losses, optimisers and initialisers against numbers from PyTorch and NumPy (nn.json, made by nn.py). */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Rng } from '../../src/core/random.ts';
import { float32, type Tensor, type Tensors } from '../../src/core/tensor.ts';
import type { Value } from '../../src/graph/index.ts';
import * as g from '../../src/graph/index.ts';
import * as nn from '../../src/nn/index.ts';

type Packed = { shape: number[]; data: number[] };
const golden: Record<string, Record<string, Packed>> = JSON.parse(
  readFileSync(new URL('./nn.json', import.meta.url), 'utf8'),
);
const precise = ({ shape, data }: Packed): Tensor => ({ dtype: 'float64', shape, data: Float64Array.from(data) });

function near(actual: Tensor, expected: Packed, what: string, tolerance = 1e-5): void {
  expect(actual.shape, what).toEqual(expected.shape);
  const scale = Math.max(1, ...expected.data.map(Math.abs));
  const worst = expected.data.reduce((w, v, i) => Math.max(w, Math.abs(v - Number(actual.data[i]))), 0);
  expect(worst / scale, what).toBeLessThan(tolerance);
}

interface Context {
  scope: nn.Scope;
  in: Record<string, Value>;
}

/**
 * Builds `outputs` (golden name → value) from the golden inputs `names` and the layers of `scope`, whose parameters and
 * buffers are fed from `weights` (parameter name → golden name), and compares them, as well as buffers after the step.
 */
function compare(
  name: string,
  {
    names,
    weights = {},
    training = true,
    next = {},
  }: {
    names: readonly string[];
    weights?: Record<string, string>;
    training?: boolean;
    next?: Record<string, string>;
  },
  outputs: (context: Context) => Record<string, Value>,
): void {
  const data = golden[name];
  const trace = new nn.Trace(training);
  const inputs = Object.fromEntries(names.map((n) => [n, g.input(n, data[n].shape)]));
  const built = outputs({ scope: trace.group('net'), in: inputs });
  for (const [buffer, expected] of Object.entries(next)) built[expected] = trace.buffers.get(`net.${buffer}`)!.next;
  const asked = [...trace.parameters.keys(), ...trace.buffers.keys()].sort();
  expect(asked, `${name}: parameters`).toEqual(
    Object.keys(weights)
      .map((w) => `net.${w}`)
      .sort(),
  );
  const feeds: Tensors = Object.fromEntries([
    ...names.map((n) => [n, precise(data[n])] as const),
    ...Object.entries(weights).map(([w, n]) => [`net.${w}`, precise(data[n])] as const),
  ]);
  g.evaluate(Object.values(built), feeds, 'float64').forEach((actual, i) => {
    const output = Object.keys(built)[i];
    near(actual, data[output], `${name}: ${output}`);
  });
}

const affine = { weight: 'weight', bias: 'bias' };

describe('norms', () => {
  it.each(['batchNorm', 'batchNorm, rows'])('%s: training, running statistics, inference', (name) => {
    const momentum = name === 'batchNorm' ? 0.2 : 0.1;
    const weights = { ...affine, running_mean: 'mean', running_var: 'var' };
    compare(name, { names: ['x'], weights, next: { running_mean: 'nextMean', running_var: 'nextVar' } }, (c) => ({
      y: nn.batchNorm(c.scope, c.in.x, { momentum }),
    }));
    const after = { ...affine, running_mean: 'nextMean', running_var: 'nextVar' };
    compare(name, { names: ['x'], weights: after, training: false }, (c) => ({
      evaluated: nn.batchNorm(c.scope, c.in.x, { momentum }),
    }));
  });

  it('layer, group and instance norm', () => {
    const norms: Record<string, (scope: nn.Scope, x: Value) => Value> = {
      layerNormLast: nn.layerNormLast,
      'layerNorm, rows': nn.layerNorm,
      layerNorm: nn.layerNorm,
      groupNorm: (scope, x) => nn.groupNorm(scope, x, 2),
      instanceNorm: nn.instanceNorm,
    };
    for (const [name, norm] of Object.entries(norms)) {
      compare(name, { names: ['x'], weights: affine }, (c) => ({ y: norm(c.scope, c.in.x) }));
    }
  });

  it.each([
    ['spectralNorm, conv', 0],
    ['spectralNorm, dense', 1],
    ['spectralNorm, convTranspose', 1],
  ])('%s: one power iteration', (name, axis) => {
    compare(name, { names: ['weight'], weights: { u: 'u' }, next: { u: 'nextU' } }, (c) => ({
      y: nn.spectralNorm(c.scope, c.in.weight, axis),
    }));
  });
});

describe('convolutions and pools', () => {
  const options = { filters: 6, groups: 2 };
  it('conv', () => {
    compare('conv', { names: ['x'], weights: affine }, (c) => ({
      y: nn.conv(c.scope, c.in.x, { ...options, kernel: [3, 2], stride: [2, 1], padding: 1, dilation: [1, 2] }),
    }));
    compare('conv, 1-D', { names: ['x'], weights: affine }, (c) => ({
      y: nn.conv(c.scope, c.in.x, { filters: 3, kernel: 3, stride: 2, padding: 2, dilation: 2 }),
    }));
  });
  it('convTranspose', () => {
    compare('convTranspose', { names: ['x'], weights: affine }, (c) => ({
      y: nn.convTranspose(c.scope, c.in.x, {
        ...options,
        kernel: 3,
        stride: 2,
        padding: 1,
        dilation: 2,
        outputPadding: 1,
      }),
    }));
    compare('convTranspose, 1-D', { names: ['x'], weights: affine }, (c) => ({
      y: nn.convTranspose(c.scope, c.in.x, { filters: 3, kernel: 4, stride: 3, padding: 1, outputPadding: 2 }),
    }));
  });
  it('pools', () => {
    compare('pool', { names: ['x'] }, ({ in: { x } }) => ({
      max: g.maxPool(x, 3, { stride: 2, padding: 1 }),
      average: g.averagePool(x, 3, { stride: 2, padding: 1 }),
    }));
  });
  it('bilinear resize, plain and antialiased', () => {
    compare('resize', { names: ['x'] }, ({ in: { x } }) => {
      const sizes = { up: [8, 9], down: [2, 3], mixed: [9, 4] };
      return Object.fromEntries(
        Object.entries(sizes).flatMap(([name, size]) => [
          [name, g.resizeBilinear(x, size)],
          [`${name}Antialiased`, g.resizeBilinear(x, size, { antialias: true })],
        ]),
      );
    });
  });
});

describe('sequences', () => {
  const weights = {
    'input.weight': 'inputWeight',
    'input.bias': 'inputBias',
    'hidden.weight': 'hiddenWeight',
    'hidden.bias': 'hiddenBias',
  };
  it('lstm', () => {
    compare('lstm', { names: ['x', 'h', 'c'], weights }, ({ scope, in: { x, h, c } }) => ({
      ...nn.lstm(scope, x, { units: 2 }),
      started: nn.lstm(scope, x, { units: 2, hidden: h, cell: c }).states,
    }));
  });
  it('gru', () => {
    compare('gru', { names: ['x', 'h'], weights }, ({ scope, in: { x, h } }) => ({
      ...nn.gru(scope, x, { units: 2 }),
      started: nn.gru(scope, x, { units: 2, hidden: h }).states,
    }));
  });
  it('one step of a sequence, any batch', () => {
    const trace = new nn.Trace(false);
    const { states, last } = nn.lstm(trace.group('net'), g.input('x', ['N', 1, 3]), { units: 2 });
    expect([states.shape, last.shape]).toEqual([
      ['N', 1, 2],
      ['N', 2],
    ]);
  });
  it('attention over sequences and images', () => {
    const weights = {
      'in.weight': 'inWeight',
      'in.bias': 'inBias',
      'out.weight': 'outWeight',
      'out.bias': 'outBias',
    };
    compare('attention', { names: ['x', 'image'], weights }, ({ scope, in: { x, image } }) => ({
      y: nn.selfAttention(scope, x, { heads: 2 }),
      imageY: nn.selfAttention(scope, image, { heads: 2 }),
    }));
    const scope = new nn.Trace(true).group('net');
    expect(() => nn.selfAttention(scope, g.input('x', [2, 3, 4]), { heads: 3 })).toThrow(/divide the width 4, got 3/);
  });
});

describe('activations and losses', () => {
  it('activations', () => {
    compare('activations', { names: ['x'] }, ({ in: { x } }) => ({
      silu: nn.silu(x),
      gelu: nn.gelu(x),
      elu: nn.elu(x, 0.7),
      hardSigmoid: nn.hardSigmoid(x),
      hardSwish: nn.hardSwish(x),
      softplus: nn.softplus(x),
      leakyRelu: nn.leakyRelu(x, 0.2),
    }));
  });
  it('cross-entropies and the focal loss', () => {
    compare('bceWithLogits', { names: ['logits', 'targets'] }, (c) => ({
      y: nn.bceWithLogits(c.in.logits, c.in.targets),
    }));
    compare('crossEntropy', { names: ['logits', 'targets'] }, ({ in: { logits, targets } }) => ({
      y: nn.crossEntropy(logits, targets),
      focal: nn.focal(logits, targets),
      focal15: nn.focal(logits, targets, 1.5),
    }));
  });
  it('distances', () => {
    compare('distances', { names: ['a', 'b'] }, ({ in: { a, b } }) => ({
      cosine: nn.cosine(a, b),
      l1: nn.l1(a, b),
      l2: nn.l2(a, b),
      kl: nn.klStandardNormal(a, b),
    }));
  });
  it('structural similarity', () => {
    compare('ssim', { names: ['a', 'b'] }, ({ in: { a, b } }) => ({
      map: nn.ssimMap(a, b),
      loss: nn.ssim(a, b),
      wide: nn.ssimMap(a, b, { range: 2, window: 7, sigma: 1 }),
    }));
  });
});

describe('optimisers', () => {
  const rate = { learningRate: 0.1 };
  const optimizers: Record<string, nn.Optimizer> = {
    adam: nn.adam(rate),
    adamDecay: nn.adam({ ...rate, beta1: 0.5, beta2: 0.9, weightDecay: 0.1 }),
    adamW: nn.adamW({ ...rate, weightDecay: 0.2 }),
    stableAdamW: nn.stableAdamW({ ...rate, weightDecay: 0.2 }),
    sgd: nn.sgd(rate),
    momentum: nn.sgd({ ...rate, momentum: 0.9, weightDecay: 0.05 }),
    rmsProp: nn.rmsProp(rate),
    clipped: nn.sgd(rate),
  };
  for (const [name, optimizer] of Object.entries(optimizers)) {
    it(`${name}: five steps on a quadratic`, () => {
      const { curve, centre, start, [name]: path } = golden.optimizers;
      const size = start.data.length;
      const x = g.input('x', [size]);
      const slope = g.mul(g.input('curve', [size]), g.sub(x, g.input('centre', [size])));
      const gradient = name === 'clipped' ? nn.clipByNorm([slope], 1.5)[0] : slope;
      const states = Object.entries(optimizer.init).map(([key, spec]) => ({
        key,
        value: g.input(key, spec.perParameter ? [size] : []),
        first: {
          shape: spec.perParameter ? [size] : [],
          data: new Array(spec.perParameter ? size : 1).fill(spec.initial),
        },
      }));
      const before = Object.fromEntries(states.map(({ key, value }) => [key, value]));
      const sizes = name === 'stableAdamW' ? [3, size - 3] : [size];
      const update = optimizer.update(x, gradient, before, g.input('rate', []), sizes);
      const feeds: Tensors = {
        x: precise(start),
        curve: precise(curve),
        centre: precise(centre),
        rate: float32(optimizer.learningRate),
        ...Object.fromEntries(states.map(({ key, first }) => [key, precise(first)])),
      };
      for (let step = 0; step < 5; step++) {
        const wanted = [update.parameters, ...states.map(({ key }) => update.state[key])];
        const [moved, ...kept] = g.evaluate(wanted, feeds, 'float64');
        near(moved, { shape: [size], data: path.data.slice(step * size, (step + 1) * size) }, `${name}, step ${step}`);
        feeds.x = moved;
        states.forEach(({ key }, i) => {
          feeds[key] = kept[i];
        });
      }
    });
  }
});

describe('initialisers', () => {
  it('count inputs and outputs as PyTorch does', () => {
    const trace = new nn.Trace(true);
    const at = (name: string) => trace.group(name);
    nn.dense(at('dense'), g.input('x', [2, 6]), 4);
    nn.conv(at('conv'), g.input('x', [2, 4, 5, 5]), { filters: 6, kernel: 3, groups: 2 });
    nn.convTranspose(at('convTranspose'), g.input('x', [2, 4, 5, 5]), { filters: 6, kernel: 3, groups: 2 });
    nn.conv(at('conv1'), g.input('x', [2, 3, 5]), { filters: 5, kernel: 4 });
    nn.selfAttention(at('attention').at('x'), g.input('x', [2, 3, 4]), { heads: 2 });
    for (const name of ['dense', 'conv', 'convTranspose', 'conv1', 'attention']) {
      const { fan } = trace.parameters.get(name === 'attention' ? 'attention.x.in.weight' : `${name}.weight`)!.spec;
      expect([fan.in, fan.out], name).toEqual(golden.fans[name].data);
    }
  });

  it('have the bounds and deviations of their formulas', () => {
    const shape = [50, 400];
    const fan = { in: 50, out: 150 };
    const rng = () => new Rng(3).split('init');
    const top = (values: Float32Array) => values.reduce((m, v) => Math.max(m, Math.abs(v)), 0);
    const deviation = (values: Float32Array) => Math.sqrt(values.reduce((s, v) => s + v * v, 0) / values.length);
    expect(top(nn.fanInUniform(shape, rng(), fan)) * Math.sqrt(50)).toBeCloseTo(1, 3);
    expect(top(nn.glorotUniform(shape, rng(), fan)) / Math.sqrt(6 / 200)).toBeCloseTo(1, 3);
    expect(deviation(nn.glorotNormal(shape, rng(), fan)) / Math.sqrt(2 / 200)).toBeCloseTo(1, 2);
    golden.fans.gains.data.forEach((gain, i) => {
      expect(deviation(nn.heNormal([0, 0.2][i])(shape, rng(), fan)) / (gain / Math.sqrt(50))).toBeCloseTo(1, 1);
    });
  });
});
