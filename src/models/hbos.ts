/**
 * Histogram-based outlier score (HBOS, Goldstein and Dengel 2012): one histogram a column, of equal widths; rare bins are anomalous.
 * The density of a value is taken relative to the fullest bin of its column, as in the paper, with .1 added so that empty bins
 * score finitely, as PyOD does. A value on an edge belongs to the upper bin both when it is counted and when it is scored, since
 * columns of few values often lie on edges; PyOD, and what is done for series, score it in the lower one. The map has what each
 * column gives, at least 0, and adds up to the score. Left out: bins of equal counts, and the choice of their number.
 */
import * as z from 'zod';
import { float32 } from '../core/tensor.ts';
import * as g from '../graph/ops/index.ts';
import { defineModel } from './define.ts';
import { sampleItems } from './parts/fitting/sample.ts';
import { fitHbos, TOLERANCE } from './parts/series/hbos.ts';
import { channelsOf } from './parts/shapes.ts';

const config = z.strictObject({
  bins: z.int().min(2).max(200).default(10).describe('Bins of equal width between the least and the largest value.'),
});

/** Rows from which histograms are counted, a random sample if there are more. */
const MOST = 1e6;

/** The largest float32 that is not above a number: a float32 is above the one just if it is above the other. */
export function roundDown(value: number): number {
  const rounded = Math.fround(value);
  if (rounded <= value) return rounded;
  const bits = new Int32Array(Float32Array.of(rounded).buffer);
  if (rounded === 0) return -(2 ** -149);
  bits[0] += rounded > 0 ? -1 : 1;
  return new Float32Array(bits.buffer)[0];
}

/**
 * Histogram-based outlier score (Goldstein and Dengel, KI 2012): for a first look at tables of any length whose columns can be
 * judged one by one. The fastest of all to fit, O(N D), and to score, O(D bins); it cannot see an unusual combination of usual
 * values, and few bins blur columns with far extremes.
 */
export const hbos = defineModel({
  name: 'hbos',
  title: 'Histograms of columns (HBOS)',
  idea: 'A histogram of each column; the rarer the bins in which the values of a row lie, the more anomalous the row.',
  paper: 'Goldstein, Dengel, Histogram-based outlier score (HBOS), KI 2012.',
  learning: 'one-class',
  inputs: ['table'],
  learns: 'statistics',
  config,
  presets: {},
  tiny: { bins: 5 },

  async fit({ bins }, data) {
    const { width, items } = await sampleItems(data, MOST);
    const { edges, logs } = fitHbos(Float64Array.from(items), width, bins);
    const losses = new Float64Array(width * (bins + 1)); // the last is that of values far outside
    const inner = new Float32Array(width * (bins - 1));
    const [low, high] = [new Float32Array(width), new Float32Array(width)];
    for (let c = 0; c < width; c++) {
      const log = logs.subarray(c * bins, (c + 1) * bins);
      const edge = edges.subarray(c * (bins + 1), (c + 1) * (bins + 1));
      const fullest = log.reduce((a, b) => Math.max(a, b));
      const emptiest = log.reduce((a, b) => Math.min(a, b));
      const slack = (edge[1] - edge[0]) * TOLERANCE;
      for (let b = 0; b <= bins; b++) losses[c * (bins + 1) + b] = fullest - (b < bins ? log[b] : emptiest);
      for (let b = 1; b < bins; b++) inner[c * (bins - 1) + b - 1] = -roundDown(-edge[b]);
      low[c] = -roundDown(-(edge[0] - slack));
      high[c] = roundDown(edge[bins] + slack);
    }
    return {
      'histograms.edges': float32(inner, [width, bins - 1]),
      'histograms.losses': float32(losses, [width, bins + 1]),
      'histograms.low': float32(low, [width]),
      'histograms.high': float32(high, [width]),
    };
  },

  score({ bins }, net, x) {
    const histograms = net('histograms');
    const width = channelsOf(x);
    const yes = (condition: ReturnType<typeof g.greater>) => g.cast(condition, 'float32');
    const isBelow = yes(g.greater(histograms.learnt('edges'), g.reshape(x, [x.shape[0], width, 1]))); // [N,D,B−1]
    const bin = g.sub(bins - 1, g.reduceSum(isBelow, { axes: [2] })); // [N,D]
    const low = yes(g.greater(histograms.learnt('low'), x));
    const outside = g.add(low, yes(g.greater(x, histograms.learnt('high'))));
    const place = g.add(g.mul(bin, g.sub(1, outside)), g.mul(outside, bins));
    const losses = g.transpose(histograms.learnt('losses'), [1, 0]); // [B+1,D]
    const map = g.gatherElements(losses, g.cast(place, 'int64'), 0);
    return { map, score: g.reduceSum(map, { axes: [1] }) };
  },
});
