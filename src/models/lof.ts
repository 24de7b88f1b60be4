/**
 * Local outlier factor (LOF, Breunig et al. 2000) for new rows: how much sparser a row lies than its nearest training rows do among
 * themselves. Densities follow scikit-learn (1e-10 added to mean reachability distances), as in series. The score is spread
 * over the columns of the map by the squared differences to the neighbours. Left out: ties at the k-th distance, search trees.
 * Of a row with more than k equal ones the density is all but infinite, and what lies beside it scores very high.
 */
import * as z from 'zod';
import { DataError } from '../core/errors.ts';
import { float32 } from '../core/tensor.ts';
import * as g from '../graph/ops/index.ts';
import { defineModel } from './define.ts';
import { sampleItems } from './parts/fitting/sample.ts';
import { fitLof, SMALL } from './parts/series/lof.ts';

const config = z.strictObject({
  neighbours: z
    .int()
    .min(1)
    .max(1000)
    .default(20)
    .describe('k: neighbours with which the density of a row is compared; fewer than there are rows in the bank.'),
  bank: z
    .int()
    .min(2)
    .max(100000)
    .default(10000)
    .describe('Largest number of training rows kept, a random sample if there are more; at most 256 MiB.'),
});

/**
 * Local outlier factor (Breunig, Kriegel, Ng, Sander, SIGMOD 2000), about 1 for a row as dense as its neighbours: for tables
 * whose normal rows lie in groups of different density. Fitting compares all rows of the bank with each other, O(M² D), some
 * seconds at 10,000; scoring compares with every one of them.
 */
export const lof = defineModel({
  name: 'lof',
  title: 'Local outlier factor',
  idea: 'How much sparser a row lies than its nearest normal rows do; what is far from a dense group is anomalous.',
  paper: 'Breunig, Kriegel, Ng, Sander, LOF: identifying density-based local outliers, SIGMOD 2000.',
  learning: 'one-class',
  inputs: ['table'],
  learns: 'statistics',
  keepsItems: true,
  config,
  presets: {},
  tiny: { bank: 200, neighbours: 10 },

  async fit({ bank, neighbours }, data) {
    const { rows, width, items } = await sampleItems(data, bank);
    if (rows < 2) {
      throw new DataError(
        'too-few',
        `lof: a row is compared with its neighbours, so at least 2 training rows are needed, found ${rows}. Add rows.`,
      );
    }
    // Distances do not change, and near 0 float32 is finest.
    const mean = new Float64Array(width);
    for (let i = 0; i < items.length; i++) mean[i % width] += items[i] / rows;
    const middle = Float32Array.from(mean);
    for (let i = 0; i < items.length; i++) items[i] -= middle[i % width];
    const { reach, density } = fitLof(Float64Array.from(items), width, Math.min(neighbours, rows - 1));
    const halves = new Float64Array(rows);
    for (let i = 0; i < items.length; i++) halves[Math.floor(i / width)] += items[i] ** 2 / 2;
    return {
      'lof.mean': float32(middle, [width]),
      'lof.bank': float32(items, [rows, width]),
      'lof.halves': float32(halves, [rows]),
      'lof.reach': float32(reach, [rows]),
      'lof.density': float32(density, [rows]),
    };
  },

  score({ neighbours }, net, x) {
    const lof = net('lof');
    const bank = lof.learnt('bank'); // [M,D]
    const [rows, width] = bank.shape as number[];
    const centred = g.sub(x, lof.learnt('mean')); // [N,D]
    // ½|x − b|² = ½|x|² − x·b + ½|b|²: the nearest have the largest x·b − ½|b|². [N,M]
    const nearness = g.sub(g.matMul(centred, bank, { transposeB: true }), lof.learnt('halves'));
    const { indices } = g.topK(nearness, Math.min(neighbours, rows - 1)); // [N,K]
    const near = g.gather(bank, indices, 0); // [N,K,D]
    const squares = g.square(g.sub(g.reshape(centred, [x.shape[0], 1, width]), near));
    const distances = g.sqrt(g.reduceSum(squares, { axes: [2] })); // [N,K]
    const reached = g.maximum(distances, g.gather(lof.learnt('reach'), indices, 0));
    // Mean density of the neighbours over the own, which is 1 / (mean reachability distance + 1e-10).
    const theirs = g.reduceMean(g.gather(lof.learnt('density'), indices, 0), { axes: [1] }); // [N]
    const score = g.mul(theirs, g.add(g.reduceMean(reached, { axes: [1] }), SMALL));
    const perColumn = g.reduceSum(squares, { axes: [1] }); // [N,D]
    const share = g.div(perColumn, g.add(g.reduceSum(perColumn, { axes: [1], keep: true }), 1e-30));
    return { map: g.mul(share, g.reshape(score, [x.shape[0], 1])), score };
  },
});
