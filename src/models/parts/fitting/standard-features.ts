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

/** One pass that learns the mean and the standard deviation of each channel of `featuresOf` the images, `[N, C, h, w]`. */
export const learnStandard = (
  batchSize: number,
  featuresOf: (net: (group: string) => nn.Scope, x: Value) => Value,
): TrainingPhase =>
  pass('features', batchSize, ({ net, x }) => {
    const y = featuresOf(net, x);
    const kept = net('features');
    const { count, sum, squares } = sumsOf(kept, channelsOf(y));
    // Means of images are summed, so that float32 sums stay exact enough.
    const overPlaces = (v: Value) => g.reduceSum(g.reduceMean(v, { axes: [2, 3] }), { axes: [0] });
    kept.update('count', g.add(count, countOf(y)));
    kept.update('sum', g.add(sum, overPlaces(y)));
    kept.update('squares', g.add(squares, overPlaces(g.square(y))));
    return g.reduceMean(g.square(y));
  });

/**
 * (y − μ) / σ with what `learnStandard` left: μ per channel, σ² the mean variance of all channels, so that those which
 * vary little stay small.
 */
export function standard(net: (group: string) => nn.Scope, y: Value): Value {
  const { count, sum, squares } = sumsOf(net('features'), channelsOf(y));
  const n = g.maximum(count, 1);
  const mean = g.div(sum, n); // [C]
  const variance = g.reduceMean(g.sub(g.div(squares, n), g.square(mean)));
  const factor = g.broadcastTo(g.reciprocal(g.sqrt(g.maximum(variance, 1e-12))), mean.shape);
  return g.scaleChannels(y, factor, g.neg(g.mul(mean, factor)));
}
