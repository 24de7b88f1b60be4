import { describe, expect, it } from 'vitest';
import { faultsOf } from './precision.ts';

describe('what a precision costs', () => {
  const same = { auroc: 0.98, averagePrecision: 0.9 };
  const found = (before: object, after: object, scoreDifference = 0.1) =>
    faultsOf({ before, after, scoreDifference, scoreDeviation: 1 } as Parameters<typeof faultsOf>[0]);

  it('is told where a figure falls, or scores of normal items change', () => {
    expect(found(same, same)).toEqual([]);
    expect(found(same, { ...same, auroc: 0.9 })).toEqual([expect.stringMatching(/ falls from 0.9800 to 0.9000, by /)]);
    expect(found(same, same, 0.3)).toEqual([expect.stringMatching(/^a score of a normal item changes by 0.300, /)]);
  });

  it('is nothing where there is nothing to measure, and not a fall to 0 where a figure is lost', () => {
    const none = { auroc: null, averagePrecision: null };
    expect(found(none, none)).toEqual([]);
    expect(found(none, same)).toEqual([]);
    expect(found(same, { ...same, auroc: null })).toEqual([
      expect.stringMatching(/ was 0.9800 and has no value any more$/),
    ]);
  });
});
