import { expect, it } from 'vitest';
import { epochsFor } from './epochs.ts';

it('makes about as many batches from any number of items, and at least one pass', () => {
  expect(epochsFor(5000, 16, 5266)).toBe(15); // 15 · 329 batches
  expect(epochsFor(1000, 64, 200)).toBe(320); // 320 · 3 batches
  expect(epochsFor(100, 16, 1_000_000)).toBe(1);
});
