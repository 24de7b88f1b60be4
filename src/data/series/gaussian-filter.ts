/**
 * Smoothing of scores along a series by a Gaussian, as `gaussian_filter1d` of SciPy does it with its defaults: weights
 * exp(−d² / 2σ²) of distances d up to ⌊4σ + 0.5⌋ steps, divided by their sum, and values reflected at either end
 * (d c b a | a b c d | d c b a). Left out: derivatives and other borders.
 */
import { InternalError } from '../../core/errors.ts';

/** The values `[T]`, smoothed with a standard deviation of `sigma` steps; 0 leaves them as they are. */
export function gaussianFilter(values: ArrayLike<number>, sigma: number): Float64Array {
  if (!(sigma >= 0)) throw new InternalError(`a Gaussian of ${sigma} steps`);
  const given = Float64Array.from(values);
  const n = given.length;
  if (sigma === 0 || n === 0) return given;
  const reach = Math.floor(4 * sigma + 0.5);
  const weights = Float64Array.from({ length: reach + 1 }, (_, d) => Math.exp(-(d * d) / (2 * sigma * sigma)));
  const sum = weights.reduce((total, w, d) => total + (d === 0 ? w : 2 * w), 0);
  const at = (t: number) => {
    const place = ((t % (2 * n)) + 2 * n) % (2 * n);
    return given[place < n ? place : 2 * n - 1 - place];
  };
  return given.map((value, t) => {
    let smooth = weights[0] * value;
    for (let d = 1; d <= reach; d++) smooth += weights[d] * (at(t - d) + at(t + d));
    return smooth / sum;
  });
}
