/** The step that a window stands for, in the graph: see `data/series/source.ts`. */
import { stepsBefore } from '../../../data/pure.ts';
import * as g from '../../../graph/ops/index.ts';
import type { Value } from '../../../graph/value.ts';

/** That step `[N, 1, D]` of windows `[N, L, D]`, or one that lies `back` steps before it, the first at most. */
export function middleOf(x: Value, back = 0): Value {
  const at = Math.max(0, stepsBefore(x.shape[1] as number) - back);
  return g.slice(x, { 1: [at, at + 1] });
}

/** A map as x, 0 but at the step that a window stands for: there `values` `[N, 1, D]`. */
export function stepMap(values: Value, x: Value): Value {
  const length = x.shape[1] as number;
  const at = stepsBefore(length);
  return g.padAll(values, [0, at, 0], [0, length - 1 - at, 0]);
}
