/**
 * FastFlow (Yu et al. 2021, arXiv 2111.07677): at each tap of a frozen network the grid of features, after a layer norm
 * over `[C, h, w]`, passes an invertible network f of convolutions that learns to make it standard normal. Loss: the sum
 * over taps of mean ½ Σ z² − log|det ∂f/∂y|. Map: the mean over taps of −exp(−½ mean_c z²), in (−1, 0); score: its
 * largest value. A step of f keeps one half of the channels, y₁, and moves the other by y₂ · exp(s) + t, where two
 * convolutions of y₁ with a ReLU between give (a, b), s = c · tanh(0.1 a) and t = 0.1 b; then each channel is scaled, by
 * 0.2 · log(1 + exp(u / 2)) of a learnt u, and moved, and the channels change places by a fixed permutation: the blocks of
 * FrEIA, which public code is made of. The layer norm follows public code, not the paper; its factors are learnt and not
 * part of the determinant. Ours: fewer steps of training at rates that fall. Left out: transformers as backbones.
 */
import * as zod from 'zod';
import { Rng } from '../core/random.ts';
import * as g from '../graph/ops/index.ts';
import type { Value } from '../graph/value.ts';
import * as nn from '../nn/index.ts';
import { defineModel } from './define.ts';
import { backboneOptions, choiceOf, tapped, tapsOf, tooSmall } from './parts/features.ts';
import { epochsFor } from './parts/fitting/epochs.ts';
import { phase } from './parts/fitting/phase.ts';
import { poolMap } from './parts/maps/pool-map.ts';
import { smoothMap } from './parts/maps/smooth-map.ts';
import * as common from './parts/options.ts';
import { channelsOf, itemShapeOf, sidesOf } from './parts/shapes.ts';

const config = zod.strictObject({
  ...backboneOptions,
  steps: zod.int().min(1).max(64).default(8).describe('Steps of each flow; 8 for ResNets, 20 for transformers.'),
  kernels: zod
    .enum(['alternating', '3x3'])
    .default('alternating')
    .describe('Convolutions of the steps: 3×3 and 1×1 alternating, or 3×3 in all (ResNet-18).'),
  hiddenRatio: zod
    .number()
    .positive()
    .max(8)
    .default(1)
    .describe(
      'Channels between the two convolutions of a step, as a share of its input channels; 0.16 for transformers.',
    ),
  clamp: zod.number().positive().max(16).default(2).describe('c: the log of a factor of a step is within ±c.'),
  smoothing: common.smoothing(0),
  epochs: common.epochs(30),
  batchSize: common.batchSize(16, undefined, { most: 1024 }),
  learningRate: common.learningRate(1e-3, "Adam's learning rate at the start."),
  weightDecay: common.weightDecay(1e-5),
  schedule: common.schedule('cosine'),
});
type Config = zod.infer<typeof config>;
type FlowOptions = Pick<Config, 'steps' | 'kernels' | 'hiddenRatio' | 'clamp'>;

/** Training steps by default. */
const STEPS = 300;
/** Factor on what the convolutions of a step give, and on the scale of its channels. */
const DAMPING = 0.1;
/** β of the softplus, 1/β · log(1 + exp(β u)), by which a channel is scaled. */
const SHARPNESS = 0.5;
/** u of a channel that is not scaled. */
export const UNSCALED = Math.log(Math.exp(SHARPNESS / DAMPING) - 1) / SHARPNESS;

/** Each image's features to mean 0 and variance 1, then a factor and an offset for each of the C·h·w values. */
function normalize(net: nn.Scope, y: Value): Value {
  const axes = [1, 2, 3];
  const centred = g.sub(y, g.reduceMean(y, { axes, keep: true }));
  const std = g.sqrt(g.add(g.reduceMean(g.square(centred), { axes, keep: true }), 1e-5));
  const shape = itemShapeOf(y);
  const weight = net.parameter('weight', shape, nn.onesInit);
  return g.add(g.mul(g.div(centred, std), weight), net.parameter('bias', shape, nn.zerosInit));
}

/** The permutation of the channels after a step: channel i of the result is channel p[i] before. */
export const permutationOf = (channels: number, step: number): number[] => [
  ...new Rng(0).split('fastflow').split(step).permutation(channels),
];

/** s and t of a step, from the channels y₁ that it keeps, for `moved` others: `[N, moved, h, w]` each. */
export function shiftOf(options: FlowOptions, net: nn.Scope, y1: Value, moved: number, step: number) {
  const kernel = options.kernels === '3x3' || step % 2 === 0 ? 3 : 1;
  const layer = { kernel, padding: kernel >> 1 };
  const filters = Math.max(1, Math.round(options.hiddenRatio * channelsOf(y1)));
  const h = g.relu(nn.conv(net.at('conv1'), y1, { filters, ...layer }));
  const [a, t] = g.split(nn.conv(net.at('conv2'), h, { filters: 2 * moved, ...layer }), [moved, moved], 1);
  return { s: g.mul(g.tanh(g.mul(a, DAMPING)), options.clamp), t: g.mul(t, DAMPING) };
}

/** The factors of the channels, above 0, from what is learnt. */
const factorsOf = (u: Value): Value => g.mul(g.softplus(g.mul(u, SHARPNESS)), DAMPING / SHARPNESS);

/** f: features `[N, C, h, w]` to z of the same shape, and log|det ∂z/∂y| of each image, `[N]`. */
export function flow(options: FlowOptions, net: nn.Scope, features: Value): { z: Value; logDet: Value } {
  const channels = channelsOf(features);
  const [height, width] = sidesOf(features);
  const moved = channels >> 1;
  let z = features;
  let logDet: Value | undefined;
  for (let step = 0; step < options.steps; step++) {
    const at = net.at(`step${step + 1}`);
    const [y1, y2] = g.split(z, [channels - moved, moved], 1);
    const { s, t } = shiftOf(options, at, y1, moved, step);
    const scale = factorsOf(at.parameter('scale', [channels], nn.filled(UNSCALED)));
    const y = g.concat([y1, g.add(g.mul(y2, g.exp(s)), t)], 1);
    z = g.gather(
      g.scaleChannels(y, scale, at.parameter('shift', [channels], nn.zerosInit)),
      permutationOf(channels, step),
      1,
    );
    const change = g.add(g.reduceSum(s, { axes: [1, 2, 3] }), g.mul(g.reduceSum(g.log(scale)), height * width)); // [N]
    logDet = logDet ? g.add(logDet, change) : change;
  }
  return { z, logDet: logDet! };
}

/** Features at each tap through its flow. */
function flows(options: Config, net: (group: string) => nn.Scope, x: Value) {
  const { taps } = tapsOf(options);
  return tapped(options, net, x).map((y, i) => {
    const at = net('flows').at(taps[i]);
    return flow(options, at, normalize(at.at('norm'), y));
  });
}

/** Σ over taps of mean ½ Σ z² − log|det ∂z/∂y|. */
const negativeLikelihood = (options: Config, { net, x }: nn.StepContext): Value =>
  flows(options, net, x)
    .map(({ z, logDet }) => g.reduceMean(g.sub(g.mul(poolMap('sum', g.square(z)), 0.5), logDet)))
    .reduce((a, b) => g.add(a, b));

/**
 * FastFlow: invertible networks turn grids of pretrained features of normal images into standard normal ones; unlikely
 * places are anomalous (Yu et al. 2021, arXiv 2111.07677).
 * Images. Trains in hundreds of steps on frozen features; scoring is one pass of the backbone and of a flow per tap.
 */
export const fastflow = defineModel({
  name: 'fastflow',
  title: 'FastFlow',
  idea: 'Invertible networks map grids of pretrained features of normal images to a standard normal distribution; places far from 0 are anomalous.',
  paper: 'Yu et al., FastFlow: unsupervised anomaly detection and localization via 2D normalizing flows, 2021.',
  learning: 'one-class',
  inputs: ['image'],
  learns: 'gradient',
  config,
  presets: {
    resnet18: {
      backbone: 'resnet18',
      taps: 'layer1,layer2,layer3',
      kernels: '3x3',
      epochs: 500,
      batchSize: 32,
      schedule: 'constant',
    },
    'wide-resnet50': {
      backbone: 'wide_resnet50_2',
      taps: 'layer1,layer2,layer3',
      epochs: 500,
      batchSize: 32,
      schedule: 'constant',
    },
  },
  defaults: (_shape, count) => ({ epochs: epochsFor(STEPS, 16, count) }),
  imageSize: [128, 128],
  tiny: { taps: 'fine', steps: 2, epochs: 20, batchSize: 16, learningRate: 3e-3 },
  backbone: choiceOf,

  unsuitable: (options, shape) => tooSmall(options, shape),

  phases(options) {
    const { epochs, batchSize, learningRate, weightDecay } = options;
    const step: nn.Step = {
      name: 'fit',
      updates: ['flows'],
      optimizer: nn.adam({ learningRate, weightDecay }),
      schedule: common.scheduleOf(options),
      loss: (context) => negativeLikelihood(options, context),
    };
    return [phase({ epochs, batchSize, steps: [step] })];
  },

  pool: (_options, map) => poolMap('max', map),

  score(options, net, x) {
    const maps = flows(options, net, x).map(({ z }) => {
      const likely = g.exp(g.mul(g.reduceMean(g.square(z), { axes: [1], keep: true }), -0.5)); // [N,1,h,w]
      return smoothMap(g.neg(likely), sidesOf(x), options.smoothing);
    });
    const sum = maps.reduce((a, b) => g.add(a, b));
    const map = g.div(sum, maps.length);
    return { map, score: poolMap('max', map) };
  },
});
