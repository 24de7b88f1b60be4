/** Exact confidence interval for a share (Clopper and Pearson, Biometrika 1934), by bisection on the binomial law. */

/** P(X <= k) for X ~ Binomial(n, p), 0 < p < 1, summed term by term in logarithms: O(k). */
function binomialCdf(k: number, n: number, p: number): number {
  const odds = Math.log(p) - Math.log1p(-p);
  let logTerm = n * Math.log1p(-p);
  let sum = Math.exp(logTerm);
  for (let i = 1; i <= k; i++) {
    logTerm += Math.log((n - i + 1) / i) + odds;
    sum += Math.exp(logTerm);
  }
  return Math.min(1, sum);
}

/** The p in (0, 1) at which P(X <= k) falls to `wanted`. */
function shareWhere(k: number, n: number, wanted: number): number {
  let low = 0;
  let high = 1;
  for (let i = 0; i < 60; i++) {
    const p = (low + high) / 2;
    if (binomialCdf(k, n, p) > wanted) low = p;
    else high = p;
  }
  return (low + high) / 2;
}

/**
 * The Clopper–Pearson interval of `count` hits among `total`: it covers the true share at least with the given
 * confidence, whatever the share is. `[0, 1]` when total is 0.
 */
export function clopperPearson(count: number, total: number, confidence = 0.95): readonly [number, number] {
  if (total === 0) return [0, 1];
  const tail = (1 - confidence) / 2;
  // P(X >= count | low) = tail and P(X <= count | high) = tail. From the nearer end, so that sums stay short.
  if (2 * count > total) {
    const [low, high] = clopperPearson(total - count, total, confidence);
    return [1 - high, 1 - low];
  }
  const low = count === 0 ? 0 : shareWhere(count - 1, total, 1 - tail);
  const high = shareWhere(count, total, tail);
  return [low, high];
}
