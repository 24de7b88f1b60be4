import { describe, expect, it } from 'vitest';
import { Rng } from '../../../core/random.ts';
import { type CandidateName, candidates } from './candidates.ts';
import { changeKurtosis, choose, peakHeight, robustPeak } from './choose.ts';
import { meanRanks, ranksOf } from './ranks.ts';

const peakOf = (scores: Float64Array) => scores.indexOf(scores.reduce((a, b) => Math.max(a, b)));
const wave = (seed: number, noise = 0.05) =>
  Float64Array.from(new Rng(seed).normals(1200, 0, noise), (e, t) => Math.sin((2 * Math.PI * t) / 30) + e);

describe('choice of a detector', () => {
  it('takes MMPAD where one cycle is unlike all others', () => {
    const x = wave(1);
    for (let t = 700; t < 730; t++) x[t] = Math.abs(x[t]);
    const { chosen, scores, reason } = choose(x);
    expect(chosen).toBe('mmpad');
    expect(scores).toEqual(candidates.mmpad.score(x, 30));
    expect(Math.abs(peakOf(scores) - 715)).toBeLessThan(64);
    expect(reason).toMatch(
      /^MMPAD: its highest score lies \d+\.\d robust deviations above its median \(more than 5\), so some shapes are unlike all others\.$/,
    );
  });

  /** Scores in which nothing stands out, and those of Sub-PCA with one peak. */
  const dull = Float64Array.from({ length: 600 }, (_, t) => t % 5);
  const peaked = dull.map((score, t) => (t === 300 ? 30 : score));

  it('takes the spectral residual where no shape stands out and single points jump', () => {
    const x = Float64Array.from(new Rng(2).normals(600));
    for (const t of [200, 400]) x[t] += 25;
    const scoresOf = (name: CandidateName) => (name === 'mmpad' ? dull : candidates[name].score(x, 30));
    const { chosen, scores, reason } = choose(x, { scoresOf });
    expect(chosen).toBe('spectral-residual');
    expect([200, 400]).toContain(peakOf(scores));
    expect(reason).toContain(`an excess kurtosis of ${changeKurtosis(x).toFixed(1)} (more than 50)`);
  });

  it('takes Sub-PCA where a window stands out only for it', () => {
    const x = Float64Array.from(new Rng(3).normals(600));
    const { chosen, scores, reason } = choose(x, { scoresOf: (name) => (name === 'sub-pca' ? peaked : dull) });
    expect([chosen, scores]).toEqual(['sub-pca', peaked]);
    expect(reason).toMatch(
      /^Sub-PCA: no shape stands out \(MMPAD's .*, not more than 5\), and .* \(at least 3\.25\)\.$/,
    );
  });

  it('takes mean ranks where nothing stands out, and runs no detector in vain', () => {
    const x = Float64Array.from(new Rng(4).normals(600));
    const asked: CandidateName[] = [];
    const scores = (name: CandidateName) => {
      asked.push(name);
      return x.map((_, t) => (name === 'mmpad' ? t % 5 : Math.sin(t * (1 + name.length))));
    };
    const { chosen, reason, scores: ranks } = choose(x, { scoresOf: scores });
    expect(chosen).toBe('ranks');
    expect(asked).toEqual(['mmpad', 'sub-pca', 'poly', 'spectral-residual', 'point']);
    expect(ranks.every((rank) => rank >= 0 && rank <= 1)).toBe(true);
    expect(reason).toContain('Mean rank of POLY, spectral residual and point score: no shape stands out');
  });

  it('chooses by scores and series alone, whatever the units', () => {
    for (const x of [wave(5), Float64Array.from(new Rng(6).normals(800))]) {
      const scaled = x.map((value) => 1000 + 256 * value);
      expect(choose(scaled).chosen).toBe(choose(x).chosen);
    }
  });

  it('goes on without MMPAD where the series is short, scores a constant one alike, and names what is too short', () => {
    const short = Float64Array.from(new Rng(7).normals(100));
    expect(choose(short, { period: 10 }).reason).toContain('too short for MMPAD (100 steps, fewer than 128)');
    expect(new Set(choose(new Float64Array(500).fill(2)).scores).size).toBe(1);
    expect(() => choose(new Float64Array(50))).toThrow('needs at least');
    expect(() => choose(Float64Array.of(1, Number.NaN, 3))).toThrow('finite');
  });

  it('combines all ranks where asked', () => {
    const x = wave(8);
    const { chosen, scores, reason } = choose(x, { combine: true });
    const all = Object.values(candidates).map((one) => one.score(x, 30));
    expect([chosen, scores]).toEqual(['ranks', meanRanks(...all)]);
    expect(reason).toBe('Mean rank of MMPAD, Sub-PCA, spectral residual, POLY and point score, as asked.');
  });
});

describe('figures of scores', () => {
  it('are as defined', () => {
    expect(robustPeak(Float64Array.of(1, 2, 3, 4, 10))).toBeCloseTo(7 / 1.4826, 12);
    expect([robustPeak(Float64Array.of(1, 1, 1, 5)), robustPeak(new Float64Array(4))]).toEqual([Infinity, 0]);
    expect(peakHeight(Float64Array.of(0, 0, 0, 4))).toBeCloseTo(Math.sqrt(3), 12);
    expect(changeKurtosis(Float64Array.of(0, 1, 0, 1, 0))).toBeCloseTo(-2, 12);
    expect([peakHeight(new Float64Array(4)), changeKurtosis(new Float64Array(4))]).toEqual([0, 0]);
    expect([...ranksOf(Float64Array.of(5, 1, 5, 7))]).toEqual([0.5, 0, 0.5, 1]);
    expect([...meanRanks(Float64Array.of(1, 2), Float64Array.of(4, 3))]).toEqual([0.5, 0.5]);
  });
});
