/**
 * Local outlier factor (Breunig et al. 2000) from nearest neighbours, with the constant of scikit-learn that keeps densities of
 * equal rows finite. Left out: ties at the k-th distance, which the paper takes all and everybody else does not.
 */
import { type Neighbours, rowNeighbours } from './window-neighbours.ts';

/** Added to mean reachability distances. */
export const SMALL = 1e-10;

/** Rows that new ones are compared to. */
export interface Lof {
  readonly k: number;
  readonly width: number;
  /** `[M, width]`. */
  readonly rows: Float64Array;
  /** Distance of each to its k-th neighbour `[M]`. */
  readonly reach: Float64Array;
  /** Local reachability density of each `[M]`. */
  readonly density: Float64Array;
}

/** The factors `[N]` of rows among themselves, from their neighbours; about 1 where a row is as dense as its neighbours. */
export function lofScores(neighbours: Neighbours): Float64Array {
  const density = densities(neighbours, reachOf(neighbours));
  return ratios(neighbours, density, density);
}

/** Keeps `rows` `[M, width]`, M > k, with their densities. */
export function fitLof(rows: Float64Array, width: number, k: number): Lof {
  const neighbours = rowNeighbours(rows, width, k);
  const reach = reachOf(neighbours);
  return { k, width, rows, reach, density: densities(neighbours, reach) };
}

/** The factors of new rows `[N, width]`, each by itself. */
export function scoreLof({ k, width, rows, reach, density }: Lof, queries: Float64Array): Float64Array {
  const neighbours = rowNeighbours(queries, width, k, rows);
  return ratios(neighbours, densities(neighbours, reach), density);
}

function reachOf({ k, distance }: Neighbours): Float64Array {
  return new Float64Array(distance.length / k).map((_, i) => distance[i * k + k - 1]);
}

/** 1 / mean of max(distance, reach of the neighbour). */
function densities({ k, distance, index }: Neighbours, reach: Float64Array): Float64Array {
  return new Float64Array(distance.length / k).map((_, i) => {
    let sum = 0;
    for (let at = i * k; at < (i + 1) * k; at++) sum += Math.max(distance[at], reach[index[at]]);
    return 1 / (sum / k + SMALL);
  });
}

/** Mean density of the neighbours over the own. */
function ratios({ k, index }: Neighbours, own: Float64Array, ofNeighbours: Float64Array): Float64Array {
  return own.map((density, i) => {
    let sum = 0;
    for (let at = i * k; at < (i + 1) * k; at++) sum += ofNeighbours[index[at]];
    return sum / k / density;
  });
}
