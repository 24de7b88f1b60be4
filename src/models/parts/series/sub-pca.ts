/**
 * Principal components of the windows of a series (Sub-PCA of TSB-AD): windows are standardised position by position, and all
 * components take part, each divided by the share of the variance that it explains. Two forms: `distance`, the weighted
 * square length Σ (x·v)² / ratio, which does not depend on the signs of the axes v; and `compat`, the published
 * Σ ‖x − v‖ / ratio, which takes axes for points and depends on their signs (of each axis so that its largest projection,
 * by size, is positive: the sign rule of scikit-learn before 1.5). Deviations: the covariance is carried along lags instead
 * of decomposing all windows, and components below the rounding of the covariance are left out. Left out: several channels,
 * which are scored one by one.
 */
import { eigenSymmetric, timesTransposed } from '../../../core/linalg.ts';
import { stepsAtLeast } from '../../../data/series/check.ts';

/** What `fitSubPca` learns of windows of L steps. */
export interface SubPca {
  readonly length: number;
  /** Mean of each position `[L]`. */
  readonly mean: Float64Array;
  /** Standard deviation of each position `[L]`, 1 where it is 0. */
  readonly scale: Float64Array;
  /** Unit axes `[K, L]`, the most explaining first. K ≤ L; 0 for a constant series. */
  readonly axes: Float64Array;
  /** Share of the variance that each axis explains `[K]`. */
  readonly ratio: Float64Array;
}

export type SubPcaForm = 'distance' | 'compat';

/** Least share of the variance of a component: what is below is rounding. */
const LEAST_RATIO = 1e-13;
/** Windows that are projected at a time. */
const BLOCK = 1024;

/**
 * Fits to all windows of `length` steps of a series `[T]`; the signs of axes are set for form `compat` only. Takes
 * T·L + L³ steps, for `compat` T·L² more. DataError where the series is shorter than two windows' starts, or not finite.
 */
export function fitSubPca(values: Float64Array, length: number, form: SubPcaForm = 'distance'): SubPca {
  const steps = stepsAtLeast(values, length + 1, `Fitting to windows of ${length} steps`);
  const count = steps - length + 1;
  const { mean, covariance } = lagCovariance(values, length, count);
  const constant = Array.from(mean, (_, i) => isConstant(values, i, count));
  const scale = Float64Array.from(mean, (_, i) => {
    const std = Math.sqrt(Math.max(covariance[i * length + i], 0));
    return constant[i] || std === 0 ? 1 : std;
  });
  for (let i = 0; i < length; i++) {
    for (let j = 0; j < length; j++) {
      const value = covariance[i * length + j] / (scale[i] * scale[j]);
      covariance[i * length + j] = constant[i] || constant[j] ? 0 : value;
    }
  }
  const { values: variances, vectors } = eigenSymmetric(covariance, length);
  const total = variances.reduce((a, b) => a + b, 0);
  const ratios = variances.map((variance) => (total > 0 ? variance / total : 0));
  const kept = ratios.findIndex((ratio) => !(ratio > LEAST_RATIO));
  const k = kept < 0 ? length : kept;
  const pca = { length, mean, scale, axes: vectors.slice(0, k * length), ratio: ratios.slice(0, k) };
  if (form === 'compat') turnAxes(pca, values);
  return pca;
}

/**
 * Scores of the windows of a series `[T]`, `[T − L + 1]`, at least 0; 0 for all where the fitted series was constant.
 * DataError where the series is shorter than a window or not finite.
 */
export function subPcaScores(pca: SubPca, values: Float64Array, form: SubPcaForm = 'distance'): Float64Array {
  const steps = stepsAtLeast(values, pca.length, `A window of ${pca.length} steps`);
  const out = new Float64Array(steps - pca.length + 1);
  const { ratio } = pca;
  forProjections(pca, values, (first, n, projections, squares) => {
    for (let r = 0; r < n; r++) {
      let score = 0;
      for (let j = 0, at = r * ratio.length; j < ratio.length; j++, at++) {
        const p = projections[at];
        score += form === 'distance' ? (p * p) / ratio[j] : Math.sqrt(Math.max(squares[r] + 1 - 2 * p, 0)) / ratio[j];
      }
      out[first + r] = score;
    }
  });
  return out;
}

/** Whether position i is the same value in all windows. */
function isConstant(values: Float64Array, i: number, count: number): boolean {
  const value = values[i];
  for (let t = i + 1; t < i + count; t++) if (values[t] !== value) return false;
  return true;
}

/** Means of positions and covariances of positions i and j over all windows: those of i + 1 and j + 1 differ by two products. */
function lagCovariance(values: Float64Array, length: number, count: number) {
  let level = 0;
  for (const value of values) level += value / values.length;
  const x = values.map((value) => value - level);
  const mean = new Float64Array(length);
  for (let t = 0; t < count; t++) mean[0] += x[t] / count;
  for (let i = 1; i < length; i++) mean[i] = mean[i - 1] + (x[i + count - 1] - x[i - 1]) / count;
  const covariance = new Float64Array(length * length);
  for (let lag = 0; lag < length; lag++) {
    let product = 0;
    for (let t = 0; t < count; t++) product += x[t] * x[t + lag];
    for (let i = 0; i + lag < length; i++) {
      const j = i + lag;
      const value = product / count - mean[i] * mean[j];
      covariance[i * length + j] = value;
      covariance[j * length + i] = value;
      product += x[i + count] * x[j + count] - x[i] * x[j];
    }
  }
  return { mean: mean.map((value) => value + level), covariance };
}

/** Turns each axis so that its projection of the largest size is positive. */
function turnAxes(pca: SubPca, values: Float64Array): void {
  const { axes, ratio, length } = pca;
  const largest = new Float64Array(ratio.length);
  forProjections(pca, values, (_, n, projections) => {
    for (let r = 0; r < n; r++) {
      for (let j = 0; j < ratio.length; j++) {
        const p = projections[r * ratio.length + j];
        if (Math.abs(p) > Math.abs(largest[j])) largest[j] = p;
      }
    }
  });
  for (let k = 0; k < axes.length; k++) if (largest[Math.floor(k / length)] < 0) axes[k] = -axes[k];
}

/** Gives projections `[n, K]` and squared lengths `[n]` of standardised windows, block after block. */
function forProjections(
  { length, mean, scale, axes, ratio }: SubPca,
  values: Float64Array,
  use: (first: number, n: number, projections: Float64Array, squares: Float64Array) => void,
): void {
  const count = values.length - length + 1;
  for (let first = 0; first < count; first += BLOCK) {
    const n = Math.min(BLOCK, count - first);
    const rows = new Float64Array(n * length);
    const squares = new Float64Array(n);
    for (let r = 0; r < n; r++) {
      for (let k = 0; k < length; k++) {
        const z = (values[first + r + k] - mean[k]) / scale[k];
        rows[r * length + k] = z;
        squares[r] += z * z;
      }
    }
    use(first, n, timesTransposed(rows, n, axes, ratio.length), squares);
  }
}
