/** Registration: parts at any turn and place are laid on one another, and what is odd on them is found where it is. */

import { afterAll, beforeAll, expect, it } from 'vitest';
import * as z from 'zod';
import { findBackbone } from '../../dist/backbones/index.js';
import { loadWeights } from '../../dist/backbones/load.js';
import { Rng } from '../../dist/core/random.js';
import { float32, type Tensors } from '../../dist/core/tensor.js';
import { memorySource } from '../../dist/data/index.js';
import type { Source } from '../../dist/data/pure.js';
import { chooseForImages } from '../../dist/engine/choosing/choose.js';
import { fitData } from '../../dist/engine/fitting/items.js';
import { bind } from '../../dist/engine/scoring/graph.js';
import { input } from '../../dist/graph/leaf.js';
import * as g from '../../dist/graph/ops/index.js';
import { defineModel } from '../../dist/models/define.js';
import { aligning, alignOption } from '../../dist/models/parts/alignment.js';
import { Trace } from '../../dist/nn/scope.js';
import { openRuntime, type Runtime } from '../../dist/runtime/index.js';

const [height, width] = [96, 80];
const area = height * width;

/** The mean image, and the difference from it. */
const difference = aligning(
  defineModel({
    name: 'difference',
    title: 'Difference',
    idea: 'The difference from the mean image.',
    paper: '',
    learning: 'one-class',
    inputs: ['image'],
    learns: 'statistics',
    config: z.strictObject({ align: alignOption }),
    presets: {},
    tiny: {},
    async fit(_, data) {
      const mean = new Float32Array(area);
      for await (const { outputs } of data.through('mean', (_net, x) => ({ y: g.mul(x, 1) }), 4)) {
        const x = outputs.y.data as Float32Array;
        for (let i = 0; i < x.length; i++) mean[i % area] += x[i] / data.count;
      }
      return { 'difference.mean': float32(mean, [1, height, width]) };
    },
    score(_, net, x) {
      const map = g.abs(g.sub(x, net('difference').learnt('mean')));
      return { map, score: g.reduceMax(g.flatten(map), { axes: [1] }) };
    },
  }),
);

/** A bar with a head and a hole, turned about the centre and moved, `odd` with a bright spot at a place of the bar. */
function part(rng: Rng, { turns, odd }: { turns: number; odd?: readonly [number, number] }) {
  const angle = turns * 2 * Math.PI * rng.uniform();
  const [ty, tx] = [0, 1].map(() => 8 * (rng.uniform() - 0.5));
  const noise = rng.normals(area, 0, 0.01);
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const place = odd && [cos * odd[0] + sin * odd[1] + ty, cos * odd[1] - sin * odd[0] + tx];
  const soft = (v: number) => 1 / (1 + Math.exp(-v));
  const image = Float32Array.from({ length: area }, (_, p) => {
    const [y, x] = [Math.floor(p / width) - (height - 1) / 2 - ty, (p % width) - (width - 1) / 2 - tx];
    const [v, u] = [cos * y - sin * x, cos * x + sin * y];
    const bar = soft(2 * (5 - Math.abs(v))) * soft(2 * (28 - Math.abs(u)));
    const head = soft(2 * (11 - Math.hypot(v, u + 20)));
    const hole = soft(2 * (4 - Math.hypot(v, u + 20)));
    const spot = odd ? Math.exp(-(Math.hypot(v - odd[0], u - odd[1]) ** 2) / 8) : 0;
    return 0.2 + 0.5 * Math.max(bar, head) * (1 - hole) + 0.3 * spot + noise[p];
  });
  return { image, place };
}

let runtime: Runtime;
beforeAll(async () => {
  runtime = await openRuntime('cpu', { threads: 1 });
});
afterAll(() => runtime.close());

const dataOf = (images: readonly Float32Array[]) =>
  fitData({
    source: {
      shape: [1, height, width],
      async read(items: ArrayLike<number>, out: Float32Array) {
        for (const [i, item] of Array.from(items).entries()) out.set(images[item], i * area);
      },
    } as unknown as Source,
    train: Uint32Array.from(images.keys()),
    rng: new Rng(1),
    runtime,
    pretrained: {},
    onEvent: () => {},
  } as unknown as Parameters<typeof fitData>[0]);

async function learn(align: 'none' | 'shift' | 'turn', images: readonly Float32Array[]): Promise<Tensors> {
  if (difference.learns !== 'statistics') throw new Error('unreachable');
  return difference.fit({ align }, dataOf(images));
}

async function scores(align: 'none' | 'shift' | 'turn', tensors: Tensors, images: readonly Float32Array[]) {
  const trace = new Trace(false, tensors);
  const { score, map } = difference.score(
    { align },
    (group) => trace.group(group),
    input('x', ['N', 1, height, width]),
  );
  const session = await runtime.compile({
    name: 'test',
    outputs: bind('test', { score, map }, trace, tensors),
    carry: {},
  });
  const x = new Float32Array(images.length * area);
  for (const [i, image] of images.entries()) x.set(image, i * area);
  const out = await session.run({ x: float32(x, [images.length, 1, height, width]) });
  await session.close();
  return { scores: [...(out.score.data as Float32Array)], maps: out.map.data as Float32Array };
}

it.each([
  ['shift', 0],
  ['turn', 1],
] as const)('%s: parts are laid on one another, and maps are of the images as they came', async (align, turns) => {
  const rng = new Rng(5);
  const normals = Array.from({ length: 24 }, (_, i) => part(rng.split(i), { turns }).image);
  const others = Array.from({ length: 8 }, (_, i) => part(rng.split(100 + i), { turns }).image);
  const odd = Array.from({ length: 8 }, (_, i) => part(rng.split(200 + i), { turns, odd: [0, 14] }));
  const plain = await scores('none', await learn('none', normals), others);
  const tensors = await learn(align, normals);
  const laid = await scores(align, tensors, others);
  const mean = (values: Float32Array) => values.reduce((a, b) => a + b, 0) / values.length;
  // Noise alone is .008.
  expect(mean(laid.maps)).toBeLessThan(0.01);
  expect(mean(laid.maps)).toBeLessThan(0.5 * mean(plain.maps));
  const found = await scores(
    align,
    tensors,
    odd.map(({ image }) => image),
  );
  expect(Math.min(...found.scores)).toBeGreaterThan(Math.max(...laid.scores));
  for (const [i, { place }] of odd.entries()) {
    const map = found.maps.subarray(i * area, (i + 1) * area);
    const peak = map.indexOf(Math.max(...map));
    const off = [Math.floor(peak / width) - (height - 1) / 2 - place![0], (peak % width) - (width - 1) / 2 - place![1]];
    expect(Math.hypot(...off)).toBeLessThan(3);
  }
});

it('refuses images that have no pose in common', async () => {
  const rng = new Rng(2);
  const noise = Array.from({ length: 12 }, (_, i) => rng.split(i).uniforms(area));
  await expect(learn('turn', noise)).rejects.toMatchObject({ code: 'no-common-pose' });
});

it('is tried by the choice where normals show one part in several poses', async () => {
  const rng = new Rng(7);
  const pixels = new Uint8Array(48 * area);
  for (let i = 0; i < 48; i++)
    pixels.set(
      part(rng.split(i), { turns: 1 }).image.map((v) => Math.round(255 * Math.min(1, Math.max(0, v)))),
      i * area,
    );
  const source = await memorySource({
    name: 'parts',
    title: 'Parts',
    licence: 'none needed: generated',
    shape: [1, height, width],
    classes: ['good'],
    parts: [{ part: 'train', labels: new Uint8Array(48), pixels }],
  });
  const backbone = findBackbone('oddity');
  const { tried, chosen } = await chooseForImages({
    ...{ source, normals: Uint32Array.from(Array(48).keys()), runtime, backbones: [backbone] },
    ...{ platform: { loadBackbone: () => loadWeights(backbone, { root: '' }) }, rng: new Rng(1), onlyOwnSize: true },
  });
  const turned = tried.filter(({ config }) => config.align === 'turn');
  expect(turned).toHaveLength(1);
  const plain = Math.max(...tried.filter((one) => !one.config.align).map(({ figure = 0 }) => figure));
  expect(turned[0].figure).toBeGreaterThan(plain);
  expect(chosen).toBe(turned[0]);
});
