/**
 * The spectral residual of a whole series (Hou and Zhang 2007; for series Ren et al. 2019, in the form of TSB-AD): what stands
 * out from the smoothed logarithm of the amplitudes, transformed back. Owns isolated points. Kept from the published form,
 * because its figures follow from it: the moving average is padded with values of the series, not of the spectrum. Left out:
 * the last step of Ren et al., the distance from the mean of the residual.
 */
import { fourier } from '../../../core/fourier.ts';
import { checkedSteps } from '../../../data/series/check.ts';

/** Bins of the moving average, and how many lie before the bin and after it. */
const AVERAGE = { bins: 100, before: 49, after: 50 };
/** Amplitudes below this are taken for it: their logarithm must be finite. */
const LEAST_AMPLITUDE = 1e-8;

/**
 * Scores of steps `[T]`, at least 0, of a series `[T]` as a whole; 0 for a constant one. DataError names a step that is not
 * finite.
 */
export function spectralResidual(values: Float64Array): Float64Array {
  const n = checkedSteps(values);
  const x = scaledToUnit(values);
  if (x === undefined) return new Float64Array(n);
  const [re, im] = [x.slice(), new Float64Array(n)];
  fourier(re, im);
  const half = Math.floor(n / 2);
  const logs = re.map((a, k) => Math.log(Math.max(Math.hypot(a, im[k]), LEAST_AMPLITUDE)));
  const average = averageOf(logs.subarray(1, 1 + half), x[0], x[n - 1]);
  for (let k = 0; k < n; k++) {
    // Bins k and n − k share an average; that of the level is itself.
    const smooth = k === 0 ? logs[0] : average[Math.min(k, n - k) - 1];
    const factor = Math.exp(logs[k] - smooth) / Math.max(Math.hypot(re[k], im[k]), LEAST_AMPLITUDE);
    re[k] *= factor;
    im[k] *= factor;
  }
  fourier(re, im, true);
  return re.map((a, t) => Math.hypot(a, im[t]));
}

/** The series from 0 to 1; undefined where it is constant. */
export function scaledToUnit(values: Float64Array): Float64Array | undefined {
  let [least, largest] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of values) {
    if (value < least) least = value;
    if (value > largest) largest = value;
  }
  return largest > least ? values.map((value) => (value - least) / (largest - least)) : undefined;
}

/** Moving average of `bins` values, padded left with copies of `left` and right of `right`. */
function averageOf(values: Float64Array, left: number, right: number): Float64Array {
  const { bins, before, after } = AVERAGE;
  const padded = new Float64Array(before + values.length + after).fill(left, 0, before);
  padded.set(values, before);
  padded.fill(right, before + values.length);
  const sums = new Float64Array(padded.length + 1);
  for (let i = 0; i < padded.length; i++) sums[i + 1] = sums[i] + padded[i];
  return Float64Array.from(values, (_, k) => (sums[k + bins] - sums[k]) / bins);
}
