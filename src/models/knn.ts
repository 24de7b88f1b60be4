/**
 * Distance to the k-th nearest neighbour among normal items (Ramaswamy, Rastogi, Shim, SIGMOD 2000), or the mean distance
 * to all k (Angiulli and Pizzuti, PKDD 2002). The bank of normal items is part of the detector. Images are compared pixel
 * by pixel. The bank holds all of them up to 64 MiB; beyond, a random sample stands for all, and a warning says so. Left out:
 * search trees and approximate search.
 */
import * as z from 'zod';
import { itemSize } from '../core/item-shape.ts';
import * as g from '../graph/ops/index.ts';
import { defineModel } from './define.ts';
import { itemMap } from './parts/maps/pool-map.ts';
import { fitNeighbours, scoreNeighbours } from './parts/rows/neighbours.ts';

/** Values that a bank may hold: 64 MiB as float32, as much as a detector should weigh. */
const VALUES = 2 ** 24;

const config = z.strictObject({
  neighbours: z
    .int()
    .min(1)
    .max(1000)
    .default(5)
    .describe('k: the neighbour whose distance counts; at most the size of the bank.'),
  distance: z
    .enum(['largest', 'mean'])
    .default('largest')
    .describe('The distance to the k-th neighbour, or the root mean square of the distances to all k.'),
  bank: z
    .int()
    .min(1)
    .max(1000000)
    .default(1000000)
    .describe('Largest number of training items kept, a random sample if there are more; at most 64 MiB.'),
});

/**
 * Distance to the k-th nearest neighbour in a bank of normal items (Ramaswamy, Rastogi and Shim, SIGMOD 2000).
 * Rows, and images compared pixel by pixel. Nothing is trained; the bank (at most 64 MiB) is stored in the detector,
 * and scoring compares with every item in it.
 */
export const knn = defineModel({
  name: 'knn',
  title: 'Nearest neighbours',
  idea: 'The score of an item is its distance to the k-th nearest of the normal items.',
  paper: 'Ramaswamy, Rastogi, Shim, Efficient algorithms for mining outliers, SIGMOD 2000.',
  learning: 'one-class',
  inputs: ['image', 'table'],
  learns: 'statistics',
  keepsItems: true,
  config,
  presets: {},
  // Of few items the fifth nearest is far away, and its distance says little of how dense they lie.
  defaults: (_, count) => (count < 40 ? { neighbours: Math.max(1, Math.ceil(count / 8)) } : {}),
  tiny: { bank: 64, neighbours: 2 },

  async fit({ bank }, data) {
    const width = itemSize(data.shape);
    const tensors = await fitNeighbours(data, Math.max(1, Math.min(bank, Math.floor(VALUES / width))));
    const [kept] = tensors['knn.bank'].shape;
    const size = `${((4 * kept * width) / 2 ** 20).toFixed(1)} MiB`;
    data.onEvent(
      kept < data.count
        ? {
            type: 'warning',
            code: 'bank-sampled',
            message: `The bank holds ${kept} of ${data.count} training items (${size}), a random sample: distances are to the nearest of these.`,
          }
        : { type: 'log', level: 'info', message: `The bank holds all ${kept} training items (${size}).` },
    );
    return tensors;
  },

  score(options, net, x) {
    const { parts, score } = scoreNeighbours(options, net, x);
    return { map: itemMap(g.reshape(parts, x.shape)), score };
  },
});
