import { expect, it } from 'vitest';
import { float32 } from '../../../core/tensor.ts';
import * as g from '../../../graph/index.ts';
import { gradientPenalty } from './gradient-penalty.ts';

const w = g.input('w', [2]);
const real = g.constant(float32([1, 2, -1, 0], [2, 2]));
const made = g.constant(float32([0, 1, 3, -2], [2, 2]));
const at = (critic: Parameters<typeof gradientPenalty>[0], mix: number[]) =>
  gradientPenalty(critic, real, made, g.constant(float32(mix, [2, 1])));
const value = (v: g.Value, weights = [3, 4]) => [...g.evaluate([v], { w: float32(weights) })[0].data].map(Number);

it('is (‖w‖ − 1)² for a linear critic, wherever the images are, with the slope of that', () => {
  const penalty = at((x) => g.reduceSum(g.mul(x, w), { axes: [1] }), [0.1, 0.8]);
  expect(value(penalty)[0]).toBeCloseTo(16, 5);
  // d/dw (‖w‖ − 1)² = 2 (‖w‖ − 1) w / ‖w‖: only a second-order gradient gives it.
  const [slope] = g.gradients(penalty, [w]);
  expect(value(slope)[0]).toBeCloseTo((2 * 4 * 3) / 5, 5);
  expect(value(slope)[1]).toBeCloseTo((2 * 4 * 4) / 5, 5);
});

it('takes the slope between the two images, a norm per item, then the mean', () => {
  // D(x) = ½ ‖x‖² has the slope x̃; mix 0 is the real image, mix 1 the made one.
  const critic = (x: g.Value) => g.mul(g.reduceSum(g.square(x), { axes: [1] }), 0.5);
  const expected = ((Math.sqrt(5) - 1) ** 2 + (Math.sqrt(13) - 1) ** 2) / 2;
  expect(value(at(critic, [0, 1]))[0]).toBeCloseTo(expected, 5);
  const halfway = ((Math.hypot(0.5, 1.5) - 1) ** 2 + (Math.hypot(1, -1) - 1) ** 2) / 2;
  expect(value(at(critic, [0.5, 0.5]))[0]).toBeCloseTo(halfway, 5);
});
