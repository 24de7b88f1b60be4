/** Fence GAN against its sheet: parameter counts, the losses by hand, two updates by one optimiser, and the score. */
import { describe, expect, it } from 'vitest';
import { Rng } from '../core/random.ts';
import { float32, type Tensors } from '../core/tensor.ts';
import * as g from '../graph/index.ts';
import * as nn from '../nn/index.ts';
import type { ItemShape, TrainingPhase } from './define.ts';
import { dispersion, fenceGan } from './fence-gan.ts';
import { discriminate, generate } from './parts/nets/fence.ts';

type Options = ReturnType<typeof fenceGan.config.parse>;
const options = (some: Partial<Options>): Options => fenceGan.config.parse(some);
const size = (shape: readonly number[]) => shape.reduce((n, d) => n * d, 1);

function phasesOf(config: Options, shape: ItemShape): readonly TrainingPhase[] {
  if (fenceGan.learns !== 'gradient') throw new Error('fence-gan learns by gradient.');
  return fenceGan.phases(config, shape);
}

/** Trainable numbers of each net, and the shapes that come out. */
function count(config: Options, shape: ItemShape, latent: number) {
  const of = (build: (net: nn.Scope) => g.Value) => {
    const trace = new nn.Trace(true);
    const out = build(trace.group('net')).shape;
    return { out, parameters: [...trace.parameters.values()].reduce((n, { spec }) => n + size(spec.shape), 0) };
  };
  return {
    generator: of((net) => generate(config, net, g.input('z', [5, latent]), shape)),
    discriminator: of((net) => discriminate(config, net, g.input('x', [5, ...shape]))),
  };
}

describe('networks', () => {
  it('are those of the sheet for MNIST', () => {
    expect(count(options(fenceGan.presets.mnist), [1, 28, 28], 200)).toEqual({
      generator: { out: [5, 1, 28, 28], parameters: 6_781_505 },
      discriminator: { out: [5], parameters: 3_280_001 },
    });
  });

  it('are those of the sheet for CIFAR-10', () => {
    expect(count(options(fenceGan.presets.cifar10), [3, 32, 32], 256)).toEqual({
      generator: { out: [5, 3, 32, 32], parameters: 1_341_955 },
      discriminator: { out: [5], parameters: 1_079_553 },
    });
  });

  it('have 10 and 15 hidden units for the toy of two columns', () => {
    expect(count(options(fenceGan.presets.toy), [2], 2)).toEqual({
      generator: { out: [5, 2], parameters: 3 * 10 + 11 * 10 + 11 * 2 },
      discriminator: { out: [5], parameters: 3 * 15 + 16 * 15 + 16 },
    });
  });

  it('follow the size of the image', () => {
    for (const network of ['strided', 'mnist', 'cifar10'] as const) {
      const { generator, discriminator } = count(options({ network, width: 4 }), [3, 18, 29], 7);
      expect([generator.out, discriminator.out]).toEqual([[5, 3, 18, 29], [5]]);
    }
  });
});

const softplus = (v: number) => Math.log1p(Math.exp(v));

/** Loss and metrics of a step on one set of made-up rows and weights. */
function look({ phase }: TrainingPhase, name: string) {
  const step = phase.steps.find((s) => s.name === name)!;
  const trace = new nn.Trace(true);
  const x = g.input('x', [1, 3]);
  const context = { net: (group: string) => trace.group(group), x, labels: x, classes: x };
  const result = step.loss({ ...context, draw: (n, draw) => trace.group('step').draw(n, draw) });
  const { loss, metrics } = nn.partsOf(result);
  const feeds: Tensors = { x: float32([0.1, 0.5, 0.9], [1, 3]) };
  for (const { spec } of trace.parameters.values())
    feeds[spec.name] = float32(new Rng(2).split(spec.name).normals(size(spec.shape)), spec.shape);
  for (const [n, { draw }] of trace.draws) feeds[n] = float32(new Rng(3).normals(size(draw.shape)), draw.shape);
  const [found, ...watched] = g.evaluate([loss, ...Object.values(metrics)], feeds).map((t) => Number(t.data[0]));
  return { loss: found, seen: Object.fromEntries(Object.keys(metrics).map((n, i) => [n, watched[i]])) };
}

describe('losses', () => {
  const config = options({ width: 4, alpha: 0.3, beta: 7, gamma: 0.2 });
  const [pretrain, fence] = phasesOf(config, [3]);

  it('the discriminator alone comes first, and its phase can be left out', () => {
    expect(pretrain.phase.steps.map((s) => [s.name, s.updates])).toEqual([
      ['real', ['discriminator']],
      ['fake', ['discriminator']],
    ]);
    expect(fence.phase.steps.map((s) => s.updates)).toEqual([['discriminator'], ['discriminator'], ['generator']]);
    expect(phasesOf(options({ pretrainEpochs: 0 }), [3]).map(({ phase }) => phase.name)).toEqual(['fence']);
  });

  it('real items weigh 1, drawn ones gamma', () => {
    const [real, fake] = ['real', 'fake'].map((name) => look(fence, name));
    expect(Math.abs(fake.seen.logit)).toBeGreaterThan(0.01);
    expect(real.loss).toBeCloseTo(softplus(-real.seen.logit), 5);
    expect(fake.loss).toBeCloseTo(0.2 * softplus(fake.seen.logit), 5);
  });

  it('the generator wants alpha of the discriminator, and distance', () => {
    const { seen, loss } = look(fence, 'generator');
    const { logit } = look(fence, 'fake').seen; // the same draws and weights
    expect(seen.encirclement).toBeCloseTo(0.3 * softplus(-logit) + 0.7 * softplus(logit), 5);
    expect(loss / (seen.encirclement + 7 * seen.dispersion)).toBeCloseTo(1, 5);
  });

  it('the discriminator sees what a generator at rest makes: its running statistics stay as they are', () => {
    const moved = (name: string) => {
      const step = phasesOf(config, [1, 8, 8])[1].phase.steps.find((s) => s.name === name)!;
      const trace = new nn.Trace(true);
      const x = g.input('x', [2, 1, 8, 8]);
      const context = { net: (group: string) => trace.group(group), x, labels: x, classes: x };
      step.loss({ ...context, draw: (n, draw) => trace.group('step').draw(n, draw) });
      const buffers = [...trace.buffers.values()].filter(({ spec }) => spec.name.startsWith('generator.'));
      expect(buffers.length).toBeGreaterThan(0);
      return buffers.some(({ value, next }) => value !== next);
    };
    expect([moved('fake'), moved('generator')]).toEqual([false, true]);
  });

  it('both updates of the discriminator share one optimiser, whose state is kept once', () => {
    const { program } = nn.assemble(fence.phase, { shape: [4, 3] });
    const kept = Object.values(program.carry ?? {}).filter((name) => name.includes('optimizer/'));
    expect([...new Set(kept.map((name) => name.split('/')[2]))]).toEqual(['real', 'generator']);
  });
});

describe('dispersion', () => {
  const at = (points: number[][]) => {
    const x = g.input('x', [points.length, 2]);
    const value = dispersion(x);
    const [slope] = g.gradients(value, [x]);
    return g.evaluate([value, slope], { x: float32(points.flat(), [points.length, 2]) });
  };

  it('is one over the mean distance to the centre', () => {
    const [value] = at([
      [0, 0],
      [6, 8],
    ]);
    expect(Number(value.data[0])).toBeCloseTo(1 / 5, 6);
  });

  it('is large but finite where all drawn items are one, and so is its slope', () => {
    const [value, slope] = at([
      [3, 4],
      [3, 4],
    ]);
    expect(Number(value.data[0])).toBeGreaterThan(1e6);
    expect([...value.data, ...slope.data].map(Number).every(Number.isFinite)).toBe(true);
  });
});

it('scores by minus the logit, with the steepness of the score as the map', () => {
  const config = options({ width: 4 });
  for (const shape of [[1, 9, 12], [3]] as const) {
    const trace = new nn.Trace(false);
    const x = g.input('x', [4, ...shape]);
    const { score, map } = fenceGan.score(config, (group) => trace.group(group), x);
    const seen = shape.length === 3 ? g.sub(g.mul(x, 2), 1) : x;
    const logit = discriminate(config, trace.group('discriminator'), seen);
    const feeds: Tensors = { x: float32(new Rng(1).uniforms(4 * size(shape)), [4, ...shape]) };
    for (const { spec } of trace.parameters.values())
      feeds[spec.name] = float32(spec.init(spec.shape, new Rng(2).split(spec.name), spec.fan), spec.shape);
    const [scores, logits, maps] = g.evaluate([score, logit, map], feeds);
    expect([...scores.data]).toEqual([...logits.data].map((v) => -Number(v)));
    expect(new Set([...scores.data].map(Number)).size).toBe(4);
    expect(maps.shape).toEqual([4, ...shape]);
    expect([...maps.data].some((v) => Number(v) > 0)).toBe(true);
  }
});

it('names the smallest image that it takes', () => {
  expect(fenceGan.unsuitable?.(options({ network: 'cifar10' }), [3, 15, 32])).toContain('16 × 16 pixels, got 15 × 32');
  expect(fenceGan.unsuitable?.(options({}), [1, 8, 8])).toBeUndefined();
  expect(fenceGan.unsuitable?.(options({}), [3])).toBeUndefined();
});
