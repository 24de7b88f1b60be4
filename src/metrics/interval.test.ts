import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { clopperPearson } from './interval.ts';

/** P(X <= k) for X ~ Binomial(n, p), summed term by term in logarithms. */
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

/** The p at which P(X <= k) falls to `wanted`, by bisection: what the interval is by its definition. */
function shareWhere(k: number, n: number, wanted: number): number {
  let [low, high] = [0, 1];
  for (let i = 0; i < 60; i++) {
    const p = (low + high) / 2;
    if (binomialCdf(k, n, p) > wanted) low = p;
    else high = p;
  }
  return (low + high) / 2;
}

function bySums(count: number, total: number, confidence: number): readonly [number, number] {
  const tail = (1 - confidence) / 2;
  if (2 * count > total) {
    const [low, high] = bySums(total - count, total, confidence);
    return [1 - high, 1 - low];
  }
  return [count === 0 ? 0 : shareWhere(count - 1, total, 1 - tail), shareWhere(count, total, tail)];
}

const confidences = fc.constantFrom(0.05, 0.5, 0.9, 0.95, 0.99, 0.999);
const shares = fc.double({ min: 0, max: 1, noNaN: true });

describe('clopperPearson', () => {
  it('is what sums over the binomial law give, to 1e-10', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 3000 }), shares, confidences, (total, share, confidence) => {
        const count = Math.round(share * total);
        const [low, high] = clopperPearson(count, total, confidence);
        const [wantedLow, wantedHigh] = bySums(count, total, confidence);
        expect(Math.abs(low - wantedLow)).toBeLessThanOrEqual(1e-10);
        expect(Math.abs(high - wantedHigh)).toBeLessThanOrEqual(1e-10);
      }),
      { numRuns: 200 },
    );
  });

  it.each([
    [0, 100_000],
    [1, 100_000],
    [310, 100_000],
    [99_998, 100_000],
  ])('%i of %i, also', (count, total) => {
    const found = clopperPearson(count, total);
    for (const [i, end] of bySums(count, total, 0.95).entries()) expect(Math.abs(found[i] - end)).toBeLessThan(1e-10);
  });

  it('is exact where the law is known in closed form', () => {
    expect(clopperPearson(0, 0)).toEqual([0, 1]);
    expect(clopperPearson(1, 1)[0]).toBeCloseTo(0.025, 15);
    expect(clopperPearson(0, 20)[1]).toBeCloseTo(1 - 0.025 ** (1 / 20), 14);
    expect(clopperPearson(1e9 / 2, 1e9)[1]).toBeCloseTo(0.5 + 1.959964 * Math.sqrt(0.25 / 1e9), 8);
  });

  it('narrows with the confidence, holds the share, and is mirrored by counting the others', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 200_000 }), shares, (total, share) => {
        const count = Math.round(share * total);
        const [low, high] = clopperPearson(count, total);
        const [inner, outer] = clopperPearson(count, total, 0.8);
        expect(low).toBeLessThanOrEqual(inner);
        expect(high).toBeGreaterThanOrEqual(outer);
        expect(low).toBeLessThanOrEqual(count / total);
        expect(high).toBeGreaterThanOrEqual(count / total);
        const [from, to] = clopperPearson(total - count, total);
        expect(low + to).toBeCloseTo(1, 12);
        expect(high + from).toBeCloseTo(1, 12);
      }),
    );
  });
});
