/**
 * TadGAN (Geiger et al., IEEE BigData 2020, arXiv 2009.07769; public code of Orion): an encoder and a generator of windows,
 * trained together against two Wasserstein critics, one of windows and one of codes, so that a window goes to a code of the
 * prior and back. The score joins the error of the reconstruction and what the critic of windows says. Networks:
 * `parts/nets/tadgan.ts`. Deviations: the error is the mean over the window of a step and not of the median of the
 * reconstructions by all windows that cover it; the critic's value is that of this window and not the mode over the windows
 * that cover the step; both are measured against all training windows, not within the middle half of the values to be judged;
 * by default networks of convolutions. Left out: errors by area and by dynamic time warping, smoothing along the series, and
 * the pruning of alarms, which belongs to alarms (`runs`).
 */
import * as z from 'zod';
import * as g from '../graph/ops/index.ts';
import type { Value } from '../graph/value.ts';
import * as nn from '../nn/index.ts';
import { defineModel } from './define.ts';
import { epochsFor } from './parts/fitting/epochs.ts';
import { normalLatents } from './parts/fitting/gan-losses.ts';
import { gradientPenalty } from './parts/fitting/gradient-penalty.ts';
import { pass } from './parts/fitting/measure.ts';
import { phase } from './parts/fitting/phase.ts';
import {
  criticizeCodes,
  criticizeWindows,
  encodeWindows,
  generateWindows,
  tadganNetworks,
} from './parts/nets/tadgan.ts';
import * as common from './parts/options.ts';
import { needsSteps } from './parts/series/needs-steps.ts';
import { measureWindows, rangeOf, unitWindows } from './parts/series/unit-range.ts';
import { countOf } from './parts/shapes.ts';

const config = z.strictObject({
  network: z
    .enum(tadganNetworks)
    .default('strided')
    .describe('Layers: "strided" are small convolutions, "lstm" the published nets, which train much longer.'),
  score: z
    .enum(['product', 'sum', 'reconstruction', 'critic'])
    .default('product')
    .describe('How the error of the reconstruction and the critic are joined, each in its own training deviations.'),
  latent: common.latent(20, 'Length of the code.'),
  width: common.width(32, 'Channels of convolutions; published: 64.'),
  units: z.int().min(1).max(512).default(64).describe('Units of each direction of LSTMs; "lstm" only.'),
  dropout: common.share(0.2, 'Share of values that critics and LSTMs lose in training.', { most: 0.7 }),
  penalty: common.weight(10, 'Weight of the gradient penalty.', { most: 1000 }),
  reconstruction: common.weight(10, 'Weight of the squared error of the reconstruction.', { most: 1000 }),
  criticSteps: z.int().min(1).max(20).default(5).describe('Steps of the critics per step of encoder and generator.'),
  epochs: common.epochs(35, 'Passes over the training windows.'),
  batchSize: common.batchSize(64, 'Windows per training step.'),
  learningRate: common.learningRate(5e-4),
  schedule: common.schedule('cosine', 'Learning rate over the training; published: constant.'),
});
type Config = z.infer<typeof config>;

/** Steps of encoder and generator by default. */
const STEPS = 600;
/** Steps that a window needs to be halved twice. */
const LEAST_WINDOW = 8;

/** Windows `[N, L, D]` in [−1, 1] over the training part; what lies beyond stays beyond. */
const signed = (net: nn.StepContext['net'], x: Value) => g.sub(g.mul(unitWindows(net, x), 2), 1);
const sidesOf = (x: Value) => x.shape.slice(1) as [number, number];

/** Both critics in one step, since they share no weights: Σ C(made) − C(real) + λ · penalty. */
function criticsLoss(options: Config, context: nn.StepContext): nn.StepResult {
  const { net, draw } = context;
  const x = signed(net, context.x);
  const z = normalLatents(context, options.latent);
  const n = countOf(x);
  const terms = [
    {
      critic: (v: Value) => criticizeWindows(options, net('window-critic'), v),
      real: x,
      made: generateWindows(options, net('generator'), z, sidesOf(x)),
      mix: draw('u', { kind: 'uniform', shape: [n, 1, 1] }),
    },
    {
      critic: (v: Value) => criticizeCodes(options, net('code-critic'), v),
      real: z,
      made: encodeWindows(options, net('encoder'), x),
      mix: draw('w', { kind: 'uniform', shape: [n, 1] }),
    },
  ].map(({ critic, real, made, mix }) => ({
    real: g.reduceMean(critic(real)),
    made: g.reduceMean(critic(made)),
    penalty: gradientPenalty(critic, real, made, mix),
  }));
  const [windows, codes] = terms.map(({ real, made, penalty }) =>
    g.add(g.sub(made, real), g.mul(penalty, options.penalty)),
  );
  return {
    loss: g.add(windows, codes),
    metrics: { windows, codes, real: terms[0].real, fake: terms[0].made, penalty: terms[0].penalty },
  };
}

/** −C(G(z)) − C(E(x)) + λ · mean (x − G(E(x)))². */
function generatorLoss(options: Config, context: nn.StepContext): nn.StepResult {
  const { net } = context;
  const x = signed(net, context.x);
  const generate = (z: Value) => generateWindows(options, net('generator'), z, sidesOf(x));
  const generated = generate(normalLatents(context, options.latent));
  const code = encodeWindows(options, net('encoder'), x);
  const error = nn.l2(x, generate(code));
  const adversarial = g.add(
    g.reduceMean(criticizeWindows(options, net('window-critic').frozen(), generated)),
    g.reduceMean(criticizeCodes(options, net('code-critic').frozen(), code)),
  );
  return {
    loss: g.sub(g.mul(error, options.reconstruction), adversarial),
    metrics: { error },
    watch: { generated, data: x, code },
  };
}

/** What a window scores before it is measured against the training windows. */
function rawScores(options: Config, net: nn.StepContext['net'], items: Value) {
  const x = signed(net, items);
  const again = generateWindows(
    options,
    net('generator').frozen(),
    encodeWindows(options, net('encoder').frozen(), x),
    sidesOf(x),
  );
  const difference = g.abs(g.sub(x, again)); // [N,L,D]
  return {
    again,
    difference,
    error: g.reduceMean(difference, { axes: [1, 2] }),
    critic: criticizeWindows(options, net('window-critic').frozen(), x),
  };
}

const SCORES = ['error', 'critic'] as const;

/** Adds a batch to the sums over the training windows of both scores and of their squares. */
function measureScores(options: Config, { net, x }: nn.StepContext): Value {
  const raw = rawScores(options, net, x);
  const scope = net('scores');
  const add = (name: string, value: Value | number) =>
    scope.update(name, g.add(scope.buffer(name, [], nn.zerosInit), value));
  add('count', countOf(x));
  for (const name of SCORES) {
    add(`${name}-sum`, g.reduceSum(raw[name]));
    add(`${name}-squares`, g.reduceSum(g.square(raw[name])));
  }
  return g.reduceMean(raw.error);
}

/** A score less its mean over the training windows, in their standard deviations. */
function standardised(net: nn.StepContext['net'], name: (typeof SCORES)[number], value: Value): Value {
  const sum = (what: string) => net('scores').buffer(what, [], nn.zerosInit);
  const count = g.maximum(sum('count'), 1);
  const mean = g.div(sum(`${name}-sum`), count);
  const variance = g.relu(g.sub(g.div(sum(`${name}-squares`), count), g.square(mean)));
  return g.div(g.sub(value, mean), g.sqrt(g.add(variance, 1e-12)));
}

/**
 * TadGAN: a generator with an encoder, trained against a critic of windows and one of codes; the score is the error of the
 * reconstruction times how unusual the critic finds the window (Geiger et al., IEEE BigData 2020, arXiv 2009.07769).
 * Series. Trains in minutes; scoring is one pass of three small networks.
 */
export const tadgan = defineModel({
  name: 'tadgan',
  title: 'TadGAN',
  idea:
    'A generator and an encoder of windows, trained against two Wasserstein critics; the score joins the error of the ' +
    'reconstruction and how unusual a critic finds the window.',
  paper:
    'Geiger et al., TadGAN: time series anomaly detection using generative adversarial networks, IEEE BigData 2020, arXiv 2009.07769.',
  learning: 'one-class',
  inputs: ['series'],
  learns: 'gradient',
  config,
  presets: {
    published: {
      network: 'lstm',
      width: 64,
      units: 64,
      epochs: 35,
      batchSize: 64,
      learningRate: 5e-4,
      schedule: 'constant',
    },
  },
  defaults(_shape, count) {
    const batchSize = Math.max(16, Math.min(64, Math.floor(count / 16)));
    return { batchSize, epochs: epochsFor(STEPS, batchSize, count) };
  },
  tiny: { width: 8, latent: 8, units: 8, criticSteps: 2, epochs: 6, batchSize: 32, learningRate: 2e-3 },
  unsuitable: (_config, shape) => needsSteps('tadgan', LEAST_WINDOW, shape),

  phases(options) {
    const { epochs, batchSize, learningRate, criticSteps } = options;
    const optimizer = nn.adam({ learningRate });
    const schedule = common.scheduleOf(options);
    const steps: nn.Step[] = [
      {
        name: 'critics',
        updates: ['window-critic', 'code-critic'],
        optimizer,
        schedule,
        repeats: criticSteps,
        loss: (context) => criticsLoss(options, context),
      },
      {
        name: 'generator-encoder',
        updates: ['generator', 'encoder'],
        optimizer,
        schedule,
        loss: (context) => generatorLoss(options, context),
      },
    ];
    return [
      pass('range', batchSize, measureWindows),
      phase({ epochs, batchSize, steps }),
      pass('scores', batchSize, (context) => measureScores(options, context)),
    ];
  },

  score(options, net, items) {
    const { again, difference, ...raw } = rawScores(options, net, items);
    const error = g.add(g.relu(standardised(net, 'error', raw.error)), 1);
    const critic = g.add(g.abs(standardised(net, 'critic', raw.critic)), 1);
    const score = {
      product: () => g.mul(error, critic),
      sum: () => g.add(error, critic),
      reconstruction: () => raw.error,
      critic: () => critic,
    }[options.score]();
    const { low, width } = rangeOf(net, items.shape[2] as number);
    const reconstruction = g.add(g.mul(g.mul(g.add(again, 1), 0.5), width), low);
    return { score, map: difference, reconstruction };
  },
});
