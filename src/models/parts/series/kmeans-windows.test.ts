import { describe, expect, it } from 'vitest';
import { hasTsb, tsbSeries } from '../../../../test/helpers/tsb-ad.ts';
import { vusPr } from '../../../../test/helpers/vus.ts';
import { Rng } from '../../../core/random.ts';
import { windowLength } from '../../../data/series/window-length.ts';
import { meanOfWindows, windowsOf } from '../../../data/series/windows.ts';
import { centreDistances, kMeans } from './kmeans-windows.ts';
import { normalised } from './window-neighbours.ts';

describe('k-means of windows', () => {
  it('finds separate groups, and the distance to the mean of the nearest', () => {
    const noise = new Rng(1).normals(300 * 2, 0, 0.05);
    const rows = Float64Array.from(noise, (e, i) => e + (Math.floor(i / 2) % 3) * 4);
    const centres = kMeans(rows, 2, 3, new Rng(2));
    const levels = Array.from({ length: 3 }, (_, c) => centres[2 * c]).sort((a, b) => a - b);
    for (const [c, level] of levels.entries()) expect(level).toBeCloseTo(4 * c, 1);
    const [near, far] = centreDistances(Float64Array.of(4, 4, 0, 12), 2, centres);
    expect(near).toBeLessThan(0.1);
    expect(far).toBeCloseTo(Math.hypot(4, 8), 0);
  });

  it('is the same for the same stream, and keeps equal rows and as many centres as rows', () => {
    const rows = Float64Array.from(new Rng(3).normals(80));
    expect(kMeans(rows, 4, 5, new Rng(1))).toEqual(kMeans(rows, 4, 5, new Rng(1)));
    expect(kMeans(new Float64Array(40).fill(2), 4, 3, new Rng(1))).toEqual(new Float64Array(12).fill(2));
    const all = kMeans(rows, 8, 10, new Rng(1));
    for (const distance of centreDistances(rows, 8, all)) expect(distance).toBeCloseTo(0, 12);
  });

  it('stands out at a planted discord', () => {
    const x = Float64Array.from(new Rng(4).normals(800, 0, 0.05), (e, t) => Math.sin(t / 5) + e);
    for (let t = 600; t < 620; t++) x[t] = ((t % 7) - 3) / 3;
    const rows = normalised(windowsOf(x, { length: 20 }), 20, 'window');
    const scores = centreDistances(rows, 20, kMeans(rows, 20, 10, new Rng(1)));
    const peak = scores.indexOf(scores.reduce((a, b) => Math.max(a, b)));
    expect(Math.abs(peak - 600)).toBeLessThan(20);
  });
});

describe.skipIf(!hasTsb)('k-means of TSB-AD (skipped where ODDITY_DATA has no folders tsb_ad and nab)', () => {
  // The published values hang on a random start; bands, not values.
  it.each([
    ['001', 0.119],
    ['013', 0.074],
    ['018', 0.128],
    ['326', 0.528],
  ] as const)('is near the published VUS-PR of %s', (number, published) => {
    const { values, labels } = tsbSeries(number);
    const length = windowLength(values, 2);
    const rows = normalised(windowsOf(values, { length }), length, 'window');
    const scores = centreDistances(rows, length, kMeans(rows, length, 10, new Rng(1)));
    const points = meanOfWindows(scores, { steps: values.length, length, stride: 1 });
    expect(Math.abs(vusPr(points, labels, windowLength(values)) - published)).toBeLessThan(0.05);
  });
});
