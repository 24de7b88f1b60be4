/** What forecasters share: the steps that they see, their options and training, and how far off a forecast is. */
import * as z from 'zod';
import { stepsBefore } from '../../../data/pure.ts';
import * as g from '../../../graph/ops/index.ts';
import type { Value } from '../../../graph/value.ts';
import * as nn from '../../../nn/index.ts';
import type { Scoring, TrainingPhase } from '../../define.ts';
import { epochsFor } from '../fitting/epochs.ts';
import { phase } from '../fitting/phase.ts';
import * as common from '../options.ts';
import { middleOf, stepMap } from './steps.ts';

/** Options of the training of a forecaster. */
export const forecastOptions = {
  context: z
    .int()
    .min(1)
    .max(1000)
    .default(50)
    .describe('Steps before a step that it is predicted from at most; half a window, where that is less.'),
  epochs: common.epochs(10, 'Passes over the training windows.'),
  batchSize: common.batchSize(128, 'Windows per training step.'),
  learningRate: common.learningRate(1e-3),
  weightDecay: common.weightDecay(0),
  schedule: common.schedule('cosine'),
};

const schema = z.object(forecastOptions);
type ForecastOptions = z.infer<typeof schema>;

/** Passes that make about `steps` training steps, and small batches where there are few windows. */
export function forecastDefaults(steps: number, count: number): Partial<ForecastOptions> {
  const batchSize = Math.max(16, Math.min(128, Math.floor(count / 16)));
  return { batchSize, epochs: epochsFor(steps, batchSize, count) };
}

/**
 * The `most` steps `[N, C, D]` before the step that windows `[N, L, D]` stand for, fewer where the window has fewer. Neither
 * that step nor a later one is among them.
 */
export function contextOf(x: Value, most: number): Value {
  const at = stepsBefore(x.shape[1] as number);
  return g.slice(x, { 1: [Math.max(0, at - most), at] });
}

/** One phase that minimises the squared error of the forecast `[N, 1, D]` of the step. */
export function forecastPhase(
  options: ForecastOptions,
  group: string,
  forecast: (scope: nn.Scope, x: Value) => Value,
): TrainingPhase {
  const { epochs, batchSize, learningRate, weightDecay } = options;
  const step: nn.Step = {
    name: 'fit',
    updates: [group],
    optimizer: nn.adam({ learningRate, weightDecay }),
    schedule: common.scheduleOf(options),
    loss: ({ net, x }) => nn.l2(forecast(net(group), x), middleOf(x)),
  };
  return phase({ epochs, batchSize, steps: [step] });
}

/** The squared error of a forecast `[N, 1, D]`, the mean over channels; the reconstruction has the forecast at the step. */
export function forecastScoring(x: Value, forecast: Value): Scoring {
  const length = x.shape[1] as number;
  const at = stepsBefore(length);
  const squares = g.square(g.sub(middleOf(x), forecast)); // [N,1,D]
  const parts = [g.slice(x, { 1: [0, at] }), forecast];
  if (at + 1 < length) parts.push(g.slice(x, { 1: [at + 1, length] }));
  return {
    score: g.reduceMean(squares, { axes: [1, 2] }),
    map: stepMap(squares, x),
    reconstruction: g.concat(parts, 1),
  };
}

/** Steps that a window needs to leave some before its middle. */
export const LEAST_FORECAST_WINDOW = 4;
