/**
 * One-class support vector machine (Schölkopf et al. 2001) with a Gaussian kernel: rows that the smallest region with most of
 * the normal rows leaves out are anomalous. Solved exactly on a sample of the rows, so that no random features stand for the
 * kernel; the score is 1 + ρ less the kernel sum, which is 1 less scikit-learn's decision divided by ν n: 1 on the boundary, so that
 * rounding of scores stays small beside them. The map gives each column its mean squared difference to the support vectors, those
 * that count most for the row weighing most. Left out: other kernels.
 */
import * as z from 'zod';
import { float32 } from '../core/tensor.ts';
import * as g from '../graph/ops/index.ts';
import { defineModel } from './define.ts';
import { solveOneClass } from './parts/fitting/one-class-svm.ts';
import { sampleItems } from './parts/fitting/sample.ts';

const config = z.strictObject({
  nu: z
    .number()
    .positive()
    .max(1)
    .default(0.5)
    .describe('ν: the share of the training rows that may lie outside, at most, and that are kept, at least.'),
  gamma: z
    .number()
    .min(0)
    .max(1e6)
    .default(0)
    .describe('γ of the kernel exp(−γ |x − y|²); 0 for 1 / (columns · variance of all values).'),
  sample: z
    .int()
    .min(1)
    .max(5000)
    .default(2000)
    .describe('Largest number of training rows that are fitted to, a random sample if there are more.'),
});

/**
 * One-class support vector machine with a Gaussian kernel (Schölkopf, Platt, Shawe-Taylor, Smola, Williamson, Neural Computation
 * 13, 2001): for tables whose normal rows fill one region of any form. Columns must be of like scale. Fits in O(sample² D) and
 * that many values of memory; scoring compares with all support vectors, at least ν · sample.
 */
export const ocsvm = defineModel({
  name: 'ocsvm',
  title: 'One-class support vector machine',
  idea: 'The smallest region, curved by a Gaussian kernel, that holds most normal rows; what is far outside is anomalous.',
  paper: 'Schölkopf et al., Estimating the support of a high-dimensional distribution, Neural Computation 13, 2001.',
  learning: 'one-class',
  inputs: ['table'],
  learns: 'statistics',
  keepsItems: true,
  config,
  presets: {},
  tiny: { sample: 200 },

  async fit({ nu, gamma, sample }, data) {
    const { rows, width, items } = await sampleItems(data, sample);
    const { mean, variance } = momentsOf(items, width);
    const used = gamma || 1 / (width * (variance || 1));
    const centred = Float64Array.from(items, (value, i) => value - mean[i % width]);
    const { weights, rho } = solveOneClass(gaussian(centred, width, used), rows, nu);
    const kept = Array.from(weights.keys()).filter((i) => weights[i] > 0);
    const vectors = new Float32Array(kept.length * width);
    for (const [at, i] of kept.entries()) vectors.set(centred.subarray(i * width, (i + 1) * width), at * width);
    return {
      'svm.mean': float32(mean, [width]),
      'svm.vectors': float32(vectors, [kept.length, width]),
      'svm.weights': float32(
        kept.map((i) => weights[i]),
        [kept.length],
      ),
      'svm.gamma': float32([used], [1]),
      'svm.rho': float32([rho], [1]),
    };
  },

  score(_, net, x) {
    const [mean, vectors, weights, gamma, rho] = ['mean', 'vectors', 'weights', 'gamma', 'rho'].map((name) =>
      net('svm').learnt(name),
    );
    const centred = g.sub(x, mean);
    const squares = g.square(vectors); // [S,D]
    const lengths = g.reduceSum(g.square(centred), { axes: [1], keep: true }); // [N,1]
    const products = g.matMul(centred, vectors, { transposeB: true }); // [N,S]
    const distances = g.relu(g.sub(g.add(lengths, g.reduceSum(squares, { axes: [1] })), g.mul(products, 2)));
    const exponents = g.neg(g.mul(distances, gamma)); // [N,S]
    const sum = g.reduceSum(g.mul(g.exp(exponents), weights), { axes: [1] });
    // Far out all kernels are 0 in float32, but which count most is still known. Σ w (x − v)², at least 0 but for rounding. [N,D]
    const counts = g.softmax(g.add(exponents, g.log(weights)), 1);
    const crossed = g.mul(g.mul(centred, g.matMul(counts, vectors)), 2);
    const map = g.relu(g.add(g.sub(g.square(centred), crossed), g.matMul(counts, squares)));
    return { map, score: g.sub(g.add(rho, 1), sum) };
  },
});

/** The mean of each column as float32, and the variance of all values of rows `[N, D]` about their common mean. */
function momentsOf(items: Float32Array, width: number): { mean: Float32Array; variance: number } {
  const mean = new Float64Array(width);
  for (let i = 0; i < items.length; i++) mean[i % width] += (items[i] * width) / items.length;
  const middle = mean.reduce((a, b) => a + b, 0) / width;
  let squares = 0;
  for (const value of items) squares += (value - middle) ** 2;
  return { mean: Float32Array.from(mean), variance: squares / items.length };
}

/** exp(−γ |x − y|²) of all pairs of rows `[n, D]`, `[n, n]`. */
function gaussian(rows: Float64Array, width: number, gamma: number): Float64Array {
  const n = rows.length / width;
  const out = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    out[i * n + i] = 1;
    for (let j = 0; j < i; j++) {
      let sum = 0;
      for (let c = 0; c < width; c++) sum += (rows[i * width + c] - rows[j * width + c]) ** 2;
      out[i * n + j] = Math.exp(-gamma * sum);
      out[j * n + i] = out[i * n + j];
    }
  }
  return out;
}
