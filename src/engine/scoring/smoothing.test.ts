import { describe, expect, it } from 'vitest';
import { gaussianFilter } from '../../data/pure.ts';
import { movingTogether, smoothed } from './smoothing.ts';

const spans = [
  { first: 0, steps: 6 },
  { first: 6, steps: 4 },
];

describe('smoothed scores', () => {
  const scores = Float32Array.of(1, 5, 2, 8, 0, 3, 9, 9, 1, 4);

  it('never mix clips', () => {
    const found = smoothed(scores, [...scores.keys()], spans, 2);
    const each = [scores.subarray(0, 6), scores.subarray(6)].flatMap((own) => [...gaussianFilter(own, 2)]);
    for (const [i, value] of found.entries()) expect(value).toBeCloseTo(each[i], 5);
  });

  it('never mix over steps that were left out, or that have no score', () => {
    const apart = smoothed(Float32Array.of(1, 5, 7, 7), [0, 1, 3, 4], spans, 2);
    expect([...apart.subarray(2)]).toEqual([7, 7]);
    const missing = smoothed(Float32Array.of(1, 1, Number.NaN, 9), [0, 1, 2, 3], spans, 2);
    expect([...missing]).toEqual([1, 1, Number.NaN, 9]);
  });

  it('count as fewer scores of their own', () => {
    expect([movingTogether({ window: 5 }), movingTogether({ window: 5 }, 3)]).toEqual([5, 16]);
  });
});
