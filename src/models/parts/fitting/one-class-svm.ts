/**
 * The dual of the one-class support vector machine (Schölkopf et al. 2001), solved by sequential minimal optimisation with the
 * pairs of second order of Fan, Chen and Lin (JMLR 6, 2005): min ½ αᵀ K α, 0 ≤ α ≤ 1 / (ν n), Σ α = 1.
 * Left out: shrinking, a cache of kernel rows – the matrix is whole.
 */

/** Steps at most, and how far the conditions may be from holding, in units in which the largest α is 1. */
const STEPS = { most: 1_000_000, tolerance: 1e-5 };
/** Least curvature of a pair. */
const FLAT = 1e-12;

/** The solution: weights `[n]` and the value ρ of the kernel sum on the boundary. */
export interface OneClass {
  readonly weights: Float64Array;
  readonly rho: number;
}

/** Solves for a kernel matrix `[n, n]` with ones on its diagonal, 0 < ν ≤ 1. */
export function solveOneClass(kernel: Float32Array | Float64Array, n: number, nu: number): OneClass {
  // In libsvm's units: 0 ≤ α ≤ 1, Σ α = ν n.
  const total = nu * n;
  const alpha = Float64Array.from({ length: n }, (_, i) => Math.min(1, Math.max(0, total - i)));
  const gradient = new Float64Array(n);
  for (let j = 0; j < n; j++) if (alpha[j] > 0) for (let i = 0; i < n; i++) gradient[i] += alpha[j] * kernel[j * n + i];
  for (let step = 0; step < STEPS.most; step++) {
    const pair = worstPair(kernel, n, alpha, gradient);
    if (!pair) break;
    const [i, j] = pair;
    const curvature = Math.max(FLAT, 2 - 2 * kernel[i * n + j]);
    const wanted = (gradient[j] - gradient[i]) / curvature;
    const moved = Math.min(wanted, 1 - alpha[i], alpha[j]);
    alpha[i] = moved === 1 - alpha[i] ? 1 : alpha[i] + moved;
    alpha[j] = moved === alpha[j] ? 0 : alpha[j] - moved;
    for (let k = 0; k < n; k++) gradient[k] += moved * (kernel[i * n + k] - kernel[j * n + k]);
  }
  return { weights: alpha.map((a) => a / total), rho: boundary(alpha, gradient) / total };
}

/** The row whose weight should grow most, and the one whose weight should shrink for it; undefined where all is well. */
function worstPair(
  kernel: Float32Array | Float64Array,
  n: number,
  alpha: Float64Array,
  gradient: Float64Array,
): [number, number] | undefined {
  let [i, least] = [-1, Number.POSITIVE_INFINITY];
  for (let k = 0; k < n; k++) if (alpha[k] < 1 && gradient[k] < least) [i, least] = [k, gradient[k]];
  if (i < 0) return undefined;
  let [j, best, largest] = [-1, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let k = 0; k < n; k++) {
    if (!(alpha[k] > 0)) continue;
    const gap = gradient[k] - least;
    if (gap > largest) largest = gap;
    if (gap <= 0) continue;
    const gain = -(gap * gap) / Math.max(FLAT, 2 - 2 * kernel[i * n + k]);
    if (gain < best) [j, best] = [k, gain];
  }
  return j >= 0 && largest > STEPS.tolerance ? [i, j] : undefined;
}

/** The mean over weights strictly inside, or the middle between the bounds where there is none. */
function boundary(alpha: Float64Array, gradient: Float64Array): number {
  let [sum, free] = [0, 0];
  let [above, below] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let k = 0; k < alpha.length; k++) {
    if (alpha[k] >= 1) below = Math.max(below, gradient[k]);
    else if (alpha[k] <= 0) above = Math.min(above, gradient[k]);
    else {
      sum += gradient[k];
      free++;
    }
  }
  if (free > 0) return sum / free;
  if (above === Number.POSITIVE_INFINITY) return below;
  return below === Number.NEGATIVE_INFINITY ? above : (above + below) / 2;
}
