import { describe, expect, it } from 'vitest';
import { Rng } from '../../../core/random.ts';
import { largestWithin, medianOf, pointScores } from './point-score.ts';

describe('point score', () => {
  it('is the size of a change in units of the spread of all changes', () => {
    // Changes 1, -1, 1, -1, 9, -9, 1: median 1, sizes 0 2 0 2 8 10 0, their median 2.
    const scores = pointScores(Float64Array.of(0, 1, 0, 1, 0, 9, 0, 1), 1);
    expect(Array.from(scores, (s) => s * 1.4826)).toEqual([0, 0, 1, 0, 1, 4, 5, 0].map((s) => expect.closeTo(s, 12)));
  });

  it('finds a single point and spreads it over a period', () => {
    const x = Float64Array.from(new Rng(1).normals(500));
    x[300] += 30;
    const scores = pointScores(x, 20);
    const largest = scores.reduce((a, b) => Math.max(a, b));
    const at = [...scores.keys()].filter((t) => scores[t] > 0.9 * largest);
    expect([at[0], at.at(-1)]).toEqual([290, 311]);
  });

  it('uses the standard deviation where most changes are equal, and gives 0 for a constant series', () => {
    const x = new Float64Array(100).fill(2, 50);
    expect(pointScores(x, 1).indexOf(Math.max(...pointScores(x, 1)))).toBe(50);
    expect(pointScores(new Float64Array(10).fill(3), 5)).toEqual(new Float64Array(10));
    expect(() => pointScores(Float64Array.of(1), 5)).toThrow('at least 2 steps');
  });

  it('takes the largest within a reach as by definition', () => {
    const x = Float64Array.from(new Rng(2).normals(200));
    for (const reach of [0, 1, 7, 300]) {
      const slow = x.map((_, t) => x.slice(Math.max(0, t - reach), t + reach + 1).reduce((a, b) => Math.max(a, b)));
      expect(largestWithin(x, reach)).toEqual(slow);
    }
    expect([medianOf(Float64Array.of(3, 1, 2)), medianOf(Float64Array.of(4, 1, 2, 3))]).toEqual([2, 2.5]);
  });
});
