/** The range of each channel over the training windows, learnt in a pass of its own, and windows as shares of it. */
import * as g from '../../../graph/ops/index.ts';
import type { Value } from '../../../graph/value.ts';
import * as nn from '../../../nn/index.ts';

type Net = (group: string) => nn.Scope;

/** The range of each channel and the batches of an epoch, learnt in a pass of their own. */
export function measureWindows({ net, x }: nn.StepContext): Value {
  const scope = net('range');
  const { low, high, batches, known } = buffersOf(scope, x.shape[2] as number);
  const least = g.neg(g.reduceMax(g.neg(x), { axes: [0, 1] }));
  const largest = g.reduceMax(x, { axes: [0, 1] });
  const isKnown = g.greater(known, 0);
  scope.update('low', g.where(isKnown, g.minimum(low, least), least));
  scope.update('high', g.where(isKnown, g.maximum(high, largest), largest));
  scope.update('known', g.add(g.mul(known, 0), 1));
  scope.update('batches', g.add(batches, 1));
  return g.reduceMean(g.square(x));
}

function buffersOf(scope: nn.Scope, channels: number) {
  const [low, high] = ['low', 'high'].map((name) => scope.buffer(name, [channels], nn.zerosInit));
  const [known, batches] = ['known', 'batches'].map((name) => scope.buffer(name, [], nn.zerosInit));
  return { low, high, known, batches };
}

/** The smallest value of each channel `[D]` and how far the largest lies above it. */
export function rangeOf(net: Net, channels: number): { readonly low: Value; readonly width: Value } {
  const [low, high] = ['low', 'high'].map((name) => net('range').buffer(name, [channels], nn.zerosInit));
  return { low, width: g.maximum(g.sub(high, low), 1e-6) };
}

/** Windows `[N, L, D]` with each channel in [0, 1] over the training part. */
export function unitWindows(net: Net, x: Value): Value {
  const { low, width } = rangeOf(net, x.shape[2] as number);
  return g.div(g.sub(x, low), width);
}

/** Windows `[N, L, D]` as rows `[N, L·D]`, each channel in [0, 1] over the training part. */
export const unitRows = (net: Net, x: Value): Value => g.flatten(unitWindows(net, x));
