import { expect, it } from 'vitest';
import { better, sharesOf, survivors } from './halving.ts';

it('has as many rounds as thirds of the configurations last', () => {
  expect(sharesOf(1, 1000, 10)).toEqual([1]);
  expect(sharesOf(2, 1000, 10)).toEqual([1]);
  expect(sharesOf(3, 1000, 10)).toEqual([1 / 3, 1]);
  expect(sharesOf(9, 1000, 10)).toEqual([1 / 9, 1 / 3, 1]);
  expect(sharesOf(500, 1e6, 10)).toHaveLength(6);
});

it('trains on no fewer items than the least', () => {
  expect(sharesOf(500, 100, 30)).toEqual([1 / 3, 1]);
  expect(sharesOf(500, 80, 30)).toEqual([1]);
});

it('keeps the better third, never one without a value, and of equal ones the first', () => {
  const values: Record<string, number | undefined> = { a: 0.5, b: 0.9, c: undefined, d: 0.9, e: 0.7, f: 0.1 };
  expect(better(Object.keys(values), (name) => values[name])).toEqual(['b', 'd']);
  expect(better(['c'], (name) => values[name])).toEqual([]);
  expect([1, 2, 3, 4, 9, 10].map(survivors)).toEqual([1, 1, 1, 2, 3, 4]);
});
