/**
 * Distance of a window to the nearest of some centres that k-means learns from training windows (Yairi et al. 2001; KMeansAD
 * of TSB-AD, with ten centres and windows in their own units). Each channel is in its own units. Left out: the mean over all
 * windows that cover a step, because a score here is of one window.
 */
import * as z from 'zod';
import { float32 } from '../core/tensor.ts';
import * as g from '../graph/ops/index.ts';
import { defineModel } from './define.ts';
import { sampleItems } from './parts/fitting/sample.ts';
import { kMeans } from './parts/series/kmeans-windows.ts';
import { standardWindows, standardWindowsOf } from './parts/series/standard-windows.ts';

const config = z.strictObject({
  centres: z.int().min(1).max(10000).default(10).describe('Centres that training windows are grouped around.'),
  normalise: z
    .boolean()
    .default(true)
    .describe('Bring each window to mean 0 and standard deviation 1: shapes count, levels and sizes do not.'),
  windows: z
    .int()
    .min(1)
    .max(1000000)
    .default(10000)
    .describe('Training windows at most, drawn at random from the training part.'),
});

/**
 * k-means of windows: the distance to the nearest of a few typical windows (Yairi et al. 2001; KMeansAD of TSB-AD).
 * Series. Fits in seconds; scoring is one matrix product.
 */
export const kmeansWindows = defineModel({
  name: 'kmeans-windows',
  title: 'k-means of windows',
  idea: 'Training windows are grouped around a few centres; the score is the distance to the nearest one.',
  paper: 'Yairi et al., i-SAIRAS 2001; Liu and Paparrizos, The elephant in the room: TSB-AD, NeurIPS 2024.',
  learning: 'one-class',
  inputs: ['series'],
  learns: 'statistics',
  config,
  presets: {},
  tiny: { centres: 4, windows: 200 },

  async fit({ centres, normalise, windows }, data) {
    const [length, channels] = data.shape;
    const { rows, width, items } = await sampleItems(data, windows);
    const values = normalise ? standardWindowsOf(items, length, channels) : Float64Array.from(items);
    const count = Math.min(centres, rows);
    const found = kMeans(values, width, count, data.rng.split('centres'));
    return { 'kmeans-windows.centres': float32(found, [count, width]) };
  },

  score({ normalise }, net, x) {
    const centres = net('kmeans-windows').learnt('centres'); // [k,L·D]
    const seen = normalise ? standardWindows(x) : x;
    // ½|x − c|² = ½|x|² − x·c + ½|c|²: the nearest has the largest x·c − ½|c|².
    const halves = g.mul(g.reduceSum(g.square(centres), { axes: [1] }), 0.5); // [k]
    const nearness = g.sub(g.matMul(g.flatten(seen), centres, { transposeB: true }), halves); // [N,k]
    const nearest = g.reshape(g.gather(centres, g.topK(nearness, 1).indices, 0), x.shape);
    const map = g.square(g.sub(seen, nearest)); // [N,L,D]
    return { map, score: g.sqrt(g.reduceSum(map, { axes: [1, 2] })) };
  },
});
