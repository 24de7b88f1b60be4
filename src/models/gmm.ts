/**
 * Mixture of Gaussians with full covariances: the score is the negative log density of a row. As scikit-learn's GaussianMixture
 * fits it, with a ridge on each covariance. The map gives each column its part of the half squared Mahalanobis distance, by
 * complete decomposition (Alcala and Qin, Automatica 45, 2009), weighted by how much each component explains of the row.
 * Left out: several starts, other forms of covariances, a number of components that is chosen by a criterion.
 */
import * as z from 'zod';
import { itemSize } from '../core/item-shape.ts';
import { eigenSymmetric } from '../core/linalg.ts';
import { float32 } from '../core/tensor.ts';
import * as g from '../graph/ops/index.ts';
import { defineModel } from './define.ts';
import { fitMixture, notPositive } from './parts/fitting/mixture.ts';
import { sampleItems } from './parts/fitting/sample.ts';

const config = z.strictObject({
  components: z
    .int()
    .min(1)
    .max(100)
    .default(5)
    .describe('Gaussians in the mixture; at most as many as training rows.'),
  ridge: z
    .number()
    .min(0)
    .max(1e6)
    .default(1e-6)
    .describe('Added to the variance of each column in each component, in squared units of the inputs.'),
  sample: z
    .int()
    .min(1)
    .max(1000000)
    .default(10000)
    .describe('Largest number of training rows that are fitted to, a random sample if there are more.'),
});

/** Columns at most: a component has the square of their number as parameters. */
const WIDEST = 1024;

/** No part of a distance counts for more: differences of infinities would be no numbers. */
const FARTHEST = 1e30;

/** Components that rows suffice for: 20 rows for each column of each. */
const enoughFor = (width: number, count: number) => Math.max(1, Math.min(5, Math.floor(count / (20 * (width + 1)))));

/**
 * Mixture of Gaussians with full covariances (Dempster, Laird, Rubin 1977; as a novelty detector Bishop 1994): for tables of some
 * ten columns that depend on each other, in one group or a few. With one component it is the Mahalanobis distance. Fits in rounds of
 * O(N K D²), at most 100, and scores a row in O(K D²); wants many more rows than columns.
 */
export const gmm = defineModel({
  name: 'gmm',
  title: 'Mixture of Gaussians',
  idea: 'A few Gaussians that follow how columns depend on each other; the less dense they are at a row, the more anomalous it is.',
  paper: 'Bishop, Novelty detection and neural network validation, IEE Proceedings 141, 1994.',
  learning: 'one-class',
  inputs: ['table'],
  learns: 'statistics',
  config,
  presets: {},
  defaults: (shape, count) => ({ components: enoughFor(itemSize(shape), count) }),
  tiny: { components: 2, sample: 300 },

  unsuitable: (_, shape) =>
    itemSize(shape) > WIDEST
      ? `gmm takes rows of at most ${WIDEST} columns, got ${itemSize(shape)}: the covariances of so many cannot be estimated. Use pca or knn.`
      : undefined,

  async fit({ components, ridge, sample }, data) {
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
  },

  score(_, net, x) {
    const mixture = net('mixture');
    const means = mixture.learnt('means'); // [K,D]
    const [k, width] = means.shape as number[];
    const centred = g.sub(g.reshape(x, [1, x.shape[0], width]), g.reshape(means, [k, 1, width])); // [K,N,D]
    const whitened = g.matMul(centred, mixture.learnt('whitening'));
    const parts = g.minimum(g.mul(g.square(whitened), 0.5), FARTHEST); // they add up to ½ Mahalanobis²
    const logs = g.sub(g.reshape(mixture.learnt('logs'), [k, 1]), g.reduceSum(parts, { axes: [2] })); // [K,N]
    const shares = g.reshape(g.softmax(logs, 0), [k, x.shape[0], 1]);
    return { map: g.reduceSum(g.mul(parts, shares), { axes: [0] }), score: g.neg(g.logSumExp(logs, { axes: [0] })) };
  },
});
