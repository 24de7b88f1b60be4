import { describe, expect, it } from 'vitest';
import { hasTsb, tsbSeries } from '../../../test/helpers/tsb-ad.ts';
import { Rng } from '../../core/random.ts';
import { windowLength } from './window-length.ts';

const sine = (n: number, period: number) =>
  Float64Array.from({ length: n }, (_, t) => Math.sin((2 * Math.PI * t) / period));

describe('windowLength', () => {
  it('is the period of a sine, with noise, level and scale', () => {
    const noise = new Rng(1).normals(2000, 0, 0.1);
    for (const period of [12, 50, 130]) {
      expect(windowLength(sine(2000, period))).toBe(period);
      const noisy = windowLength(sine(2000, period).map((x, t) => 40 + 3 * (x + noise[t])));
      expect(Math.abs(noisy - period)).toBeLessThan(period / 10);
    }
  });

  it('is 125 without a period: constant, a ramp, a few values, a period of more than 303', () => {
    expect(windowLength(new Float64Array(500).fill(3))).toBe(125);
    expect(windowLength(Float64Array.from({ length: 500 }, (_, t) => t))).toBe(125);
    expect(windowLength(Float64Array.of(1, 2))).toBe(125);
    expect(windowLength(new Float64Array(0))).toBe(125);
    expect(windowLength(sine(5000, 350))).toBe(125);
  });

  it('of rank 2 is a later maximum', () => {
    const both = sine(3000, 20).map((x, t) => x + 0.9 * Math.sin((2 * Math.PI * t) / 70));
    expect(windowLength(both, 2)).toBeGreaterThan(windowLength(both, 1));
  });

  it('names the step that is no number', () => {
    expect(() => windowLength(Float64Array.of(1, 2, Number.NaN, 4))).toThrow(/step 2 is NaN/);
  });
});

describe.skipIf(!hasTsb)('windowLength (skipped where ODDITY_DATA has no folders tsb_ad and nab)', () => {
  it.each([
    ['001', 6, 12],
    ['006', 125, 125],
    ['013', 247, 299],
    ['016', 23, 167],
    ['017', 100, 200],
    ['018', 125, 10],
    ['019', 8, 32],
    ['326', 183, 125],
  ] as const)('of %s is %i, and %i of rank 2', (number, first, second) => {
    const { values } = tsbSeries(number);
    expect([windowLength(values, 1), windowLength(values, 2)]).toEqual([first, second]);
  });

  it('of channel 0 of 008 MSL is 181', () => {
    const { values, channels } = tsbSeries('M008');
    expect(windowLength(values.filter((_, i) => i % channels === 0))).toBe(181);
  });
});
