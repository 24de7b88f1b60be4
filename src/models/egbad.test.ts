/** EGBAD against its sheet: parameter counts, shapes, who learns from which loss, and the score by hand. */
import { describe, expect, it } from 'vitest';
import { Rng } from '../core/random.ts';
import { float32, type Tensors } from '../core/tensor.ts';
import * as g from '../graph/index.ts';
import * as nn from '../nn/index.ts';
import { egbad } from './egbad.ts';
import { egbadNets } from './parts/nets/egbad.ts';

const size = (shape: readonly number[]) => shape.reduce((n, d) => n * d, 1);
/** Trainable numbers of each net at an item's shape, and the shapes that come out. */
function count(shape: readonly number[], sizes: { latent: number; width: number; units: number }) {
  const x = g.input('x', [5, ...shape]);
  const z = g.input('z', [5, sizes.latent]);
  const nets = egbadNets(shape);
  const of = (build: (net: nn.Scope) => g.Value) => {
    const trace = new nn.Trace(true);
    const out = build(trace.group('net')).shape;
    return { out, parameters: [...trace.parameters.values()].reduce((n, { spec }) => n + size(spec.shape), 0) };
  };
  return {
    encoder: of((net) => nets.encode(sizes, net, x)),
    generator: of((net) => nets.generate(sizes, net, z, shape)),
    discriminator: of((net) => nets.discriminate(sizes, net, x, z).logit),
  };
}

describe('networks', () => {
  it('are those of the sheet for MNIST', () => {
    expect(count([1, 28, 28], { latent: 200, width: 64, units: 1024 })).toEqual({
      encoder: { out: [5, 200], parameters: 1_347_656 },
      generator: { out: [5, 1, 28, 28], parameters: 6_781_505 },
      discriminator: { out: [5, 1], parameters: 3_907_329 },
    });
  });

  it('are those of the sheet for KDD', () => {
    expect(count([121], { latent: 32, width: 64, units: 1024 })).toEqual({
      encoder: { out: [5, 32], parameters: 9_888 },
      generator: { out: [5, 121], parameters: 26_041 },
      discriminator: { out: [5, 1], parameters: 52_865 },
    });
  });

  it('follow the size of the image', () => {
    const nets = count([3, 48, 64], { latent: 7, width: 4, units: 8 });
    expect(nets.encoder.out).toEqual([5, 7]);
    expect(nets.generator.out).toEqual([5, 3, 48, 64]);
  });
});

const softplus = (v: number) => Math.log1p(Math.exp(v));

/** First values moved at random, so that biases and logits are not 0. */
function moved(specs: Iterable<nn.Spec>): Tensors {
  return Object.fromEntries(
    Array.from(specs, ({ name, shape, init, fan }) => {
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

const specsOf = (trace: nn.Trace) => [...trace.parameters.values(), ...trace.buffers.values()].map(({ spec }) => spec);

it('each loss moves one network, with the signs of the sheet', () => {
  const config = egbad.config.parse(egbad.tiny);
  const [{ phase }] = egbad.learns === 'gradient' ? egbad.phases(config, [1, 9, 12]) : [];
  expect(phase.steps.map((step) => step.updates)).toEqual([['discriminator'], ['generator'], ['encoder']]);
  // One item, so that the mean of the logits is the logit.
  const [discriminator, generator, encoder] = phase.steps.map((step) => {
    const trace = new nn.Trace(true);
    const x = g.input('x', [1, 1, 9, 12]);
    const z = g.input('z', [1, config.latent]);
    const result = step.loss({ net: (group) => trace.group(group), x, labels: x, classes: x, draw: () => z });
    const { loss, metrics } = nn.partsOf(result);
    const feeds: Tensors = {
      x: float32(new Rng(1).uniforms(108), x.shape as number[]),
      z: float32(new Rng(1).normals(config.latent), z.shape as number[]),
      ...moved(specsOf(trace)),
    };
    // Dropout that keeps everything.
    for (const [name, { draw }] of trace.draws) {
      feeds[name] = float32(new Float32Array(size(draw.shape)).fill(0.9), draw.shape);
    }
    const values = g.evaluate([loss, ...Object.values(metrics)], feeds).map(({ data }) => Number(data[0]));
    return {
      loss: values[0],
      metrics: Object.fromEntries(Object.keys(metrics).map((name, i) => [name, values[i + 1]])),
    };
  });
  const { real, fake } = discriminator.metrics;
  expect(Math.min(Math.abs(real), Math.abs(fake), Math.abs(real - fake))).toBeGreaterThan(0.01);
  expect(discriminator.loss).toBeCloseTo(softplus(-real) + softplus(fake), 5);
  expect(generator.loss).toBeCloseTo(softplus(-fake), 5);
  expect(encoder.loss).toBeCloseTo(softplus(real), 5);
});

it('adds the inversion of the generator to the loss of the encoder, with the generator as scoring sees it', () => {
  const lossOf = (inversion: number) => {
    const config = egbad.config.parse({ ...egbad.tiny, inversion });
    const [{ phase }] = egbad.learns === 'gradient' ? egbad.phases(config, [1, 8, 8]) : [];
    const trace = new nn.Trace(true);
    const x = g.input('x', [2, 1, 8, 8]);
    const step = phase.steps[2].loss({ net: (group) => trace.group(group), x, labels: x, classes: x, draw: () => x });
    const { loss, metrics } = nn.partsOf(step);
    const feeds: Tensors = { x: float32(new Rng(1).uniforms(128), [2, 1, 8, 8]), ...moved(specsOf(trace)) };
    for (const [name, { draw }] of trace.draws)
      feeds[name] = float32(new Float32Array(size(draw.shape)).fill(0.9), draw.shape);
    const generator = [...trace.parameters].find(([name]) => name.startsWith('generator'))![1].value;
    const encoder = [...trace.parameters].find(([name]) => name.startsWith('encoder'))![1].value;
    const slopes = g.gradients(loss, [generator, encoder]);
    const [value, residual, ...rest] = g.evaluate([loss, metrics.residual, ...slopes], feeds);
    expect(rest[1].data.some((v: number | bigint) => Number(v) !== 0)).toBe(true);
    const moves = [...trace.buffers].filter(([, { value, next }]) => value !== next).map(([name]) => name);
    expect(moves.some((name) => name.startsWith('generator'))).toBe(false);
    return { value: Number(value.data[0]), residual: Number(residual.data[0]) };
  };
  const [without, withIt] = [lossOf(0), lossOf(10)];
  expect(withIt.residual).toBeGreaterThan(0.01);
  expect(withIt.value).toBeCloseTo(without.value + 10 * withIt.residual, 4);
});

it('measures the spread of its terms after training, unless one alone or the raw ones make the score', () => {
  const phasesOf = (some: object) =>
    egbad.learns === 'gradient' &&
    egbad.phases(egbad.config.parse({ ...egbad.tiny, ...some }), [121]).map(({ phase }) => phase.name);
  expect(phasesOf({})).toEqual(['fit', 'terms']);
  expect(phasesOf({ weight: 1 })).toEqual(['fit']);
  expect(phasesOf({ weight: 0 })).toEqual(['fit']);
  expect(phasesOf({ terms: 'raw' })).toEqual(['fit']);
});

it('gives the discriminator its own pace, and all steps one schedule', () => {
  const rates = (some: object) => {
    const config = egbad.config.parse({ ...egbad.tiny, learningRate: 0.01, ...some });
    const [{ phase }] = egbad.learns === 'gradient' ? egbad.phases(config, [121]) : [];
    return phase.steps.map((step) => step.optimizer.learningRate * (step.schedule ?? nn.constant)(30, 60));
  };
  expect(rates({})).toEqual([0.01, 0.01, 0.01]);
  for (const [i, rate] of rates({ pace: 3, schedule: 'cosine' }).entries())
    expect(rate).toBeCloseTo([0.015, 0.005, 0.005][i], 10);
});

describe('the score', () => {
  /** Scores, maps and what they are made of, for images of 9 × 12. */
  function scored(options: object, spreads: Readonly<Record<string, number>> = {}) {
    const config = egbad.config.parse({ ...egbad.tiny, ...options });
    const trace = new nn.Trace(false);
    const x = g.input('x', [3, 1, 9, 12]);
    const { score, map, reconstruction } = egbad.score(config, (group) => trace.group(group), x);
    const padded = g.sub(g.mul(g.padAll(x, [0, 0, 0, 0], [0, 0, 3, 0]), 2), 1);
    const nets = egbadNets([1, 9, 12]);
    const code = nets.encode(config, trace.group('encoder'), padded);
    const again = nets.generate(config, trace.group('generator'), code, [1, 12, 12]);
    const [own, made] = [padded, again].map((item) =>
      nets.discriminate(config, trace.group('discriminator'), item, code),
    );
    const feeds: Tensors = { x: float32(new Rng(1).uniforms(324), [3, 1, 9, 12]), ...moved(specsOf(trace)) };
    for (const [name, spread] of Object.entries(spreads))
      for (const [what, value] of Object.entries({ count: 4, squares: 4 * spread ** 2 }))
        feeds[`terms.${name}.${what}`] = float32(Float32Array.of(value), []);
    const values = g.evaluate([score, map, reconstruction!, own.features, made.features, own.logit, made.logit], feeds);
    const rows = values.map(({ data, shape }) => {
      const width = size(shape as number[]) / 3;
      return [0, 1, 2].map((i) => Array.from(data as Float32Array).slice(i * width, (i + 1) * width));
    });
    return { rows, x: [0, 1, 2].map((i) => Array.from(feeds.x.data as Float32Array).slice(108 * i, 108 * (i + 1))) };
  }
  const l1 = (a: number[], b: number[]) => a.reduce((sum, v, i) => sum + Math.abs(v - b[i]), 0);
  const l2 = (a: number[], b: number[]) => Math.sqrt(a.reduce((sum, v, i) => sum + (v - b[i]) ** 2, 0));

  it('divides each term by its spread, so that the weight is a share of both', () => {
    const raw = scored({ weight: 0.25, terms: 'raw' }).rows[0].flat();
    const residual = scored({ weight: 0 }).rows[0].flat();
    const unusual = scored({ weight: 1 }).rows[0].flat();
    const both = scored({ weight: 0.25 }, { residual: 20, unusual: 0.01 }).rows[0].flat();
    for (let i = 0; i < 3; i++) {
      expect(raw[i]).toBeCloseTo(0.75 * residual[i] + 0.25 * unusual[i], 4);
      expect(both[i] / ((0.75 * residual[i]) / 20 + (0.25 * unusual[i]) / 0.01)).toBeCloseTo(1, 4);
    }
  });

  it.each(['fm', 'ce', 'ce-code'] as const)('%s is 0.9 of the residual and 0.1 of the discriminator', (kind) => {
    for (const [norm, distance] of [
      ['l1', l1],
      ['l2', l2],
    ] as const) {
      const { rows, x } = scored({ score: kind, norm, weight: 0.1, terms: 'raw' });
      const [scores, maps, again, ownFeatures, madeFeatures, ownLogit, madeLogit] = rows;
      for (let i = 0; i < 3; i++) {
        // The residual is of values in [−1, 1]: twice that of [0, 1].
        const residual = 2 * distance(x[i], again[i]);
        const unusual = {
          fm: distance(ownFeatures[i], madeFeatures[i]),
          ce: softplus(-ownLogit[i][0]),
          'ce-code': softplus(-madeLogit[i][0]),
        }[kind];
        expect(unusual).toBeGreaterThan(1e-4);
        expect(scores[i][0] / (0.9 * residual + 0.1 * unusual)).toBeCloseTo(1, 4);
        expect(
          l1(
            maps[i],
            x[i].map((v, k) => Math.abs(v - again[i][k])),
          ),
        ).toBeLessThan(1e-3);
      }
    }
  });

  it('takes rows as they are', () => {
    const trace = new nn.Trace(false);
    const x = g.input('x', ['N', 121]);
    const config = egbad.config.parse(egbad.presets.kdd);
    const { score, map, reconstruction } = egbad.score(config, (group) => trace.group(group), x);
    expect([score.shape, map.shape, reconstruction!.shape]).toEqual([['N'], ['N', 121], ['N', 121]]);
  });
});
