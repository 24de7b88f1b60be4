import { describe, expect, it } from 'vitest';
import { hasTsb, tsbSeries } from '../../../../test/helpers/tsb-ad.ts';
import { vusPr } from '../../../../test/helpers/vus.ts';
import { Rng } from '../../../core/random.ts';
import { windowLength } from '../../../data/series/window-length.ts';
import { spectralResidual } from './spectral-residual.ts';

describe('spectral residual', () => {
  it('stands out at an isolated point, whatever the scale', () => {
    const noise = new Rng(1).normals(701, 0, 0.05);
    const x = Float64Array.from(noise, (e, t) => Math.sin(t / 15) + e + (t === 333 ? 3 : 0));
    const scores = spectralResidual(x);
    expect(scores.indexOf(scores.reduce((a, b) => Math.max(a, b)))).toBe(333);
    const scaled = spectralResidual(x.map((v) => 40 * v - 7));
    for (const t of [0, 100, 333, 700]) expect(scaled[t]).toBeCloseTo(scores[t], 9);
  });

  it('is 0 for a constant series, and finite for short ones and for pure waves', () => {
    expect(spectralResidual(new Float64Array(30).fill(4))).toEqual(new Float64Array(30));
    expect(spectralResidual(new Float64Array(0)).length).toBe(0);
    for (const n of [1, 2, 3, 7, 64]) {
      const x = Float64Array.from({ length: n }, (_, t) => Math.cos((2 * Math.PI * t) / 8));
      expect(spectralResidual(x).every((s) => Number.isFinite(s) && s >= 0)).toBe(true);
    }
  });

  it('names the step that is no number', () => {
    expect(() => spectralResidual(Float64Array.of(1, Number.POSITIVE_INFINITY))).toThrow(/step 1 is Infinity/);
  });
});

describe.skipIf(!hasTsb)(
  'spectral residual of TSB-AD (skipped where ODDITY_DATA has no folders tsb_ad and nab)',
  () => {
    it('has the published point values of 001', () => {
      const scores = spectralResidual(tsbSeries('001').values);
      for (const [t, value] of [
        [0, 0.013768],
        [1, 0.011054],
        [2014, 0.004589],
        [4030, 0.10707],
      ])
        expect(scores[t]).toBeCloseTo(value, 6);
    });

    it.each([
      ['001', 0.134766],
      ['006', 0.130987],
      ['013', 0.246143],
      ['016', 0.209604],
      ['017', 0.117925],
      ['018', 0.180132],
      ['019', 0.120207],
      ['326', 0.383445],
    ] as const)('has the published VUS-PR of %s', (number, wanted) => {
      const { values, labels } = tsbSeries(number);
      expect(Math.abs(vusPr(spectralResidual(values), labels, windowLength(values)) - wanted)).toBeLessThan(1e-5);
    });
  },
);
