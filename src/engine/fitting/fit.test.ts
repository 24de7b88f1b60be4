import { describe, expect, it } from 'vitest';
import { Rng } from '../../core/random.ts';
import { findProtocol } from '../../data/protocols/index.ts';
import { type Source, synthetic } from '../../data/pure.ts';
import * as g from '../../graph/ops/index.ts';
import { type AnyModel, findModel } from '../../models/index.ts';
import { pass } from '../../models/parts/fitting/measure.ts';
import * as nn from '../../nn/index.ts';
import type { AssembledPhase, Feed } from '../../nn/training.ts';
import { openRuntime, type Session } from '../../runtime/index.ts';
import { trainingItems } from '../task/training-part.ts';
import { Feeder } from './feeder.ts';
import { fitModel } from './fit.ts';
import { fitData } from './items.ts';

const feeds: Feed[] = [
  { name: 'labels/0', kind: 'labels', slot: 0, shape: [8] },
  { name: 'batch/0', kind: 'batch', slot: 0, shape: [8, 1, 16, 16] },
  { name: 'classes/0', kind: 'classes', slot: 0, shape: [8, 2] },
];

/** Batches of a split of made-up textures, one item in four anomalous, with the true label of every item. */
async function fed(anomalyShare?: number, balanced?: boolean) {
  const source = await synthetic({ classes: balanced ? 3 : 2 });
  const rng = new Rng(2);
  const split = balanced
    ? findProtocol('imbalance').split(source, { class: 'texture', heldOut: [], labelledFraction: 1 / 3, rng })
    : findProtocol('labelled').split(source, { class: 'blob', labelledFraction: 1 / 3, rng });
  const read: number[] = [];
  const spy: Source = {
    ...source,
    async read(indices, out) {
      read.push(...Array.from(indices));
      return source.read(indices, out);
    },
  };
  const feeder = new Feeder(
    { feeds } as unknown as AssembledPhase,
    { inputs: feeds.map((f) => f.name) } as unknown as Session,
    { source: spy, ...trainingItems(findModel('cnn'), split), rng },
    { phase: { name: 'fit', steps: [] }, batchSize: 8, anomalyShare, balanced, perEpoch: 1, total: 1 },
  );
  const { 'labels/0': labels, 'classes/0': classes } = await feeder.at(3, 50);
  const ones = Array.from({ length: 400 }, (_, i) => Array.from(classes.data.slice(2 * i, 2 * i + 2), Number));
  return {
    labels: Array.from(labels.data, Number),
    ones,
    truth: read.map((i) => source.items[i].class),
    split,
    source,
    rng,
  };
}

describe('labels of training items', () => {
  it.each([undefined, 0.5])('reach the steps beside their images (share %s)', async (share) => {
    const { labels, truth } = await fed(share);
    expect(labels).toHaveLength(400);
    expect(labels).toEqual(truth);
    expect(new Set(labels)).toEqual(new Set([0, 1]));
  });

  it('come as classes too, one 1 per row', async () => {
    const { ones, truth } = await fed();
    expect(ones).toEqual(truth.map((number) => [1 - number, number]));
  });

  it('make at least the wanted share of each batch', async () => {
    const { labels } = await fed(0.5);
    for (let k = 0; k < 400; k += 8) expect(labels.slice(k, k + 8).reduce((a, b) => a + b)).toBe(4);
    // More than a tenth of the items are anomalous as it is.
    expect((await fed(0.1)).labels).toEqual((await fed()).labels);
  });

  it('are balanced: half normal, then the classes of anomalies in turn, however many they have', async () => {
    const { labels, truth } = await fed(undefined, true);
    for (let k = 0; k < 400; k += 8) expect(labels.slice(k, k + 8)).toEqual([0, 0, 0, 0, 1, 1, 1, 1]);
    const counts = [0, 1, 2].map((c) => truth.filter((t) => t === c).length);
    expect(counts).toEqual([200, 100, 100]);
  });

  it('keep anomalies from models that are not supervised', async () => {
    const { split, source, rng } = await fed();
    const { train, labels } = trainingItems(findModel('autoencoder'), split);
    expect([...train].every((i) => source.items[i].class === 0)).toBe(true);
    expect(train.length).toBe(split.trainLabels.filter((y) => y === 0).length);
    expect(labels.every((y) => y === 0)).toBe(true);
    const runtime = await openRuntime('reference');
    expect(fitData({ source, train, rng, runtime }).count).toBe(train.length);
  });
});

describe('phases of held-out normals', () => {
  /** The sum of what a pass over them reads, and what it should be of some items. */
  async function summed(count: number) {
    const source = await synthetic();
    const [train, heldOut] = [Uint32Array.from([1, 2, 3]), Uint32Array.from({ length: count }, (_, i) => 10 + i)];
    const model: AnyModel = {
      ...findModel('mean-image'),
      name: 'summing',
      learns: 'gradient',
      phases: () => [
        pass(
          'sum',
          1,
          ({ net, x }) => {
            const total = g.reduceSum(x);
            net('kept').update('sum', g.add(net('kept').buffer('sum', [], nn.zerosInit), total));
            return total;
          },
          { of: 'held-out' },
        ),
      ],
    };
    const runtime = await openRuntime('reference');
    const common = { model, config: {}, source, runtime, rng: new Rng(1), onEvent: () => {}, save: async () => {} };
    const { tensors } = await fitModel({ ...common, train, heldOut });
    const sumOf = async (items: Uint32Array) => {
      const out = new Float32Array(items.length * 16 * 16);
      await source.read(items, out);
      return out.reduce((a, b) => a + b, 0);
    };
    return { found: Number(tensors['kept.sum'].data[0]), train: await sumOf(train), heldOut: await sumOf(heldOut) };
  }

  it('read those, and the training items where there are fewer than ten', async () => {
    const enough = await summed(10);
    expect(enough.found).toBeCloseTo(enough.heldOut, 2);
    const few = await summed(9);
    expect(few.found).toBeCloseTo(few.train, 2);
    expect(few.train).not.toBeCloseTo(few.heldOut, 1);
  });
});

describe('synthetic defects', () => {
  const kinds = ['batch', 'planted', 'masks'] as const;
  const shapes = { batch: [4, 1, 16, 16], planted: [4, 1, 16, 16], masks: [4, 1, 16, 16] };

  /** What a training that starts at an iteration is fed. */
  async function planted(first: number, count: number) {
    const source = await synthetic();
    const train = Uint32Array.from({ length: 40 }, (_, i) => i);
    const made: Feed[] = kinds.map((kind) => ({ name: kind, kind, slot: 0, shape: shapes[kind] }));
    const feeder = new Feeder(
      { feeds: made } as unknown as AssembledPhase,
      { inputs: [...kinds] } as unknown as Session,
      { source, train, rng: new Rng(3) },
      { phase: { name: 'fit', steps: [] }, batchSize: 4, defects: { share: 0.75 }, perEpoch: 10, total: 100 },
    );
    const fed = await feeder.at(first, count);
    return Object.fromEntries(kinds.map((kind) => [kind, Array.from(fed[kind].data, Number)]));
  }

  it('lie on the images of the same batch, where their masks say', async () => {
    const { batch, planted: changed, masks } = await planted(0, 8);
    expect(changed.map((v, p) => Number(v !== batch[p]))).toEqual(masks);
    const images = Array.from({ length: 32 }, (_, i) => masks.slice(256 * i, 256 * (i + 1)).includes(1));
    expect(images.filter((isPlanted) => isPlanted).length).toBeGreaterThan(12);
    expect(images.filter((isPlanted) => !isPlanted).length).toBeGreaterThan(2);
  });

  it('are those of the iteration, wherever a training goes on', async () => {
    const [whole, rest] = [await planted(2, 5), await planted(5, 2)];
    for (const kind of kinds) expect(rest[kind]).toEqual(whole[kind].slice(3 * 1024));
    expect(rest.planted).not.toEqual(whole.planted.slice(0, 2048));
  });
});
