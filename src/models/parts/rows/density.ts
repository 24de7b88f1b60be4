/** The density of a mixture of Gaussians at a row: what `gmm` is, and a member of `ensemble`. */
import { eigenSymmetric } from '../../../core/linalg.ts';
import { float32, type Tensors } from '../../../core/tensor.ts';
import * as g from '../../../graph/ops/index.ts';
import type { Value } from '../../../graph/value.ts';
import type { Scope } from '../../../nn/scope.ts';
import type { FitItems } from '../../define.ts';
import { fitMixture, notPositive } from '../fitting/mixture.ts';
import { sampleItems } from '../fitting/sample.ts';

/** No part of a distance counts for more: differences of infinities would be no numbers. */
const FARTHEST = 1e30;

/** Components that rows suffice for: 20 rows for each column of each. */
export const enoughFor = (width: number, count: number) =>
  Math.max(1, Math.min(5, Math.floor(count / (20 * (width + 1)))));

/** Options of a mixture. */
interface MixtureOptions {
  readonly components: number;
  readonly ridge: number;
  readonly sample: number;
}

/** Means, whitening matrices and logarithms of weights and determinants. Throws DataError `no-variance`. */
export async function fitDensity({ components, ridge, sample }: MixtureOptions, data: FitItems): Promise<Tensors> {
  const { rows, width, items } = await sampleItems(data, sample);
  const k = Math.min(components, rows);
  const { weights, means, covariances } = fitMixture(
    Float64Array.from(items),
    width,
    k,
    ridge,
    data.rng.split('start'),
  );
  const logs = new Float64Array(k);
  const whitening = new Float64Array(k * width * width); // Σ^(−1/2), symmetric
  for (const [c, covariance] of covariances.entries()) {
    const { values, vectors } = eigenSymmetric(covariance, width);
    if (!(values[width - 1] > 0)) throw notPositive();
    logs[c] = Math.log(weights[c]) - (width / 2) * Math.log(2 * Math.PI);
    for (let e = 0; e < width; e++) {
      logs[c] -= Math.log(values[e]) / 2;
      const vector = vectors.subarray(e * width, (e + 1) * width);
      for (let i = 0; i < width; i++) {
        const factor = vector[i] / Math.sqrt(values[e]);
        const from = (c * width + i) * width;
        for (let j = 0; j < width; j++) whitening[from + j] += factor * vector[j];
      }
    }
  }
  return {
    'mixture.means': float32(means, [k, width]),
    'mixture.whitening': float32(whitening, [k, width, width]),
    'mixture.logs': float32(logs, [k]),
  };
}

/** The negative log density of rows x, `[N]`, and the parts of columns in the half squared Mahalanobis distance, `[N, D]`. */
export function scoreDensity(net: (group: string) => Scope, x: Value) {
  const mixture = net('mixture');
  const means = mixture.learnt('means'); // [K,D]
  const [k, width] = means.shape as number[];
  const centred = g.sub(g.reshape(x, [1, x.shape[0], width]), g.reshape(means, [k, 1, width])); // [K,N,D]
  const whitened = g.matMul(centred, mixture.learnt('whitening'));
  const parts = g.minimum(g.mul(g.square(whitened), 0.5), FARTHEST); // they add up to ½ Mahalanobis²
  const logs = g.sub(g.reshape(mixture.learnt('logs'), [k, 1]), g.reduceSum(parts, { axes: [2] })); // [K,N]
  const shares = g.reshape(g.softmax(logs, 0), [k, x.shape[0], 1]);
  return { parts: g.reduceSum(g.mul(parts, shares), { axes: [0] }), score: g.neg(g.logSumExp(logs, { axes: [0] })) };
}
