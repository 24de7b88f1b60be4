/**
 * k-means of windows, the distance to the nearest centre as the score (KMeansAD: Yairi et al. 2001; constants of TSB-AD: ten
 * centres, windows z-normalised one by one, and the mean over the windows that cover a step). Centres start by k-means++
 * (Arthur and Vassilvitskii 2007). Left out: several starts.
 */
import type { Rng } from '../../../core/random.ts';

/** Rounds at most, and the share of the variance below which a move of the centres ends them. */
const ROUNDS = { most: 300, tolerance: 1e-4 };

/**
 * `k` centres `[k, width]` of rows `[N, width]`, N ≥ k; the same for the same `rng`. A centre that loses all its rows moves to
 * the row that is farthest from its own.
 */
export function kMeans(rows: Float64Array, width: number, k: number, rng: Rng): Float64Array {
  const n = rows.length / width;
  const centres = firstCentres(rows, width, k, rng);
  const own = new Int32Array(n);
  const squares = new Float64Array(n);
  const enough = ROUNDS.tolerance * meanVariance(rows, width);
  for (let round = 0; round < ROUNDS.most; round++) {
    assign(rows, width, centres, own, squares);
    if (moveCentres(rows, width, centres, own, squares) <= enough) break;
  }
  return centres;
}

/** The number `[N]` of the nearest of the centres `[k, width]` to each of the rows `[N, width]`. */
export function nearestCentres(rows: Float64Array, width: number, centres: Float64Array): Int32Array {
  const own = new Int32Array(rows.length / width);
  assign(rows, width, centres, own, new Float64Array(own.length));
  return own;
}

/** The distance `[N]` of rows `[N, width]` to the nearest of the centres `[k, width]`. */
export function centreDistances(rows: Float64Array, width: number, centres: Float64Array): Float64Array {
  const n = rows.length / width;
  const squares = new Float64Array(n);
  assign(rows, width, centres, new Int32Array(n), squares);
  return squares.map(Math.sqrt);
}

function firstCentres(rows: Float64Array, width: number, k: number, rng: Rng): Float64Array {
  const n = rows.length / width;
  const centres = new Float64Array(k * width);
  const squares = new Float64Array(n).fill(Number.POSITIVE_INFINITY);
  let chosen = rng.int(n);
  for (let c = 0; c < k; c++) {
    centres.set(rows.subarray(chosen * width, (chosen + 1) * width), c * width);
    let sum = 0;
    for (let i = 0; i < n; i++) {
      squares[i] = Math.min(squares[i], squareBetween(rows, i * width, centres, c * width, width));
      sum += squares[i];
    }
    let left = rng.uniform() * sum;
    chosen = sum > 0 ? 0 : rng.int(n);
    while (sum > 0 && chosen < n - 1 && left >= squares[chosen]) left -= squares[chosen++];
  }
  return centres;
}

function assign(
  rows: Float64Array,
  width: number,
  centres: Float64Array,
  own: Int32Array,
  squares: Float64Array,
): void {
  for (let i = 0; i < own.length; i++) {
    squares[i] = Number.POSITIVE_INFINITY;
    for (let c = 0; c * width < centres.length; c++) {
      const square = squareBetween(rows, i * width, centres, c * width, width);
      if (square >= squares[i]) continue;
      squares[i] = square;
      own[i] = c;
    }
  }
}

/** Moves the centres to the means of their rows; the sum of the squared moves. */
function moveCentres(
  rows: Float64Array,
  width: number,
  centres: Float64Array,
  own: Int32Array,
  squares: Float64Array,
): number {
  const [means, counts] = [new Float64Array(centres.length), new Int32Array(centres.length / width)];
  for (let i = 0; i < own.length; i++) {
    counts[own[i]]++;
    for (let j = 0; j < width; j++) means[own[i] * width + j] += rows[i * width + j];
  }
  for (let c = 0; c < counts.length; c++) {
    if (counts[c] > 0) {
      for (let j = c * width; j < (c + 1) * width; j++) means[j] /= counts[c];
      continue;
    }
    const farthest = squares.indexOf(squares.reduce((a, b) => Math.max(a, b)));
    means.set(rows.subarray(farthest * width, (farthest + 1) * width), c * width);
    squares[farthest] = 0;
  }
  const moved = squareBetween(means, 0, centres, 0, centres.length);
  centres.set(means);
  return moved;
}

function squareBetween(a: Float64Array, i: number, b: Float64Array, j: number, width: number): number {
  let sum = 0;
  for (let k = 0; k < width; k++) {
    const difference = a[i + k] - b[j + k];
    sum += difference * difference;
  }
  return sum;
}

/** The variance of the rows, the mean over their positions. */
function meanVariance(rows: Float64Array, width: number): number {
  const n = rows.length / width;
  let sum = 0;
  for (let c = 0; c < width; c++) {
    let [mean, squares] = [0, 0];
    for (let i = 0; i < n; i++) mean += rows[i * width + c] / n;
    for (let i = 0; i < n; i++) squares += (rows[i * width + c] - mean) ** 2;
    sum += squares / n;
  }
  return sum / width;
}
