import { describe, expect, it } from 'vitest';
import { Rng } from '../core/random.ts';
import { type Source, synthetic } from '../data/index.ts';
import { findProtocol } from '../data/protocol.ts';
import { findModel } from '../models/index.ts';
import type { AssembledPhase, Feed } from '../nn/training.ts';
import type { Session } from '../runtime/index.ts';
import { resolveConfig } from './config.ts';
import { Feeder, fitData, planOf, trainingItems } from './fit.ts';

const feeds: Feed[] = [
  { name: 'labels/0', kind: 'labels', slot: 0, shape: [8] },
  { name: 'batch/0', kind: 'batch', slot: 0, shape: [8, 1, 16, 16] },
  { name: 'classes/0', kind: 'classes', slot: 0, shape: [8, 2] },
];

/** Batches of a split of made-up textures, one item in four anomalous, with the true label of every item. */
async function fed(anomalyShare?: number) {
  const source = await synthetic();
  const rng = new Rng(2);
  const split = findProtocol('labelled').split(source, { class: 'blob', labelledFraction: 1 / 3, rng });
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
    { phase: { name: 'fit', steps: [] }, batchSize: 8, anomalyShare, perEpoch: 1, total: 1 },
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

describe('the plan of a phase', () => {
  const phase = { name: 'fit', steps: [] };
  const plan = (n: number, minSteps?: number) => {
    const said: string[] = [];
    const made = planOf(
      { phase, epochs: 10, batchSize: 64, minSteps },
      {
        train: new Uint32Array(n),
        onEvent: (event) => {
          if (event.type === 'log') said.push(event.message);
        },
      },
    );
    return { ...made, said };
  };

  it('has whole epochs, as many as the least number of steps takes', () => {
    expect(plan(216)).toMatchObject({ perEpoch: 3, total: 30, said: [] });
    expect(plan(216, 400)).toMatchObject({ perEpoch: 3, total: 402 });
    expect(plan(216, 400).said).toEqual([
      '216 training items in 10 epochs are 30 steps of "fit", fewer than 400: it makes 134 epochs, 402 steps.',
    ]);
  });

  it('is that of the epochs where somebody says how many', () => {
    const autoencoder = findModel('autoencoder');
    expect(resolveConfig(autoencoder)).toMatchObject({ epochs: 10, minSteps: 100 });
    expect(resolveConfig(autoencoder, { config: { epochs: 3 } })).toMatchObject({ epochs: 3, minSteps: 0 });
    expect(resolveConfig(autoencoder, { config: { epochs: 3, minSteps: 9 } })).toMatchObject({ minSteps: 9 });
    expect(resolveConfig(autoencoder, { preset: 'cae-ssim' })).toMatchObject({ epochs: 200, minSteps: 0 });
  });

  it('keeps the epochs of many items', () => {
    expect(plan(6400, 400)).toMatchObject({ perEpoch: 100, total: 1000, said: [] });
  });
});

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

  it('keep anomalies from models that are not supervised', async () => {
    const { split, source, rng } = await fed();
    const { train, labels } = trainingItems(findModel('autoencoder'), split);
    expect([...train].every((i) => source.items[i].class === 0)).toBe(true);
    expect(train.length).toBe(split.trainLabels.filter((y) => y === 0).length);
    expect(labels.every((y) => y === 0)).toBe(true);
    expect(fitData({ source, train, rng }).count).toBe(train.length);
  });
});
