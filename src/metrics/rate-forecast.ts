/**
 * What share of new normal items will reach a threshold, as a prediction interval. When the n scores that a threshold
 * rests on and those of new items are exchangeable, the rate above the (r + 1)-th largest of them is Beta(r + 1, n − r)
 * (order statistics of the uniform law: David and Nagaraja 2003, ch. 2), and the count among m new items beta-binomial.
 */

/** New normal items that an interval speaks of. */
export const FORECAST_ITEMS = 1000;
/** Confidence of the interval. */
export const FORECAST_CONFIDENCE = 0.9;

/** With fewer scores above the threshold than this, a rate of zero cannot be told from the wanted one. */
const LEAST_ABOVE = 3;

/** P(X <= x) for x = 0 … m, X the count among m with a rate that is Beta(a, b); a and b are whole. O(m + a). */
function betaBinomial(a: number, b: number, m: number): Float64Array {
  let log = 0; // of P(0) = Π (b + i) / (m + b + i)
  for (let i = 0; i < a; i++) log += Math.log((b + i) / (m + b + i));
  const sums = new Float64Array(m + 1);
  let sum = 0;
  for (let x = 0; x <= m; x++) {
    sum += Math.exp(log);
    sums[x] = Math.min(1, sum);
    log += Math.log(((m - x) * (x + a)) / ((x + 1) * (m - x - 1 + b)));
  }
  return sums;
}

/**
 * The 90 % prediction interval of the share of `FORECAST_ITEMS` new normal items that reach a threshold, from n scores that
 * it rests on. `above` of them lie above a threshold that is just above the next one; for a threshold that was chosen in
 * another way, and among ties, `least` is smaller: then the interval is wider than it must be, never narrower. With fewer
 * than three scores above, or `least` of 0, the low end is 0 and all doubt is on the high side. `[0, 1]` when n is 0.
 * @example forecastRate(199, { above: 1 }) // [0, 0.021]
 */
export function forecastRate(
  n: number,
  { above, least = above + 1 }: { readonly above: number; readonly least?: number },
): readonly [number, number] {
  if (n === 0) return [0, 1];
  const isOneSided = least <= LEAST_ABOVE;
  const tail = isOneSided ? 1 - FORECAST_CONFIDENCE : (1 - FORECAST_CONFIDENCE) / 2;
  const most = above + 1;
  const upper = most > n ? undefined : betaBinomial(most, n + 1 - most, FORECAST_ITEMS);
  const high = upper ? upper.findIndex((p) => p >= 1 - tail) / FORECAST_ITEMS : 1;
  if (isOneSided) return [0, high];
  // The largest count below which at most `tail` of the probability lies.
  const low = betaBinomial(least, n + 1 - least, FORECAST_ITEMS).findIndex((p) => p > tail) / FORECAST_ITEMS;
  return [low, high];
}
