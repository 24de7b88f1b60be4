/** Models that learn on pretrained features against their definitions, with the backbone in the box. */
import { determinant, Matrix } from 'ml-matrix';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findBackbone } from '../backbones/index.ts';
import { loadWeights } from '../backbones/load.ts';
import { Rng } from '../core/random.ts';
import { sizeOf } from '../core/shape.ts';
import { float32, type Tensor, type Tensors } from '../core/tensor.ts';
import { type Source, synthetic } from '../data/pure.ts';
import { fitModel } from '../engine/fitting/fit.ts';
import { fitData } from '../engine/fitting/items.ts';
import { bind } from '../engine/scoring/graph.ts';
import { evaluate } from '../graph/evaluate.ts';
import { gradients } from '../graph/grad.ts';
import { constant, input } from '../graph/leaf.ts';
import * as g from '../graph/ops/index.ts';
import type { Value } from '../graph/value.ts';
import { initialize, l1, l2, ssim, zerosInit } from '../nn/index.ts';
import { type Scope, Trace } from '../nn/scope.ts';
import { assemble } from '../nn/training.ts';
import { openRuntime, type Runtime } from '../runtime/index.ts';
import { autoencoder } from './autoencoder.ts';
import type { ImageShape, Model } from './define.ts';
import { dfkde } from './dfkde.ts';
import { fastflow, flow, permutationOf, shiftOf, UNSCALED } from './fastflow.ts';
import { featureAutoencoder } from './feature-autoencoder.ts';
import type { AnyModel } from './index.ts';
import { tapped } from './parts/features.ts';
import { hinge, simplenet } from './simplenet.ts';

const side = 16;
const size = side * side;
const backboneFine = { backbone: 'oddity', weights: '', taps: 'fine', preparation: 'own' };
let pretrained: Tensors;
let runtime: Runtime;
/** Textures, and such with a blob: normal ones to learn from, then eight of each to score. */
let source: Source;
const normals: number[] = [];
let [unseen, blobs] = [new Float32Array(0), new Float32Array(0)];

beforeAll(async () => {
  const weights = await loadWeights(findBackbone('oddity'), { root: '.' });
  pretrained = Object.fromEntries(Object.entries(weights).map(([name, tensor]) => [`backbone.${name}`, tensor]));
  runtime = await openRuntime('reference');
  source = await synthetic({ count: 128, size: side });
  const of = (label: number, part: string) =>
    [...source.items.keys()].filter((i) => source.items[i].class === label && source.items[i].part === part);
  const read = async (items: readonly number[]) => {
    const out = new Float32Array(items.length * size);
    await source.read(items, out);
    return out;
  };
  normals.push(...of(0, 'train'));
  unseen = await read(of(0, 'test').slice(0, 8));
  blobs = await read(of(1, 'test').slice(0, 8));
});
afterAll(() => runtime?.close());

/** Values of a graph of images, its parameters and buffers from `tensors`. */
function run(
  tensors: Tensors,
  x: Float32Array,
  build: (net: (group: string) => Scope, x: Value) => Record<string, Value>,
) {
  const trace = new Trace(false, tensors);
  const n = x.length / size;
  const shape = [1, side, side];
  const outputs = bind(
    'test',
    build((group) => trace.group(group), input('x', [n, ...shape])),
    trace,
    tensors,
  );
  const found = evaluate(Object.values(outputs), { x: float32(x, [n, ...shape]) });
  return Object.fromEntries(Object.keys(outputs).map((name, i) => [name, found[i]]));
}

/** A model fitted to normal textures, as a function of images; also what it learnt. */
async function fitted<C>(model: Model<C>, options: Partial<C> = {}, train = normals) {
  const config = model.config.parse({ ...model.tiny, ...options });
  const { tensors } = await fitModel({
    ...{ model, config, source, runtime, pretrained, train: Uint32Array.from(train) },
    ...{ rng: new Rng(2), onEvent: () => {}, save: async () => {} },
  });
  return { tensors, score: (x: Float32Array) => run(tensors, x, (net, v) => ({ ...model.score(config, net, v) })) };
}

const mean = (values: ArrayLike<number | bigint>) =>
  Array.from(values, Number).reduce((a, b) => a + b, 0) / values.length;

/** The last phase of a gradient model. */
function lastPhase<C>(model: Model<C>, options: Partial<C>, shape: ImageShape) {
  if (model.learns !== 'gradient') throw new Error('a model that learns by gradient is needed');
  const { phase } = model.phases(model.config.parse(options), shape).at(-1)!;
  return assemble(phase, { shape: [2, ...shape], classes: 1 });
}

const dot = (a: readonly number[], b: readonly number[]) => a.reduce((sum, v, i) => sum + v * b[i], 0);

/** The means over places of the fine features of images, one row an image. */
function pooled(x: Float32Array): number[][] {
  const { y } = run(pretrained, x, (net, v) => ({ y: tapped(backboneFine, net, v)[0] })); // [n,96,2,2]
  const [n, channels] = y.shape;
  return Array.from({ length: n }, (_, i) =>
    Array.from({ length: channels }, (_, c) => mean(y.data.slice(4 * (i * channels + c), 4 * (i * channels + c + 1)))),
  );
}

describe.each<AnyModel>([featureAutoencoder, simplenet, fastflow])('$name', (model) => {
  it('moves its own networks and leaves the backbone as it was', async () => {
    // Few steps: that it ranks textures with blobs above others is for test/contract/models.test.ts.
    const { tensors } = await fitted(model, { epochs: 1, batchSize: 2 }, normals.slice(0, 4));
    for (const [name, { data }] of Object.entries(pretrained)) expect(tensors[name].data, name).toEqual(data);
    const { specs, trained } = lastPhase(model, model.tiny, source.shape as ImageShape);
    const start = initialize(specs, new Rng(2).split('init'));
    const moved = trained.filter(({ name }) => String(tensors[name].data) !== String(start[name].data));
    expect(moved.map(({ name }) => name)).toEqual(trained.map(({ name }) => name));
  });
});

describe('dfkde', () => {
  it('is −log of a sum of Gaussian kernels with the covariance of the components times h²', async () => {
    const d = 3;
    const { tensors, score } = await fitted(dfkde, { components: d });
    const axes = Array.from({ length: d }, (_, j) => {
      const row = Array.from(tensors['dfkde.axes'].data.slice(j * 96, (j + 1) * 96), Number);
      return row.map((v) => v / Math.hypot(...row));
    });
    const coordinates = (x: Float32Array) => pooled(x).map((f) => axes.map((a) => dot(a, f)));
    const all = new Float32Array(normals.length * size);
    await source.read(normals, all);
    const points = coordinates(all);
    const n = points.length;
    const widths = axes.map((_, j) => {
      const values = points.map((p) => p[j]);
      const squares = values.reduce((sum, v) => sum + (v - mean(values)) ** 2, 0);
      return n ** (-1 / (d + 4)) * Math.sqrt(squares / (n - 1)); // h √λ
    });
    const found = score(unseen).score.data;
    for (const [i, z] of coordinates(unseen).entries()) {
      const kernels = points.map((p) =>
        widths.reduce((k, w, j) => (k * Math.exp(-0.5 * ((z[j] - p[j]) / w) ** 2)) / (Math.sqrt(2 * Math.PI) * w), 1),
      );
      expect(Number(found[i])).toBeCloseTo(-Math.log(mean(kernels)), 3);
    }
  });

  it('scores blobs higher, and has a map whose mean is the squared distance to the kernels as they weigh there', async () => {
    const { tensors, score } = await fitted(dfkde);
    const rowsOf = ({ data, shape: [n, d] }: Tensor) =>
      Array.from({ length: n }, (_, i) => Array.from(data.slice(i * d, (i + 1) * d), Number));
    const [axes, points] = [rowsOf(tensors['dfkde.axes']), rowsOf(tensors['dfkde.points'])];
    const middle = Array.from(tensors['dfkde.mean'].data, Number);
    const { map, score: found } = score(blobs);
    expect(mean(found.data)).toBeGreaterThan(mean(score(unseen).score.data) + 5);
    for (const [i, f] of pooled(blobs).entries()) {
      const centred = f.map((v, c) => v - middle[c]);
      const u = axes.map((a) => dot(a, centred));
      const logs = points.map((p) => -0.5 * p.reduce((sum, v, j) => sum + (u[j] - v) ** 2, 0));
      const weights = logs.map((l) => Math.exp(l - Math.max(...logs)));
      const away = u.map(
        (v, j) =>
          v -
          points.reduce((sum, p, k) => sum + weights[k] * p[j], 0) /
            dot(
              weights,
              weights.map(() => 1),
            ),
      );
      // Bilinear resizing from 2 × 2 to 16 × 16 keeps the mean.
      expect(mean(map.data.slice(i * size, (i + 1) * size)) / dot(away, away)).toBeCloseTo(1, 3);
    }
  });

  it('needs images that differ', async () => {
    if (dfkde.learns !== 'statistics') throw new Error('dfkde learns by statistics.');
    const alike = fitData({ source, train: Uint32Array.of(normals[0]), rng: new Rng(2), runtime, pretrained });
    await expect(dfkde.fit(dfkde.config.parse(dfkde.tiny), alike)).rejects.toMatchObject({ code: 'no-variance' });
  });
});

describe('feature-autoencoder', () => {
  it('has the published layers: C → (C + d)/2 → 2d → d and back', () => {
    const { trained } = lastPhase(
      featureAutoencoder,
      { backbone: 'vgg19', taps: 'relu1_2,relu2_2,relu3_4,relu4_4,relu5_4', code: 100 },
      [3, 64, 64],
    );
    const kernels = trained.filter((spec) => spec.shape.length === 4);
    expect(kernels.map(({ shape }) => shape.slice(0, 2))).toEqual([
      [786, 1472], // 1472 = 64 + 128 + 256 + 512 + 512
      [200, 786],
      [100, 200],
      [200, 100],
      [786, 200],
      [1472, 786],
    ]);
    expect(trained.every(({ name }) => name.startsWith('autoencoder.'))).toBe(true);
  });
});

describe('simplenet', () => {
  it('has the published loss, discriminator and adaptor', () => {
    // mean max(0, ½ − D(q)) + mean max(0, ½ + D(q⁻)): (0 + 0.3 + 1.5) / 3 + (0 + 0.6) / 2
    const answers = (values: number[]) => constant(float32(values, [values.length, 1, 1, 1]));
    const [loss] = evaluate([hinge(answers([0.7, 0.2, -1]), answers([-2, 0.1]), 0.5)], {});
    expect(Number(loss.data[0])).toBeCloseTo(0.9, 6);
    const { trained } = lastPhase(simplenet, simplenet.presets.published, [3, 64, 64]);
    const sizes = (group: string) =>
      trained.filter(({ name }) => name.startsWith(group)).reduce((n, { shape }) => n + sizeOf(shape), 0);
    expect(sizes('adaptor.')).toBe(1536 * 1536 + 1536);
    expect(sizes('discriminator.')).toBe(1536 * 1024 + 1024 + 2 * 1024 + 1024);
    expect(trained.length).toBe(2 + 5);
  });
});

describe('fastflow', () => {
  const options = { steps: 4, kernels: 'alternating', hiddenRatio: 1, clamp: 2 } as const;
  const [channels, height, width] = [5, 2, 2];
  const shape = [1, channels, height, width];
  const values = channels * height * width;
  const trace = new Trace(true);
  const y = input('y', shape);
  const f = flow(options, trace.group('f'), y);
  const rng = new Rng(4);
  // Large weights, so that s leaves the straight part of tanh; scales and offsets too.
  const weights = Object.fromEntries(
    [...trace.parameters].map(([name, { spec }]) => [
      name,
      float32(rng.normals(sizeOf(spec.shape), name.endsWith('scale') ? UNSCALED : 0, 0.7), spec.shape),
    ]),
  );
  const at = rng.normals(values);
  const z = (x: Float32Array) =>
    Float64Array.from(evaluate([f.z], { ...weights, y: float32(x, shape) })[0].data, Number);

  it('moves one half of the channels as FrEIA does, in numbers worked out by hand', () => {
    const one = { steps: 1, kernels: '3x3', hiddenRatio: 1, clamp: 2 } as const;
    const own = new Trace(true);
    const found = flow(one, own.group('f'), input('y', [1, 2, 1, 1]));
    const centre = (values: number[]) => {
      const kernels = new Float32Array(9 * values.length);
      for (const [i, v] of values.entries()) kernels[9 * i + 4] = v;
      return float32(kernels, [values.length, 1, 3, 3]);
    };
    const feeds: Tensors = {
      y: float32([3, -1], [1, 2, 1, 1]), // y₁ = 3, y₂ = −1
      'f.step1.conv1.weight': centre([2]),
      'f.step1.conv1.bias': float32([-1], [1]), // h = 2 · 3 − 1 = 5
      'f.step1.conv2.weight': centre([1, -4]),
      'f.step1.conv2.bias': float32([3, 2], [2]), // a = 8, b = −18
      'f.step1.scale': float32([UNSCALED, 0], [2]), // factors 1 and 0.2 · log 2 = 0.1386294
      'f.step1.shift': float32([0.5, 0.25], [2]),
    };
    // s = 2 tanh(0.8) = 1.3280735, t = −1.8: y₂ → −e^1.3280735 − 1.8 = −5.5737… ; then factor and shift.
    const moved = (-Math.exp(1.3280735) - 1.8) * 0.1386294 + 0.25;
    const wanted = [3.5, moved];
    const [z1, log] = evaluate([found.z, found.logDet], feeds);
    const order = permutationOf(2, 0);
    for (const [i, from] of order.entries()) expect(Number(z1.data[i])).toBeCloseTo(wanted[from], 4);
    expect(Number(log.data[0])).toBeCloseTo(1.3280735 + Math.log(0.1386294), 4);
    // Untrained scales change nothing.
    expect(0.2 * Math.log(1 + Math.exp(UNSCALED / 2))).toBeCloseTo(1, 12);
  });

  it('says log|det| of its Jacobian', () => {
    const h = 1e-2;
    const columns = Array.from({ length: values }, (_, i) => {
      const moved = (by: number) => z(at.map((v, k) => (k === i ? v + by : v)));
      const [above, below] = [moved(h), moved(-h)];
      return Array.from(above, (v, k) => (v - below[k]) / (2 * h));
    });
    const [logDet] = evaluate([f.logDet], { ...weights, y: float32(at, shape) });
    const numeric = Math.log(Math.abs(determinant(new Matrix(columns))));
    expect(Number(logDet.data[0])).toBeCloseTo(numeric, 2);
    expect(Math.abs(numeric)).toBeGreaterThan(0.5);
  });

  it('can be undone step by step', () => {
    let back: Value = input('z', shape);
    const moved = channels >> 1;
    const scope = trace.group('f');
    for (let step = options.steps - 1; step >= 0; step--) {
      const here = scope.at(`step${step + 1}`);
      const order = permutationOf(channels, step);
      const unpermuted = g.gather(
        back,
        order.map((_, c) => order.indexOf(c)),
        1,
      );
      const wide = (name: string) => g.reshape(here.parameter(name, [channels], zerosInit), [1, channels, 1, 1]);
      const factor = g.mul(g.softplus(g.mul(wide('scale'), 0.5)), 0.2);
      const plain = g.div(g.sub(unpermuted, wide('shift')), factor);
      const [y1, y2] = g.split(plain, [channels - moved, moved], 1);
      const { s, t } = shiftOf(options, here, y1, moved, step);
      back = g.concat([y1, g.mul(g.sub(y2, t), g.exp(g.neg(s)))], 1);
    }
    const [found] = evaluate([back], { ...weights, z: float32(Float32Array.from(z(at)), shape) });
    for (const [i, v] of at.entries()) expect(Number(found.data[i])).toBeCloseTo(v, 3);
    expect(Math.max(...Array.from(z(at), (v, i) => Math.abs(v - at[i])))).toBeGreaterThan(0.5);
  });

  it('has the published layers: kernels 3 and 1 in turns, or 3 throughout', () => {
    const kernels = (some: object) =>
      lastPhase(fastflow, { backbone: 'resnet18', taps: 'layer1', ...some }, [3, 64, 64])
        .trained.filter(({ shape }) => shape.length === 4)
        .map(({ shape }) => shape);
    const [three, one] = [3, 1].map((k) => [
      [32, 32, k, k],
      [64, 32, k, k],
    ]);
    expect(kernels({})).toEqual([...three, ...one, ...three, ...one, ...three, ...one, ...three, ...one]);
    expect(kernels({ kernels: '3x3' })).toEqual(Array(8).fill(three).flat());
  });
});

describe('autoencoder with a perceptual loss', () => {
  const options = { loss: 'perceptual', taps: 'fine', width: 4, code: 4 } as const;

  it('sees a backbone only then', () => {
    const choice = (some: object) => autoencoder.backbone!(autoencoder.config.parse(some));
    expect(choice({})).toBeUndefined();
    expect(choice(options)).toMatchObject({ name: 'oddity', taps: ['fine'] });
    const small = autoencoder.unsuitable!(autoencoder.config.parse(options), [1, 8, 8]);
    expect(small).toMatch(/oddity at fine needs image sides of at least 16, got 8 × 8/);
  });

  it('is |x − y| + 1 − SSIM + 0.1 · the squared difference of features, which pulls at the drawing', () => {
    const { specs, trained } = lastPhase(autoencoder, options, [1, side, side]);
    expect(trained.every(({ name }) => name.startsWith('autoencoder.'))).toBe(true);
    const tensors = { ...initialize(specs, new Rng(2)), ...pretrained };
    const config = autoencoder.config.parse(options);
    const found = run(tensors, unseen.slice(0, size), (net, x) => {
      const { map, reconstruction } = autoencoder.score(config, net, x);
      const y = reconstruction!;
      const [a, b] = [x, y].map((image) => tapped(backboneFine, net, image)[0]);
      const slope = gradients(g.reduceSum(g.square(g.sub(a, b))), [y])[0];
      return { map, l1: l1(x, y), ssim: ssim(x, y), features: l2(a, b), slope: g.abs(slope) };
    });
    const wanted = mean(found.l1.data) + mean(found.ssim.data) + 0.1 * mean(found.features.data);
    expect(mean(found.map.data)).toBeCloseTo(wanted, 4);
    expect(mean(found.features.data)).toBeGreaterThan(0.01);
    expect(mean(found.slope.data)).toBeGreaterThan(0);
  });
});
