/** Students of the backbone in the box on textures: the teacher stays as it is, the loss falls, spots stand out. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findBackbone } from '../../dist/backbones/index.js';
import { loadWeights } from '../../dist/backbones/load.js';
import { Rng } from '../../dist/core/random.js';
import { sizeOf } from '../../dist/core/shape.js';
import { float32, type Tensors } from '../../dist/core/tensor.js';
import { type Source, synthetic } from '../../dist/data/index.js';
import { fitModel } from '../../dist/engine/fitting/fit.js';
import { scoringProgram } from '../../dist/engine/scoring/graph.js';
import { findModel } from '../../dist/models/index.js';
import { openRuntime, type Runtime } from '../../dist/runtime/index.js';

const SIDE = 32;
let pretrained: Tensors;
let before: Map<string, Float32Array>;
let source: Source;
let runtime: Runtime;

beforeAll(async () => {
  const weights = await loadWeights(findBackbone('oddity'), { root: '.' });
  pretrained = Object.fromEntries(Object.entries(weights).map(([name, tensor]) => [`backbone.${name}`, tensor]));
  before = new Map(Object.entries(pretrained).map(([name, { data }]) => [name, (data as Float32Array).slice()]));
  source = await synthetic({ count: 128, size: SIDE });
  runtime = await openRuntime('cpu', { threads: 1 });
});
afterAll(() => runtime?.close());

/** Class 0 is a texture, class 1 the same with a spot. */
const itemsOf = (label: number, part: string) =>
  Uint32Array.from(
    [...source.items.keys()].filter((i) => source.items[i].class === label && source.items[i].part === part),
  );

/** Trains on textures alone. */
async function trained(name: string, options: object) {
  const model = findModel(name);
  const config = model.config.parse({ ...model.tiny, ...options });
  const { tensors, history } = await fitModel({
    ...{ model, config, source, train: itemsOf(0, 'train'), runtime, pretrained },
    rng: new Rng(5),
    onEvent: () => {},
    save: async () => {},
  });
  const session = await runtime.compile(scoringProgram(model, config, source.shape, tensors));
  const score = async (items: Uint32Array) => {
    const data = new Float32Array(items.length * sizeOf(source.shape));
    await source.read(items, data);
    const { score, map } = await session.run({ image: float32(data, [items.length, ...source.shape]) });
    return { scores: Array.from(score.data, Number), map: map.data as Float32Array };
  };
  const [normal, odd] = [await score(itemsOf(0, 'test')), await score(itemsOf(1, 'test'))];
  await session.close();
  return { tensors, history, normal, odd };
}

/** Share of pairs of a normal and an odd item of which the odd one scores higher. */
const ranked = (normal: readonly number[], odd: readonly number[]) =>
  normal.reduce((sum, n) => sum + odd.filter((o) => o > n).length, 0) / (normal.length * odd.length);

describe.each([
  ['stfpm', {}, 'fit'],
  ['efficient-ad', { epochs: 10 }, 'fit'],
  ['reverse-distillation', {}, 'fit'],
])('%s', (name, options, phase) => {
  let run: Awaited<ReturnType<typeof trained>>;
  beforeAll(async () => {
    run = await trained(name, options);
  }, 180_000);

  it('leaves the teacher as it is', () => {
    const kept = Object.keys(run.tensors).filter((tensor) => tensor.startsWith('backbone.'));
    expect(kept.length).toBeGreaterThan(20);
    for (const tensor of kept) expect(run.tensors[tensor].data, tensor).toEqual(before.get(tensor));
  });

  it('lowers its loss', () => {
    const losses = run.history.filter((record) => record.phase === phase).map((record) => record.trainingLoss);
    expect(losses.at(-1)! / losses[0]).toBeLessThan(0.8);
  });

  it('finds spots that it was not taught, where they are', async () => {
    expect(ranked(run.normal.scores, run.odd.scores)).toBeGreaterThan(0.8);
    const items = itemsOf(1, 'test');
    const masks = new Uint8Array(items.length * SIDE * SIDE);
    await source.readMasks!(items, masks);
    const mean = (wanted: number) => {
      const inside = run.odd.map.filter((_, i) => masks[i] === wanted);
      return inside.reduce((sum, v) => sum + v, 0) / inside.length;
    };
    // A place of the finest grid is 8 pixels, a quarter of the image: spots spread.
    expect(mean(1) / mean(0)).toBeGreaterThan(1.2);
  });
});
