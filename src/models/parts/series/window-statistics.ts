/**
 * Means, norms and flatness of all windows of a series, and what the covariance of two windows needs to be carried from
 * one pair to the next. Source of the update: Zimmerman et al. 2019 (SCAMP).
 */

/** Of each window i of `length` steps, `count` = T − length + 1 of them. */
export interface WindowStatistics {
  readonly length: number;
  readonly count: number;
  /** The series less its median, `[T]`: covariances do not change, and neither large levels nor spikes cost the rest digits. */
  readonly centred: Float64Array;
  /** Means of the windows of `centred`. */
  readonly mean: Float64Array;
  /** 1 / ‖window − mean‖; 0 where the window is flat. */
  readonly inverseNorm: Float64Array;
  /** 1 where the window is flat. */
  readonly flat: Uint8Array;
  readonly anyFlat: boolean;
}

/**
 * The statistics of all windows of a series `[T]`, T ≥ `length`. A window is flat where its values are all equal, or where
 * its standard deviation is below `flatBelow`.
 */
export function windowStatistics(values: Float64Array, length: number, flatBelow = 0): WindowStatistics {
  const count = values.length - length + 1;
  const level = values.toSorted()[values.length >> 1];
  const centred = values.map((value) => value - level);
  const mean = new Float64Array(count);
  const inverseNorm = new Float64Array(count);
  const flat = new Uint8Array(count);
  let anyFlat = false;
  // Steps from t backwards that equal step t; a window of equal values is flat exactly, whatever its norm is rounded to.
  let equal = 0;
  for (let t = 0; t < values.length; t++) {
    equal = t > 0 && values[t] === values[t - 1] ? equal + 1 : 1;
    const i = t - length + 1;
    if (i < 0) continue;
    const { average, norm } = momentsAt(centred, i, length);
    mean[i] = average;
    flat[i] = equal >= length || norm <= flatBelow * Math.sqrt(length) ? 1 : 0;
    inverseNorm[i] = flat[i] ? 0 : 1 / norm;
    anyFlat ||= flat[i] === 1;
  }
  return { length, count, centred, mean, inverseNorm, flat, anyFlat };
}

/** Mean of a window and its norm around the mean, summed anew for each window: running sums lose digits after large values. */
function momentsAt(x: Float64Array, from: number, length: number): { average: number; norm: number } {
  let sum = 0;
  for (let t = from; t < from + length; t++) sum += x[t];
  const average = sum / length;
  let squares = 0;
  for (let t = from; t < from + length; t++) squares += (x[t] - average) * (x[t] - average);
  return { average, norm: Math.sqrt(squares) };
}

/** Σ (a − mean a)(b − mean b) over window i of `a` and window j of `b`, by the definition. */
export function covarianceAt(a: WindowStatistics, i: number, b: WindowStatistics, j: number): number {
  const [x, y, mx, my] = [a.centred, b.centred, a.mean[i], b.mean[j]];
  let sum = 0;
  for (let k = 0; k < a.length; k++) sum += (x[i + k] - mx) * (y[j + k] - my);
  return sum;
}

/** Rows after which covariances are summed anew at the latest, and the fall of a norm, as a share, at which they are at once. */
const RESTART = { rows: 4096, fall: 0.1 };

/**
 * The windows at which covariances that are carried from row to row must be summed anew, in order, 0 first. Rounding is that
 * of the largest value so far: after a spike has left the window it would be that of the spike.
 */
export function restarts({ inverseNorm, count }: WindowStatistics): readonly number[] {
  const rows = [0];
  let largest = 0;
  for (let i = 0; i < count; i++) {
    const norm = inverseNorm[i] > 0 ? 1 / inverseNorm[i] : largest;
    const isDue = i - rows[rows.length - 1] >= RESTART.rows || norm < RESTART.fall * largest;
    if (isDue) rows.push(i);
    largest = isDue ? norm : Math.max(largest, norm);
  }
  return rows;
}

/**
 * The two factors of the update cov(i, j) = cov(i − 1, j − 1) + df_i · dg_j + df_j · dg_i, of windows of one or two series:
 * df_i is half of the difference of the value that enters window i and the value that leaves, dg_i the sum of their
 * differences from the means of the window and of the one before.
 */
export function updateFactors({ centred, mean, count, length }: WindowStatistics): {
  readonly df: Float64Array;
  readonly dg: Float64Array;
} {
  const [df, dg] = [new Float64Array(count), new Float64Array(count)];
  for (let i = 1; i < count; i++) {
    const [enters, leaves] = [centred[i + length - 1], centred[i - 1]];
    df[i] = (enters - leaves) / 2;
    dg[i] = enters - mean[i] + (leaves - mean[i - 1]);
  }
  return { df, dg };
}

/** Squared distance of two z-normalised windows (norm √length), by the definition; a flat window is all zeros. */
export function squaredDistanceAt(a: WindowStatistics, i: number, b: WindowStatistics, j: number): number {
  const [x, y, mx, my] = [a.centred, b.centred, a.mean[i], b.mean[j]];
  const [sx, sy] = [a.inverseNorm[i], b.inverseNorm[j]];
  let sum = 0;
  for (let k = 0; k < a.length; k++) {
    const difference = (x[i + k] - mx) * sx - (y[j + k] - my) * sy;
    sum += difference * difference;
  }
  return sum * a.length;
}
