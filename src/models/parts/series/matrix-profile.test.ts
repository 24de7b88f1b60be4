import { describe, expect, it } from 'vitest';
import { hasTsb, tsbSeries } from '../../../../test/helpers/tsb-ad.ts';
import { vusPr } from '../../../../test/helpers/vus.ts';
import { Rng } from '../../../core/random.ts';
import { windowLength } from '../../../data/series/window-length.ts';
import { diagonalKernel } from './diagonal-kernel.ts';
import { diagonalRanges, pairsOfDiagonals, profileOfDiagonals } from './diagonals.ts';
import {
  firstDiagonal,
  joinProfile,
  leftMatrixProfile,
  matrixProfile,
  profileFrom,
  profilePairs,
  profileRanges,
  profileScores,
  profileWindows,
} from './matrix-profile.ts';

/** z-normalised windows by the definition; flat ones are zeros. */
function zWindows(x: Float64Array, length: number): number[][] {
  return Array.from({ length: x.length - length + 1 }, (_, i) => {
    const window = Array.from(x.subarray(i, i + length));
    const mean = window.reduce((a, b) => a + b, 0) / length;
    const std = Math.sqrt(window.reduce((a, b) => a + (b - mean) ** 2, 0) / length);
    return window.every((v) => v === window[0]) ? window.map(() => 0) : window.map((v) => (v - mean) / std);
  });
}

function nearest(a: number[][], b: number[][], isPartner: (i: number, j: number) => boolean): number[] {
  return a.map((x, i) => {
    let least = Number.POSITIVE_INFINITY;
    for (const [j, y] of b.entries()) {
      if (isPartner(i, j)) least = Math.min(least, Math.hypot(...x.map((v, k) => v - y[k])));
    }
    return least === Number.POSITIVE_INFINITY ? 0 : least;
  });
}

const worst = (a: Float64Array, b: number[]) => Math.max(...b.map((x, i) => Math.abs(x - a[i])));

/** A wave with noise, a stretch of equal values, a second equal stretch, and a level of a million. */
function hardSeries(n: number): Float64Array {
  const noise = new Rng(3).normals(n, 0, 0.2);
  const x = Float64Array.from(noise, (e, t) => 1e6 + Math.sin(t / 5) + e);
  x.fill(1e6 + 0.3, 60, 90);
  x.fill(1e6 - 2, 200, 225);
  x[150] += 500;
  return x;
}

describe('matrix profile', () => {
  const x = hardSeries(400);

  it.each([2, 3, 8, 20, 33])('is that of the definition for windows of %i steps, flat ones included', (length) => {
    const windows = zWindows(x, length);
    const far = firstDiagonal(length);
    const all = nearest(windows, windows, (i, j) => Math.abs(i - j) >= far);
    const left = nearest(windows, windows, (i, j) => i - j >= far);
    expect(worst(matrixProfile(x, length).distance, all)).toBeLessThan(1e-6);
    expect(worst(leftMatrixProfile(x, length).distance, left)).toBeLessThan(1e-6);
    const other = x.subarray(250, 330);
    const join = nearest(windows, zWindows(other, length), () => true);
    expect(worst(joinProfile(x, other, length).distance, join)).toBeLessThan(1e-6);
  });

  it.each([0, 1e6, 1e8])(
    'stays that of the definition where covariances are carried far, past spikes of %f',
    (spike) => {
      const n = 9000;
      const noise = new Rng(4).normals(n);
      const x = Float64Array.from(noise, (e, t) => Math.sin(t / 40) + e / 3);
      x[4000] += spike;
      x[6500] -= spike;
      const { distance, index } = matrixProfile(x, 50);
      const windows = zWindows(x, 50);
      for (const i of [0, 1, 2500, 3990, 4001, 4100, 6000, 6510, 8900, 8950]) {
        const [least] = nearest([windows[i]], windows, (_, j) => Math.abs(i - j) >= firstDiagonal(50));
        expect(Math.abs(distance[i] - least)).toBeLessThan(1e-6);
        expect(Math.abs(index[i] - i)).toBeGreaterThanOrEqual(firstDiagonal(50));
      }
    },
  );

  it('gives the same correlations in WebAssembly and in JavaScript, whatever the ranges', () => {
    const windows = profileWindows(x, 10);
    expect(diagonalKernel(windows.count)).toBeDefined();
    for (const [from, to] of [
      [4, 391],
      [4, 5],
      [5, 13],
      [100, 117],
      [380, 391],
      [390, 900],
    ]) {
      const [wasm, plain] = [profileOfDiagonals(windows, from, to), profileOfDiagonals(windows, from, to, null)];
      // === knows no sign of zero.
      expect(wasm.left.every((c, i) => c === plain.left[i])).toBe(true);
      expect(wasm.right.every((c, i) => c === plain.right[i])).toBe(true);
      for (const [i, partner] of wasm.rightIndex.entries()) {
        // Of flat windows any is as good as another.
        if (partner >= 0 && wasm.right[i] > 0 && windows.flat[i] === 0) expect(partner).toBe(plain.rightIndex[i]);
        expect(partner < 0).toBe(plain.rightIndex[i] < 0);
      }
    }
  });

  it('of ranges of diagonals, merged, is the whole, and ranges share the pairs', () => {
    const whole = matrixProfile(x, 20);
    for (const workers of [1, 2, 3, 7]) {
      const ranges = profileRanges(400, 20, workers);
      const windows = profileWindows(x, 20);
      const merged = profileFrom(windows, ...ranges.map(([from, to]) => profileOfDiagonals(windows, from, to)));
      expect(worst(merged.distance, Array.from(whole.distance))).toBeLessThan(1e-9);
      const pairs = ranges.map(([from, to]) => pairsOfDiagonals(381, from, to));
      expect(pairs.reduce((a, b) => a + b)).toBe(profilePairs(400, 20));
      for (const share of pairs) expect(Math.abs(share / profilePairs(400, 20) - 1 / workers)).toBeLessThan(0.01);
    }
    expect(diagonalRanges(5, 4, 3)).toEqual([[4, 5]]);
  });

  it('stands out at a planted discord, and nowhere in a constant series', () => {
    const wave = Float64Array.from({ length: 1000 }, (_, t) => Math.sin(t / 6) + 0.01 * Math.sin(t * t));
    for (let t = 700; t < 720; t++) wave[t] = 0.2 * Math.sin(t / 2);
    const { distance } = matrixProfile(wave, 40);
    const peak = distance.indexOf(distance.reduce((a, b) => Math.max(a, b)));
    expect(peak).toBeGreaterThan(655);
    expect(peak).toBeLessThan(720);
    expect(Math.max(...matrixProfile(new Float64Array(100).fill(5), 10).distance)).toBe(0);
  });

  it('scores of steps: the middle of each window, the least elsewhere', () => {
    expect(Array.from(profileScores(Float64Array.of(3, 2, 5), 8))).toEqual([2, 2, 2, 3, 2, 5, 2, 2]);
  });

  it('needs a partner for each window, and finite values', () => {
    expect(() => matrixProfile(new Float64Array(10), 8)).toThrow(
      /windows of 8 steps needs at least 13 steps; the series has 10/,
    );
    expect(() => matrixProfile(new Float64Array(13), 8)).not.toThrow();
    expect(() => joinProfile(new Float64Array(13), new Float64Array(7), 8)).toThrow(/at least 8 steps/);
    expect(() => matrixProfile(new Float64Array(50).fill(Number.NaN, 7), 8)).toThrow(/step 7 is NaN/);
  });
});

describe.skipIf(!hasTsb)('matrix profile of TSB-AD (skipped where ODDITY_DATA has no folders tsb_ad and nab)', () => {
  it('has the published point values of 001', () => {
    const { distance } = matrixProfile(tsbSeries('001').values, 6);
    const wanted = { 0: 0.208077, 10: 0.395732, 2014: 0.254773, 3000: 0.403251, 1319: 0.962004 };
    for (const [step, value] of Object.entries(wanted)) expect(distance[Number(step)]).toBeCloseTo(value, 6);
    expect(distance.indexOf(distance.reduce((a, b) => Math.max(a, b)))).toBe(1319);
  });

  it.each([
    ['001', 0.0939662],
    ['013', 0.0736945],
    ['006', 0.704054],
    ['016', 0.1067535],
    ['019', 0.0875393],
    ['326', 0.3438352],
  ] as const)('has the published VUS-PR of %s', (number, wanted) => {
    const { values, labels } = tsbSeries(number);
    const window = windowLength(values);
    const scores = profileScores(matrixProfile(values, window).distance, values.length);
    expect(Math.abs(vusPr(scores, labels, window) - wanted)).toBeLessThan(1e-5);
  });
});
