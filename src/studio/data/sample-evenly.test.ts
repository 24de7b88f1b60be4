import { describe, expect, it } from 'vitest';
import { sampleEvenly } from './sample-evenly.ts';

describe('an even sample', () => {
  it('is all of a short list, and of a long one takes as many as it may, in order and at even distances', () => {
    const all = Array.from({ length: 12_345 }, (_, i) => i);
    expect(sampleEvenly(all, 12_345)).toBe(all);
    const some = sampleEvenly(all, 5000);
    expect(some).toHaveLength(5000);
    const steps = some.slice(1).map((value, i) => value - some[i]);
    expect([Math.min(...steps), Math.max(...steps)]).toEqual([2, 3]);
    expect(some[0]).toBeLessThanOrEqual(1);
    expect(some.at(-1)).toBeGreaterThanOrEqual(12_343);
    expect(sampleEvenly(all, 5000)).toEqual(some);
    expect(sampleEvenly([], 3)).toEqual([]);
  });
});
