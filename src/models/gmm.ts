/**
 * Mixture of Gaussians with full covariances: the score is the negative log density of a row. As scikit-learn's GaussianMixture
 * fits it, with a ridge on each covariance. The map gives each column its part of the half squared Mahalanobis distance, by
 * complete decomposition (Alcala and Qin, Automatica 45, 2009), weighted by how much each component explains of the row.
 * Left out: several starts, other forms of covariances, a number of components that is chosen by a criterion.
 */
import * as z from 'zod';
import { itemSize } from '../core/item-shape.ts';
import { defineModel } from './define.ts';
import { enoughFor, fitDensity, scoreDensity } from './parts/rows/density.ts';

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

  fit: (options, data) => fitDensity(options, data),

  score(_, net, x) {
    const { parts, score } = scoreDensity(net, x);
    return { map: parts, score };
  },
});
