/**
 * LODA (Pevný 2016): histograms of sparse random projections; the score is the mean of −log of the share of the bin in which a row
 * lies. The number of bins follows the penalised likelihood of Birgé and Rozenholc, as in the paper. The map is the paper's score
 * of a column, the t statistic by which projections that use it find the row rarer than those that do not; below 0 it is 0.
 * Shares instead of densities, which differ by a constant; an empty bin, and all outside, count half a row, where the paper says
 * nothing. Left out: learning from a stream.
 */
import * as z from 'zod';
import type { Rng } from '../core/random.ts';
import { float32, type Tensors } from '../core/tensor.ts';
import * as g from '../graph/ops/index.ts';
import { defineModel } from './define.ts';
import { sampleItems } from './parts/fitting/sample.ts';
import { channelsOf } from './parts/shapes.ts';

const config = z.strictObject({
  projections: z.int().min(2).max(2000).default(100).describe('Random projections, each with a histogram.'),
  sample: z
    .int()
    .min(1)
    .max(100000)
    .default(10000)
    .describe('Largest number of training rows that are counted, a random sample if there are more.'),
});

/** Most bins that are tried. */
const BINS = 200;
/** Histograms reach beyond the outermost values by this share of the range, so that rounding leaves none outside. */
const MARGIN = 1e-5;

/** Equal bins from `low`, `step` wide, and −log of the share of each; an empty one counts half a value. */
export interface Histogram {
  readonly low: number;
  readonly step: number;
  readonly losses: Float64Array;
}

/** Of the numbers of bins up to n / log n and 200 the one with the largest Σ n_j log(b n_j / n) − (b − 1 + log(b)^2.5). */
export function histogramOf(values: Float64Array): Histogram {
  const n = values.length;
  const [least, largest] = [values.reduce((a, b) => Math.min(a, b)), values.reduce((a, b) => Math.max(a, b))];
  const margin = MARGIN * (largest - least || Math.max(1, Math.abs(least)));
  const [low, range] = [least - margin, largest - least + 2 * margin];
  let best = { counts: new Float64Array([n]), worth: 0 };
  for (let b = 2; largest > least && b <= Math.min(BINS, n / Math.log(n)); b++) {
    const counts = new Float64Array(b);
    for (const value of values) counts[Math.min(b - 1, Math.floor(((value - low) / range) * b))]++;
    let worth = -(b - 1 + Math.log(b) ** 2.5);
    for (const count of counts) if (count > 0) worth += count * Math.log((b * count) / n);
    if (worth > best.worth) best = { counts, worth };
  }
  return { low, step: range / best.counts.length, losses: best.counts.map((c) => -Math.log(Math.max(c, 0.5) / n)) };
}

/** Directions `[K, D]`, each with √D values that are not 0 and normally distributed, the others 0. */
function directions(count: number, width: number, rng: Rng): Float32Array {
  const used = Math.max(1, Math.round(Math.sqrt(width)));
  const out = new Float32Array(count * width);
  for (let p = 0; p < count; p++) {
    const columns = rng.permutation(width).subarray(0, used);
    const values = rng.normals(used);
    for (const [i, c] of columns.entries()) out[p * width + c] = values[i];
  }
  return out;
}

/** What rows `[N, D]` look like along directions `[K, D]`. */
export function learnHistograms(items: Float32Array, width: number, along: Float32Array): Tensors {
  const [rows, count] = [items.length / width, along.length / width];
  const histograms = Array.from({ length: count }, (_, p) => {
    const values = new Float64Array(rows);
    for (let i = 0; i < items.length; i++) values[Math.floor(i / width)] += items[i] * along[p * width + (i % width)];
    return histogramOf(values);
  });
  // Behind each histogram, and before it, what an empty bin has: row 0 and all from its last bin on.
  const most = Math.max(...histograms.map(({ losses }) => losses.length));
  const losses = new Float32Array((most + 2) * count).fill(-Math.log(0.5 / rows));
  for (const [p, histogram] of histograms.entries())
    for (const [b, loss] of histogram.losses.entries()) losses[(b + 1) * count + p] = loss;
  return {
    'loda.directions': float32(along, [count, width]),
    'loda.low': float32(
      histograms.map(({ low }) => low),
      [count],
    ),
    'loda.step': float32(
      histograms.map(({ step }) => step),
      [count],
    ),
    'loda.losses': float32(losses, [most + 2, count]),
    // Which projections use a column.
    'loda.uses': float32(
      along.map((v) => Number(v !== 0)),
      [count, width],
    ),
  };
}

/**
 * Lightweight online detector of anomalies (Pevný, Machine Learning 102, 2016): for tables of very many rows, and where speed
 * counts; projections of √D columns at a time see what single columns do not show. Fits in O(N K (√D + bins)), scores a row in
 * O(K D); weaker than neighbours on small tables.
 */
export const loda = defineModel({
  name: 'loda',
  title: 'Histograms of random projections (LODA)',
  idea: 'Histograms of many sparse random projections; a row is anomalous that lies in rare bins of most of them.',
  paper: 'Pevný, Loda: lightweight on-line detector of anomalies, Machine Learning 102, 2016.',
  learning: 'one-class',
  inputs: ['table'],
  learns: 'statistics',
  config,
  presets: {},
  tiny: { projections: 50, sample: 300 },

  async fit({ projections, sample }, data) {
    const { width, items } = await sampleItems(data, sample);
    return learnHistograms(items, width, directions(projections, width, data.rng.split('directions')));
  },

  score(_, net, x) {
    const loda = net('loda');
    const [along, uses, losses] = ['directions', 'uses', 'losses'].map((name) => loda.learnt(name));
    const width = channelsOf(x);
    const most = (losses.shape[0] as number) - 2;
    const projected = g.matMul(x, along, { transposeB: true }); // [N,K]
    const bin = g.floor(g.div(g.sub(projected, loda.learnt('low')), loda.learnt('step')));
    const place = g.cast(g.add(g.clip(bin, -1, most), 1), 'int64');
    const rare = g.gatherElements(losses, place, 0); // −log of the share, [N,K]
    const score = g.reduceMean(rare, { axes: [1] });
    if (width === 1) return { map: g.reshape(score, [x.shape[0], 1]), score };
    // The mean, its squared error and whether there are two, over the projections that use a column and over the others. [N,D]
    const over = (chosen: typeof uses) => {
      const n = g.reduceSum(chosen, { axes: [0] }); // [D]
      const safe = g.maximum(n, 2);
      const mean = g.div(g.matMul(rare, chosen), safe);
      const squares = g.sub(g.div(g.matMul(g.square(rare), chosen), safe), g.square(mean));
      return { mean, error: g.div(g.relu(squares), g.sub(safe, 1)), isEnough: g.cast(g.greater(n, 1.5), 'float32') };
    };
    const [own, others] = [over(uses), over(g.sub(1, uses))];
    const t = g.div(g.sub(own.mean, others.mean), g.sqrt(g.add(g.add(own.error, others.error), 1e-12)));
    const isKnown = g.reshape(g.mul(own.isEnough, others.isEnough), [1, width]);
    return { map: g.mul(g.relu(t), isKnown), score };
  },
});
