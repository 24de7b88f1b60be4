/** Models on pretrained features against their definitions, on the plain reference with the backbone in the box. */
import { inverse, Matrix } from 'ml-matrix';
import { beforeAll, describe, expect, it } from 'vitest';
import { findBackbone } from '../backbones/index.ts';
import { loadWeights } from '../backbones/load.ts';
import { Rng } from '../core/random.ts';
import { sizeOf } from '../core/shape.ts';
import { float32, type Tensors } from '../core/tensor.ts';
import type { Source } from '../data/pure.ts';
import { fitData } from '../engine/fitting/items.ts';
import { bind } from '../engine/scoring/graph.ts';
import { evaluate } from '../graph/evaluate.ts';
import { input } from '../graph/leaf.ts';
import type { Value } from '../graph/value.ts';
import { initialize } from '../nn/index.ts';
import { type Scope, Trace } from '../nn/scope.ts';
import { assemble } from '../nn/training.ts';
import { openRuntime } from '../runtime/index.ts';
import type { FitData, Model } from './define.ts';
import { padim } from './padim.ts';
import { tapped } from './parts/features.ts';
import { patchcore } from './patchcore.ts';
import { rad } from './rad.ts';
import { differences, vgg19Autoencoder } from './vgg19-autoencoder.ts';

const [side, count] = [16, 12];
const size = side * side;
const images = new Rng(1).uniforms(count * size);
let pretrained: Tensors;
let data: FitData;
let given: Parameters<typeof fitData>[0];

beforeAll(async () => {
  const weights = await loadWeights(findBackbone('oddity'), { root: '.' });
  pretrained = Object.fromEntries(Object.entries(weights).map(([name, tensor]) => [`backbone.${name}`, tensor]));
  const source = {
    shape: [1, side, side],
    async read(indices: ArrayLike<number>, out: Float32Array) {
      for (const [i, item] of Array.from(indices).entries())
        out.set(images.subarray(item * size, (item + 1) * size), i * size);
    },
  } as unknown as Source;
  const runtime = await openRuntime('reference');
  given = { source, train: Uint32Array.from(Array(count).keys()), rng: new Rng(2), runtime, pretrained };
  data = fitData(given);
});

/** Values of a graph of the images. */
function run(
  tensors: Tensors,
  x: Float32Array,
  build: (net: (group: string) => Scope, x: Value) => Record<string, Value>,
) {
  const trace = new Trace(false, tensors);
  const n = x.length / size;
  const outputs = bind(
    'test',
    build((group) => trace.group(group), input('x', ['N', 1, side, side])),
    trace,
    tensors,
  );
  const found = evaluate(Object.values(outputs), { x: float32(x, [n, 1, side, side]) });
  return Object.fromEntries(Object.keys(outputs).map((name, i) => [name, found[i]]));
}

async function fitted<C>(model: Model<C>, options: Partial<C>) {
  if (model.learns !== 'statistics') throw new Error('a model that learns by statistics is needed');
  const config = model.config.parse({ ...model.tiny, smoothing: 0, ...options });
  const tensors = { ...pretrained, ...(await model.fit(config, data)) };
  return (x: Float32Array) => run(tensors, x, (net, value) => ({ ...model.score(config, net, value) }));
}

describe('patchcore', () => {
  it('finds its own patches again at distance 0, and all others at the least distance to the bank', async () => {
    const score = await fitted(patchcore, { coreset: 1, neighbourhood: 1 });
    for (const v of score(images.slice(0, 2 * size)).score.data) expect(Number(v)).toBe(0);
    const other = new Rng(9).uniforms(size);
    const features = (x: Float32Array) =>
      run(pretrained, x, (net, value) => ({
        y: tapped({ backbone: 'oddity', weights: '', taps: 'fine', preparation: 'own' }, net, value)[0],
      })).y;
    const [bank, own] = [features(images), features(other)]; // [n,96,2,2]
    const [channels, places] = [bank.shape[1], 4];
    const at = (y: typeof own, n: number, p: number) =>
      Array.from({ length: channels }, (_, c) => Number(y.data[(n * channels + c) * places + p]));
    const distances = [0, 1, 2, 3].map((p) => {
      const patch = at(own, 0, p);
      const all = Array.from({ length: count * places }, (_, i) => at(bank, Math.floor(i / places), i % places));
      return Math.min(...all.map((b) => Math.hypot(...b.map((v, c) => v - patch[c]))));
    });
    expect(Number(score(other).score.data[0])).toBeCloseTo(Math.max(...distances), 4);
  });

  it('names the place of the training image that is most like the oddest place', async () => {
    const score = await fitted(patchcore, { coreset: 1, neighbourhood: 1 });
    const { nearest } = score(images.slice(2 * size, 3 * size)); // every place is its own origin
    const [row, column, item, ...at] = Array.from(nearest!.data, Number);
    expect(item).toBe(2);
    expect(at).toEqual([row, column]);
    expect([4, 12]).toContain(row);
    expect([4, 12]).toContain(column);
  });

  it('takes images into its bank, and out of it, as if it had learnt from them so', async () => {
    if (patchcore.learns !== 'statistics' || !patchcore.update) throw new Error('patchcore can be updated.');
    const config = patchcore.config.parse({ ...patchcore.tiny, neighbourhood: 1, coreset: 1 });
    const of = (train: number[]) => fitData({ ...given, train: Uint32Array.from(train) });
    const rows = ({ 'patchcore.bank': bank, 'patchcore.origins': origins }: Tensors) =>
      Array.from({ length: bank.shape[0] }, (_, m) => [
        ...[Number(origins.data[2 * m]), Number(origins.data[2 * m + 1])],
        ...Array.from({ length: 8 }, (_, c) => Number(bank.data[m * bank.shape[1] + c]).toFixed(4)),
      ]);
    const learnt = await patchcore.fit(config, of([0, 1, 2, 3]));
    const updated = await patchcore.update(config, learnt, Uint32Array.of(0, 2, 3), of([7, 8]));
    expect(rows(updated)).toEqual(rows(await patchcore.fit(config, of([0, 2, 3, 7, 8]))));
    await expect(patchcore.update(config, learnt, Uint32Array.of(), of([]))).rejects.toMatchObject({
      code: 'empty-bank',
    });
  });

  it('covers what joins it nearly as well as a bank that is learnt anew', async () => {
    if (patchcore.learns !== 'statistics' || !patchcore.update) throw new Error('patchcore can be updated.');
    const config = patchcore.config.parse({ ...patchcore.tiny, smoothing: 0, neighbourhood: 1, coreset: 0.5 });
    const of = (from: number, to: number) =>
      fitData({ ...given, train: Uint32Array.from({ length: to - from }, (_, i) => from + i) });
    const whole = await patchcore.fit(config, of(0, count));
    const updated = await patchcore.update(
      config,
      await patchcore.fit(config, of(0, 8)),
      Uint32Array.from(Array(8).keys()),
      of(8, count),
    );
    expect(updated['patchcore.bank'].shape).toEqual(whole['patchcore.bank'].shape);
    // The largest distance of a training patch to the bank: greedy choices are within twice the best (Gonzalez 1985).
    const radius = (learnt: Tensors) => {
      const { score } = run({ ...pretrained, ...learnt }, images, (net, x) => ({ ...patchcore.score(config, net, x) }));
      return Math.max(...Array.from(score.data, Number));
    };
    expect(radius(updated)).toBeGreaterThan(0);
    expect(radius(updated)).toBeLessThanOrEqual(2 * radius(whole));
  });

  it('re-weights by a factor between 0 and 1, which re-batching does not change', async () => {
    const [plain, weighted] = [await fitted(patchcore, {}), await fitted(patchcore, { neighbours: 3 })];
    const x = new Rng(9).uniforms(3 * size);
    const together = weighted(x).score.data;
    for (const [i, whole] of Array.from(plain(x).score.data, Number).entries()) {
      expect(Number(together[i]) / whole).toBeGreaterThan(0);
      expect(Number(together[i]) / whole).toBeLessThan(1);
      expect(Number(weighted(x.slice(i * size, (i + 1) * size)).score.data[0])).toBeCloseTo(Number(together[i]), 5);
    }
  });

  it('says what a bank would need that does not fit', async () => {
    const config = patchcore.config.parse({ coreset: 1 });
    if (patchcore.learns !== 'statistics') throw new Error('patchcore learns by statistics.');
    const many = { ...data, shape: [1, 256, 256], count: 100_000 };
    await expect(patchcore.fit(config, many)).rejects.toMatchObject({
      code: 'bank-memory',
      message: expect.stringMatching(/Choose `config\.coreset: 0\.00\d+` or less/),
    });
  });
});

describe('padim', () => {
  it('is the Mahalanobis distance at each place', async () => {
    const d = 5;
    const config = { channels: d, regularization: 0.01 };
    const score = await fitted(padim, config);
    const kept = [...data.rng.split('channels').permutation(96).subarray(0, d).sort()];
    const features = (x: Float32Array) =>
      run(pretrained, x, (net, value) => ({
        y: tapped({ backbone: 'oddity', weights: '', taps: 'fine', preparation: 'own' }, net, value)[0],
      })).y;
    const other = new Rng(9).uniforms(size);
    const [normal, own] = [features(images), features(other)];
    const at = (y: typeof own, n: number, p: number) => kept.map((c) => Number(y.data[(n * 96 + c) * 4 + p]));
    const wanted = [0, 1, 2, 3].map((p) => {
      const rows = Array.from({ length: count }, (_, n) => at(normal, n, p));
      const mean = kept.map((_, c) => rows.reduce((sum, row) => sum + row[c], 0) / count);
      const covariance = Matrix.zeros(d, d);
      for (const row of rows) {
        const v = Matrix.columnVector(row.map((x, c) => x - mean[c]));
        covariance.add(v.mmul(v.transpose()).div(count - 1));
      }
      covariance.add(Matrix.eye(d).mul(0.01));
      const v = Matrix.columnVector(at(own, 0, p).map((x, c) => x - mean[c]));
      return Math.sqrt(v.transpose().mmul(inverse(covariance)).mmul(v).get(0, 0));
    });
    const { map, score: image } = score(other);
    // The corners of the map are the places themselves: there bilinear resizing repeats the edge.
    const corners = [0, side - 1, size - side, size - 1].map((i) => Number(map.data[i]));
    for (const [p, distance] of wanted.entries()) expect(corners[p]).toBeCloseTo(distance, 3);
    expect(Number(image.data[0])).toBeCloseTo(Math.max(...wanted), 3);
  });
});

describe('vgg19-autoencoder', () => {
  it('has the published number of parameters where the encoder trains too, and its decoder alone else', () => {
    if (vgg19Autoencoder.learns !== 'gradient') throw new Error('vgg19-autoencoder learns by gradient.');
    const { phases: phasesOf } = vgg19Autoencoder;
    const trained = (options: object) => {
      const phases = phasesOf(vgg19Autoencoder.config.parse(options), [3, 384, 384]);
      const { trained: specs } = assemble(phases[0].phase, { shape: [2, 3, 384, 384], classes: 1 });
      return specs.reduce((n, { shape }) => n + sizeOf(shape), 0);
    };
    expect(trained(vgg19Autoencoder.presets.published)).toBe(21_413_403);
    expect(trained({})).toBe(437_875); // 128, 128, 64, 32 and 16 filters, each a 1 × 1 and a 3 × 3 convolution with norms
    expect(trained({ decoder: 'published' })).toBe(1_389_019);
  });

  it('compares the taps of strides 2, 4 and 8, and needs what the code needs too', () => {
    const tapsOf = (options: object) => vgg19Autoencoder.backbone!(vgg19Autoencoder.config.parse(options))!.taps;
    expect(tapsOf({})).toEqual(['relu2_2', 'relu3_4', 'relu4_4', 'pool5']);
    expect(tapsOf({ backbone: 'vgg16' })).toEqual(['relu2_2', 'relu3_3', 'relu4_3', 'pool5']);
    expect(tapsOf({ backbone: 'squeezenet1_1' })).toEqual(['features.1', 'features.4', 'features.7', 'features.12']);
    expect(tapsOf({ backbone: 'oddity' })).toEqual(['finest', 'fine', 'coarse']); // none of stride 2
    expect(tapsOf({ score: 'pixels' })).toEqual(['pool5']);
  });

  it('scores differences of features in their spreads, at each place or of the whole image', () => {
    if (vgg19Autoencoder.learns !== 'gradient') throw new Error('vgg19-autoencoder learns by gradient.');
    const { phases: phasesOf } = vgg19Autoencoder;
    const [mean, spread] = [0.3, 0.5];
    for (const score of ['features', 'scene'] as const) {
      const config = vgg19Autoencoder.config.parse({ ...vgg19Autoencoder.tiny, score, pooling: 'mean' });
      const specs = phasesOf(config, [1, side, side]).flatMap(
        ({ phase }) => assemble(phase, { shape: [2, 1, side, side], classes: 1 }).specs,
      );
      const tensors: Tensors = { ...initialize(specs, new Rng(3)), ...pretrained };
      for (const at of ['differences.fine', 'differences.fine.whole']) {
        tensors[`${at}.count`] = float32([4], []);
        tensors[`${at}.sum`] = float32(new Float32Array(96).fill(4 * mean), [96]);
        tensors[`${at}.squares`] = float32(new Float32Array(96).fill(4 * (mean ** 2 + spread ** 2)), [96]);
      }
      const found = run(tensors, images.slice(0, size), (net, x) => ({
        ...vgg19Autoencoder.score(config, net, x),
        change: differences(config, net, x).found[0],
      }));
      const changes = Array.from(found.change.data, Number); // [1,96,2,2]
      const z = (v: number) => ((v - mean) / spread) ** 2;
      const average = (values: number[]) => values.reduce((a, b) => a + b) / values.length;
      const whole = Array.from({ length: 96 }, (_, c) => average(changes.slice(4 * c, 4 * c + 4)));
      const wanted = score === 'scene' ? average(whole.map(z)) : average(changes.map(z));
      expect(Number(found.score.data[0]) / wanted).toBeCloseTo(1, 4);
      // The corners of the map are the places themselves.
      const first = average(Array.from({ length: 96 }, (_, c) => z(changes[4 * c])));
      expect(Number(found.map.data[0]) / first).toBeCloseTo(1, 4);
    }
  });
});

describe('rad', () => {
  it('finds training images again at distance 0, even if it retrieves one image only', async () => {
    const score = await fitted(rad, { images: 1, radius: 1 });
    for (const v of score(images.slice(0, 2 * size)).map.data) expect(Number(v)).toBeCloseTo(0, 5);
    expect(Number(score(new Rng(9).uniforms(size)).score.data[0])).toBeGreaterThan(0.01);
  });

  it('refuses features that do not fit into memory, with what to do', async () => {
    const many = { ...data, count: 10_000_000 };
    const config = rad.config.parse(rad.tiny);
    if (rad.learns !== 'statistics') throw new Error('a model that learns by statistics is needed');
    await expect(rad.fit(config, many)).rejects.toThrow(
      /^The features of 10000000 images take \d+ MiB; at most 1024 MiB/,
    );
  });
});
