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

/** No channel counts as varying less than this share of the mean variance: what hardly varies would rule otherwise. */
const LEAST_VARIANCE = 1e-3;

/** Mean `[C]` and variance of what was summed: of each channel, or the mean one. */
function momentsOf(kept: nn.Scope, channels: number, by: 'all' | 'channel') {
  const { count, sum, squares } = sumsOf(kept, channels);
  const n = g.maximum(count, 1);
  const mean = g.div(sum, n);
  const own = g.sub(g.div(squares, n), g.square(mean));
  const all = g.reduceMean(own);
  const variance = by === 'all' ? all : g.maximum(own, g.mul(all, LEAST_VARIANCE));
  return { mean, factor: g.broadcastTo(g.reciprocal(g.sqrt(g.maximum(variance, 1e-12))), mean.shape) };
}

/**
 * (y − μ) / σ with the sums that are kept: μ per channel, and σ² the mean variance of all channels, so that those which vary
 * little stay small, or that of each `channel` by itself.
 */
export function standard(kept: nn.Scope, y: Value, by: 'all' | 'channel' = 'all'): Value {
  const { mean, factor } = momentsOf(kept, channelsOf(y), by);
  return g.scaleChannels(y, factor, g.neg(g.mul(mean, factor)));
}

/** y / σ of each channel with the sums that are kept, for differences whose mean is not to be taken off. */
export function inSpreads(kept: nn.Scope, y: Value): Value {
  const { mean, factor } = momentsOf(kept, channelsOf(y), 'channel');
  return g.scaleChannels(y, factor, g.mul(mean, 0));
}
