/**
 * Principal components of the windows of a series (Sub-PCA of TSB-AD; Aggarwal, Outlier Analysis, 2017): windows are
 * standardised position by position, and all components take part, each divided by the share of the variance that it
 * explains. The score Σ (x·v)² / ratio is a squared length, so it does not depend on the signs of the axes, as the published
 * Σ ‖x − v‖ / ratio does (`parts/series/sub-pca.ts` has that form). Several channels are scored one by one, each in units of
 * its own mean score of the training windows, and added: ours. Left out: choosing components.
 */
import * as z from 'zod';
import { DataError } from '../core/errors.ts';
import { eigenSymmetric } from '../core/linalg.ts';
import { float32 } from '../core/tensor.ts';
import * as g from '../graph/ops/index.ts';
import { defineModel, type FitData } from './define.ts';

const config = z.strictObject({
  windows: z
    .int()
    .min(2)
    .max(1000000)
    .default(20000)
    .describe('Training windows at most, evenly spread over the training part.'),
});

/** Least share of the variance of a component: what is below is rounding of float32 windows. */
const LEAST_RATIO = 1e-9;

/** Sums over windows `[L, D]` of a block, channel by channel. */
interface Sums {
  count: number;
  readonly mean: Float64Array;
  readonly products: Float64Array;
}

/**
 * Principal components of windows: how far a window lies from the mean in directions in which normal windows vary little
 * (Sub-PCA of TSB-AD, without dependence on signs).
 * Series. One pass over the windows; scoring is a matrix product a channel.
 */
export const subPca = defineModel({
  name: 'sub-pca',
  title: 'Principal components of windows',
  idea: 'How far a window lies from the mean window, each direction measured by how much normal windows vary along it.',
  paper: 'Liu and Paparrizos, The elephant in the room: TSB-AD, NeurIPS 2024; Aggarwal, Outlier analysis, 2017.',
  learning: 'one-class',
  inputs: ['series'],
  learns: 'statistics',
  startFor: { series: 'fits in seconds, finds level shifts and odd shapes, and leads benchmarks without training' },
  config,
  presets: {},
  tiny: { windows: 200 },

  async fit({ windows }, data) {
    const [length, channels] = data.shape;
    const { mean, products, count } = await sumsOf(data, windows);
    const scale = new Float64Array(length * channels);
    const whiten = new Float64Array(channels * length * length);
    let varying = 0;
    for (let d = 0; d < channels; d++) {
      const correlation = products.slice(d * length * length, (d + 1) * length * length);
      const spread = Float64Array.from({ length }, (_, i) => Math.sqrt(correlation[i * length + i] / count));
      const isFlat = spread.map((s) => Number(s < 1e-6));
      for (let i = 0; i < length; i++) {
        scale[i * channels + d] = isFlat[i] ? 1 : spread[i];
        for (let j = 0; j < length; j++) {
          const at = i * length + j;
          correlation[at] = isFlat[i] || isFlat[j] ? 0 : correlation[at] / (count * spread[i] * spread[j]);
        }
      }
      const { values, vectors } = eigenSymmetric(correlation, length);
      const total = values.reduce((a, b) => a + Math.max(b, 0), 0);
      if (total === 0) continue;
      varying++;
      // Each component adds the same to the mean score, (x·v)² / ratio = total: the mean score is their number times it.
      const kept = values.filter((value) => value / total > LEAST_RATIO);
      addRoot(whiten, d, { vectors, length, weights: kept.map((value) => 1 / (value * kept.length)) });
    }
    if (varying === 0) {
      throw new DataError(
        'no-variance',
        `sub-pca: training windows must differ from each other, but all ${channels === 1 ? 'are' : 'channels are'} constant. Leave constant channels out, or add steps that vary.`,
      );
    }
    return {
      'sub-pca.mean': float32(mean, [length, channels]),
      'sub-pca.scale': float32(scale, [length, channels]),
      'sub-pca.whiten': float32(whiten, [channels, length, length]),
    };
  },

  score(_config, net, x) {
    const pca = net('sub-pca');
    const standard = g.div(g.sub(x, pca.learnt('mean')), pca.learnt('scale')); // [N,L,D]
    const byChannel = g.transpose(standard, [2, 0, 1]); // [D,N,L]
    // The root of Σ v vᵀ / ratio spreads the score over the steps: its squares are at least 0 and add up to it.
    const parts = g.square(g.matMul(byChannel, pca.learnt('whiten')));
    const map = g.transpose(parts, [1, 2, 0]); // [N,L,D]
    return { map, score: g.reduceSum(parts, { axes: [0, 2] }) };
  },
});

/** Means and centred products of positions, channel by channel, of evenly spread windows. */
async function sumsOf(data: FitData, most: number): Promise<Sums> {
  const [length, channels] = data.shape;
  const size = length * channels;
  const every = Math.max(1, Math.ceil(data.count / most));
  const sums: Sums = { count: 0, mean: new Float64Array(size), products: new Float64Array(channels * length * length) };
  const visit = async (use: (window: Float32Array) => void) => {
    let at = 0;
    for await (const block of data.blocks(1024)) {
      for (let k = 0; k < block.count; k++, at++)
        if (at % every === 0) use(block.data.subarray(k * size, (k + 1) * size));
    }
  };
  await visit((window) => {
    sums.count++;
    for (let i = 0; i < size; i++) sums.mean[i] += window[i];
  });
  for (let i = 0; i < size; i++) sums.mean[i] /= sums.count;
  const centred = new Float64Array(length);
  await visit((window) => {
    for (let d = 0; d < channels; d++) {
      for (let i = 0; i < length; i++) centred[i] = window[i * channels + d] - sums.mean[i * channels + d];
      let to = d * length * length;
      for (let i = 0; i < length; i++, to += length) {
        const own = centred[i];
        for (let j = 0; j < length; j++) sums.products[to + j] += own * centred[j];
      }
    }
  });
  return sums;
}

/** Writes Σ √weight v vᵀ, the symmetric root of Σ weight v vᵀ, as that of channel d. */
function addRoot(
  out: Float64Array,
  d: number,
  { vectors, length, weights }: { vectors: Float64Array; length: number; weights: ArrayLike<number> },
): void {
  const from = d * length * length;
  for (let k = 0; k < weights.length; k++) {
    const root = Math.sqrt(weights[k]);
    for (let i = 0; i < length; i++) {
      const own = root * vectors[k * length + i];
      for (let j = 0; j < length; j++) out[from + i * length + j] += own * vectors[k * length + j];
    }
  }
}
