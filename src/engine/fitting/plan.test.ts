import { expect, test } from 'vitest';
import { planOf } from './plan.ts';

test('an epoch has as many batches as the items fill, and no more than its most', () => {
  const train = Uint32Array.from({ length: 100 }, (_, i) => i);
  const plan = (mostPerEpoch?: number) =>
    planOf({ phase: { name: 'fit', steps: [] }, epochs: 3, batchSize: 8, mostPerEpoch }, { train, onEvent: () => {} });
  expect(plan()).toMatchObject({ perEpoch: 12, total: 36 });
  expect(plan(5)).toMatchObject({ perEpoch: 5, total: 15 });
  expect(plan(50)).toMatchObject({ perEpoch: 12, total: 36 });
});
