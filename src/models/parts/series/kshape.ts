/**
 * The k typical shapes of a series, and how far each of its windows lies from them (KShapeAD: SAND of Boniol et al. 2021
 * without its stream). Pieces of four windows are clustered by k-shape (Paparrizos and Gravano 2015): the distance of two
 * pieces is 1 − the largest normalised cross-correlation over all shifts, and a centroid is the unit shape closest to its
 * aligned members. A shape weighs by how many pieces it has and how near it is to the other shapes; the score of a window is
 * the weighted mean of its distances to the nearest window of each shape. Deviations: steps at both ends take the mean over
 * the windows that cover them, the weight does not decay with age, and a shape that loses its pieces starts anew from the
 * piece that fits worst. Left out: updating in batches.
 */
import { fourier, powerOfTwo } from '../../../core/fourier.ts';
import type { Rng } from '../../../core/random.ts';
import { stepsAtLeast } from '../../../data/series/check.ts';
import { meanOfWindows } from '../../../data/series/windows.ts';
import { joinProfile } from './matrix-profile.ts';

/** Rounds of clustering at most, the gain that ends them, and products for a centroid at most. */
const ROUNDS = { most: 100, tolerance: 1e-6, products: 200 };
/** Clusterings from different first centroids, of which the closest is kept: single ones differ much. */
const STARTS = 5;
/** Windows in a piece. */
const PIECE = 4;

/** Typical shapes of pieces of a series. */
export interface Shapes {
  /** Steps of a window. */
  readonly length: number;
  /** `[k][4 L]`. */
  readonly shapes: readonly Float64Array[];
  /** What each counts, sum 1. */
  readonly weights: readonly number[];
}

/**
 * Learns `k` shapes (published: 6) from pieces of 4 L steps of a series `[T]`, one every ⌊1.5 L⌋ steps; fewer where there
 * are not two pieces for each. DataError where there is no piece, or a value is not finite.
 */
export function fitShapes(values: Float64Array, length: number, k: number, rng: Rng): Shapes {
  const size = PIECE * length;
  const stride = Math.max(1, Math.floor(1.5 * length));
  const steps = stepsAtLeast(values, size + 1, `Learning shapes of ${size} steps`);
  const pieces: Float64Array[] = [];
  for (let from = 0; from + size < steps; from += stride) pieces.push(values.slice(from, from + size));
  const { centroids, own } = bestOfStarts(pieces, Math.min(k, Math.max(1, Math.floor(pieces.length / 2))), rng);
  const clusters = centroids.map((shape, c) => ({ shape, count: own.filter((o) => o === c).length }));
  return weighed(
    length,
    clusters.filter(({ count }) => count > 0),
  );
}

/** Scores of steps `[T]`, at least 0. DataError where the series is shorter than a window or not finite. */
export function shapeScores({ length, shapes, weights }: Shapes, values: Float64Array): Float64Array {
  const steps = stepsAtLeast(values, length, `A window of ${length} steps`);
  const sums = new Float64Array(steps - length + 1);
  for (const [c, shape] of shapes.entries()) {
    const { distance } = joinProfile(values, shape, length);
    for (let i = 0; i < sums.length; i++) sums[i] += weights[c] * distance[i];
  }
  return meanOfWindows(sums, { steps, length, stride: 1 });
}

/** Shapes with their weights: those of many pieces, and near to the others, count more. */
export function weighed(length: number, clusters: readonly { shape: Float64Array; count: number }[]): Shapes {
  const spread = (values: number[]) => {
    const [least, largest] = [Math.min(...values), Math.max(...values)];
    return values.map((value) => (value - least) / (largest - least + 1e-7) + 1);
  };
  const frequency = spread(clusters.map(({ count }) => count));
  const remoteness = spread(
    clusters.map(({ shape }) => clusters.reduce((sum, other) => sum + 1 - aligned(shape, other.shape).similarity, 0)),
  );
  const weights = frequency.map((f, c) => f ** 2 / remoteness[c]);
  const total = weights.reduce((a, b) => a + b, 0);
  return { length, shapes: clusters.map(({ shape }) => shape), weights: weights.map((weight) => weight / total) };
}

/** Pieces by shape. */
export interface Clusters {
  readonly centroids: Float64Array[];
  /** The centroid of each piece. */
  readonly own: Int32Array;
  /** Mean distance of the pieces to their centroids. */
  readonly distance: number;
}

/** The closest of several clusterings of pieces of one length into `k` shapes; k at most the number of pieces. */
export function bestOfStarts(
  pieces: readonly Float64Array[],
  k: number,
  rng: Rng,
  { starts, rounds } = { starts: STARTS, rounds: ROUNDS.most },
): Clusters {
  const found = Array.from({ length: starts }, (_, start) => kShape(pieces, k, rng.split(start), rounds));
  return found.reduce((best, one) => (one.distance < best.distance ? one : best));
}

/** k-shape from pieces that are drawn as the first centroids. */
function kShape(pieces: readonly Float64Array[], k: number, rng: Rng, rounds: number): Clusters {
  const order = rng.permutation(pieces.length);
  const centroids: Float64Array[] = Array.from({ length: k }, (_, c) => pieces[order[c]].slice());
  const own = new Int32Array(pieces.length);
  const distances = new Float64Array(pieces.length);
  let before = assign(pieces, centroids, own, distances);
  for (let round = 0; round < rounds; round++) {
    for (let c = 0; c < k; c++) {
      const members = pieces.filter((_, i) => own[i] === c);
      if (members.length > 0) centroids[c] = extracted(members, centroids[c]);
      else {
        const worst = distances.indexOf(distances.reduce((a, b) => Math.max(a, b)));
        centroids[c] = pieces[worst].slice();
        distances[worst] = 0;
      }
    }
    const now = assign(pieces, centroids, own, distances);
    const isSettled = !(before - now > ROUNDS.tolerance);
    before = now;
    if (isSettled) break;
  }
  return { centroids, own, distance: before };
}

/** Gives each piece to its nearest centroid; the mean of the distances. */
function assign(
  pieces: readonly Float64Array[],
  centroids: readonly Float64Array[],
  own: Int32Array,
  distances: Float64Array,
): number {
  for (const [i, piece] of pieces.entries()) {
    distances[i] = Number.POSITIVE_INFINITY;
    for (const [c, centroid] of centroids.entries()) {
      const distance = 1 - aligned(centroid, piece).similarity;
      if (distance >= distances[i]) continue;
      distances[i] = distance;
      own[i] = c;
    }
  }
  return distances.reduce((a, b) => a + b, 0) / pieces.length;
}

/** The largest normalised cross-correlation of two pieces, and by how many steps `y` is shifted to the right for it. */
function aligned(x: Float64Array, y: Float64Array): { similarity: number; shift: number } {
  const [n, size] = [x.length, powerOfTwo(2 * x.length)];
  // One transform of both: x in the real part, y in the imaginary one.
  const [re, im] = [new Float64Array(size), new Float64Array(size)];
  re.set(x);
  im.set(y);
  fourier(re, im);
  const [pr, pi] = [new Float64Array(size), new Float64Array(size)];
  for (let k = 0; k < size; k++) {
    const m = (size - k) % size;
    // X = (F_k + conj F_m)/2, Y = (F_k − conj F_m)/2i; the product is X · conj Y.
    const [xr, xi] = [(re[k] + re[m]) / 2, (im[k] - im[m]) / 2];
    const [yr, yi] = [(im[k] + im[m]) / 2, (re[m] - re[k]) / 2];
    pr[k] = xr * yr + xi * yi;
    pi[k] = xi * yr - xr * yi;
  }
  fourier(pr, pi, true);
  const norm = Math.sqrt(squareOf(x) * squareOf(y));
  let [best, shift] = [Number.NEGATIVE_INFINITY, 0];
  for (let s = 1 - n; s < n; s++) {
    const value = pr[(s + size) % size];
    if (value > best) [best, shift] = [value, s];
  }
  return { similarity: norm > 0 ? best / norm : 0, shift };
}

function squareOf(x: Float64Array): number {
  let sum = 0;
  for (const value of x) sum += value * value;
  return sum;
}

/** The shape of members that are aligned to the centroid: the largest principal axis of what is left without their means. */
function extracted(members: readonly Float64Array[], centroid: Float64Array): Float64Array {
  const n = centroid.length;
  const rows = members.map((member) => {
    const { shift } = aligned(centroid, member);
    const out = new Float64Array(n);
    for (let t = Math.max(0, shift); t < Math.min(n, n + shift); t++) out[t] = member[t - shift];
    return out;
  });
  const centres = rows.map((row) => withoutMean(row));
  let axis: Float64Array = unit(
    centres.reduce((sum, row) => sum.map((value, t) => value + row[t]), withoutMean(centroid)),
  );
  for (let turn = 0; turn < ROUNDS.products; turn++) {
    const next = new Float64Array(n);
    for (const row of centres) {
      const p = product(row, axis);
      for (let t = 0; t < n; t++) next[t] += p * row[t];
    }
    const after = unit(next);
    const isSettled = 1 - product(after, axis) < 1e-13;
    axis = after;
    if (isSettled) break;
  }
  // Of the two directions of the axis the one that is nearer to the members.
  const towards = rows.reduce((sum, row) => {
    const [square, p] = [squareOf(row), product(row, axis)];
    return sum + Math.sqrt(Math.max(square + 1 + 2 * p, 0)) - Math.sqrt(Math.max(square + 1 - 2 * p, 0));
  }, 0);
  const scale = (towards < 0 ? -1 : 1) * Math.sqrt(n - 1);
  return axis.map((value) => value * scale);
}

function withoutMean(x: Float64Array): Float64Array {
  const mean = x.reduce((a, b) => a + b, 0) / x.length;
  return x.map((value) => value - mean);
}

function unit(x: Float64Array): Float64Array {
  const norm = Math.sqrt(squareOf(x));
  return norm > 0 ? x.map((value) => value / norm) : x;
}

function product(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let t = 0; t < a.length; t++) sum += a[t] * b[t];
  return sum;
}
