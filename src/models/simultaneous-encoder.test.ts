/** Published sizes without growing, the losses by hand, an encoder that stays finite, and a score of each image alone. */
import { describe, expect, it } from 'vitest';
import { Rng } from '../core/random.ts';
import { float32, type Tensors } from '../core/tensor.ts';
import * as g from '../graph/index.ts';
import * as nn from '../nn/index.ts';
import type { ImageShape } from './define.ts';
import { simultaneousEncoder } from './simultaneous-encoder.ts';

type Options = ReturnType<typeof simultaneousEncoder.config.parse>;
const options = (some: Partial<Options>): Options => simultaneousEncoder.config.parse(some);
const size = (shape: readonly number[]) => shape.reduce((n, d) => n * d, 1);

function phaseOf(config: Options, shape: ImageShape): nn.Phase {
  if (simultaneousEncoder.learns !== 'gradient') throw new Error('simultaneous-encoder learns by gradient.');
  return simultaneousEncoder.phases(config, shape)[0].phase;
}

/** Trainable numbers of each net, by tracing every loss once. */
function counts(config: Options, shape: ImageShape): Record<string, number> {
  const found = new Map<string, number>();
  for (const step of phaseOf(config, shape).steps) {
    const trace = new nn.Trace(true);
    const x = g.input('x', [2, ...shape]);
    const draw = (name: string, d: nn.Draw) => trace.group('step').draw(name, d);
    step.loss({ net: (group) => trace.group(group), x, labels: x, classes: x, draw });
    for (const [name, { spec }] of trace.parameters) found.set(name, size(spec.shape));
  }
  const total = (group: string) =>
    [...found].filter(([name]) => name.startsWith(`${group}.`)).reduce((n, [, count]) => n + count, 0);
  return { generator: total('generator'), critic: total('critic'), encoder: total('encoder') };
}

describe('the published networks', () => {
  // What growing has besides at each smaller size: a 1×1 layer to, or from, the image.
  const heads = (sizes: number, filters: number, channels: number) => ({
    drawn: sizes * (filters * channels + channels),
    seen: sizes * (channels * filters + filters),
  });

  it('are those of the sheet for CIFAR-10, less the layers of 4, 8 and 16 pixels', () => {
    const { drawn, seen } = heads(3, 512, 3);
    expect(counts(options(simultaneousEncoder.presets['image-32']), [3, 32, 32])).toEqual({
      generator: 20_719_628 - drawn,
      critic: 20_726_785 - seen,
      encoder: 20_726_272 - seen,
    });
  });

  it('are those of the sheet for images of 64 pixels, less the layers of 4 to 32', () => {
    const { drawn, seen } = heads(4, 512, 1);
    expect(counts(options(simultaneousEncoder.presets['image-64']), [1, 64, 64])).toEqual({
      generator: 22_485_765 - drawn,
      critic: 22_493_441 - seen,
      encoder: 22_492_928 - seen,
    });
  });
});

const shape = [1, 9, 12] as const;
const networks = ['strided', 'progressive'] as const;
const small = { width: 4, most: 8, latent: 3 };

/** Made-up values for everything that a trace asks for; `change` replaces some. */
function feedsOf(trace: nn.Trace, count: number, change?: (name: string, values: Float32Array) => void, images = 'x') {
  const rng = new Rng(2);
  const feeds: Tensors = { x: float32(rng.split(images).uniforms(count * size(shape)), [count, ...shape]) };
  for (const { spec } of [...trace.parameters.values(), ...trace.buffers.values()]) {
    const values = spec.init(spec.shape, rng.split(spec.name), spec.fan);
    change?.(spec.name, values);
    feeds[spec.name] = float32(values, spec.shape);
  }
  for (const [name, { draw }] of trace.draws)
    feeds[name] = float32(
      rng.split(name)[draw.kind === 'normal' ? 'normals' : 'uniforms'](size(draw.shape)),
      draw.shape,
    );
  return feeds;
}

/** Loss, metrics and the slopes of what the step moves. */
function look(config: Options, name: string, change?: (name: string, values: Float32Array) => void, images?: string) {
  const step = phaseOf(config, shape).steps.find((s) => s.name === name)!;
  const trace = new nn.Trace(true);
  const x = g.input('x', [2, ...shape]);
  const draw = (n: string, d: nn.Draw) => trace.group('step').draw(n, d);
  const result = step.loss({ net: (group) => trace.group(group), x, labels: x, classes: x, draw });
  const { loss, metrics } = nn.partsOf(result);
  const own = [...trace.parameters].filter(([n]) => n.startsWith(`${step.updates[0]}.`)).map(([, p]) => p.value);
  const slopes = g.gradients(loss, own);
  const feeds = feedsOf(trace, 2, change, images);
  const [found, ...rest] = g.evaluate([loss, ...Object.values(metrics), ...slopes], feeds);
  const names = Object.keys(metrics);
  return {
    loss: Number(found.data[0]),
    seen: Object.fromEntries(names.map((n, i) => [n, Number(rest[i].data[0])])),
    slopes: rest.slice(names.length).flatMap((t) => Array.from(t.data, Number)),
    buffers: [...trace.buffers].filter(([, b]) => b.value !== b.next).map(([n]) => n),
    draws: [...trace.draws.keys()],
  };
}

describe.each(networks)('losses (%s)', (network) => {
  const config = options({ ...small, network, penalty: 7, drift: 0 });

  it('the critic tells images from drawings, pays for its slope and is held near 0', () => {
    const { loss, seen } = look(config, 'critic');
    expect(loss).toBeCloseTo(seen.fake - seen.real + 7 * seen.penalty, 4);
    const held = look(options({ ...small, network, penalty: 7, drift: 2 }), 'critic').loss - loss;
    // The mean of squares is at least the square of the mean.
    expect(held).toBeGreaterThanOrEqual(2 * seen.real ** 2 - 1e-4);
    expect(held).toBeGreaterThan(0);
  });

  it('the generator wants high values', () => {
    expect(look(config, 'generator').loss).toBeCloseTo(-look(config, 'critic').seen.fake, 4);
  });

  it('the encoder learns from drawings alone and moves nothing else', () => {
    const { loss, slopes, buffers, draws } = look(config, 'encoder');
    expect(loss).toBeGreaterThan(0);
    expect(slopes.some((v) => v !== 0)).toBe(true);
    expect(buffers.every((name) => name.startsWith('encoder.'))).toBe(true);
    expect(draws).toEqual(['step.z']);
    expect(look(config, 'encoder', undefined, 'other images').loss).toBe(loss);
    expect(look(config, 'critic', undefined, 'other images').loss).not.toBe(look(config, 'critic').loss);
  });

  it.each([0, 1e15])('the encoder has a finite loss and slope where its code is %d times as large', (factor) => {
    const isLast = (name: string) => name.startsWith('encoder.code.');
    const { loss, slopes } = look(config, 'encoder', (name, values) => {
      if (isLast(name)) for (let i = 0; i < values.length; i++) values[i] *= factor;
    });
    expect(Number.isFinite(loss)).toBe(true);
    expect(slopes.every(Number.isFinite)).toBe(true);
  });
});

describe.each(networks)('the score (%s)', (network) => {
  const scored = (some: Partial<Options>, count = 3) => {
    const trace = new nn.Trace(false);
    const x = g.input('x', ['N', ...shape]);
    const config = options({ ...small, network, ...some });
    const { score, reconstruction, map } = simultaneousEncoder.score(config, (group) => trace.group(group), x);
    const feeds = feedsOf(trace, 3, (name, values) => {
      if (name.endsWith('running_deviation')) values.fill(0.4);
    });
    const image = Array.from(feeds.x.data as Float32Array).slice(0, count * size(shape));
    feeds.x = float32(image, [count, ...shape]);
    const [scores, drawn, maps] = g.evaluate([score, reconstruction!, map], feeds);
    const values = (t: { data: ArrayLike<number | bigint> }) => Array.from(t.data, Number);
    return { scores: values(scores), drawn: values(drawn), maps: values(maps), image };
  };

  it('is the mean error in [−1, 1], and grows with the weights of features and code', () => {
    const { scores, drawn, maps, image } = scored({ featureWeight: 0, normWeight: 0 });
    for (const n of [0, 1, 2]) {
      const [from, to] = [n * 108, (n + 1) * 108];
      const errors = image.slice(from, to).map((v, i) => Math.abs(v - drawn[from + i]));
      expect(scores[n]).toBeCloseTo((2 * errors.reduce((a, b) => a + b)) / 108, 5);
      for (const [i, e] of errors.entries()) expect(maps[from + i]).toBeCloseTo(e, 5);
    }
    for (const key of ['featureWeight', 'normWeight'] as const) {
      const none = { featureWeight: 0, normWeight: 0 };
      const [zero, one, two] = [0, 1, 2].map((w) => scored({ ...none, [key]: w }).scores[0]);
      expect(one).toBeGreaterThan(zero);
      expect(two - one).toBeCloseTo(one - zero, 4);
    }
  });

  it('of an image does not depend on the images beside it', () => {
    expect(scored({}, 1).scores[0]).toBeCloseTo(scored({}, 3).scores[0], 6);
  });
});

it('names the smallest image that it takes', () => {
  expect(simultaneousEncoder.unsuitable?.(options({}), [1, 7, 9])).toContain('8 × 8 pixels, got 7 × 9');
  expect(simultaneousEncoder.unsuitable?.(options({}), [1, 8, 8])).toBeUndefined();
});
