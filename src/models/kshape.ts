/**
 * Distance of a window to a few typical shapes that k-shape learns (Paparrizos and Gravano, SIGMOD 2015): 1 − the largest
 * normalised cross-correlation over all shifts. As in KShapeAD of TSB-AD (SAND of Boniol et al. 2021 without its stream) the
 * distances to all shapes are weighed, those of many windows and near to the others more. Deviations: shapes are as long as a
 * window, where the published ones are four times as long and compared piece by piece (`parts/series/kshape.ts`); several
 * channels have shapes of their own, and the mean of their distances is the score.
 */
import * as z from 'zod';
import { float32 } from '../core/tensor.ts';
import * as g from '../graph/ops/index.ts';
import type { Value } from '../graph/value.ts';
import { defineModel } from './define.ts';
import { sampleItems } from './parts/fitting/sample.ts';
import { bestOfStarts, weighed } from './parts/series/kshape.ts';
import { needsSteps } from './parts/series/needs-steps.ts';
import { standardWindows, standardWindowsOf } from './parts/series/standard-windows.ts';

const config = z.strictObject({
  shapes: z.int().min(1).max(64).default(6).describe('Shapes that training windows are grouped into, by channel.'),
  windows: z
    .int()
    .min(2)
    .max(100000)
    .default(300)
    .describe('Training windows that shapes are learnt from at most, drawn at random.'),
});

/** Clusterings and rounds at most, by channel: more take longer than a fit of seconds, and few windows change shape then. */
const EFFORT = { starts: 2, rounds: 20 };

/** A unit shape at all shifts as the columns of `[L, 2 L − 1]`: what moves out of the window is lost. */
function shifted(shape: Float64Array, out: Float32Array, from: number, columns: number): void {
  const n = shape.length;
  const norm = Math.sqrt(shape.reduce((sum, value) => sum + value * value, 0)) || 1;
  for (let s = 1 - n; s < n; s++)
    for (let t = Math.max(0, s); t < Math.min(n, n + s); t++) out[t * columns + from + s + n - 1] = shape[t - s] / norm;
}

/**
 * k-shape: the distance of a window to a few typical shapes, whatever their shift, level and size (Paparrizos and Gravano,
 * SIGMOD 2015; KShapeAD of TSB-AD).
 * Series that repeat shapes. Fits in seconds; scoring is one matrix product a channel.
 */
export const kshape = defineModel({
  name: 'kshape',
  title: 'k-shape',
  idea: 'Training windows are grouped into a few shapes; the score is the distance to them at the best shift.',
  paper: 'Paparrizos and Gravano, k-Shape, SIGMOD 2015; Boniol et al., SAND, VLDB 2021.',
  learning: 'one-class',
  inputs: ['series'],
  learns: 'statistics',
  config,
  presets: {},
  tiny: { shapes: 2, windows: 60 },
  unsuitable: (_config, shape) => needsSteps('kshape', 4, shape),

  async fit({ shapes, windows }, data) {
    const [length, channels] = data.shape;
    const { rows, width, items } = await sampleItems(data, windows);
    const values = standardWindowsOf(items, length, channels);
    const columns = shapes * (2 * length - 1);
    const bank = new Float32Array(channels * length * columns);
    const weights = new Float32Array(channels * shapes);
    for (let d = 0; d < channels; d++) {
      const pieces = Array.from({ length: rows }, (_, r) =>
        Float64Array.from({ length }, (_, t) => values[r * width + t * channels + d]),
      );
      const { centroids, own } = bestOfStarts(
        pieces,
        Math.min(shapes, rows),
        data.rng.split('shapes').split(d),
        EFFORT,
      );
      const clusters = centroids.map((shape, c) => ({ shape, count: own.filter((o) => o === c).length }));
      const found = weighed(
        length,
        clusters.filter(({ count }) => count > 0),
      );
      // Places of shapes that lost all their windows keep weight 0.
      const own64 = bank.subarray(d * length * columns, (d + 1) * length * columns);
      for (const [c, shape] of found.shapes.entries()) shifted(shape, own64, c * (2 * length - 1), columns);
      weights.set(found.weights, d * shapes);
    }
    return {
      'kshape.shifted': float32(bank, [channels, length, columns]),
      'kshape.weights': float32(weights, [channels, 1, shapes]),
    };
  },

  score({ shapes }, net, x) {
    const [n, length, channels] = x.shape as [Value['shape'][number], number, number];
    const learnt = net('kshape');
    const standard = standardWindows(x); // [N,L,D], of norm √L
    const byChannel = g.mul(g.transpose(standard, [2, 0, 1]), 1 / Math.sqrt(length)); // [D,N,L]
    const products = g.matMul(byChannel, learnt.learnt('shifted')); // [D,N,k·(2L−1)]
    const shifts = g.reshape(products, [channels, n, shapes, 2 * length - 1]);
    const distances = g.sub(1, g.reduceMax(shifts, { axes: [3] })); // [D,N,k]
    // Cauchy–Schwarz keeps distances at least 0 but for rounding.
    const byItem = g.relu(g.reduceSum(g.mul(distances, learnt.learnt('weights')), { axes: [2] })); // [D,N]
    const own = g.unsqueeze(g.transpose(byItem, [1, 0]), 1); // [N,1,D]
    return { score: g.reduceMean(own, { axes: [1, 2] }), map: g.broadcastTo(own, x.shape) };
  },
});
