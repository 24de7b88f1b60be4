/** Images as generators that end in tanh draw them: values in [−1, 1], sides that halve evenly. Rows pass unchanged. */
import * as g from '../../graph/ops/index.ts';
import type { Value } from '../../graph/value.ts';
import { isRows } from './row-nets.ts';

/** `[N, C, H, W]` in [0, 1] → [−1, 1], padded with black on the right and below to whole multiples of `step`. */
export function toSigned(x: Value, step: number): Value {
  if (isRows(x)) return x;
  const [down, right] = (x.shape.slice(2) as number[]).map((side) => Math.ceil(side / step) * step - side);
  return g.sub(g.mul(g.padAll(x, [0, 0, 0, 0], [0, 0, down, right]), 2), 1);
}

/** Takes the padding of `toSigned` off again: y at the sides of the image x. */
export function cropTo(y: Value, x: Value): Value {
  if (isRows(x)) return y;
  return g.slice(y, { 2: [0, x.shape[2] as number], 3: [0, x.shape[3] as number] });
}
