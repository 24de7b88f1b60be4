import { expect, it } from 'vitest';
import { float32 } from '../core/tensor.ts';
import * as g from '../graph/index.ts';
import { spread } from './spread.ts';

it('is 0 where all items are the same item', () => {
  const of = (values: number[]) => Number(g.evaluate([spread(g.constant(float32(values, [2, 2])))], {})[0].data[0]);
  expect(of([1, 5, 1, 5])).toBe(0);
  expect(of([0, 5, 2, 5])).toBeCloseTo(0.5, 6);
});
