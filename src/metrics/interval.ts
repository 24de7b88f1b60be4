/**
 * Exact confidence interval for a share (Clopper and Pearson, Biometrika 1934), as quantiles of beta laws: the inverse of the
 * regularised incomplete beta function, whose continued fraction (Abramowitz and Stegun 26.5.8, evaluated as Lentz, Applied Optics
 * 15, 1976) needs about √n steps where a sum over the binomial law needs n.
 */

/** log n! − log(√(2πn) (n/e)^n), for whole n >= 1: what Stirling's formula leaves out. */
function stirlingError(n: number): number {
  if (n < 16) {
    let factorial = 1;
    for (let i = 2; i <= n; i++) factorial *= i;
    return Math.log(factorial) - (n + 0.5) * Math.log(n) + n - 0.5 * Math.log(2 * Math.PI);
  }
  const square = n * n;
  return (1 / 12 - (1 / 360 - (1 / 1260 - 1 / 1680 / square) / square) / square) / n;
}

/** x log(x / mean) + mean − x without cancellation where both are near (Loader, "Fast and accurate computation of binomial probabilities", 2000). */
function deviance(x: number, mean: number): number {
  if (Math.abs(x - mean) >= 0.1 * (x + mean)) return x * Math.log(x / mean) + mean - x;
  const v = (x - mean) / (x + mean);
  let sum = (x - mean) * v;
  let term = 2 * x * v;
  for (let j = 3; ; j += 2) {
    term *= v * v;
    const next = sum + term / j;
    if (next === sum) return sum;
    sum = next;
  }
}

/** x^a (1 − x)^b / (a B(a, b)) for whole a, b >= 1: b / (a + b) times the probability of a hits among a + b. */
function front(x: number, a: number, b: number): number {
  const n = a + b;
  const log = stirlingError(n) - stirlingError(a) - stirlingError(b) - deviance(a, n * x) - deviance(b, n * (1 - x));
  return (b / n) * Math.exp(log) * Math.sqrt(n / (2 * Math.PI * a * b));
}

/** The continued fraction of I_x(a, b) = front / (1 + d₁ / (1 + d₂ / …)); it converges fast for x < (a + 1) / (a + b + 2). */
function fraction(x: number, a: number, b: number): number {
  const tiny = 1e-300;
  const apart = (value: number) => (Math.abs(value) < tiny ? tiny : value);
  let c = 1;
  let d = 1 / apart(1 - ((a + b) * x) / (a + 1));
  let result = d;
  for (let m = 1; m < 100_000; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / apart(1 + even * d);
    c = apart(1 + even / c);
    result *= d * c;
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / apart(1 + odd * d);
    c = apart(1 + odd / c);
    result *= d * c;
    if (Math.abs(d * c - 1) < 1e-15) break;
  }
  return result;
}

/** I_x(a, b), the probability that a Beta(a, b) is at most x, for whole a, b >= 1. */
function incompleteBeta(x: number, a: number, b: number): number {
  return x < (a + 1) / (a + b + 2)
    ? front(x, a, b) * fraction(x, a, b)
    : 1 - front(1 - x, b, a) * fraction(1 - x, b, a);
}

/** The x at which I_x(a, b) is `tail`: Newton's steps on its logarithm, which is concave, and halving where they leave the bracket. */
function betaQuantile(tail: number, a: number, b: number): number {
  if (b === 1) return tail ** (1 / a); // I_x(a, 1) = x^a
  let low = 0;
  let high = 1;
  const mean = a / (a + b);
  // About where a tail of 2.5 % begins; from below the root every step of Newton's stays below it.
  let x = Math.max(mean / 4, mean - 2 * Math.sqrt((mean * (1 - mean)) / (a + b + 1)));
  for (let i = 0; i < 100; i++) {
    const here = incompleteBeta(x, a, b);
    if (here < tail) low = x;
    else high = x;
    const density = (front(x, a, b) * a) / (x * (1 - x));
    let next = x - (Math.log(here / tail) * here) / density;
    if (!(next > low && next < high)) next = (low + high) / 2;
    if (Math.abs(next - x) <= 1e-13 * x) return next;
    x = next;
  }
  return x;
}

/**
 * The Clopper–Pearson interval of `count` hits among `total`: it covers the true share at least with the given
 * confidence, whatever the share is. `[0, 1]` when total is 0. O(√total).
 */
export function clopperPearson(count: number, total: number, confidence = 0.95): readonly [number, number] {
  if (total === 0) return [0, 1];
  const tail = (1 - confidence) / 2;
  // P(X >= count | low) = I_low(count, total − count + 1) = tail, and the same for the others from the other end.
  return [
    count === 0 ? 0 : betaQuantile(tail, count, total - count + 1),
    count === total ? 1 : 1 - betaQuantile(tail, total - count, count + 1),
  ];
}
