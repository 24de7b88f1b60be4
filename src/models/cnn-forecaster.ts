/**
 * A small convolutional network predicts a step from the steps before it, and the squared error is the score (the CNN of
 * TSB-AD, after Munir et al., DeepAnT, IEEE Access 2019): three convolutions over time with 32, 32 and 40 channels and kernels
 * of 3, each with average pooling by 2, and a dense layer. The step and what follows it are never seen. Deviations from the
 * published code, which reads several channels in a scrambled order and stops early without going back to its best weights:
 * neither is done here. Left out: several steps predicted at once.
 */
import * as z from 'zod';
import * as g from '../graph/ops/index.ts';
import type { Value } from '../graph/value.ts';
import * as nn from '../nn/index.ts';
import { defineModel } from './define.ts';
import {
  contextOf,
  forecastDefaults,
  forecastOptions,
  forecastPhase,
  forecastScoring,
  LEAST_FORECAST_WINDOW,
} from './parts/series/forecast.ts';
import { needsSteps } from './parts/series/needs-steps.ts';

const config = z.strictObject({
  ...forecastOptions,
  width: z
    .int()
    .min(1)
    .max(512)
    .default(32)
    .describe('Channels of the first two convolutions; the third has a quarter more.'),
});
type Config = z.infer<typeof config>;

/** Training steps by default: where errors of held-out parts of made-up series stop falling. */
const STEPS = 1500;

/** The forecast `[N, 1, D]` of the step that windows `[N, L, D]` stand for. */
function forecast({ context, width }: Config, scope: nn.Scope, x: Value): Value {
  let y = g.transpose(contextOf(x, context), [0, 2, 1]); // [N,D,C]
  for (const [i, filters] of [width, width, Math.round(1.25 * width)].entries()) {
    y = g.relu(nn.conv(scope.at(`conv${i + 1}`), y, { filters, kernel: 3, padding: 1 }));
    if ((y.shape[2] as number) > 1) y = g.averagePool(y, 2, { stride: 2 });
  }
  return g.unsqueeze(nn.dense(scope.at('head'), g.flatten(y), x.shape[2] as number), 1);
}

/**
 * Convolutional forecaster: a network predicts each step from the steps before it, and the squared error is the score (the
 * CNN of TSB-AD, best of its list of many channels).
 * Series. Trains in about a minute; what it expected of each step is the reconstruction.
 */
export const cnnForecaster = defineModel({
  name: 'cnn-forecaster',
  title: 'Convolutional forecaster',
  idea: 'A small network predicts each step from the steps before it; how far it is off is the score.',
  paper: 'Munir et al., DeepAnT, IEEE Access 2019; Liu and Paparrizos, TSB-AD, NeurIPS 2024.',
  learning: 'one-class',
  inputs: ['series'],
  learns: 'gradient',
  config,
  presets: { 'tsb-ad': { context: 50, epochs: 50, batchSize: 128, learningRate: 8e-4, schedule: 'constant' } },
  defaults: (_shape, count) => forecastDefaults(STEPS, count),
  tiny: { width: 8, epochs: 3, batchSize: 32, learningRate: 3e-3 },
  unsuitable: (_config, shape) => needsSteps('cnn-forecaster', LEAST_FORECAST_WINDOW, shape),
  phases: (options) => [forecastPhase(options, 'forecaster', (scope, x) => forecast(options, scope, x))],
  score: (options, net, x) => forecastScoring(x, forecast(options, net('forecaster'), x)),
});
