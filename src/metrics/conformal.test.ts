import { describe, expect, it } from 'vitest';
import { Rng } from '../core/random.ts';
import { discoveriesOf, pValueOf } from './conformal.ts';

describe('conformal p-values', () => {
  it('count the normals that score as high, and the item itself', () => {
    const sorted = [1, 2, 2, 3];
    expect(pValueOf(sorted, 0)).toBe(1);
    expect(pValueOf(sorted, 2)).toBe(4 / 5);
    expect(pValueOf(sorted, 2.5)).toBe(2 / 5);
    expect(pValueOf(sorted, 3)).toBe(2 / 5);
    expect(pValueOf(sorted, 4)).toBe(1 / 5);
    expect(pValueOf([], 4)).toBeUndefined();
  });

  it('of exchangeable items are at most α with a probability of at most α, ties or not', () => {
    const rng = new Rng(7);
    for (const rounded of [false, true]) {
      for (const n of [9, 20, 99]) {
        const rounds = 4000;
        const found = Array.from({ length: rounds }, () => {
          const all = rng.normals(n + 1).map((v) => (rounded ? Math.round(2 * v) : v));
          return pValueOf(all.slice(0, n).sort(), all[n])!;
        });
        for (const alpha of [0.05, 0.1, 0.25, 0.5, 0.9]) {
          const share = found.filter((p) => p <= alpha).length / rounds;
          expect(share, `n ${n}, α ${alpha}`).toBeLessThan(alpha + 4 * Math.sqrt((alpha * (1 - alpha)) / rounds));
          // Without ties the p-value is uniform on its steps.
          if (!rounded) expect(share).toBeGreaterThan(Math.floor(alpha * (n + 1)) / (n + 1) - 0.035);
        }
      }
    }
  });

  it('make discoveries by the rule of Benjamini and Hochberg', () => {
    // The example of their paper, table 1: at .05 four are found.
    const p = [
      0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.324, 0.4262, 0.5719, 0.6528, 0.759, 1,
    ];
    expect(discoveriesOf(p, 0.05)).toEqual({ largest: 0.0095, count: 4 });
    expect(discoveriesOf([0.5, 0.6], 0.1)).toEqual({ largest: 0, count: 0 });
    expect(discoveriesOf([], 0.1)).toEqual({ largest: 0, count: 0 });
    for (const rate of [0, 1, -1, Number.NaN]) expect(() => discoveriesOf(p, rate)).toThrow(/above 0 and below 1/);
  });

  it('keep the share of false discoveries below the rate on average', () => {
    const rng = new Rng(3);
    const shares = Array.from({ length: 300 }, () => {
      const normals = rng.normals(400).sort();
      const scores = [...rng.normals(80), ...rng.normals(20, 4)];
      const p = scores.map((score) => pValueOf(normals, score)!);
      const { largest, count } = discoveriesOf(p, 0.2);
      return count === 0 ? 0 : p.slice(0, 80).filter((value) => value <= largest).length / count;
    });
    const mean = shares.reduce((a, b) => a + b) / shares.length;
    expect(mean).toBeLessThan(0.2);
    expect(mean).toBeGreaterThan(0.08);
  });
});
