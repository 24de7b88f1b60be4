/** How rare the bins of a row's values are: what `hbos` is, and a member of `ensemble`. */
import { float32, type Tensors } from '../../../core/tensor.ts';
import * as g from '../../../graph/ops/index.ts';
import type { Value } from '../../../graph/value.ts';
import type { Scope } from '../../../nn/scope.ts';
import type { FitItems } from '../../define.ts';
import { sampleItems } from '../fitting/sample.ts';
import { fitHbos, TOLERANCE } from '../series/hbos.ts';
import { channelsOf } from '../shapes.ts';

/** Rows from which histograms are counted, a random sample if there are more. */
const MOST = 1e6;

/** The largest float32 that is not above a number: a float32 is above the one just if it is above the other. */
function roundDown(value: number): number {
  const rounded = Math.fround(value);
  if (rounded <= value) return rounded;
  const bits = new Int32Array(Float32Array.of(rounded).buffer);
  if (rounded === 0) return -(2 ** -149);
  bits[0] += rounded > 0 ? -1 : 1;
  return new Float32Array(bits.buffer)[0];
}

/** Histograms of the columns, from at most a million rows. */
export async function fitColumns(bins: number, data: FitItems): Promise<Tensors> {
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
}

/** The sum over columns, `[N]`, of how rare the bins of rows x are, and what each column gives, `[N, D]`. */
export function scoreColumns(bins: number, net: (group: string) => Scope, x: Value) {
  const histograms = net('histograms');
  const width = channelsOf(x);
  const yes = (condition: ReturnType<typeof g.greater>) => g.cast(condition, 'float32');
  const isBelow = yes(g.greater(histograms.learnt('edges'), g.reshape(x, [x.shape[0], width, 1]))); // [N,D,B−1]
  const bin = g.sub(bins - 1, g.reduceSum(isBelow, { axes: [2] })); // [N,D]
  const low = yes(g.greater(histograms.learnt('low'), x));
  const outside = g.add(low, yes(g.greater(x, histograms.learnt('high'))));
  const place = g.add(g.mul(bin, g.sub(1, outside)), g.mul(outside, bins));
  const losses = g.transpose(histograms.learnt('losses'), [1, 0]); // [B+1,D]
  const parts = g.gatherElements(losses, g.cast(place, 'int64'), 0);
  return { parts, score: g.reduceSum(parts, { axes: [1] }) };
}
