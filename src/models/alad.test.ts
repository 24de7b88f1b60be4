/** ALAD against its sheet: parameter counts, who learns from which loss with which sign, and the four scores by hand. */
import { describe, expect, it } from 'vitest';
import { Rng } from '../core/random.ts';
import { float32, type Tensors } from '../core/tensor.ts';
import * as g from '../graph/index.ts';
import * as nn from '../nn/index.ts';
import { alad } from './alad.ts';
import { aladNets } from './parts/nets/alad.ts';

const size = (shape: readonly number[]) => shape.reduce((n, d) => n * d, 1);
const softplus = (v: number) => Math.log1p(Math.exp(v));

/** Trainable numbers of each net for items of a shape. */
function counts(shape: readonly number[], options: object) {
  const config = alad.config.parse(options);
  const x = g.input('x', [5, ...shape]);
  const z = g.input('z', [5, config.latent]);
  const nets = aladNets(shape);
  const of = (build: (net: nn.Scope) => g.Value, out: readonly number[]) => {
    const trace = new nn.Trace(true);
    expect(build(trace.group('net')).shape).toEqual(out);
    return [...trace.parameters.values()].reduce((n, { spec }) => n + size(spec.shape), 0);
  };
  return {
    encoder: of((net) => nets.encode(config, net, x), [5, config.latent]),
    generator: of((net) => nets.generate(config, net, z, shape), x.shape as number[]),
    xz: of((net) => nets.discriminateXz(config, net, x, z), [5, 1]),
    xx: of((net) => nets.discriminateXx(config, net, x, x).logit, [5, 1]),
    zz: of((net) => nets.discriminateZz(config, net, z, z), [5, 1]),
  };
}

describe('networks', () => {
  it('are those of the sheet for CIFAR-10 and SVHN, with pairs in channels or one below the other', () => {
    const images = { encoder: 3_449_572, generator: 3_449_475, xz: 11_859_329, zz: 14_977 };
    expect(counts([3, 32, 32], alad.presets.cifar10)).toEqual({ ...images, xx: 226_177 });
    expect(counts([3, 32, 32], { ...alad.presets.cifar10, pairs: 'channels' })).toEqual({ ...images, xx: 222_785 });
  });

  it('are those of the sheet for KDD and Arrhythmia', () => {
    const kdd = { encoder: 9_888, generator: 26_041, xz: 53_121, xx: 31_233, zz: 2_113 };
    expect(counts([121], alad.presets.kdd)).toEqual(kdd);
    const arrhythmia = { encoder: 111_552, generator: 111_762, xz: 109_825, xx: 173_569, zz: 10_369 };
    expect(counts([274], alad.presets.arrhythmia)).toEqual(arrhythmia);
  });

  it('have spectral norm in encoder and discriminators but for last layers, for images only', () => {
    const normed = (shape: readonly number[]) => {
      const trace = new nn.Trace(true);
      const x = g.input('x', [5, ...shape]);
      const config = alad.config.parse(alad.tiny);
      const nets = aladNets(shape);
      const z = nets.encode(config, trace.group('e'), x);
      nets.generate(config, trace.group('g'), z, shape);
      nets.discriminateXz(config, trace.group('xz'), x, z);
      nets.discriminateXx(config, trace.group('xx'), x, x);
      nets.discriminateZz(config, trace.group('zz'), z, z);
      return [...trace.buffers.keys()].filter((name) => name.endsWith('.u')).map((name) => name.slice(0, -2));
    };
    expect(normed([1, 16, 16])).toEqual([
      ...['e.conv1', 'e.conv2'],
      ...['xz.conv1', 'xz.conv2', 'xz.code1', 'xz.code2', 'xz.joint'],
      ...['xx.conv1', 'xx.conv2', 'zz.fc1', 'zz.fc2'],
    ]);
    expect(normed([9])).toEqual([]);
  });
});

/** First values moved at random, so that biases and logits are not 0. */
function moved(trace: nn.Trace): Tensors {
  return Object.fromEntries(
    [...trace.parameters.values(), ...trace.buffers.values()].map(({ spec: { name, shape, init, fan } }) => {
      const start = init(shape, new Rng(3).split(name), fan);
      const noise = new Rng(2).split(name).normals(start.length, 0, 0.1);
      return [
        name,
        float32(
          start.map((v, i) => v + (name.endsWith('_var') ? Math.abs(noise[i]) : noise[i])),
          shape,
        ),
      ];
    }),
  );
}

it('discriminators want real pairs real, generator and encoder the contrary', () => {
  // Rows, one at a time: no padding, no norm's statistics but those of x, and the mean of the logits is the logit.
  const config = alad.config.parse({ ...alad.tiny, rows: 'kdd' });
  const [{ phase }] = alad.learns === 'gradient' ? alad.phases(config, [1, 1, 6]) : [];
  const trace = new nn.Trace(true);
  const [x, z] = [g.input('x', [1, 6]), g.input('z', [1, config.latent])];
  const results = phase.steps.map((step) => {
    const result = step.loss({ net: (group) => trace.group(group), x, labels: x, classes: x, draw: () => z });
    return nn.partsOf(result);
  });
  const net = (name: string) => trace.group(name);
  const nets = aladNets([6]);
  const [generated, code] = [nets.generate(config, net('generator'), z, [6]), nets.encode(config, net('encoder'), x)];
  const logits = [
    nets.discriminateXz(config, net('discriminator-xz'), x, code),
    nets.discriminateXz(config, net('discriminator-xz'), generated, z),
    nets.discriminateXx(config, net('discriminator-xx'), x, x).logit,
    nets.discriminateXx(config, net('discriminator-xx'), x, nets.generate(config, net('generator'), code, [6])).logit,
    nets.discriminateZz(config, net('discriminator-zz'), z, z),
    nets.discriminateZz(config, net('discriminator-zz'), z, nets.encode(config, net('encoder'), generated)),
  ];
  const feeds: Tensors = {
    x: float32(new Rng(1).uniforms(6), [1, 6]),
    z: float32(new Rng(1).normals(config.latent), [1, config.latent]),
    ...moved(trace),
  };
  // Dropout that keeps everything.
  for (const [name, { draw }] of trace.draws) {
    feeds[name] = float32(new Float32Array(size(draw.shape)).fill(0.9), draw.shape);
  }
  const [discriminators, others] = results;
  const wanted = [discriminators.loss, others.loss, others.metrics.cycle, ...logits];
  const [d, ge, cycle, ...l] = g.evaluate(wanted, feeds).map(({ data }) => Number(data[0]));
  const [xzReal, xzFake, xxReal, xxFake, zzReal, zzFake] = l;
  for (const [real, fake] of [
    [xxReal, xxFake],
    [zzReal, zzFake],
  ]) {
    expect(Math.abs(real - fake)).toBeGreaterThan(1e-3);
  }
  const sum = (values: number[]) => values.reduce((a, b) => a + softplus(b), 0);
  expect(d).toBeCloseTo(sum([-xzReal, xzFake, -xxReal, xxFake, -zzReal, zzFake]), 5);
  expect(cycle).toBeCloseTo(sum([xxReal, -xxFake, zzReal, -zzFake]), 5);
  expect(ge).toBeCloseTo(sum([xzReal, -xzFake]) + cycle, 5);
  expect(phase.steps.map((step) => step.updates)).toEqual([
    ['discriminator-xz', 'discriminator-xx', 'discriminator-zz'],
    ['generator', 'encoder'],
  ]);
});

describe('the score', () => {
  const rowsOf = (values: ArrayLike<number>) =>
    [0, 1, 2].map((i) => Array.from(values).slice((i * values.length) / 3, ((i + 1) * values.length) / 3));
  const differences = (a: number[], b: number[]) => a.map((v, i) => Math.abs(v - b[i]));
  const total = (values: number[]) => values.reduce((a, b) => a + b, 0);

  it.each(['fm', 'l1', 'l2', 'logits'] as const)('%s is a sum over the item, of values in [−1, 1]', (kind) => {
    const config = alad.config.parse({ ...alad.tiny, score: kind });
    const trace = new nn.Trace(false);
    const x = g.input('x', [3, 1, 9, 12]);
    const { score, map, reconstruction } = alad.score(config, (group) => trace.group(group), x);
    const padded = g.sub(g.mul(g.padAll(x, [0, 0, 0, 0], [0, 0, 3, 0]), 2), 1);
    const nets = aladNets([1, 12, 12]);
    const code = nets.encode(config, trace.group('encoder'), padded);
    const again = nets.generate(config, trace.group('generator'), code, [1, 12, 12]);
    const verdict = (other: g.Value) => nets.discriminateXx(config, trace.group('discriminator-xx'), padded, other);
    const of = [verdict(padded).features, verdict(again).features, verdict(again).logit];
    const values = [score, map, reconstruction!, ...of];
    const feeds: Tensors = { x: float32(new Rng(1).uniforms(324), [3, 1, 9, 12]), ...moved(trace) };
    const found = g.evaluate(values, feeds).map(({ data }) => rowsOf(data as Float32Array));
    const [scores, maps, reconstructions, own, other, logit] = found;
    const items = rowsOf(feeds.x.data as Float32Array);
    for (let i = 0; i < 3; i++) {
      const residual = differences(items[i], reconstructions[i]); // of [0, 1]
      const expected = {
        fm: total(differences(own[i], other[i])),
        l1: 2 * total(residual),
        l2: 2 * Math.hypot(...residual),
        logits: softplus(-logit[i][0]),
      }[kind];
      expect(expected).toBeGreaterThan(1e-4);
      expect(scores[i][0] / expected).toBeCloseTo(1, 4);
      expect(total(differences(maps[i], residual))).toBeLessThan(1e-3);
    }
  });

  it('takes rows as they are', () => {
    const trace = new nn.Trace(false);
    const config = alad.config.parse(alad.presets.arrhythmia);
    const scoring = alad.score(config, (group) => trace.group(group), g.input('x', ['N', 274]));
    const shapes = [scoring.score, scoring.map, scoring.reconstruction!].map((v) => v.shape);
    expect(shapes).toEqual([['N'], ['N', 274], ['N', 274]]);
  });
});
