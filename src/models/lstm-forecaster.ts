/**
 * A recurrent network predicts a step from the steps before it, and the squared error is the score (LSTM-AD: Malhotra et al.,
 * ESANN 2015; sizes of TSB-AD: two layers of 20 units and a head with GELU). The step and what follows it are never seen.
 * Left out: several steps predicted at once and the Gaussian that Malhotra et al. fit to their errors, and the decay of the
 * learning rate every five epochs (half a cosine instead).
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
  units: z.int().min(1).max(512).default(20).describe('Units of each recurrent layer.'),
  layers: z.int().min(1).max(4).default(2).describe('Recurrent layers.'),
});
type Config = z.infer<typeof config>;

/** Training steps by default. */
const STEPS = 1500;

/** The forecast `[N, 1, D]` of the step that windows `[N, L, D]` stand for. */
function forecast({ context, units, layers }: Config, scope: nn.Scope, x: Value): Value {
  let states = contextOf(x, context);
  let last = states;
  for (let i = 1; i <= layers; i++) ({ states, last } = nn.lstm(scope.at(`lstm${i}`), states, { units }));
  const hidden = nn.gelu(nn.dense(scope.at('hidden'), last, units));
  return g.unsqueeze(nn.dense(scope.at('head'), hidden, x.shape[2] as number), 1);
}

/**
 * LSTM forecaster: a recurrent network predicts each step from the steps before it, and the squared error is the score
 * (Malhotra et al., ESANN 2015).
 * Series. Trains in minutes; what it expected of each step is the reconstruction.
 */
export const lstmForecaster = defineModel({
  name: 'lstm-forecaster',
  title: 'LSTM forecaster',
  idea: 'A recurrent network predicts each step from the steps before it; how far it is off is the score.',
  paper: 'Malhotra et al., Long short term memory networks for anomaly detection in time series, ESANN 2015.',
  learning: 'one-class',
  inputs: ['series'],
  learns: 'gradient',
  config,
  presets: { 'tsb-ad': { context: 100, epochs: 50, batchSize: 128, learningRate: 8e-4, schedule: 'constant' } },
  defaults: (_shape, count) => forecastDefaults(STEPS, count),
  tiny: { units: 8, layers: 1, context: 8, epochs: 3, batchSize: 32, learningRate: 1e-2 },
  unsuitable: (_config, shape) => needsSteps('lstm-forecaster', LEAST_FORECAST_WINDOW, shape),
  phases: (options) => [forecastPhase(options, 'forecaster', (scope, x) => forecast(options, scope, x))],
  score: (options, net, x) => forecastScoring(x, forecast(options, net('forecaster'), x)),
});
