/**
 * The period of a series: the lag at which it is most like itself (autocorrelation by the theorem of Wiener and Khinchin), of
 * series without their line and without their extremes. Left out: several periods at once; a week of days is one period.
 */
import { fourier, powerOfTwo } from '../../core/fourier.ts';
import { median, quantile, scaleOf } from './order.ts';

/** What a period must have: whole cycles, correlation, and how far its peak stands above the valley before it. */
const LEAST = { cycles: 3, correlation: 0.3, height: 0.15 };
/** Of peaks that reach this share of the highest, the first is the period: the others are its multiples. */
const ALIKE = 0.9;

/** The period of complete values in steps, 2 or more; 0 where there is none. */
export function periodOf(values: Float64Array): number {
  const x = withoutLine(withoutExtremes(values));
  const lags = Math.floor(x.length / LEAST.cycles);
  const r = autocorrelation(x, lags);
  const peaks: number[] = [];
  let valley = 1;
  for (let k = 1; k <= lags; k++) {
    valley = Math.min(valley, r[k]);
    const isPeak = k >= 2 && r[k] >= r[k - 1] && (k === lags || r[k] > r[k + 1]);
    if (!isPeak || r[k] < LEAST.correlation || r[k] - valley < LEAST.height) continue;
    peaks.push(k);
  }
  const best = Math.max(0, ...peaks.map((k) => r[k]));
  return peaks.find((k) => r[k] >= ALIKE * best) ?? 0;
}

/** Autocorrelation at lags 0 to `lags`, each sum divided by the number of its pairs; zeros for a constant series. */
function autocorrelation(x: Float64Array, lags: number): Float64Array {
  const size = powerOfTwo(2 * x.length);
  const [re, im] = [new Float64Array(size), new Float64Array(size)];
  re.set(x);
  fourier(re, im);
  for (let k = 0; k < size; k++) {
    re[k] = re[k] ** 2 + im[k] ** 2;
    im[k] = 0;
  }
  fourier(re, im, true);
  const own = re[0] / x.length;
  return Float64Array.from({ length: lags + 1 }, (_, k) => (own > 0 ? re[k] / (x.length - k) / own : 0));
}

/** Without what lies far outside of where most values are, so that one spike does not hide a period. */
function withoutExtremes(x: Float64Array): Float64Array {
  const middle = median(x);
  const reach = 5 * scaleOf(x.map((value) => value - middle));
  const low = Math.min(middle - reach, quantile(x, 0.02));
  const high = Math.max(middle + reach, quantile(x, 0.98));
  return x.map((value) => Math.min(high, Math.max(low, value)));
}

/** Less the line of least squares. */
function withoutLine(x: Float64Array): Float64Array {
  const n = x.length;
  const centre = (n - 1) / 2;
  let [sum, moment] = [0, 0];
  for (let t = 0; t < n; t++) {
    sum += x[t];
    moment += (t - centre) * x[t];
  }
  const slope = moment / ((n * (n * n - 1)) / 12);
  return x.map((value, t) => value - sum / n - slope * (t - centre));
}
