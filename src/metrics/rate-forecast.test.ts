import { describe, expect, it } from 'vitest';
import { Rng } from '../core/random.ts';
import { forecastRate } from './rate-forecast.ts';
import { thresholdForFalseAlarms } from './threshold.ts';

describe('forecastRate', () => {
  it('is the quantile of a beta law, a little wider because new items are counted', () => {
    // Beta(1, n) has the quantile 1 − (1 − q)^(1/n): 0.369 and 0.0114 at 0.9.
    expect(forecastRate(5, { above: 0 })).toEqual([0, expect.closeTo(0.369, 2)]);
    const [low, high] = forecastRate(200, { above: 0 });
    expect(low).toBe(0);
    expect(high).toBeGreaterThanOrEqual(0.0114);
    expect(high).toBeLessThan(0.0135);
    // Beta(10, 191), 5 % on either side: 0.027 to 0.077.
    const [from, to] = forecastRate(200, { above: 9 });
    expect(from).toBeGreaterThan(0.022);
    expect(from).toBeLessThanOrEqual(0.027);
    expect(to).toBeGreaterThanOrEqual(0.077);
    expect(to).toBeLessThan(0.083);
  });

  it('says nothing where nothing is known, and all where all lie above', () => {
    expect(forecastRate(0, { above: 0 })).toEqual([0, 1]);
    expect(forecastRate(4, { above: 4, least: 4 })[1]).toBe(1);
    expect(forecastRate(1, { above: 0 })[1]).toBeCloseTo(0.9, 2);
  });

  it('has a low end from three scores above on', () => {
    expect([0, 1, 2].map((above) => forecastRate(100, { above })[0])).toEqual([0, 0, 0]);
    expect(forecastRate(100, { above: 3 })[0]).toBeGreaterThan(0);
    expect(forecastRate(100, { above: 3, least: 3 })[0]).toBe(0); // tied, or chosen in another way
  });

  it('narrows with more scores', () => {
    const width = (n: number) => {
      const [low, high] = forecastRate(n, { above: Math.round(n / 20) });
      return high - low;
    };
    expect(width(100)).toBeGreaterThan(width(1000));
    expect(width(1000)).toBeGreaterThan(width(10_000));
  });

  it.each([5, 20, 60, 200])('holds what it says: of %i scores, in 9 of 10 draws the rate lies inside', (n) => {
    const rng = new Rng(3, String(n));
    let inside = 0;
    for (let round = 0; round < 2000; round++) {
      const { threshold, rateInterval } = thresholdForFalseAlarms(rng.uniforms(n), 0.05);
      const others = rng.uniforms(1000);
      const rate = others.filter((score) => score >= threshold!).length / 1000;
      if (rate >= rateInterval[0] && rate <= rateInterval[1]) inside++;
    }
    expect(inside / 2000).toBeGreaterThan(0.885);
    expect(inside / 2000).toBeLessThan(0.97);
  });

  it('of tied scores is wider at the low end', () => {
    const tied = thresholdForFalseAlarms([...new Array(90).fill(1), ...new Array(10).fill(2)], 0.05);
    expect(tied.empiricalRate).toBe(0);
    expect(tied.rateInterval[0]).toBe(0);
    const apart = thresholdForFalseAlarms(
      Array.from({ length: 100 }, (_, i) => i),
      0.05,
    );
    expect(apart.rateInterval[0]).toBeGreaterThan(0);
    expect(apart.rateInterval[1]).toBeGreaterThan(0.08);
    expect(tied.rateInterval[1]).toBeGreaterThan(0.07);
  });
});
