/** How a map `[N, 1, H, W]` becomes one score `[N]` per image, for models whose score follows from the map. */
import { z } from 'zod';
import * as g from '../../graph/ops/index.ts';
import type { Value } from '../../graph/value.ts';

/** The option of such a model. */
export const pooling = z.enum(['mean', 'max']).default('mean').describe('How the map becomes the score of the image.');

/** Mean or largest value of each map. */
export function poolMap(how: z.infer<typeof pooling>, map: Value): Value {
  const axes = [1, 2, 3];
  return how === 'mean' ? g.reduceMean(map, { axes }) : g.reduceMax(map, { axes });
}
