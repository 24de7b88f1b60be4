/** Every model of images, its networks and presets, at sizes small and odd: a sentence, or graphs that can be built. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import * as z from 'zod';
import { findBackbone, tensorsOf } from '../backbones/index.ts';
import { Rng } from '../core/random.ts';
import { sizeOf } from '../core/shape.ts';
import { float32, type Tensors } from '../core/tensor.ts';
import type { Source } from '../data/pure.ts';
import { fitData } from '../engine/fitting/items.ts';
import * as g from '../graph/index.ts';
import * as nn from '../nn/index.ts';
import { openRuntime, type Runtime } from '../runtime/index.ts';
import { type AnyModel, type FitData, type ImageShape, models } from './index.ts';

const small = [
  [4, 4],
  [5, 64],
  [7, 7],
  [8, 8],
  [9, 11],
  [28, 28],
  [32, 32],
  [33, 32],
] as const;
const withChannels = (channels: readonly number[], sizes: readonly (readonly [number, number])[]) =>
  sizes.flatMap(([height, width]) => channels.map((c): ImageShape => [c, height, width]));

let runtime: Runtime;
beforeAll(async () => {
  runtime = await openRuntime('reference');
});
afterAll(() => runtime?.close());

/** Random tensors in the place of a model's pretrained ones. */
function pretrainedFor(model: AnyModel, config: unknown): Tensors {
  const choice = model.backbone?.(config);
  if (!choice) return {};
  const rng = new Rng(3);
  return Object.fromEntries(
    [...tensorsOf(findBackbone(choice.name))].map(([name, shape]) => [
      `backbone.${name}`,
      float32(rng.normals(sizeOf(shape), 0.01, 0.05).map(Math.abs), shape),
    ]),
  );
}

/** Five images, for models that learn by statistics. */
function fewImages(shape: ImageShape, pretrained: Tensors): FitData {
  const [count, size] = [5, shape.reduce((n, d) => n * d, 1)];
  const data = new Rng(1).uniforms(count * size);
  const source = {
    ...{ name: 'few', kind: 'image', shape, classes: ['normal'], items: [], hash: '', licence: '' },
    async read(indices: ArrayLike<number>, out: Float32Array) {
      Array.from(indices).forEach((item, i) => {
        out.set(data.subarray(item * size, (item + 1) * size), i * size);
      });
    },
  } as unknown as Source;
  return fitData({ source, train: Uint32Array.from(Array(count).keys()), rng: new Rng(2), runtime, pretrained });
}

/** What training learns: the shapes of all that the scoring graph may ask for. Tensors of gradients have no values. */
async function learnt(model: AnyModel, config: unknown, shape: ImageShape): Promise<Tensors> {
  if (model.learns === 'gradient') {
    const specs = model
      .phases(config, shape)
      .flatMap(({ phase }) => nn.assemble(phase, { shape: [2, ...shape], classes: 2 }).specs);
    const empty = new Float32Array(0);
    return Object.fromEntries(specs.map((s) => [s.name, { dtype: 'float32', shape: s.shape, data: empty }]));
  }
  const pretrained = pretrainedFor(model, config);
  if (model.learns === 'none') return pretrained;
  return { ...pretrained, ...(await model.fit(config, fewImages(shape, pretrained))) };
}

/** The values of an option `network`, where a model has one. */
function networksOf(model: AnyModel): string[] {
  const { properties } = z.toJSONSchema(model.config, { io: 'input' }) as {
    properties?: { network?: { enum?: string[] } };
  };
  return properties?.network?.enum ?? [];
}

const cases = models
  .filter((model) => model.inputs.includes('image'))
  .flatMap((model) => [
    ...[undefined, ...networksOf(model)].map(
      (network) => [model.name, network ?? 'tiny', model, network ? { ...model.tiny, network } : model.tiny] as const,
    ),
    ...Object.entries(model.presets).map(([preset, some]) => [model.name, `preset ${preset}`, model, some] as const),
  ]);

it.each(cases)('%s, %s: a sentence for small images, graphs for all others', async (name, how, model, some) => {
  let built = 0;
  // Networks of one size are built at theirs.
  for (const shape of [...withChannels(how.startsWith('preset') ? [3] : [1, 3], small), [1, 256, 256] as const]) {
    if (shape[1] === 256 && built > 0) break;
    const config = model.config.parse({ ...model.defaults?.(shape, 100, some), ...some });
    const problem = model.unsuitable?.(config, shape);
    if (problem !== undefined) {
      expect(problem).toMatch(/ needs (images|image sides) .*, got \d+ × \d+\.$/);
      continue;
    }
    built++;
    const at = `${name} at ${shape.join('x')}`;
    const tensors = await learnt(model, config, shape);
    const trace = new nn.Trace(false, tensors);
    const x = g.input('x', ['N', ...shape]);
    const { score, map } = model.score(config, (group) => trace.group(group), x);
    expect([score.shape, map.shape], at).toEqual([['N'], ['N', 1, shape[1], shape[2]]]);
    for (const [wanted, { spec }] of [...trace.parameters, ...trace.buffers])
      expect(tensors[wanted]?.shape, `${wanted} of ${at}`).toEqual(spec.shape);
  }
  expect(built).toBeGreaterThan(0);
});
