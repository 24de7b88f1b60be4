import { expect, it } from 'vitest';
import { float32 } from '../../../core/tensor.ts';
import { evaluate } from '../../../graph/evaluate.ts';
import { constant } from '../../../graph/leaf.ts';
import { skipFrames, skippedPlaces } from './skip-frames.ts';

it('skips frames about the one that the window stands for, and turns back at its ends', () => {
  expect(skippedPlaces(8, 2)).toEqual([4, 2, 0, 2, 4, 6, 6, 4]); // −4, −2, 0, 2, 4, 6, 8, 10
});

it('skips in windows whose number is below the share, at a stride that follows from it', () => {
  const x = constant(
    float32(
      Array.from({ length: 24 }, (_, i) => i % 6),
      [4, 6, 1, 1, 1],
    ),
  );
  const uniform = constant(float32([0.04, 0.19, 0.21, 0.9]));
  const [y] = evaluate([skipFrames(x, uniform, 0.2)], {});
  const rows = [0, 1, 2, 3].map((n) => Array.from(y.data.slice(6 * n, 6 * n + 6), Number));
  expect(rows[0]).toEqual(skippedPlaces(6, 2));
  expect(rows[1]).toEqual(skippedPlaces(6, 5));
  expect(rows[2]).toEqual([0, 1, 2, 3, 4, 5]);
  expect(rows[3]).toEqual([0, 1, 2, 3, 4, 5]);
});
