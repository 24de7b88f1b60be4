/** PaDiM against its definition, with and without features that several passes share, on the plain reference. */
import { beforeAll, describe, expect, it } from 'vitest';
import { knowBackbone, tensorsOf } from '../backbones/index.ts';
import { vit } from '../backbones/vit.ts';
import { Rng } from '../core/random.ts';
import { sizeOf } from '../core/shape.ts';
import { float32, type Tensors } from '../core/tensor.ts';
import type { Source } from '../data/pure.ts';
import { fitData } from '../engine/fitting/items.ts';
import { SharedFeatures } from '../engine/fitting/shared-features.ts';
import { bind, scoringProgram } from '../engine/scoring/graph.ts';
import { evaluate } from '../graph/evaluate.ts';
import { input } from '../graph/leaf.ts';
import { Trace } from '../nn/scope.ts';
import { openRuntime } from '../runtime/index.ts';
import { padim } from './padim.ts';
import { tapped } from './parts/features.ts';

const tiny = vit({
  ...{ name: 'tiny-vit-of-padim', title: 'Tiny', paper: '', file: { from: '', licence: '' } },
  ...{ patch: 4, width: 8, depth: 1, heads: 2, eps: 1e-6, registers: 0 },
  learnt: { side: 4, offset: 0.1, antialias: false },
});
const [side, count, places, channels] = [16, 11, 16, 5];
const size = side * side;
const images = new Rng(1).uniforms(count * size);
const pretrained: Tensors = Object.fromEntries(
  [...tensorsOf(tiny)].map(([name, shape]) => [
    `backbone.${name}`,
    float32(new Rng(4).split(name).normals(sizeOf(shape), 0, 0.3), shape),
  ]),
);
const config = padim.config.parse({ backbone: 'tiny-vit-of-padim', channels, smoothing: 0, imageScore: 'largest' });
let reads = 0;
const source = {
  kind: 'image',
  shape: [1, side, side],
  async read(indices: ArrayLike<number>, out: Float32Array) {
    reads += indices.length;
    for (const [i, item] of Array.from(indices).entries())
      out.set(images.subarray(item * size, (item + 1) * size), i * size);
  },
} as unknown as Source;
const train = Uint32Array.from(Array(count).keys());
let given: Parameters<typeof fitData>[0];

beforeAll(async () => {
  knowBackbone(tiny);
  given = { source, train, rng: new Rng(2), runtime: await openRuntime('reference'), pretrained };
});

const learn = (more: Partial<typeof given> = {}) => {
  if (padim.learns !== 'statistics') throw new Error('it learns by statistics');
  return padim.fit(config, fitData({ ...given, ...more }));
};

/** All features of all images, `[N][C][P]`. */
function featuresOf(): number[][][] {
  const trace = new Trace(false, pretrained);
  const x = input('x', ['N', 1, side, side]);
  const [found] = tapped(config, (group) => trace.group(group), x);
  const { y } = bind('test', { y: found }, trace, pretrained);
  const flat = evaluate([y], { x: float32(images, [count, 1, side, side]) })[0].data as Float32Array;
  return Array.from({ length: count }, (_, n) =>
    Array.from({ length: 8 }, (_, c) => Array.from(flat.subarray((n * 8 + c) * places, (n * 8 + c + 1) * places))),
  );
}

describe('padim', () => {
  it('whitens by the inverse of the covariance of each place', async () => {
    const learnt = await learn();
    const [mean, whitening, kept] = ['mean', 'whitening', 'channels'].map(
      (name) => learnt[`padim.${name}`].data as Float32Array,
    );
    const all = featuresOf();
    for (const p of [0, 7, 15]) {
      const rows = all.map((image) => Array.from(kept, (c) => image[c][p]));
      const means = Array.from(kept, (_, i) => rows.reduce((sum, row) => sum + row[i], 0) / count);
      for (const [i, m] of means.entries()) expect(mean[i * places + p]).toBeCloseTo(m, 5);
      const covariance = means.map((a, i) =>
        means.map(
          (b, j) =>
            rows.reduce((sum, row) => sum + (row[i] - a) * (row[j] - b), 0) / (count - 1) + (i === j ? 0.01 : 0),
        ),
      );
      // W is Lᵀ with Σ⁻¹ = LᵀL: Wᵀ Σ W is the identity.
      const w = (i: number, j: number) => whitening[(p * channels + i) * channels + j];
      for (let i = 0; i < channels; i++) {
        for (let j = 0; j < channels; j++) {
          let sum = 0;
          for (let k = 0; k < channels; k++)
            for (let l = 0; l < channels; l++) sum += w(k, i) * covariance[k][l] * w(l, j);
          expect(sum).toBeCloseTo(i === j ? 1 : 0, 4);
        }
      }
    }
  });

  it('learns and scores the same from features that are computed once', async () => {
    const { runtime } = given;
    const features = SharedFeatures.of(padim, config, { source, train, pretrained, runtime })!;
    const [alone, shared] = [await learn(), await learn({ features })];
    expect(shared).toEqual(alone);
    reads = 0;
    const part = train.subarray(3);
    expect(await learn({ features, train: part })).toEqual(await learn({ train: part }));
    expect(reads).toBe(part.length); // those of the fit without them

    const tensors = { ...pretrained, ...alone };
    const scored = (x?: ReturnType<typeof input>) => {
      const { score, map } = scoringProgram(padim, config, source.shape, tensors, x).outputs;
      return { score, map };
    };
    const { outputs, feed } = features.over(source, scored)!;
    const of = evaluate([outputs.score, outputs.map], await feed(Uint32Array.of(4, 1)));
    const whole = float32(
      Float32Array.from([...images.subarray(4 * size, 5 * size), ...images.subarray(size, 2 * size)]),
      [2, 1, side, side],
    );
    expect(of).toEqual(evaluate(Object.values(scored()), { image: whole }));
  });

  it('shares no features of other sources, of models that see none, and where the images themselves are needed', () => {
    const { runtime } = given;
    const features = SharedFeatures.of(padim, config, { source, train, pretrained, runtime })!;
    const score = (x: ReturnType<typeof input>) => ({
      y: tapped(config, (group) => new Trace(false).group(group), x)[0],
    });
    expect(features.over({ ...source }, score)).toBeUndefined();
    expect(features.over(source, (x) => ({ x }))).toBeUndefined();
    expect(SharedFeatures.of(padim, config, { source: { ...source, kind: 'table' }, train, runtime })).toBeUndefined();
  });
});
