/** Images at sides that halve evenly, and back at their own. Rows pass unchanged. */
import * as g from '../../graph/ops/index.ts';
import type { Value } from '../../graph/value.ts';
import { isRows } from './row-nets.ts';

/** `[N, C, H, W]` with black pixels on the right and below, up to whole multiples of `step`. */
export function padTo(x: Value, step: number): Value {
  if (isRows(x)) return x;
  const [down, right] = (x.shape.slice(2) as number[]).map((side) => Math.ceil(side / step) * step - side);
  return g.padAll(x, [0, 0, 0, 0], [0, 0, down, right]);
}

/** The same in [−1, 1] instead of [0, 1], as generators that end in tanh draw. */
export const toSigned = (x: Value, step: number): Value => (isRows(x) ? x : g.sub(g.mul(padTo(x, step), 2), 1));

/** Takes the padding off again: the upper left part of y, at the sides of the image `like`. */
export function cropTo(y: Value, like: Value): Value {
  if (isRows(like)) return y;
  return g.slice(y, { 2: [0, like.shape[2] as number], 3: [0, like.shape[3] as number] });
}
