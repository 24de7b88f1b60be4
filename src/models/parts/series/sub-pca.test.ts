import { describe, expect, it } from 'vitest';
import { hasTsb, tsbSeries } from '../../../../test/helpers/tsb-ad.ts';
import { vusPr } from '../../../../test/helpers/vus.ts';
import { Rng } from '../../../core/random.ts';
import { windowLength } from '../../../data/series/window-length.ts';
import { centredScores } from '../../../data/series/windows.ts';
import { fitSubPca, type SubPcaForm, subPcaScores } from './sub-pca.ts';

const wave = (n: number) => {
  const noise = new Rng(2).normals(n, 0, 0.1);
  return Float64Array.from(noise, (e, t) => 100 + Math.sin(t / 4) + e);
};

describe('sub-pca', () => {
  it('has standardised windows, unit axes and shares that sum to 1', () => {
    const x = wave(300);
    const { mean, scale, axes, ratio } = fitSubPca(x, 10);
    const at = (k: number) => Array.from(x.subarray(k, k + 291));
    for (const k of [0, 5, 9]) {
      const average = at(k).reduce((a, b) => a + b, 0) / 291;
      expect(mean[k]).toBeCloseTo(average, 10);
      expect(scale[k]).toBeCloseTo(Math.sqrt(at(k).reduce((a, b) => a + (b - average) ** 2, 0) / 291), 10);
    }
    for (let j = 0; j < 10; j++) expect(Math.hypot(...axes.subarray(10 * j, 10 * j + 10))).toBeCloseTo(1, 10);
    expect(ratio.reduce((a, b) => a + b)).toBeCloseTo(1, 10);
  });

  it('its distances have a mean of the number of positions: they are Mahalanobis', () => {
    const x = wave(300);
    const scores = subPcaScores(fitSubPca(x, 10), x);
    // Σ p²/ratio over windows is windows · total variance, a component at a time.
    expect(scores.reduce((a, b) => a + b) / scores.length).toBeCloseTo(10 * 10, 6);
  });

  it.each(['distance', 'compat'] as const)(
    'stands out at a planted discord, and scores parts of a series alike (%s)',
    (form) => {
      const x = wave(600);
      const pca = fitSubPca(x.subarray(0, 400), 12, form);
      // The published form is no distance: it finds what is far out, not a wave that stops.
      for (let t = 500; t < 512; t++) x[t] = form === 'distance' ? 100.5 : 110;
      const scores = subPcaScores(pca, x, form);
      const peak = scores.indexOf(scores.reduce((a, b) => Math.max(a, b)));
      expect(Math.abs(peak - 500)).toBeLessThanOrEqual(12);
      const part = subPcaScores(pca, x.subarray(480, 540), form);
      for (const [i, score] of part.entries()) expect(score).toBeCloseTo(scores[480 + i], 9);
    },
  );

  it('scores 0 where the fitted series is constant, and goes on with positions that are', () => {
    expect(subPcaScores(fitSubPca(new Float64Array(50).fill(2), 5), wave(20))).toEqual(new Float64Array(16));
    const late = new Float64Array(60).fill(1);
    late.set([1.5, 2, 0], 57);
    for (const form of ['distance', 'compat'] as const) {
      const scores = subPcaScores(fitSubPca(late, 8, form), late, form);
      expect(scores.every(Number.isFinite)).toBe(true);
    }
  });

  it('needs two windows and finite values', () => {
    expect(() => fitSubPca(wave(10), 10)).toThrow(/windows of 10 steps needs at least 11 steps; the series has 10/);
    expect(() => fitSubPca(wave(50).fill(Number.NaN, 3, 4), 10)).toThrow(/step 3 is NaN/);
    expect(() => subPcaScores(fitSubPca(wave(50), 10), wave(9))).toThrow(/at least 10 steps; the series has 9/);
  });
});

describe.skipIf(!hasTsb)('sub-pca of TSB-AD (skipped where ODDITY_DATA has no folders tsb_ad and nab)', () => {
  const scoresOf = (number: string, form: SubPcaForm) => {
    const { values, labels } = tsbSeries(number);
    const window = windowLength(values);
    const scores = subPcaScores(fitSubPca(values, window, form), values, form);
    const points = centredScores(scores, { steps: values.length, length: window, stride: 1 });
    return { points, vus: vusPr(points, labels, window) };
  };

  it('has the published point values of 001', () => {
    const { points } = scoresOf('001', 'compat');
    const wanted = {
      0: 77.127459,
      1000: 82.225223,
      2014: 101.574534,
      2100: 117.290811,
      3400: 127.557147,
      4030: 734.693426,
    };
    for (const [step, value] of Object.entries(wanted)) expect(points[Number(step)]).toBeCloseTo(value, 5);
    const { ratio } = fitSubPca(tsbSeries('001').values, 6);
    for (const [j, share] of [0.229021, 0.204428, 0.186157, 0.173312, 0.11124, 0.095841].entries())
      expect(ratio[j]).toBeCloseTo(share, 5);
  });

  it.each([
    ['001', 'compat', 0.180348],
    ['006', 'compat', 0.227598],
    ['013', 'compat', 0.859052],
    ['016', 'compat', 0.374778],
    ['017', 'compat', 0.407584],
    ['018', 'compat', 0.123401],
    ['019', 'compat', 0.160995],
    ['326', 'compat', 0.02825],
    ['001', 'distance', 0.184313],
  ] as const)('has the VUS-PR of %s (%s)', (number, form, wanted) => {
    expect(Math.abs(scoresOf(number, form).vus - wanted)).toBeLessThan(1e-5);
  });

  it('without signs is better on 326 and worse on 016, as the sheet has it', () => {
    expect(scoresOf('326', 'distance').vus).toBeCloseTo(0.536, 3);
    expect(scoresOf('013', 'distance').vus).toBeCloseTo(0.8706, 4);
    expect(scoresOf('016', 'distance').vus).toBeCloseTo(0.172, 3);
  });
});
