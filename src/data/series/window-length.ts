/**
 * The length of windows of a series from its autocorrelation, exactly as TSB-AD chooses it (Liu and Paparrizos, NeurIPS
 * 2024). Sums over lags instead of a Fourier transform: 401 lags of at most 20,000 values are 8 million products. Left out:
 * the third rank, which no published detector that is kept here uses.
 */
import { checkedSteps } from './check.ts';

/** Values that are looked at, lags, the first lag that may be a period, the longest period, and the length without one. */
const RULE = { values: 20_000, lags: 400, first: 3, longest: 300, otherwise: 125 };

/**
 * The window length in steps, 6 to 303, of a series `[T]` (of several channels the first): the lag of the highest local
 * maximum of the autocorrelation, 125 where there is none or it lies outside of 6 to 303. Rank 2 is the highest maximum at a
 * longer lag than that of rank 1, where there is one. DataError names the first step that is not finite.
 */
export function windowLength(x: Float64Array, rank: 1 | 2 = 1): number {
  checkedSteps(x);
  const a = autocorrelation(x.subarray(0, RULE.values), RULE.lags).subarray(RULE.first);
  const maxima: number[] = [];
  for (let i = 1; i + 1 < a.length; i++) if (a[i] > a[i - 1] && a[i] > a[i + 1]) maxima.push(i);
  const byHeight = maxima.toSorted((i, j) => a[j] - a[i]);
  const best = byHeight[0];
  const chosen = rank === 1 ? best : (byHeight.find((i) => i > best) ?? best);
  const isPeriod = chosen !== undefined && chosen >= RULE.first && chosen <= RULE.longest;
  return isPeriod ? chosen + RULE.first : RULE.otherwise;
}

/** c_k / c_0 for lags 0 … `lags`, c_k the sum over all pairs (the biased estimate); a constant series has zeros. */
function autocorrelation(x: Float64Array, lags: number): Float64Array {
  const n = x.length;
  let mean = 0;
  for (let t = 0; t < n; t++) mean += x[t] / n;
  const centred = x.map((value) => value - mean);
  const out = new Float64Array(Math.min(lags, n - 1) + 1);
  for (let k = 0; k < out.length; k++) {
    let sum = 0;
    for (let t = k; t < n; t++) sum += centred[t] * centred[t - k];
    out[k] = sum;
  }
  const own = out[0];
  return own > 0 ? out.map((c) => c / own) : out.fill(0);
}
