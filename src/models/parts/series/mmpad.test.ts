import { describe, expect, it } from 'vitest';
import { hasTsb, tsbSeries } from '../../../../test/helpers/tsb-ad.ts';
import { vusPr } from '../../../../test/helpers/vus.ts';
import { Rng } from '../../../core/random.ts';
import { windowLength } from '../../../data/series/window-length.ts';
import { mmpadLength, mmpadPairs, mmpadProfile, mmpadScores } from './mmpad.ts';

/** By the definition, one pair after the other. */
function byDefinition(channels: Float64Array[], length: number, k: number, fraction: number): number[] {
  const count = channels[0].length - length + 1;
  const correlation = (x: Float64Array, i: number, j: number) => {
    const unit = (at: number) => {
      const window = Array.from(x.subarray(at, at + length));
      const mean = window.reduce((a, b) => a + b, 0) / length;
      const norm = Math.hypot(...window.map((v) => v - mean));
      return window.every((v) => v === window[0]) ? undefined : window.map((v) => (v - mean) / norm);
    };
    const [a, b] = [unit(i), unit(j)];
    if (!a || !b) return a === b ? 1 : 0;
    return a.reduce((sum, v, s) => sum + v * b[s], 0);
  };
  const apart = Math.floor(0.5 * length);
  return Array.from({ length: count }, (_, i) => {
    const row = Array.from({ length: count }, (_, j) => {
      const sorted = channels.map((x) => correlation(x, i, j)).sort((a, b) => a - b);
      return sorted[Math.ceil(fraction * channels.length) - 1];
    });
    const mask = (at: number) => row.fill(Number.NEGATIVE_INFINITY, Math.max(0, at - apart), at + apart);
    mask(i);
    let found = Number.NEGATIVE_INFINITY;
    for (let turn = 0; turn < k; turn++) {
      const best = row.indexOf(Math.max(...row));
      if (row[best] === Number.NEGATIVE_INFINITY) break;
      found = row[best];
      mask(best);
    }
    return -found;
  });
}

const noisy = (n: number, seed: number, period: number) =>
  Float64Array.from(new Rng(seed).normals(n, 0, 0.3), (e, t) => Math.sin(t / period) + e);

const interleaved = (channels: Float64Array[]) =>
  Float64Array.from({ length: channels.length * channels[0].length }, (_, i) => {
    return channels[i % channels.length][Math.floor(i / channels.length)];
  });

const worst = (a: Float64Array, b: number[]) => Math.max(...b.map((x, i) => Math.abs(x - a[i])));

describe('mmpad', () => {
  it.each([1, 2, 5, 40])('is that of the definition for neighbour %i', (k) => {
    const x = noisy(150, 1, 4);
    x.fill(0.5, 40, 60);
    x.fill(-1, 90, 103);
    for (const length of [7, 12])
      expect(worst(mmpadProfile(x, { length, neighbours: k }), byDefinition([x], length, k, 1))).toBeLessThan(1e-9);
  });

  it('is that of the definition with several channels, and leaves constant ones out', () => {
    const channels = [noisy(120, 1, 4), noisy(120, 2, 7), noisy(120, 3, 3)];
    channels[1].fill(2, 30, 70);
    for (const fraction of [0.1, 0.5, 0.7, 1]) {
      const options = { length: 10, neighbours: 3, fraction };
      const wanted = byDefinition(channels, 10, 3, fraction);
      expect(worst(mmpadProfile(interleaved(channels), { ...options, channels: 3 }), wanted)).toBeLessThan(1e-9);
      const more = [channels[0], new Float64Array(120).fill(7), channels[1], channels[2]];
      expect(worst(mmpadProfile(interleaved(more), { ...options, channels: 4 }), wanted)).toBeLessThan(1e-9);
    }
  });

  it('finds a discord that comes twice by the second neighbour, not by the first', () => {
    const x = noisy(1200, 5, 6).map((v, t) => Math.sin(t / 6) + 0.05 * v);
    const twice = Float64Array.from({ length: 30 }, (_, t) => Math.cos(t * t * 0.9));
    x.set(twice, 400);
    x.set(twice, 800);
    const top = (scores: Float64Array) => scores.indexOf(scores.reduce((a, b) => Math.max(a, b)));
    const isAt = (t: number) => Math.min(Math.abs(t - 400), Math.abs(t - 800)) <= 30;
    expect(isAt(top(mmpadProfile(x, { length: 30, neighbours: 2 })))).toBe(true);
    expect(mmpadProfile(x, { length: 30, neighbours: 1 })[400]).toBeLessThan(-0.99);
  });

  it('scores in [0, 1], and 0 where no channel varies', () => {
    const scores = mmpadScores(noisy(200, 1, 4), { length: 12, neighbours: 5 });
    expect(scores.length).toBe(200);
    for (const score of scores) expect(score >= 0 && score <= 1).toBe(true);
    expect(mmpadScores(new Float64Array(100).fill(3), { length: 10, neighbours: 5, channels: 2 })).toEqual(
      new Float64Array(50),
    );
    expect([mmpadLength(20), mmpadLength(90), mmpadPairs(100, 11)]).toEqual([64, 90, 8100]);
  });

  it('needs a neighbour for each window, and finite values', () => {
    const options = { length: 10, neighbours: 5 };
    expect(() => mmpadProfile(noisy(19, 1, 4), options)).toThrow(/at least 20 steps; the series has 19/);
    expect(mmpadProfile(noisy(20, 1, 4), options).every(Number.isFinite)).toBe(true);
    const gap = noisy(60, 1, 4).fill(Number.NaN, 41, 42);
    expect(() => mmpadProfile(gap, { ...options, channels: 2 })).toThrow(/step 20, channel 1 is NaN/);
  });
});

describe.skipIf(!hasTsb)('mmpad of TSB-AD (skipped where ODDITY_DATA has no folders tsb_ad and nab)', () => {
  it.each([
    ['001', 3381],
    ['013', 1814],
    ['326', 4179],
  ] as const)('is largest where the published profile of %s is', (number, step) => {
    const { values } = tsbSeries(number);
    const profile = mmpadProfile(values, { length: mmpadLength(windowLength(values)), neighbours: 5 });
    expect(profile.indexOf(profile.reduce((a, b) => Math.max(a, b)))).toBe(step);
  });

  it('has the published point values of 001', () => {
    const scores = mmpadScores(tsbSeries('001').values, { length: 64, neighbours: 5 });
    for (const [t, value] of [
      [0, 0.487972],
      [1000, 0.440528],
      [2014, 0.410029],
      [3000, 0.536583],
      [4030, 0.770553],
    ])
      expect(scores[t]).toBeCloseTo(value, 6);
  });

  // 017 and 018 have flat windows, where the published values are rounding.
  it.each([
    ['001', 0.564225],
    ['006', 0.86561],
    ['013', 0.068783],
    ['016', 0.085243],
    ['019', 0.350394],
    ['326', 0.92642],
  ] as const)('has the published VUS-PR of %s', (number, wanted) => {
    const { values, labels } = tsbSeries(number);
    const window = windowLength(values);
    const scores = mmpadScores(values, { length: mmpadLength(window), neighbours: 5 });
    expect(Math.abs(vusPr(scores, labels, window) - wanted)).toBeLessThan(1e-5);
  });
});
