/**
 * Empirical cumulative distributions (ECOD, Li et al. 2022): a row is as anomalous as the tails in which its values lie are thin.
 * The map gives each column −log of the tail that makes the score, and adds up to it. Left out: the largest tail column by
 * column, which the public code adds up instead of taking the largest of the three sums (algorithm 1, which this follows).
 */
import * as g from '../graph/ops/index.ts';
import { defineModel } from './define.ts';
import { fitTails, tailsConfig, tailsOf } from './parts/tails.ts';

/**
 * Empirical cumulative distributions, column by column (Li, Zhao, Hu, Botta, Ionescu, Chen, TKDE 2022, arXiv 2201.00382): for
 * tables of independent columns where anomalies are extreme values. No option to tune; it cannot see an unusual combination of
 * usual values. Fits by sorting each column, O(N D log N), and scores a row in O(D log N); the detector holds at most `sample` values a column.
 */
export const ecod = defineModel({
  name: 'ecod',
  title: 'Tails of columns (ECOD)',
  idea: 'How rare it is, column by column, that a value lies so far out; the negative logarithms of these shares add up.',
  paper:
    'Li et al., ECOD: unsupervised outlier detection using empirical cumulative distribution functions, TKDE 2022.',
  learning: 'one-class',
  inputs: ['table'],
  learns: 'statistics',
  config: tailsConfig,
  presets: {},
  tiny: { sample: 200 },

  fit: fitTails,

  score(_, net, x) {
    const { left, right, skewed } = tailsOf(net('tails'), x);
    const [l, r, s] = [left, right, skewed].map((tail) => g.reduceSum(tail, { axes: [1], keep: true })); // [N,1]
    const largest = g.where(g.greater(l, r), left, right);
    const map = g.where(g.greater(g.maximum(l, r), s), largest, skewed);
    return { map, score: g.reduceSum(map, { axes: [1] }) };
  },
});
