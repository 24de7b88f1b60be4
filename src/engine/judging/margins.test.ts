import { describe, expect, it } from 'vitest';
import { Rng } from '../../core/random.ts';
import { marginOf, marginsOf } from './margins.ts';

/** Numbers 1 … n in another order. */
const upTo = (n: number) => new Rng(1).shuffle(Float64Array.from({ length: n }, (_, i) => i + 1));

describe('margins', () => {
  it.each([
    [99, 0.1, 5, 95], // k = ⌊0.05 · 100⌋
    [98, 0.1, 4, 95], // k = ⌊4.95⌋
    [199, 0.01, 1, 199],
    [399, 0.01, 2, 398],
    [50, 0.01, 1, 50], // too few: the outermost
    [1, 0.5, 1, 1],
  ])('of the errors 1 to %i at a rate of %f are the errors %i and %i', (n, rate, lower, upper) => {
    expect(marginOf(upTo(n), rate)).toEqual({ lower, upper });
  });

  it('are those of each channel, over all parts, without steps of which nothing is expected', () => {
    const errors = Float64Array.from({ length: 2 * 199 }, (_, i) => (i % 2 === 0 ? i / 2 : -10 * ((i - 1) / 2)));
    const parts = [errors.subarray(0, 100), Float64Array.of(Number.NaN, Number.NaN), errors.subarray(100)];
    expect(marginsOf(parts, 2, 0.02)).toEqual({
      rate: 0.02,
      steps: 199,
      reason: null,
      channels: [
        { lower: 1, upper: 197 },
        { lower: -1970, upper: -10 },
      ],
    });
  });

  it('say where there are too few steps, and that there are none', () => {
    expect(marginsOf([upTo(198)], 1, 0.01)?.reason).toMatch(/outermost errors of 198 held-out steps: .* at least 199/);
    expect(marginsOf([upTo(199)], 1, 0.01)?.reason).toBeNull();
    expect(marginsOf([], 1, 0.01)).toBeUndefined();
    expect(marginsOf([Float64Array.of(Number.NaN)], 1, 0.01)).toBeUndefined();
  });

  it('hold the wanted share of new steps on average', () => {
    const rng = new Rng(7);
    let outside = 0;
    for (let draw = 0; draw < 200; draw++) {
      const { lower, upper } = marginOf(Float64Array.from(rng.normals(99, 0, 1)), 0.1);
      outside += rng.normals(100, 0, 1).filter((v) => v < lower || v > upper).length;
    }
    // Exactly 2 · 5 / 100 in expectation; the deviation of the mean of 200 draws is about 0.003.
    expect(outside / 20_000).toBeGreaterThan(0.085);
    expect(outside / 20_000).toBeLessThan(0.115);
  });
});
