import { expect, it } from 'vitest';
import { alarmsOf } from './alarms.ts';

it('joins neighbouring steps, keeps the peak and where it is', () => {
  expect(alarmsOf([0, 2, 3, 0, 0, 5], 2)).toEqual([
    { start: 1, end: 3, peak: 3, at: 2 },
    { start: 5, end: 6, peak: 5, at: 5 },
  ]);
});

it('joins runs across a gap of at most so many steps, and never across steps without a score', () => {
  expect(alarmsOf([3, 0, 0, 4, 0, 0, 0, 2], 2, 2)).toEqual([
    { start: 0, end: 4, peak: 4, at: 3 },
    { start: 7, end: 8, peak: 2, at: 7 },
  ]);
  expect(alarmsOf([3, Number.NaN, 4], 2, 2)).toHaveLength(2);
});

it('finds none below the threshold, one over everything at it, and none in nothing', () => {
  expect(alarmsOf([1, 1, 1], 2)).toEqual([]);
  expect(alarmsOf([2, 2, 2], 2)).toEqual([{ start: 0, end: 3, peak: 2, at: 0 }]);
  expect(alarmsOf([], 2)).toEqual([]);
});
