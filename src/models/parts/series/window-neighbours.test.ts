import { describe, expect, it } from 'vitest';
import { hasTsb, tsbSeries } from '../../../../test/helpers/tsb-ad.ts';
import { vusPr } from '../../../../test/helpers/vus.ts';
import { Rng } from '../../../core/random.ts';
import { windowLength } from '../../../data/series/window-length.ts';
import { centredScores, windowsOf } from '../../../data/series/windows.ts';
import { fitHbos, scoreHbos } from './hbos.ts';
import { fitLof, lofScores, scoreLof } from './lof.ts';
import { neighbourScores, normalised, rowNeighbours, windowNeighbours } from './window-neighbours.ts';

const rowsOf = (n: number, width: number, seed = 1) => Float64Array.from(new Rng(seed).normals(n * width));
const list = (values: ArrayLike<number>) => Array.from(values);

/** A wave with noise, with two stretches of equal values. */
function wave(n: number): Float64Array {
  const x = Float64Array.from(new Rng(7).normals(n, 0, 0.2), (e, t) => 20 + Math.sin(t / 5) + e);
  x.fill(20, 50, 75);
  x.fill(21, 140, 160);
  return x;
}

describe('neighbours of windows', () => {
  it('are those of all pairs, of other rows and of a bank', () => {
    const [rows, bank] = [rowsOf(150, 4), rowsOf(90, 4, 2)];
    const distance = (a: Float64Array, i: number, b: Float64Array, j: number) =>
      Math.hypot(...[0, 1, 2, 3].map((c) => a[i * 4 + c] - b[j * 4 + c]));
    const own = rowNeighbours(rows, 4, 5);
    const other = rowNeighbours(rows, 4, 5, bank);
    for (const i of [0, 63, 64, 149]) {
      const toRows = list(new Float64Array(150)).map((_, j) =>
        j === i ? Number.POSITIVE_INFINITY : distance(rows, i, rows, j),
      );
      const toBank = list(new Float64Array(90)).map((_, j) => distance(rows, i, bank, j));
      for (const [found, wanted] of [
        [own, toRows],
        [other, toBank],
      ] as const) {
        const sorted = wanted.toSorted((a, b) => a - b);
        for (let at = 0; at < 5; at++) {
          expect(found.distance[i * 5 + at]).toBeCloseTo(sorted[at], 12);
          expect(wanted[found.index[i * 5 + at]]).toBeCloseTo(sorted[at], 12);
        }
      }
    }
  });

  it('by correlations are those of z-normalised windows, flat ones included', () => {
    const x = wave(300);
    for (const [length, k] of [
      [6, 1],
      [12, 20],
      [30, 5],
    ]) {
      const rows = normalised(windowsOf(x, { length }), length, 'window');
      const wanted = neighbourScores(rowNeighbours(rows, length, k));
      for (const [i, score] of neighbourScores(windowNeighbours(x, length, k)).entries())
        expect(Math.abs(score - wanted[i])).toBeLessThan(1e-6);
    }
  });

  it('normalised: windows, positions, or not at all; what is constant is zeros', () => {
    const rows = Float64Array.of(1, 2, 3, 5, 5, 5, 1, 8, 3);
    expect(list(normalised(rows, 3, 'none'))).toEqual(list(rows));
    expect(list(normalised(rows, 3, 'window').subarray(0, 6))).toEqual([-1, 0, 1, 0, 0, 0]);
    const column = normalised(rows, 3, 'column');
    expect(column[0]).toBeCloseTo(-Math.SQRT1_2, 12);
    expect(column[3]).toBeCloseTo(Math.SQRT2, 12);
    expect(neighbourScores(rowNeighbours(Float64Array.of(0, 1, 5), 1, 2), 'mean')[0]).toBe(3);
  });

  it('need k other windows and finite values', () => {
    expect(() => windowNeighbours(wave(60), 12, 50)).toThrow(
      /50 neighbours of windows of 12 steps needs at least 62 steps/,
    );
    expect(() => windowNeighbours(wave(80).fill(Number.NaN, 30, 31), 12, 5)).toThrow(/step 30 is NaN/);
  });
});

describe('local outlier factor', () => {
  it('is that of the definition, and 1 among equal distances', () => {
    const rows = rowsOf(80, 2);
    const [k, n] = [6, 80];
    const { distance, index } = rowNeighbours(rows, 2, k);
    const density = (i: number) => {
      let sum = 0;
      for (let at = 0; at < k; at++) {
        const j = index[i * k + at];
        sum += Math.max(distance[i * k + at], distance[j * k + k - 1]);
      }
      return 1 / (sum / k + 1e-10);
    };
    const scores = lofScores(rowNeighbours(rows, 2, k));
    for (let i = 0; i < n; i++) {
      const around = list(index.subarray(i * k, i * k + k)).map(density);
      expect(scores[i]).toBeCloseTo(around.reduce((a, b) => a + b, 0) / k / density(i), 10);
    }
    const ring = Float64Array.from({ length: 24 }, (_, c) =>
      [Math.cos, Math.sin][c % 2]((2 * Math.PI * (c >> 1)) / 12),
    );
    for (const score of lofScores(rowNeighbours(ring, 2, 2))) expect(score).toBeCloseTo(1, 9);
  });

  it('of a new row far away is large, and of one among the rows about 1', () => {
    const lof = fitLof(rowsOf(300, 2), 2, 10);
    const [near, far] = scoreLof(lof, Float64Array.of(0.1, 0.1, 8, 8));
    expect(near).toBeLessThan(1.3);
    expect(far).toBeGreaterThan(5);
    expect(scoreLof(fitLof(new Float64Array(40), 2, 5), new Float64Array(2))[0]).toBeCloseTo(1, 9);
  });
});

describe('histograms', () => {
  it('count with upper edges and score with lower ones, densities as numpy has them', () => {
    const rows = Float64Array.of(0, 1, 1, 2, 4);
    const hbos = fitHbos(rows, 1, 4);
    expect(list(hbos.edges)).toEqual([0, 1, 2, 3, 4]);
    // Counts 1, 2, 1, 1: densities .2, .4, .2, .2.
    const [few, many] = [-Math.log2(0.3), -Math.log2(0.5)];
    const scores = scoreHbos(hbos, Float64Array.of(0, 1, 1.5, 2, 3, 4, -0.4, -0.6, 4.4, 4.6));
    const wanted = [few, few, many, many, few, few, few, few, few, few];
    for (const [i, score] of scores.entries()) expect(score).toBeCloseTo(wanted[i], 12);
  });

  it('sum over columns, score what is far outside as the emptiest bin, and keep constant columns', () => {
    const rows = Float64Array.of(0, 7, 0, 7, 0, 7, 10, 7);
    const hbos = fitHbos(rows, 2, 10);
    const constant = -Math.log2(0.1 + 10);
    const [usual, rare, outside, empty] = scoreHbos(hbos, Float64Array.of(0, 7, 10, 7, -9, 7, 5, 7));
    // 7 lies on the edge of two bins: counted above, scored below.
    expect(usual).toBeCloseTo(-Math.log2(0.75 + 0.1) - Math.log2(0.1), 12);
    expect(usual).toBeGreaterThan(constant);
    expect(rare).toBeGreaterThan(usual);
    expect(outside).toBeCloseTo(empty, 12);
  });
});

describe.skipIf(!hasTsb)('windows of TSB-AD (skipped where ODDITY_DATA has no folders tsb_ad and nab)', () => {
  const vusOf = (number: string, rank: 1 | 2, score: (values: Float64Array, length: number) => Float64Array) => {
    const { values, labels } = tsbSeries(number);
    const length = windowLength(values, rank);
    const points = centredScores(score(values, length), { steps: values.length, length, stride: 1 });
    return vusPr(points, labels, windowLength(values));
  };

  it.each([
    ['001', 0.135482, 0.140321],
    ['326', 0.296327, 0.647259],
  ] as const)('have the published VUS-PR of %s: Sub-KNN %f, Sub-LOF %f', (number, knn, lof) => {
    const ofKnn = vusOf(number, 2, (x, length) => neighbourScores(windowNeighbours(x, length, 50)));
    const ofLof = vusOf(number, 2, (x, length) => lofScores(windowNeighbours(x, length, 30)));
    expect(Math.abs(ofKnn - knn)).toBeLessThan(1e-5);
    expect(Math.abs(ofLof - lof)).toBeLessThan(1e-5);
  });

  it('have the published VUS-PR of Sub-LOF on 018, windows of equal values included', () => {
    const lof = vusOf('018', 2, (x, length) => lofScores(windowNeighbours(x, length, 30)));
    expect(Math.abs(lof - 0.141446)).toBeLessThan(1e-5);
  });

  it('are better on 001 where positions are normalised', () => {
    const column = (score: (rows: Float64Array, width: number) => Float64Array) =>
      vusOf('001', 2, (x, length) => score(normalised(windowsOf(x, { length }), length, 'column'), length));
    expect(column((rows, width) => neighbourScores(rowNeighbours(rows, width, 50)))).toBeCloseTo(0.2404, 4);
    expect(column((rows, width) => lofScores(rowNeighbours(rows, width, 30)))).toBeCloseTo(0.2548, 4);
  });

  it.each([
    ['001', 0.086091],
    ['018', 0.156334],
    ['326', 0.020383],
  ] as const)('have the published VUS-PR of Sub-HBOS on %s', (number, wanted) => {
    const found = vusOf(number, 1, (x, length) => {
      const rows = normalised(windowsOf(x, { length }), length, 'window');
      return scoreHbos(fitHbos(rows, length), rows);
    });
    expect(Math.abs(found - wanted)).toBeLessThan(1e-5);
  });

  it('have the published VUS-PR of HBOS on 008 MSL, rows normalised across channels', () => {
    const { values, labels, channels } = tsbSeries('M008');
    const vusWith = (normalise: 'none' | 'window' | 'column') => {
      const rows = normalised(values, channels, normalise);
      return vusPr(scoreHbos(fitHbos(rows, channels, 30), rows), labels, 181);
    };
    expect(Math.abs(vusWith('window') - 0.929838)).toBeLessThan(1e-5);
    expect(vusWith('none')).toBeCloseTo(0.4101, 4);
    expect(vusWith('column')).toBeCloseTo(0.398, 3);
  });
});
