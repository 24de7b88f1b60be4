import { describe, expect, it } from 'vitest';
import { hasTsb, tsbSeries } from '../../../../test/helpers/tsb-ad.ts';
import { vusPr } from '../../../../test/helpers/vus.ts';
import { Rng } from '../../../core/random.ts';
import { windowLength } from '../../../data/series/window-length.ts';
import { fitShapes, shapeScores } from './kshape.ts';

/** A heart-like wave of period 40, with jitter. */
function beats(n: number): Float64Array {
  return Float64Array.from(new Rng(1).normals(n, 0, 0.03), (e, t) => {
    const phase = (t % 40) / 40;
    return Math.exp(-(((phase - 0.3) / 0.05) ** 2)) + 0.3 * Math.sin(2 * Math.PI * phase) + e;
  });
}

describe('k-shape of windows', () => {
  it('learns shapes of four windows, with weights that sum to 1, the same for the same stream', () => {
    const shapes = fitShapes(beats(2000), 20, 3, new Rng(5));
    expect(shapes.shapes.every((shape) => shape.length === 80)).toBe(true);
    expect(shapes.weights.reduce((a, b) => a + b)).toBeCloseTo(1, 12);
    expect(fitShapes(beats(2000), 20, 3, new Rng(5))).toEqual(shapes);
    for (const shape of shapes.shapes) {
      expect(shape.reduce((a, b) => a + b)).toBeCloseTo(0, 6);
      expect(Math.hypot(...shape)).toBeCloseTo(Math.sqrt(79), 6);
    }
  });

  it('stands out at a planted discord', () => {
    const x = beats(3000);
    for (let t = 2000; t < 2040; t++) x[t] = Math.cos(t * t);
    const scores = shapeScores(fitShapes(x, 40, 4, new Rng(1)), x);
    const peak = scores.indexOf(scores.reduce((a, b) => Math.max(a, b)));
    expect(peak).toBeGreaterThan(1960);
    expect(peak).toBeLessThan(2080);
    expect(scores.length).toBe(3000);
  });

  it('takes fewer shapes where there are few pieces, and goes on with constant series', () => {
    expect(fitShapes(beats(200), 20, 6, new Rng(1)).shapes.length).toBe(2);
    const flat = fitShapes(new Float64Array(400).fill(3), 20, 6, new Rng(1));
    expect(shapeScores(flat, new Float64Array(60).fill(1))).toEqual(new Float64Array(60));
    expect(shapeScores(flat, beats(60)).every(Number.isFinite)).toBe(true);
  });

  it('needs a piece and finite values', () => {
    expect(() => fitShapes(beats(80), 20, 6, new Rng(1))).toThrow(
      /shapes of 80 steps needs at least 81 steps; the series has 80/,
    );
    expect(() => fitShapes(beats(300).fill(Number.NaN, 8, 9), 20, 6, new Rng(1))).toThrow(/step 8 is NaN/);
  });
});

describe.skipIf(!hasTsb)('k-shape of TSB-AD (skipped where ODDITY_DATA has no folders tsb_ad and nab)', () => {
  // The published values hang on random starts; bands, not values.
  it.each([
    ['001', 0.091],
    ['016', 0.105],
    ['017', 0.58],
    ['019', 0.083],
  ] as const)('is near the published VUS-PR of %s', (number, published) => {
    const { values, labels } = tsbSeries(number);
    const window = windowLength(values);
    const scores = shapeScores(fitShapes(values, window, 6, new Rng(1)), values);
    expect(Math.abs(vusPr(scores, labels, window) - published)).toBeLessThan(0.05);
  });

  it('finds the anomaly of 326', () => {
    const { values, labels } = tsbSeries('326');
    const scores = shapeScores(fitShapes(values, 183, 6, new Rng(1)), values);
    expect(vusPr(scores, labels, 183)).toBeGreaterThan(0.6);
    const peak = scores.indexOf(scores.reduce((a, b) => Math.max(a, b)));
    expect(Math.abs(peak - 4187)).toBeLessThan(183);
  });
});
