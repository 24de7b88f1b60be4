/** Whether values still differ within a batch. */
import * as g from '../graph/ops/index.ts';
import type { Value } from '../graph/value.ts';

/**
 * Standard deviation over the batch, mean over everything else. Of generated items, far below that of the data it says
 * that the generator always makes the same; of codes, near 0 it says that the encoder does.
 */
export function spread(x: Value): Value {
  const centred = g.sub(x, g.reduceMean(x, { axes: [0], keep: true }));
  return g.reduceMean(g.sqrt(g.reduceMean(g.square(centred), { axes: [0] })));
}
