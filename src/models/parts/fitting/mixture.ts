/**
 * Mixtures of Gaussians with full covariances by expectation maximisation, in float64: rules and constants of scikit-learn's
 * GaussianMixture, from k-means with a k-means++ start. Left out: several starts, tied, diagonal and spherical covariances.
 */
import { DataError } from '../../../core/errors.ts';
import { addTransposedTimes, mirrorUpper } from '../../../core/linalg.ts';
import type { Rng } from '../../../core/random.ts';
import { kMeans, nearestCentres } from '../series/kmeans-windows.ts';

/** Rounds at most, and the change of the mean log likelihood below which they end. */
const ROUNDS = { most: 100, tolerance: 1e-3 };
/** Rows whose products are added up at a time. */
const BLOCK = 512;

/** K Gaussians. */
export interface Mixture {
  /** `[K]`, they add up to 1. */
  readonly weights: Float64Array;
  /** `[K, D]`. */
  readonly means: Float64Array;
  /** `[D, D]` each, with the ridge. */
  readonly covariances: readonly Float64Array[];
}

/**
 * K Gaussians for rows `[N, D]`, N ≥ K; `ridge` is added to the diagonal of each covariance. The same for the same `rng`.
 * @throws DataError `no-variance` where a covariance is not positive definite in spite of the ridge.
 */
export function fitMixture(rows: Float64Array, width: number, k: number, ridge: number, rng: Rng): Mixture {
  const n = rows.length / width;
  const own = nearestCentres(rows, width, kMeans(rows, width, k, rng));
  const shares = new Float64Array(n * k);
  for (let i = 0; i < n; i++) shares[i * k + own[i]] = 1;
  let mixture = maximise(rows, width, k, shares, ridge);
  let before = Number.NEGATIVE_INFINITY;
  for (let round = 0; round < ROUNDS.most; round++) {
    const likelihood = expect(rows, width, mixture, shares);
    mixture = maximise(rows, width, k, shares, ridge);
    if (Math.abs(likelihood - before) < ROUNDS.tolerance) break;
    before = likelihood;
  }
  return mixture;
}

/** Weights, means and covariances from the shares `[N, K]` of the components in the rows. */
function maximise(rows: Float64Array, width: number, k: number, shares: Float64Array, ridge: number): Mixture {
  const n = rows.length / width;
  const totals = new Float64Array(k).fill(10 * Number.EPSILON);
  const means = new Float64Array(k * width);
  for (let i = 0; i < n; i++) {
    for (let c = 0; c < k; c++) {
      const share = shares[i * k + c];
      totals[c] += share;
      for (let j = 0; j < width; j++) means[c * width + j] += share * rows[i * width + j];
    }
  }
  for (let c = 0; c < k; c++) for (let j = 0; j < width; j++) means[c * width + j] /= totals[c];
  const covariances = Array.from({ length: k }, (_, c) => {
    const sums = new Float64Array(width * width);
    for (let from = 0; from < n; from += BLOCK) {
      const size = Math.min(BLOCK, n - from);
      const roots = new Float64Array(size * width);
      for (let i = 0; i < size; i++) {
        const root = Math.sqrt(shares[(from + i) * k + c]);
        for (let j = 0; j < width; j++)
          roots[i * width + j] = root * (rows[(from + i) * width + j] - means[c * width + j]);
      }
      addTransposedTimes(sums, roots, roots, size, true);
    }
    mirrorUpper(sums, width);
    for (let j = 0; j < sums.length; j++) sums[j] /= totals[c];
    for (let j = 0; j < width; j++) sums[j * width + j] += ridge;
    return sums;
  });
  return { weights: totals.map((t) => t / n), means, covariances };
}

/** Writes the shares `[N, K]` of the components in the rows; the mean log likelihood. */
function expect(rows: Float64Array, width: number, mixture: Mixture, shares: Float64Array): number {
  const n = rows.length / width;
  const k = mixture.weights.length;
  const logs = new Float64Array(n * k);
  const solved = new Float64Array(width);
  for (let c = 0; c < k; c++) {
    const factor = cholesky(mixture.covariances[c], width);
    let offset = Math.log(mixture.weights[c]) - (width / 2) * Math.log(2 * Math.PI);
    for (let j = 0; j < width; j++) offset -= Math.log(factor[j * width + j]);
    for (let i = 0; i < n; i++) {
      let squares = 0;
      for (let j = 0; j < width; j++) {
        let value = rows[i * width + j] - mixture.means[c * width + j];
        for (let l = 0; l < j; l++) value -= factor[j * width + l] * solved[l];
        solved[j] = value / factor[j * width + j];
        squares += solved[j] * solved[j];
      }
      logs[i * k + c] = offset - squares / 2;
    }
  }
  let sum = 0;
  for (let i = 0; i < n; i++) {
    const row = logs.subarray(i * k, (i + 1) * k);
    const top = row.reduce((a, b) => Math.max(a, b));
    const total = top + Math.log(row.reduce((s, v) => s + Math.exp(v - top), 0));
    for (let c = 0; c < k; c++) shares[i * k + c] = Math.exp(row[c] - total);
    sum += total;
  }
  return sum / n;
}

/** L with L Lᵀ = the matrix `[D, D]`, lower. */
function cholesky(matrix: Float64Array, width: number): Float64Array {
  const factor = new Float64Array(width * width);
  for (let i = 0; i < width; i++) {
    for (let j = 0; j <= i; j++) {
      let value = matrix[i * width + j];
      for (let l = 0; l < j; l++) value -= factor[i * width + l] * factor[j * width + l];
      if (i > j) factor[i * width + j] = value / factor[j * width + j];
      else if (value > 0) factor[i * width + i] = Math.sqrt(value);
      else throw notPositive();
    }
  }
  return factor;
}

/** Rows follow from each other so exactly that the ridge is lost beside their size. */
export function notPositive(): DataError {
  return new DataError(
    'no-variance',
    'gmm: columns follow from each other so exactly that their covariance cannot be inverted. Give a larger ridge, or scale the columns.',
  );
}
