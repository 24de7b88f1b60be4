/** Permutations against those that NumPy 2.4.6 gave. */
import { expect, test } from 'vitest';
import { numpyPermutation } from './numpy-permutation.ts';

test('the order is that of RandomState', () => {
  expect([...numpyPermutation(42, 10)]).toEqual([8, 1, 5, 0, 7, 2, 9, 4, 3, 6]);
  expect([...numpyPermutation(0, 10)]).toEqual([2, 8, 4, 9, 1, 6, 7, 3, 0, 5]);
  expect([...numpyPermutation(4294967295, 6)]).toEqual([1, 4, 5, 0, 2, 3]);
  const order = numpyPermutation(42, 452);
  expect([...order.subarray(0, 12)]).toEqual([299, 39, 336, 332, 153, 196, 290, 101, 398, 30, 72, 165]);
  expect([...order.subarray(-5)]).toEqual([106, 270, 348, 435, 102]);
});

test('it goes on after the first 624 numbers of the generator', () => {
  const order = numpyPermutation(7, 3000);
  expect([...order.subarray(0, 6)]).toEqual([1306, 2037, 568, 1897, 2498, 1111]);
  expect([...order.subarray(-6)]).toEqual([211, 1603, 2550, 537, 1220, 175]);
  expect(new Set(order).size).toBe(3000);
});

test('nothing and one item have one order', () => {
  expect([numpyPermutation(1, 0).length, numpyPermutation(1, 1)[0]]).toEqual([0, 0]);
});
