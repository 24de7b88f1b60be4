/**
 * The matrix profile of a series: the z-normalised Euclidean distance of each window to the nearest other one (Yeh et al.
 * 2016), to the nearest earlier one, or to the nearest of another series. What is nearest is found from correlations along
 * diagonals; the distance to it is then summed by the definition, so it is exact also close to zero. Constants and the rule
 * of flat windows are those of stumpy, as in TSB-AD: windows within ⌈L/4⌉ steps are no partners, two flat windows are at
 * distance 0, a flat and another one at √L. Left out: several channels (`mmpad.ts`) and top-k.
 */
import { stepsAtLeast } from '../../../data/series/check.ts';
import {
  diagonalRanges,
  mergeProfiles,
  type PartialProfile,
  pairsOfDiagonals,
  profileOfDiagonals,
} from './diagonals.ts';
import {
  covarianceAt,
  restarts,
  squaredDistanceAt,
  updateFactors,
  type WindowStatistics,
  windowStatistics,
} from './window-statistics.ts';

/** The nearest windows, `[N]`, N = T − L + 1. */
export interface Profile {
  /** Distances, 0 to 2 √L. */
  readonly distance: Float64Array;
  /** The start of the nearest window; −1 where there is none, with distance 0. */
  readonly index: Int32Array;
}

/** The nearest diagonal of partners. */
export const firstDiagonal = (length: number): number => Math.ceil(length / 4) + 1;

/** Pairs of windows that `matrixProfile` compares: an estimate of its cost. */
export function profilePairs(steps: number, length: number): number {
  return pairsOfDiagonals(steps - length + 1, firstDiagonal(length));
}

/** The ranges of diagonals for so many workers; each calls `profileOfDiagonals`, and `profileFrom` takes the merged results. */
export function profileRanges(steps: number, length: number, workers: number): [from: number, to: number][] {
  return diagonalRanges(steps - length + 1, firstDiagonal(length), workers);
}

/** The statistics of a series `[T]` whose windows all have a partner; DataError where it is too short or not finite. */
export function profileWindows(values: Float64Array, length: number): WindowStatistics {
  stepsAtLeast(values, length - 1 + 2 * firstDiagonal(length), `A matrix profile of windows of ${length} steps`);
  return windowStatistics(values, length);
}

/**
 * The distance of each window of a series `[T]` to its nearest other window, of `length` L ≥ 2. DataError where a window
 * would have no partner, or a value is not finite.
 */
export function matrixProfile(values: Float64Array, length: number): Profile {
  const windows = profileWindows(values, length);
  return profileFrom(windows, profileOfDiagonals(windows, firstDiagonal(length)));
}

/** The distance to the nearest earlier window, which no later step changes; the first windows have none (index −1). */
export function leftMatrixProfile(values: Float64Array, length: number): Profile {
  const windows = profileWindows(values, length);
  const { left, leftIndex } = profileOfDiagonals(windows, firstDiagonal(length));
  const flats = flatPartners(windows, firstDiagonal(length), true);
  return exact(windows, windows, left, leftIndex, flats);
}

/** The profile from the best partners on all diagonals, such as those that several workers found. */
export function profileFrom(windows: WindowStatistics, ...parts: readonly PartialProfile[]): Profile {
  const { left, leftIndex, right, rightIndex } = mergeProfiles(parts[0], ...parts.slice(1));
  for (let i = 0; i < windows.count; i++) {
    if (!(right[i] > left[i])) continue;
    left[i] = right[i];
    leftIndex[i] = rightIndex[i];
  }
  const flats = flatPartners(windows, firstDiagonal(windows.length), false);
  return exact(windows, windows, left, leftIndex, flats);
}

/** Finds a flat (1) or other (0) partner of window i, at least `first` steps before it or, unless `earlier`, after; else −1. */
function flatPartners({ flat }: WindowStatistics, first: number, earlier: boolean) {
  const firstOf = [flat.indexOf(0), flat.indexOf(1)];
  const lastOf = [flat.lastIndexOf(0), flat.lastIndexOf(1)];
  return (i: number, isFlat: 0 | 1): number => {
    if (firstOf[isFlat] >= 0 && firstOf[isFlat] <= i - first) return firstOf[isFlat];
    return !earlier && lastOf[isFlat] >= i + first ? lastOf[isFlat] : -1;
  };
}

/** Distances by the definition to the partners that were found, after flat windows had their say. */
function exact(
  a: WindowStatistics,
  b: WindowStatistics,
  best: Float64Array,
  index: Int32Array,
  flatPartner: (i: number, isFlat: 0 | 1) => number,
): Profile {
  const distance = new Float64Array(a.count);
  for (let i = 0; i < a.count; i++) {
    if (a.flat[i]) {
      const same = flatPartner(i, 1);
      index[i] = same >= 0 ? same : flatPartner(i, 0);
    } else if (best[i] < 0.5 && b.anyFlat) {
      // A distance of √L is a correlation of one half.
      const other = flatPartner(i, 1);
      if (other >= 0) index[i] = other;
    }
    if (index[i] >= 0) distance[i] = Math.sqrt(squaredDistanceAt(a, i, b, index[i]));
  }
  return { distance, index };
}

/**
 * The distance of each window of `values` `[T]` to the nearest window of `other` `[S]` (an AB-join: no windows are left out).
 * DataError where one is shorter than a window or not finite.
 */
export function joinProfile(values: Float64Array, other: Float64Array, length: number): Profile {
  stepsAtLeast(values, length, `A matrix profile of windows of ${length} steps`);
  stepsAtLeast(other, length, `A matrix profile of windows of ${length} steps`);
  const [a, b] = [windowStatistics(values, length), windowStatistics(other, length)];
  const best = new Float64Array(a.count).fill(Number.NEGATIVE_INFINITY);
  const index = new Int32Array(a.count).fill(-1);
  const [fa, fb] = [updateFactors(a), updateFactors(b)];
  const rows = restarts(a);
  for (const [part, row] of rows.entries()) {
    const next = rows[part + 1] ?? a.count;
    for (let d = row - b.count + 1; d < next; d++) {
      // Pairs (i, i − d).
      const from = Math.max(row, d);
      const end = Math.min(next, b.count + d);
      let cov = covarianceAt(a, from, b, from - d);
      for (let i = from; i < end; i++) {
        const j = i - d;
        if (i > from) cov += fa.df[i] * fb.dg[j] + fb.df[j] * fa.dg[i];
        const scaled = cov * b.inverseNorm[j];
        if (scaled > best[i]) {
          best[i] = scaled;
          index[i] = j;
        }
      }
    }
  }
  for (let i = 0; i < a.count; i++) best[i] *= a.inverseNorm[i];
  return exact(a, b, best, index, flatPartners(b, Number.NEGATIVE_INFINITY, false));
}

/**
 * Scores of steps `[T]` from a profile `[N]`: a window stands at its middle, and steps outside of all middles take the least
 * distance (as TSB-AD does).
 */
export function profileScores(distance: Float64Array, steps: number): Float64Array {
  const least = distance.reduce((a, b) => Math.min(a, b));
  const out = new Float64Array(steps).fill(least);
  out.set(distance, Math.floor((steps - distance.length + 1) / 2));
  return out;
}
