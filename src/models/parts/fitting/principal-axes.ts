/**
 * Principal axes of items that are read in blocks. Which matrix is decomposed follows the sizes: the covariance where
 * features are few, the Gram matrix of the items where these are fewer than the features, and neither where both are
 * many; then every application reads the items again.
 */
import {
  addTransposedTimes,
  type Eigenpairs,
  largestEigenpairs,
  mirrorUpper,
  timesTransposed,
} from '../../../core/linalg.ts';
import type { FitItems } from '../../define.ts';

/** Rows of the largest matrix that is kept (32 MiB as float64), and values of items kept for the Gram matrix (1 GiB). */
const kept = { matrixRows: 2048, itemValues: 2 ** 28 };
/** Values of one block: its products stay well below a second. */
const BLOCK_VALUES = 2 ** 18;
/** Rows that the eigensolver applies at a time, at most. */
const BLOCK_ROWS = 64;
/** An axis with less than this share of the first one's variance is noise of rounding. */
const NO_VARIANCE = 1e-9;

export interface PrincipalAxes {
  /** `[D]`. */
  readonly mean: Float64Array;
  /** Unit vectors, one a row, `[k, D]`; the entry of largest size is positive. */
  readonly axes: Float64Array;
  /** Variance along each axis, descending, with N − 1 below. */
  readonly variances: Float64Array;
  /** Variance along all axes, kept or not. */
  readonly total: number;
}

/**
 * The first `count` principal axes, or with `share` as many as explain that share of the variance, with both the fewer;
 * never more than the items span. The same data and seed give the same axes. `limits` is for tests.
 */
export async function principalAxes(
  data: FitItems,
  wanted: { readonly count?: number; readonly share?: number },
  limits = kept,
): Promise<PrincipalAxes> {
  const { count: n } = data;
  const width = data.shape.reduce((size, d) => size * d, 1);
  const isGram = n < width && n <= limits.matrixRows && n * width <= limits.itemValues;
  const route = isGram ? byGram : width <= limits.matrixRows ? byCovariance : byPasses;
  const enough = (values: Float64Array, trace: number): number => {
    const { count = Number.POSITIVE_INFINITY, share } = wanted;
    if (share === undefined) return count;
    let k = 0;
    for (let sum = 0; k < values.length && k < count && sum < share * trace * (1 - 1e-9); k++) sum += values[k];
    return k;
  };
  const block = Math.min((wanted.count ?? BLOCK_ROWS) + 8, BLOCK_ROWS);
  const { mean, scatter, axes, values } = await route(data, width, async (size, trace, apply) =>
    largestEigenpairs({ size, apply }, (v) => enough(v, trace), { block, rng: data.rng.split('axes') }),
  );
  let k = 0;
  while (k < values.length && values[k] > NO_VARIANCE * values[0]) k++;
  turn(axes, k, width);
  const degrees = Math.max(1, n - 1);
  return {
    mean,
    axes: axes.slice(0, k * width),
    variances: values.slice(0, k).map((v) => v / degrees),
    total: scatter / degrees,
  };
}

type Solve = (
  size: number,
  trace: number,
  apply: (rows: Float64Array, m: number) => Promise<Float64Array>,
) => Promise<Eigenpairs>;

interface Found {
  readonly mean: Float64Array;
  /** Squared distances to the mean, summed. */
  readonly scatter: number;
  readonly axes: Float64Array;
  /** Eigenvalues of the scatter matrix Σ (x − μ)(x − μ)ᵀ. */
  readonly values: Float64Array;
}

/** Items of a block: whole blocks of BLOCK_VALUES, and fours for the products. */
const blockItems = (width: number) => Math.max(4, Math.min(256, 4 * Math.floor(BLOCK_VALUES / width / 4)));

/** One pass: Σ x xᵀ − N μ μᵀ. Float64 sums of values in [0, 1] leave nothing to fear from the difference. */
async function byCovariance(data: FitItems, width: number, solve: Solve): Promise<Found> {
  const mean = new Float64Array(width);
  const matrix = new Float64Array(width * width);
  for await (const { count, data: x } of data.blocks(blockItems(width))) {
    addSums(mean, x, count);
    addTransposedTimes(matrix, x, x, count, true);
  }
  for (let j = 0; j < width; j++) mean[j] /= data.count;
  for (let i = 0; i < width; i++) {
    for (let j = i; j < width; j++) matrix[i * width + j] -= data.count * mean[i] * mean[j];
  }
  mirrorUpper(matrix, width);
  const scatter = traceOf(matrix, width);
  const { values, vectors } = await solve(width, scatter, async (rows, m) => timesTransposed(rows, m, matrix, width));
  return { mean, scatter, axes: vectors, values };
}

/** One pass that keeps the items: the Gram matrix X Xᵀ, centred on both sides; an eigenvector u gives the axis Xᵀu. */
async function byGram(data: FitItems, width: number, solve: Solve): Promise<Found> {
  const n = data.count;
  const mean = new Float64Array(width);
  const items = new Float32Array(n * width);
  const matrix = new Float64Array(n * n);
  let at = 0;
  // Few at a time: each is multiplied with all that came before.
  const few = Math.max(1, Math.min(blockItems(width), Math.floor((64 * BLOCK_VALUES) / (n * width))));
  for await (const { count, data: x } of data.blocks(few)) {
    addSums(mean, x, count);
    items.set(x, at * width);
    const products = timesTransposed(x, count, items.subarray(0, (at + count) * width), at + count);
    for (let i = 0; i < count; i++) {
      for (let j = 0; j <= at + i; j++) matrix[j * n + at + i] = products[i * (at + count) + j];
    }
    at += count;
  }
  for (let j = 0; j < width; j++) mean[j] /= n;
  mirrorUpper(matrix, n);
  const rowMeans = Float64Array.from({ length: n }, (_, i) => sumOf(matrix.subarray(i * n, (i + 1) * n)) / n);
  const allMean = sumOf(rowMeans) / n;
  for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) matrix[i * n + j] += allMean - rowMeans[i] - rowMeans[j];
  const scatter = traceOf(matrix, n);
  const { values, vectors } = await solve(n, scatter, async (rows, m) => timesTransposed(rows, m, matrix, n));
  const k = values.length;
  const axes = new Float64Array(k * width);
  const size = blockItems(width);
  for (let start = 0; start < n; start += size) {
    const count = Math.min(size, n - start);
    const weights = Float64Array.from(
      { length: count * k },
      (_, i) => vectors[(i % k) * n + start + Math.floor(i / k)],
    );
    addTransposedTimes(axes, weights, items.subarray(start * width, (start + count) * width), count);
  }
  normalizeRows(axes, k, width);
  return { mean, scatter, axes, values };
}

/** A pass for the mean, then one for each application: Q ↦ Σ (Q x) xᵀ − N (Q μ) μᵀ. */
async function byPasses(data: FitItems, width: number, solve: Solve): Promise<Found> {
  const mean = new Float64Array(width);
  let squares = 0;
  for await (const { count, data: x } of data.blocks(blockItems(width))) {
    addSums(mean, x, count);
    for (let i = 0; i < x.length; i++) squares += x[i] * x[i];
  }
  for (let j = 0; j < width; j++) mean[j] /= data.count;
  const scatter = squares - data.count * sumOf(mean.map((v) => v * v));
  const apply = async (rows: Float64Array, m: number): Promise<Float64Array> => {
    const out = new Float64Array(m * width);
    for await (const { count, data: x } of data.blocks(blockItems(width))) {
      addTransposedTimes(out, timesTransposed(x, count, rows, m), x, count);
    }
    const along = timesTransposed(rows, m, mean, 1);
    for (let i = 0; i < m; i++) {
      for (let j = 0; j < width; j++) out[i * width + j] -= data.count * along[i] * mean[j];
    }
    return out;
  };
  const { values, vectors } = await solve(width, scatter, apply);
  return { mean, scatter, axes: vectors, values };
}

function addSums(sums: Float64Array, x: Float32Array, count: number): void {
  const width = sums.length;
  for (let i = 0; i < count; i++) for (let j = 0; j < width; j++) sums[j] += x[i * width + j];
}

function sumOf(values: Float64Array): number {
  let sum = 0;
  for (const v of values) sum += v;
  return sum;
}

function traceOf(matrix: Float64Array, n: number): number {
  let sum = 0;
  for (let i = 0; i < n; i++) sum += matrix[i * n + i];
  return sum;
}

function normalizeRows(rows: Float64Array, k: number, width: number): void {
  for (let i = 0; i < k; i++) {
    const row = rows.subarray(i * width, (i + 1) * width);
    const length = Math.sqrt(sumOf(row.map((v) => v * v)));
    if (length > 0) for (let j = 0; j < width; j++) row[j] /= length;
  }
}

/** Signs are arbitrary: the entry of largest size is made positive, the first of equals. */
function turn(axes: Float64Array, k: number, width: number): void {
  for (let i = 0; i < k; i++) {
    const row = axes.subarray(i * width, (i + 1) * width);
    let largest = 0;
    for (const v of row) if (Math.abs(v) > Math.abs(largest)) largest = v;
    if (largest < 0) for (let j = 0; j < width; j++) row[j] = -row[j];
  }
}
