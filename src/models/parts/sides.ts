/** Images at sides that halve evenly, and back at their own. */
import * as g from '../../graph/ops/index.ts';
import type { Value } from '../../graph/value.ts';

/** `[N, C, H, W]` with black pixels on the right and below, up to whole multiples of `step`. */
export function padTo(x: Value, step: number): Value {
  const [down, right] = (x.shape.slice(2) as number[]).map((side) => Math.ceil(side / step) * step - side);
  return g.padAll(x, [0, 0, 0, 0], [0, 0, down, right]);
}

/** The upper left part of y, at the sides of the image `like`. */
export function cropTo(y: Value, like: Value): Value {
  return g.slice(y, { 2: [0, like.shape[2] as number], 3: [0, like.shape[3] as number] });
}
