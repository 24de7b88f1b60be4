/**
 * Distance to the k-th nearest neighbour among normal items (Ramaswamy, Rastogi, Shim, SIGMOD 2000), or the mean distance
 * to all k (Angiulli and Pizzuti, PKDD 2002). The bank of normal items is part of the detector. Images are compared pixel
 * by pixel. Left out: search trees and approximate search; where the training part is larger than the bank, a random
 * sample of it stands for all.
 */
import * as z from 'zod';
import { float32 } from '../core/tensor.ts';
import * as g from '../graph/ops/index.ts';
import { defineModel } from './define.ts';
import { sampleItems } from './parts/fitting/sample.ts';
import { itemMap, poolMap } from './parts/maps/pool-map.ts';

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
    .default(10000)
    .describe('Largest number of training items kept, a random sample if there are more; at most 256 MiB.'),
});

/**
 * Distance to the k-th nearest neighbour in a bank of normal items (Ramaswamy, Rastogi and Shim, SIGMOD 2000).
 * Rows, and images compared pixel by pixel. Nothing is trained; the bank (at most 256 MiB) is stored in the detector,
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
  startFor: { table: 'compares a row with the normal rows that are most like it, needs no tuning and fits in seconds' },
  keepsItems: true,
  config,
  presets: {},
  // Of few items the fifth nearest is far away, and its distance says little of how dense they lie.
  defaults: (_, count) => (count < 40 ? { neighbours: Math.max(1, Math.ceil(count / 8)) } : {}),
  tiny: { bank: 64, neighbours: 2 },

  async fit({ bank }, data) {
    const { rows, width, items } = await sampleItems(data, bank);
    const mean = new Float64Array(width);
    for (let i = 0; i < items.length; i++) mean[i % width] += items[i] / rows;
    const middle = Float32Array.from(mean);
    // Half the squared length of each item as seen from the mean: near 0 float32 is finest.
    const halves = new Float64Array(rows);
    for (let i = 0; i < items.length; i++) {
      items[i] -= middle[i % width];
      halves[Math.floor(i / width)] += items[i] ** 2 / 2;
    }
    return {
      'knn.mean': float32(middle, [width]),
      'knn.bank': float32(items, [rows, width]),
      'knn.halves': float32(halves, [rows]),
    };
  },

  score({ neighbours, distance }, net, x) {
    const knn = net('knn');
    const bank = knn.learnt('bank'); // [M,D]
    const [rows, width] = bank.shape as number[];
    const k = Math.min(neighbours, rows);
    const centred = g.sub(g.flatten(x), knn.learnt('mean')); // [N,D]
    // ½|x − b|² = ½|x|² − x·b + ½|b|²: the nearest have the largest x·b − ½|b|². [N,M]
    const nearness = g.sub(g.matMul(centred, bank, { transposeB: true }), knn.learnt('halves'));
    const { indices } = g.topK(nearness, k); // [N,K]
    const chosen = distance === 'mean' ? indices : g.slice(indices, { 1: [k - 1, k] });
    const near = g.gather(bank, chosen, 0); // [N,K,D] or [N,1,D]
    // From the items themselves, because the difference of large products is inexact.
    const squares = g.square(g.sub(g.reshape(centred, [x.shape[0], 1, width]), near));
    const perValue = g.reduceMean(squares, { axes: [1] }); // [N,D]
    return { map: itemMap(g.reshape(perValue, x.shape)), score: g.sqrt(poolMap('sum', perValue)) };
  },
});
