import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { sizeOf } from '../core/shape.ts';
import { float32, type Tensor, type Tensors } from '../core/tensor.ts';
import { dataRoot } from '../data/files/root.ts';
import { writeSafetensors } from '../data/formats/safetensors.ts';
import { evaluate } from '../graph/evaluate.ts';
import { input } from '../graph/leaf.ts';
import { Trace } from '../nn/scope.ts';
import { type Backbone, backbones, features, findBackbone, parameterCount, tensorsOf } from './index.ts';
import { loadWeights } from './load.ts';

const root = dataRoot();
const folder = mkdtempSync(join(tmpdir(), 'oddity-backbones-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The first place of the first six channels of each head of the backbone in the box. */
const golden = {
  finest: [4.05748, -0.6258, -1.62386, -0.55509, -0.11737, 2.34886],
  fine: [4.70092, -0.87276, 2.78175, -3.60722, 6.94591, 1.25353],
  coarse: [-4.20438, 2.02141, -3.57099, 1.39302, 1.39163, -0.03469],
};

/** A file with tensors of the right names and shapes, all 0.01. */
function fileOf(backbone: Backbone, change: (tensors: Tensors) => void = () => {}): string {
  const tensors: Tensors = Object.fromEntries(
    [...tensorsOf(backbone)].map(([name, shape]) => [name, float32(new Float32Array(sizeOf(shape)).fill(0.01), shape)]),
  );
  change(tensors);
  const path = join(folder, `${backbone.name}.safetensors`);
  writeFileSync(path, writeSafetensors(tensors));
  return path;
}

describe('networks', () => {
  // Ours, then torchvision's counts; MobileNets with 1001 classes and folded batch norms.
  test.each([
    ['oddity', 821_088],
    ['squeezenet1_1', 1_235_496],
    ['resnet18', 11_689_512],
    ['resnet34', 21_797_672],
    ['resnet50', 25_557_032],
    ['wide_resnet50_2', 68_883_240],
    ['vgg16', 138_357_544],
    ['vgg19', 143_667_240],
  ])('%s has %d parameters', (name, count) => expect(parameterCount(findBackbone(name))).toBe(count));

  test.each(backbones.map((b) => [b.name, b] as const))(
    '%s: taps have the channels and grids that they say',
    (_, b) => {
      const taps = Object.keys(b.taps);
      const found = features(b, new Trace(false).group('backbone'), input('x', ['N', 1, 128, 128]), taps);
      for (const [i, tap] of taps.entries()) {
        const { channels, stride } = b.taps[tap];
        expect(found[i].shape.slice(0, 2)).toEqual(['N', channels]);
        // SqueezeNet's first convolution has no padding: its grids may be a place short.
        for (const side of found[i].shape.slice(2))
          expect(Math.abs(Number(side) - 128 / stride)).toBeLessThanOrEqual(1);
      }
      for (const tap of b.usual) expect(taps).toContain(tap);
    },
  );

  test('a head that is not wanted is not built, so that runs need what their taps need alone', () => {
    const names = [...tensorsOf(findBackbone('oddity'), ['fine']).keys()];
    expect(names.filter((name) => /^(finest|coarse)|^fire9/.test(name))).toEqual([]);
    expect(names).toContain('fine.weight');
  });

  test('grids of odd sides are rounded up, as those of the network of 0.1.0', () => {
    const sides = (name: string) =>
      features(findBackbone(name), new Trace(false).group('b'), input('x', ['N', 3, 37, 36]), ['fine', 'coarse']).map(
        (v) => v.shape.slice(2),
      );
    expect(sides('oddity')).toEqual(sides('oddity_v0'));
  });

  test('what is behind the last tap is not built; a tap that is not there is named', () => {
    const resnet = findBackbone('resnet18');
    expect([...tensorsOf(resnet, ['layer1']).keys()].filter((name) => /layer[234]|fc/.test(name))).toEqual([]);
    expect(() => features(resnet, new Trace(false).group('b'), input('x', ['N', 3, 64, 64]), ['layer5'])).toThrow(
      'There is no tap named "layer5"',
    );
    expect(() => findBackbone('resnet-18')).toThrow('resnet18');
  });
});

describe('the backbone in the box', () => {
  const side = 16;
  /** Features of an image that grows brighter towards a corner, by the plain reference. */
  async function found(channels: 1 | 3): Promise<Tensor[]> {
    const oddity = findBackbone('oddity');
    const weights = await loadWeights(oddity, { root: join(folder, 'none') });
    const values = features(
      oddity,
      new Trace(false).group('b'),
      input('x', [1, channels, side, side]),
      Object.keys(oddity.taps),
    );
    const pixel = (p: number) => ((p % side) + 2 * Math.floor((p % side ** 2) / side)) / (3 * side);
    const image = Float32Array.from({ length: channels * side ** 2 }, (_, p) => pixel(p));
    const named = Object.fromEntries(Object.entries(weights).map(([name, t]) => [`b.${name}`, t]));
    return evaluate(values, { ...named, x: float32(image, [1, channels, side, side]) });
  }

  test('comes with weights that need no data root, and gives the features that it gave', async () => {
    const grids = await found(3);
    expect(grids.map(({ shape }) => shape)).toEqual([
      [1, 64, 4, 4],
      [1, 96, 2, 2],
      [1, 128, 1, 1],
    ]);
    const some = (t: Tensor) => [0, 1, 2, 3, 4, 5].map((k) => Number(t.data[(k * t.data.length) / t.shape[1]]));
    Object.values(golden).forEach((wanted, i) => {
      wanted.forEach((v, k) => {
        expect(some(grids[i])[k]).toBeCloseTo(v, 4);
      });
    });
  });

  test('takes grey images as colour', async () => {
    expect((await found(1)).map(({ data }) => data)).toEqual((await found(3)).map(({ data }) => data));
  });
});

describe('files of weights', () => {
  test.each(['resnet18', 'resnet50', 'wide_resnet50_2', 'vgg19'])(
    '%s loads a file with the names of torchvision',
    async (name) => {
      const backbone = findBackbone(name);
      const tensors = await loadWeights(backbone, { root, path: fileOf(backbone) });
      expect(Object.keys(tensors)).toEqual([...tensorsOf(backbone).keys()]);
    },
    240_000,
  );

  test('missing, extra and misshapen tensors are named; subnormal numbers become 0', async () => {
    const backbone = findBackbone('squeezenet1_1');
    const path = fileOf(backbone, (tensors) => {
      delete tensors['features.3.squeeze.bias'];
      tensors['fc.weight'] = float32([1]);
      tensors['features.4.squeeze.bias'] = float32([1, 2]);
    });
    await expect(loadWeights(backbone, { root, path })).rejects.toMatchObject({
      code: 'weights-mismatch',
      message: expect.stringMatching(
        /features\.3\.squeeze\.bias is missing; features\.4\.squeeze\.bias has the shape \[2\] and not \[16\]; fc\.weight/,
      ),
    });
    const whole = fileOf(backbone, (tensors) => {
      (tensors['features.0.bias'].data as Float32Array).set([1e-39, 2e-38]);
    });
    const { 'features.0.bias': bias } = await loadWeights(backbone, { root, path: whole });
    expect(Array.from(bias.data.slice(0, 3) as Float32Array)).toEqual([0, Math.fround(2e-38), Math.fround(0.01)]);
  });

  test('no file, another file, another kind of file', async () => {
    const none = join(folder, 'none');
    const squeezenet = findBackbone('squeezenet1_1');
    await expect(loadWeights(squeezenet, { root: none })).rejects.toMatchObject({ code: 'weights-missing' });
    await expect(loadWeights(findBackbone('vgg19'), { root })).rejects.toMatchObject({ code: 'weights-needed' });
    const path = join(folder, 'weights.bin');
    writeFileSync(path, 'x');
    await expect(loadWeights(squeezenet, { root, path })).rejects.toMatchObject({ code: 'weights-kind' });
    const changed: Backbone = { ...squeezenet, weights: { ...squeezenet.weights!, file: 'weights.bin' } };
    await expect(loadWeights(changed, { root: folder })).rejects.toMatchObject({ code: 'checksum' });
  });
});
