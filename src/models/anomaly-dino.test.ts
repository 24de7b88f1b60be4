/** AnomalyDINO against its definition, on the plain reference with a tiny vision transformer of random weights. */
import { beforeAll, describe, expect, it } from 'vitest';
import { knowBackbone, tensorsOf } from '../backbones/index.ts';
import { vit } from '../backbones/vit.ts';
import { Rng } from '../core/random.ts';
import { sizeOf } from '../core/shape.ts';
import { float32, type Tensors } from '../core/tensor.ts';
import type { Source } from '../data/pure.ts';
import { fitData } from '../engine/fitting/items.ts';
import { bind } from '../engine/scoring/graph.ts';
import { evaluate } from '../graph/evaluate.ts';
import { constant, input } from '../graph/leaf.ts';
import { type Scope, Trace } from '../nn/scope.ts';
import { openRuntime } from '../runtime/index.ts';
import { anomalyDino } from './anomaly-dino.ts';
import { tapped, wholeImage } from './parts/features.ts';
import { firstComponent, objectMask } from './parts/maps/object-mask.ts';
import { turnedImage, turnedPlaces } from './parts/turn-image.ts';

const tiny = vit({
  ...{ name: 'tiny-vit', title: 'Tiny', paper: '', file: { from: '', licence: '' } },
  ...{ patch: 4, width: 8, depth: 2, heads: 2, eps: 1e-6, registers: 1 },
  learnt: { side: 4, offset: 0.1, antialias: false },
});
const [side, count] = [16, 5];
const size = side * side;
const images = new Rng(1).uniforms(count * size);
const pretrained: Tensors = Object.fromEntries(
  [...tensorsOf(tiny)].map(([name, shape]) => [
    `backbone.${name}`,
    float32(new Rng(4).split(name).normals(sizeOf(shape), 0, 0.3), shape),
  ]),
);
const config = anomalyDino.config.parse({ backbone: 'tiny-vit', smoothing: 0 });
type Given = Parameters<typeof fitData>[0];
let given: Given;

beforeAll(async () => {
  knowBackbone(tiny);
  const source = {
    shape: [1, side, side],
    async read(indices: ArrayLike<number>, out: Float32Array) {
      for (const [i, item] of Array.from(indices).entries())
        out.set(images.subarray(item * size, (item + 1) * size), i * size);
    },
  } as unknown as Source;
  const train = Uint32Array.from(Array(count).keys());
  given = { source, train, rng: new Rng(2), runtime: await openRuntime('reference'), pretrained };
});

function run(tensors: Tensors, x: Float32Array, build: (net: (group: string) => Scope) => object) {
  const trace = new Trace(false, tensors);
  const outputs = bind('test', { ...build((group) => trace.group(group)) } as never, trace, tensors);
  const found = evaluate(Object.values(outputs), { x: float32(x, [x.length / size, 1, side, side]) });
  return Object.fromEntries(Object.keys(outputs).map((name, i) => [name, Array.from(found[i].data, Number)]));
}
const x = input('x', ['N', 1, side, side]);
const learn = (train: number[], options = config) => {
  if (anomalyDino.learns !== 'statistics') throw new Error('it learns by statistics');
  return anomalyDino.fit(options, fitData({ ...given, train: Uint32Array.from(train) }));
};
const scored = (tensors: Tensors, image: Float32Array, options = config) =>
  run({ ...pretrained, ...tensors }, image, (net) => anomalyDino.score(options, net, x));

/** Tokens of images under the last norm, 16 of 8 numbers each, of length 1. */
function tokensOf(image: Float32Array): number[][] {
  const { y } = run(pretrained, image, (net) => ({ y: tapped(config, net, x)[0] }));
  return Array.from({ length: (image.length / size) * 16 }, (_, i) => {
    const token = Array.from({ length: 8 }, (_, c) => y[(Math.floor(i / 16) * 8 + c) * 16 + (i % 16)]);
    return token.map((v) => v / Math.hypot(...token));
  });
}

describe('anomaly-dino', () => {
  it('is one minus the cosine to the nearest patch; the score is the mean of the largest share', async () => {
    const tensors = await learn([0, 1, 2, 3, 4]);
    expect(tensors['anomaly-dino.bank'].shape).toEqual([80, 8]);
    const image = new Rng(9).uniforms(size);
    const bank = tokensOf(images);
    const distances = tokensOf(image).map((t) =>
      Math.min(...bank.map((b) => 1 - b.reduce((s, v, c) => s + v * t[c], 0))),
    );
    const sorted = [...distances].sort((a, b) => b - a);
    expect(scored(tensors, image).score[0]).toBeCloseTo(sorted[0], 5);
    const quarter = { ...config, top: 0.25 };
    const found = scored(tensors, image, quarter);
    expect(found.score[0]).toBeCloseTo(sorted.slice(0, 4).reduce((a, b) => a + b) / 4, 5);
    // A place of the map in the middle of four patches is their mean.
    expect(found.map).toHaveLength(size);
    expect(Math.max(...found.map)).toBeLessThanOrEqual(sorted[0] + 1e-6);
  });

  it('finds its own patches, and says where they are from', async () => {
    const { score, nearest } = scored(await learn([0, 1, 2, 3, 4]), images.slice(3 * size, 4 * size));
    expect(score[0]).toBeLessThan(1e-6);
    expect(nearest[2]).toBe(3);
    expect(nearest.slice(3)).toEqual(nearest.slice(0, 2));
  });

  it('takes images in and out as if it had learnt from them so', async () => {
    if (anomalyDino.learns !== 'statistics') throw new Error('it learns by statistics');
    const added = fitData({ ...given, train: Uint32Array.of(4) });
    const changed = await anomalyDino.update!(config, await learn([0, 1, 2]), Uint32Array.of(0, 2), added);
    expect(changed).toEqual(await learn([0, 2, 4]));
    const none = fitData({ ...given, train: new Uint32Array() });
    await expect(anomalyDino.update!(config, changed, new Uint32Array(), none)).rejects.toThrow('to be removed');
  });

  it('turns references by eighths', async () => {
    const { 'anomaly-dino.bank': bank, 'anomaly-dino.origins': origins } = await learn([1], {
      ...config,
      rotations: true,
    });
    expect(bank.shape).toEqual([8 * 16, 8]);
    expect(new Set(origins.data as Float32Array)).toEqual(new Set(Array(16).keys()));
  });

  it('refuses a mask without tokens, images of one patch, and a bank that memory does not hold', async () => {
    const shape = [1, side, side] as const;
    const masked = anomalyDino.config.parse({ mask: true, taps: 'fine' });
    expect(String(anomalyDino.unsuitable!(masked, shape))).toContain('tokens');
    expect(anomalyDino.unsuitable!(config, [1, 4, 16])).toContain('at least 8');
    expect(anomalyDino.unsuitable!(config, shape)).toBeUndefined();
    if (anomalyDino.learns !== 'statistics') throw new Error('it learns by statistics');
    const rows0 = { dtype: 'float32', shape: [1, 2 ** 20, 2 ** 8], data: new Float32Array() };
    const large = {
      ...fitData(given),
      count: 7,
      async *through() {
        yield { count: 1, outputs: { rows0 } };
      },
    };
    await expect(anomalyDino.fit(config, large as never)).rejects.toThrow('all patches of about 0 images of this size');
  });
});

describe('a turned image', () => {
  it('by a quarter is exact, and says where its places are from', () => {
    const image = constant(
      float32(
        Float32Array.from({ length: 9 }, (_, i) => i),
        [1, 1, 3, 3],
      ),
    );
    const [turned] = evaluate([turnedImage(image, 90)], {});
    expect(Array.from(turned.data as Float32Array, (v) => Math.round(v * 1e4) / 1e4)).toEqual([
      6, 3, 0, 7, 4, 1, 8, 5, 2,
    ]);
    expect(turnedPlaces([3, 3], 90)).toEqual([6, 3, 0, 7, 4, 1, 8, 5, 2]);
    const [same] = evaluate([turnedImage(constant(float32(new Float32Array(24).fill(2), [1, 1, 4, 6])), 45)], {});
    for (const v of same.data) expect(Number(v)).toBeCloseTo(2, 5);
  });
});

describe('the mask of an object', () => {
  it('is where the first component is large, on the side that covers the middle', () => {
    // An object of 3 × 3 in a grid of 5 × 5, whose tokens lie 60 apart along one axis.
    const rows = new Float32Array(25 * 4);
    const inside = (i: number) => [1, 2, 3].includes(Math.floor(i / 5)) && [1, 2, 3].includes(i % 5);
    for (let i = 0; i < 25; i++) rows[4 * i + 2] = inside(i) ? -30 : 30;
    rows[5] = 1;
    const tokens = constant(float32(rows, [1, 25, 4]));
    const [component, mask] = evaluate([firstComponent(tokens), objectMask(tokens, [5, 5])], {});
    // The object is the smaller part, so the mean lies nearer to the ground and its component is the largest.
    expect(Number(component.data[12])).toBeCloseTo(38.4, 3);
    expect(Number(component.data[24])).toBeCloseTo(-21.6, 3);
    expect(Array.from(mask.data, Number)).toEqual(new Array(25).fill(1)); // widened to the border
  });
});

it('a whole image is its class token', () => {
  const image = images.slice(0, size);
  const { y } = run(pretrained, image, (net) => ({ y: wholeImage(config, net, x) }));
  expect(y).toHaveLength(8);
  const mean = Array.from({ length: 8 }, (_, c) => tokensOf(image).reduce((s, t) => s + t[c], 0) / 16);
  expect(Math.hypot(...y.map((v, c) => v - mean[c]))).toBeGreaterThan(0.1);
});
