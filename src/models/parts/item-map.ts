/** From values of x to the map and the score: what is one value of a map follows from the kind of item. */
import * as g from '../../graph/ops/index.ts';
import type { Value } from '../../graph/value.ts';

/** The map of per-value errors: the mean over channels of an image, `[N, 1, H, W]`; of other items the values as they are. */
export function itemMap(values: Value): Value {
  return values.shape.length === 4 ? g.reduceMean(values, { axes: [1], keep: true }) : values;
}

/** A map, or x itself, as one number per item, `[N]`. */
export function pool(map: Value, how: 'mean' | 'max' | 'sum'): Value {
  const axes = map.shape.slice(1).map((_, i) => i + 1);
  return { mean: g.reduceMean, max: g.reduceMax, sum: g.reduceSum }[how](map, { axes });
}

/** True when x is a batch of images. */
export const isOfImages = (x: Value): boolean => x.shape.length === 4;
