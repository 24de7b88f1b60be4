/** Features in units of their spread over the normal images, which networks ask for whose steps or noise have one size. */
import * as g from '../../../graph/ops/index.ts';
import type { Value } from '../../../graph/value.ts';
import * as nn from '../../../nn/index.ts';
import type { TrainingPhase } from '../../define.ts';
import { channelsOf, countOf } from '../shapes.ts';
import { pass } from './measure.ts';

const sumsOf = (net: nn.Scope, channels: number) => ({
  count: net.buffer('count', [], nn.zerosInit),
  sum: net.buffer('sum', [channels], nn.zerosInit),
  squares: net.buffer('squares', [channels], nn.zerosInit),
});

/** Adds a batch of grids `[N, C, h, w]` to the sums from which mean and spread of each channel follow. */
export function addToSums(kept: nn.Scope, y: Value): void {
  const { count, sum, squares } = sumsOf(kept, channelsOf(y));
  // Means of images are summed, so that float32 sums stay exact enough.
  const overPlaces = (v: Value) => g.reduceSum(g.reduceMean(v, { axes: [2, 3] }), { axes: [0] });
  kept.update('count', g.add(count, countOf(y)));
  kept.update('sum', g.add(sum, overPlaces(y)));
  kept.update('squares', g.add(squares, overPlaces(g.square(y))));
}

/** One pass that learns the mean and the standard deviation of each channel of `featuresOf` the images, `[N, C, h, w]`. */
export const learnStandard = (
  batchSize: number,
  featuresOf: (net: (group: string) => nn.Scope, x: Value) => Value,
): TrainingPhase =>
  pass('features', batchSize, ({ net, x }) => {
    const y = featuresOf(net, x);
    addToSums(net('features'), y);
    return g.reduceMean(g.square(y));
  });

/** No channel counts as varying less than this share of the mean variance, unless said otherwise: it would rule. */
const LEAST_VARIANCE = 1e-3;

/**
 * (y − μ) / σ with the sums that are kept: μ per channel, and σ² the mean variance of all channels, so that those which vary
 * little stay small, or that of each `channel` by itself, but at least the `least` share of the mean one.
 */
export function standard(
  kept: nn.Scope,
  y: Value,
  by: 'all' | 'channel' = 'all',
  least: number = LEAST_VARIANCE,
): Value {
  const { count, sum, squares } = sumsOf(kept, channelsOf(y));
  const n = g.maximum(count, 1);
  const mean = g.div(sum, n); // [C]
  const own = g.sub(g.div(squares, n), g.square(mean));
  const variance = g.reduceMean(own);
  const used = by === 'all' ? variance : g.maximum(own, g.mul(variance, least));
  const factor = g.broadcastTo(g.reciprocal(g.sqrt(g.maximum(used, 1e-12))), mean.shape);
  return g.scaleChannels(y, factor, g.neg(g.mul(mean, factor)));
}
