/**
 * Copula-based outlier detection (COPOD, Li et al. 2020): tail probabilities of the empirical copula, which is the product of those
 * of the columns. As the authors' code does, each column gives the larger of the tail on the side of its skew and the mean of
 * both tails, −log; the paper takes the largest of the three sums, which is what `ecod` does. The map has what each column gives,
 * and adds up to the score.
 */
import * as g from '../graph/ops/index.ts';
import { defineModel } from './define.ts';
import { fitTails, tailsConfig, tailsOf } from './parts/tails.ts';

/**
 * Copula-based outlier detection (Li, Zhao, Botta, Ionescu, Hu, ICDM 2020, arXiv 2009.09463): for tables where anomalies are
 * extreme values, most of all on the side to which a column is skewed. No option to tune. Fits by sorting each column,
 * O(N D log N), and scores a row in O(D log N); the detector holds at most `sample` values a column.
 */
export const copod = defineModel({
  name: 'copod',
  title: 'Tails of the empirical copula (COPOD)',
  idea: 'How rare values so far out are, column by column, where a column is skewed on its long side; logarithms add up.',
  paper: 'Li et al., COPOD: copula-based outlier detection, ICDM 2020.',
  learning: 'one-class',
  inputs: ['table'],
  learns: 'statistics',
  config: tailsConfig,
  presets: {},
  tiny: { sample: 200 },

  fit: fitTails,

  score(_, net, x) {
    const { left, right, skewed } = tailsOf(net('tails'), x);
    const map = g.maximum(skewed, g.mul(g.add(left, right), 0.5));
    return { map, score: g.reduceSum(map, { axes: [1] }) };
  },
});
