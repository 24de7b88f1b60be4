/**
 * Nearest neighbours among windows, and their distances as scores (Ramaswamy et al. 2000). Windows of one channel that are
 * z-normalised one by one have a way of their own: there a distance follows from a correlation, and a pair costs two products
 * instead of L. Left out: trees and approximate search.
 */
import { timesTransposed } from '../../../core/linalg.ts';
import { stepsAtLeast } from '../../../data/series/check.ts';
import { CovarianceRows } from './correlation-rows.ts';
import { squaredDistanceAt, windowStatistics } from './window-statistics.ts';

/** The k nearest of each of N rows, the nearest first. */
export interface Neighbours {
  readonly k: number;
  /** Euclidean distances `[N, k]`. */
  readonly distance: Float64Array;
  /** Row numbers `[N, k]`. */
  readonly index: Int32Array;
}

/**
 * - `none`: values as they are.
 * - `window`: each window to mean 0 and standard deviation 1 (of a sample, n − 1); one of equal values to zeros. Windows of one
 *   step are normalised across their channels.
 * - `column`: each position over all windows, standard deviation of the population; constant positions to zeros.
 */
export type Normalise = 'none' | 'window' | 'column';

/** A normalised copy of windows `[N, width]`. */
export function normalised(rows: Float64Array, width: number, normalise: Normalise): Float64Array {
  const out = rows.slice();
  const n = rows.length / width;
  if (normalise === 'window') for (let r = 0; r < n; r++) standardise(out, r * width, 1, width, 1);
  if (normalise === 'column') for (let c = 0; c < width; c++) standardise(out, c, width, n, 0);
  return out;
}

function standardise(x: Float64Array, from: number, stride: number, n: number, lost: number): void {
  const at = (i: number) => from + i * stride;
  let mean = 0;
  let isFlat = true;
  for (let i = 0; i < n; i++) {
    mean += x[at(i)] / n;
    isFlat &&= x[at(i)] === x[from];
  }
  let squares = 0;
  for (let i = 0; i < n; i++) squares += (x[at(i)] - mean) ** 2;
  const std = Math.sqrt(squares / (n - lost));
  for (let i = 0; i < n; i++) x[at(i)] = isFlat ? 0 : (x[at(i)] - mean) / std;
}

/**
 * The k nearest other windows of each window of a series `[T]`, all z-normalised one by one (`window`), overlapping ones
 * included. DataError where there are not k + 1 windows, or a value is not finite.
 */
export function windowNeighbours(values: Float64Array, length: number, k: number): Neighbours {
  stepsAtLeast(values, length + k, `Finding ${k} neighbours of windows of ${length} steps`);
  const windows = windowStatistics(values, length);
  const { count, flat, inverseNorm } = windows;
  const rows = new CovarianceRows(windows);
  const nearest = new Nearest(count, k);
  // Squared distances are 2 (L − 1)(1 − correlation); a flat and another window are at L − 1.
  const dissimilar = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    const covariance = rows.next();
    const own = inverseNorm[i];
    for (let j = 0; j < count; j++) dissimilar[j] = 1 - covariance[j] * own * inverseNorm[j];
    if (windows.anyFlat)
      for (let j = 0; j < count; j++) if (flat[i] || flat[j]) dissimilar[j] = flat[i] === flat[j] ? 0 : 0.5;
    dissimilar[i] = Number.POSITIVE_INFINITY;
    nearest.take(i, dissimilar);
  }
  const scale = (length - 1) / length;
  return nearest.exact((i, j) => Math.sqrt(squaredDistanceAt(windows, i, windows, j) * scale));
}

/** Rows whose distances to all others are found at a time. */
const BLOCK = 64;

/**
 * The k nearest of the rows `bank` `[M, width]` of each of `rows` `[N, width]`; without `bank` the k nearest other rows. There
 * must be k of them.
 */
export function rowNeighbours(rows: Float64Array, width: number, k: number, bank?: Float64Array): Neighbours {
  const among = bank ?? rows;
  const [n, m] = [rows.length / width, among.length / width];
  const squares = new Float64Array(m);
  for (let j = 0; j < m; j++) for (let c = j * width; c < (j + 1) * width; c++) squares[j] += among[c] * among[c];
  const nearest = new Nearest(n, k);
  for (let from = 0; from < n; from += BLOCK) {
    const size = Math.min(BLOCK, n - from);
    const products = timesTransposed(rows.subarray(from * width, (from + size) * width), size, among, m);
    for (let r = 0; r < size; r++) {
      const row = products.subarray(r * m, (r + 1) * m);
      // The square of the row itself is the same for all.
      for (let j = 0; j < m; j++) row[j] = squares[j] - 2 * row[j];
      if (!bank) row[from + r] = Number.POSITIVE_INFINITY;
      nearest.take(from + r, row);
    }
  }
  return nearest.exact((i, j) => {
    let sum = 0;
    for (let c = 0; c < width; c++) sum += (rows[i * width + c] - among[j * width + c]) ** 2;
    return Math.sqrt(sum);
  });
}

/** Scores `[N]` from neighbours: the distance of the last of them, or the mean of all. */
export function neighbourScores({ k, distance }: Neighbours, of: 'largest' | 'mean' = 'largest'): Float64Array {
  return new Float64Array(distance.length / k).map((_, i) => {
    if (of === 'largest') return distance[i * k + k - 1];
    let sum = 0;
    for (let j = 0; j < k; j++) sum += distance[i * k + j];
    return sum / k;
  });
}

/** Keeps the k smallest of each row it is given. */
class Nearest {
  private readonly k: number;
  private readonly index: Int32Array;
  private readonly smallest: Float64Array;

  constructor(n: number, k: number) {
    this.k = k;
    this.index = new Int32Array(n * k);
    this.smallest = new Float64Array(k);
  }

  take(i: number, row: Float64Array): void {
    const { k, smallest } = this;
    const index = this.index.subarray(i * k, (i + 1) * k);
    smallest.fill(Number.POSITIVE_INFINITY);
    let limit = Number.POSITIVE_INFINITY;
    for (let j = 0; j < row.length; j++) {
      if (!(row[j] < limit)) continue;
      let at = k - 1;
      for (; at > 0 && smallest[at - 1] > row[j]; at--) {
        smallest[at] = smallest[at - 1];
        index[at] = index[at - 1];
      }
      smallest[at] = row[j];
      index[at] = j;
      limit = smallest[k - 1];
    }
  }

  /** The neighbours with distances anew by the definition, in their order. */
  exact(distanceOf: (i: number, j: number) => number): Neighbours {
    const { k, index } = this;
    const distance = new Float64Array(index.length);
    for (let i = 0; i * k < index.length; i++) {
      const own = Array.from(index.subarray(i * k, (i + 1) * k), (j) => ({ j, d: distanceOf(i, j) }));
      own.sort((a, b) => a.d - b.d || a.j - b.j);
      for (const [at, { j, d }] of own.entries()) {
        index[i * k + at] = j;
        distance[i * k + at] = d;
      }
    }
    return { k, distance, index };
  }
}
