import { describe, expect, it } from 'vitest';
import { hasTsb, tsbSeries } from '../../../../test/helpers/tsb-ad.ts';
import { vusPr } from '../../../../test/helpers/vus.ts';
import { windowLength } from '../../../data/series/window-length.ts';
import { polyScores } from './poly.ts';

describe('poly', () => {
  it('follows a polynomial of degree 4 but for the end of blocks, and stands out where it is left', () => {
    const x = Float64Array.from({ length: 1000 }, (_, t) => ((t - 480) / 500) ** 4 + t / 900);
    const clean = polyScores(x, 10);
    expect(Math.max(...clean)).toBeLessThan(0.02);
    x.fill(1.2, 620, 630);
    const scores = polyScores(x, 10);
    expect(scores.indexOf(scores.reduce((a, b) => Math.max(a, b)))).toBe(620);
  });

  it('scores blocks as a whole, and nothing at the beginning', () => {
    const x = Float64Array.from({ length: 403 }, (_, t) => Math.sin(t * t));
    const scores = polyScores(x, 10);
    expect(scores.subarray(0, 40)).toEqual(new Float64Array(40));
    for (let t = 40; t < 403; t++) {
      expect(scores[t]).toBeGreaterThan(0);
      expect(scores[t]).toBe(scores[t - (t % 10)]);
    }
  });

  it('is 0 for a constant series, and finite for any length that is long enough', () => {
    expect(polyScores(new Float64Array(200).fill(3), 20)).toEqual(new Float64Array(200));
    for (const [n, length] of [
      [30, 25],
      [31, 15],
      [120, 2],
      [99, 1],
      [200, 150],
    ]) {
      const scores = polyScores(
        Float64Array.from({ length: n }, (_, t) => Math.cos(t)),
        length,
      );
      expect(scores.every(Number.isFinite)).toBe(true);
    }
  });

  it('needs a block and five steps, and finite values', () => {
    expect(() => polyScores(new Float64Array(24), 20)).toThrow(/needs at least 25 steps; the series has 24/);
    expect(() => polyScores(new Float64Array(50).fill(Number.NaN, 9), 5)).toThrow(/step 9 is NaN/);
  });
});

describe.skipIf(!hasTsb)('poly of TSB-AD (skipped where ODDITY_DATA has no folders tsb_ad and nab)', () => {
  it('has the published point values of 001', () => {
    const scores = polyScores(tsbSeries('001').values, 6);
    for (const [t, value] of [
      [402, 0],
      [408, 0.022194],
      [2014, 0.031216],
      [4030, 0.223731],
    ])
      expect(scores[t]).toBeCloseTo(value, 6);
  });

  it.each([
    ['001', 0.261176],
    ['006', 0.246658],
    ['013', 0.782558],
    ['016', 0.156353],
    ['017', 0.878496],
    ['018', 0.191606],
    ['019', 0.221271],
    ['326', 0.0411],
  ] as const)('has the published VUS-PR of %s', (number, wanted) => {
    const { values, labels } = tsbSeries(number);
    const window = windowLength(values);
    expect(Math.abs(vusPr(polyScores(values, window), labels, window) - wanted)).toBeLessThan(1e-5);
  });
});
