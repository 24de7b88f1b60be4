/**
 * SimpleNet (Liu et al., CVPR 2023, arXiv 2303.15140, and DonaldRR/SimpleNet): a linear adaptor of pretrained features
 * gives q, and a discriminator D learns to tell q from q⁻ = q + ε, the same with Gaussian noise; the map is −D.
 * Loss: mean max(0, th − D(q)) + mean max(0, th + D(q⁻)). D: linear to `hidden`, batch norm, leaky ReLU 0.2, linear to 1
 * without bias. The published noise of 0.015 is meant for one network's features; here it is by default in units of the
 * standard deviation of each channel. The score is the largest −D of all places, before the map is smoothed, as in the public
 * code. Discriminator and adaptor alternate instead of moving at once, and the noise of a step is the same for its images. Left out: mixtures of noises, and choosing the pass that does best on test images.
 */
import * as z from 'zod';
import * as g from '../graph/ops/index.ts';
import type { Value } from '../graph/value.ts';
import * as nn from '../nn/index.ts';
import { defineModel } from './define.ts';
import { backboneOptions, choiceOf, joined, tapped, tooSmall } from './parts/features.ts';
import { epochsFor } from './parts/fitting/epochs.ts';
import { phase } from './parts/fitting/phase.ts';
import { learnStandard, standard } from './parts/fitting/standard-features.ts';
import { poolMap } from './parts/maps/pool-map.ts';
import { smoothMap } from './parts/maps/smooth-map.ts';
import * as common from './parts/options.ts';
import { channelsOf, countOf, itemShapeOf, sidesOf } from './parts/shapes.ts';

const config = z.strictObject({
  ...backboneOptions,
  standardize: z
    .boolean()
    .default(true)
    .describe(
      'First centre each channel of the features and divide it by its standard deviation over the normal images, so that one size of noise fits any backbone.',
    ),
  noise: z
    .number()
    .positive()
    .max(100)
    .default(0.5)
    .describe('Standard deviation of the noise; published: 0.015, on features that are not standardised.'),
  margin: z.number().positive().max(100).default(0.5).describe('th: margin of the hinge loss on both sides.'),
  hidden: z.int().min(1).max(8192).default(256).describe('Width of the discriminator; published: 1024.'),
  smoothing: common.smoothing(4),
  epochs: common.epochs(30),
  batchSize: common.batchSize(8, undefined, { most: 1024 }),
  adaptorLearningRate: common.learningRate(1e-4, "AdamW's learning rate for the adaptor."),
  learningRate: common.learningRate(2e-4, "Adam's learning rate for the discriminator."),
  weightDecay: common.weightDecay(1e-5, 'L2 penalty on the discriminator.'),
});
type Config = z.infer<typeof config>;

/** Training steps by default. */
const STEPS = 400;
/** Side of the neighbourhood over which features are averaged, in places of the grid. */
const PATCH = 3;

/** Local means of the features at the taps, on the finest grid: `[N, C, h, w]`. */
const patches = (options: Config, net: (group: string) => nn.Scope, x: Value): Value =>
  joined(tapped(options, net, x).map((y) => g.averagePool(y, PATCH, { stride: 1, padding: PATCH >> 1 })));

/** The features that the discriminator sees, `[N, C, h, w]`: one linear map of all places. */
function adapt(options: Config, net: (group: string) => nn.Scope, x: Value): Value {
  const y = patches(options, net, x);
  const seen = options.standardize ? standard(net('features'), y, 'channel') : y;
  // An initial map that keeps the spread of the features: the noise that is added has one size.
  const weightInit = nn.glorotNormal;
  return nn.conv(net('adaptor'), seen, { filters: channelsOf(y), kernel: 1, weightInit });
}

/** D, large for normal features: `[N, C, h, w] → [N, 1, h, w]`. */
export function discriminate({ hidden }: Pick<Config, 'hidden'>, net: nn.Scope, q: Value): Value {
  const h = nn.batchNorm(net.at('norm'), nn.conv(net.at('hidden'), q, { filters: hidden, kernel: 1 }));
  return nn.conv(net.at('answer'), g.leakyRelu(h, 0.2), { filters: 1, kernel: 1, bias: false });
}

/** mean max(0, th − D(q)) + mean max(0, th + D(q⁻)). */
export function hinge(real: Value, noisy: Value, margin: number): Value {
  return g.add(g.reduceMean(g.relu(g.sub(margin, real))), g.reduceMean(g.relu(g.add(noisy, margin))));
}

/** The hinge loss, of discriminator and adaptor alike. */
function hingeLoss(options: Config, { net, x, draw }: nn.StepContext): nn.StepResult {
  const q = adapt(options, net, x);
  const noise = draw('noise', { kind: 'normal', shape: [1, ...itemShapeOf(q)] });
  const noisy = g.add(q, g.mul(noise, options.noise));
  // In one batch: apart, a batch norm would hide what the noise adds.
  const answers = discriminate(options, net('discriminator'), g.concat([q, noisy], 0));
  const n = countOf(q);
  const [real, fake] = g.split(answers, [n, n], 0);
  return {
    loss: hinge(real, fake, options.margin),
    metrics: { normal: g.reduceMean(real), noisy: g.reduceMean(fake) },
  };
}

/**
 * SimpleNet: a small discriminator learns to tell adapted pretrained features of normal images from the same features
 * with Gaussian noise (Liu et al., CVPR 2023, arXiv 2303.15140).
 * Images. Two small networks on frozen features; scoring is one pass of the backbone and of both.
 */
export const simplenet = defineModel({
  name: 'simplenet',
  title: 'SimpleNet',
  idea: 'A small network learns to tell pretrained features of normal images from the same features with noise; what looks noisy to it is anomalous.',
  paper: 'Liu et al., SimpleNet: a simple network for image anomaly detection and localization, CVPR 2023.',
  learning: 'one-class',
  inputs: ['image'],
  learns: 'gradient',
  config,
  presets: {
    published: {
      backbone: 'wide_resnet50_2',
      taps: 'layer2,layer3',
      standardize: false,
      noise: 0.015,
      hidden: 1024,
      epochs: 160,
    },
  },
  defaults: (_shape, count) => ({ epochs: epochsFor(STEPS, 8, count) }),
  imageSize: [256, 256],
  tiny: { taps: 'fine', noise: 1, hidden: 32, smoothing: 1, epochs: 40, batchSize: 16, learningRate: 3e-3 },
  backbone: choiceOf,

  unsuitable: (options, shape) => tooSmall(options, shape),

  phases(options) {
    const { epochs, batchSize, learningRate, weightDecay, adaptorLearningRate } = options;
    const loss = (context: nn.StepContext) => hingeLoss(options, context);
    const steps: nn.Step[] = [
      {
        name: 'discriminator',
        updates: ['discriminator'],
        optimizer: nn.adam({ learningRate, weightDecay }),
        loss,
      },
      { name: 'adaptor', updates: ['adaptor'], optimizer: nn.adamW({ learningRate: adaptorLearningRate }), loss },
    ];
    return [
      ...(options.standardize ? [learnStandard(batchSize, (net, x) => patches(options, net, x))] : []),
      phase({ epochs, batchSize, steps }),
    ];
  },

  score(options, net, x) {
    const answers = discriminate(options, net('discriminator'), adapt(options, net, x));
    const odd = g.neg(answers); // [N,1,h,w]
    return { map: smoothMap(odd, sidesOf(x), options.smoothing), score: poolMap('max', odd) };
  },
});
