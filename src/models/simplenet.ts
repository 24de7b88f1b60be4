/**
 * SimpleNet (Liu et al., CVPR 2023, arXiv 2303.15140, and DonaldRR/SimpleNet): a linear adaptor of pretrained features
 * gives q, and a discriminator D learns to tell q from q⁻ = q + ε, the same with Gaussian noise; a place is as odd as −D.
 * Loss: mean max(0, th − D(q)) + mean max(0, th + D(q⁻)). D: linear to `hidden`, batch norm, leaky ReLU 0.2, linear to 1
 * without bias. The published noise of 0.015 is meant for one network's features; here it is by default in units of the
 * features' mean standard deviation. Discriminator and adaptor take turns instead of moving at once, and the noise of a
 * step is the same for its images. Left out: mixtures of noises, and choosing the pass that does best on test images.
 */
import * as z from 'zod';
import * as g from '../graph/ops/index.ts';
import type { Value } from '../graph/value.ts';
import * as nn from '../nn/index.ts';
import { defineModel } from './define.ts';
import { backboneOptions, choiceOf, joined, tapped, tooSmall } from './parts/features.ts';
import { passesFor } from './parts/passes.ts';
import { smoothMap } from './parts/smooth-map.ts';
import { learnStandard, standard } from './parts/standard-features.ts';

const config = z.strictObject({
  ...backboneOptions,
  standardize: z
    .boolean()
    .default(true)
    .describe(
      'Centre features and divide them by their mean standard deviation over the normal images first, so that noise of one size fits all.',
    ),
  noise: z
    .number()
    .positive()
    .max(100)
    .default(0.5)
    .describe('Standard deviation of the noise; of features as they are 0.015 for the published network.'),
  margin: z
    .number()
    .positive()
    .max(100)
    .default(0.5)
    .describe('th: what the discriminator should reach on both sides.'),
  hidden: z.int().min(1).max(8192).default(256).describe('Width of the discriminator; 1024 is published.'),
  smoothing: z.number().min(0).max(64).default(4).describe('Standard deviation of the blur of the map, in pixels.'),
  epochs: z.int().min(1).max(100000).default(30).describe('Passes over the training images.'),
  batchSize: z.int().min(1).max(1024).default(8).describe('Images per step.'),
  adaptorLearningRate: z.number().positive().max(1).default(1e-4).describe('Step size of AdamW for the adaptor.'),
  learningRate: z.number().positive().max(1).default(2e-4).describe('Step size of Adam for the discriminator.'),
  weightDecay: z.number().min(0).max(1).default(1e-5).describe('L2 penalty on the discriminator.'),
});
type Config = z.infer<typeof config>;

/** Training steps by default. */
const STEPS = 400;
/** Side of the neighbourhood over which features are averaged, in places of the grid. */
const PATCH = 3;

/** Local means of the features at the taps, on the finest grid: `[N, C, h, w]`. */
const patches = (options: Config, net: (group: string) => nn.Scope, x: Value): Value =>
  joined(tapped(options, net, x).map((y) => g.averagePool(y, PATCH, { stride: 1, padding: PATCH >> 1 })));

/** The features that the discriminator judges, `[N, C, h, w]`: one linear map of all places. */
function adapt(options: Config, net: (group: string) => nn.Scope, x: Value): Value {
  const y = patches(options, net, x);
  const seen = options.standardize ? standard(net, y) : y;
  // An initial map that keeps the spread of the features: the noise that is added has one size.
  const weightInit = nn.glorotNormal;
  return nn.conv(net('adaptor'), seen, { filters: y.shape[1] as number, kernel: 1, weightInit });
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

/**
 * SimpleNet: a small discriminator learns to tell adapted pretrained features of normal images from the same features
 * with Gaussian noise (Liu et al., CVPR 2023, arXiv 2303.15140).
 * Images. Two small networks on frozen features; scoring is one pass of the backbone and of both.
 */
export const simplenet = defineModel({
  name: 'simplenet',
  title: 'SimpleNet',
  idea: 'A small network tells pretrained features of normal images from the same with noise; what it takes for noisy is odd.',
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
  defaults: (_shape, count) => ({ epochs: passesFor(STEPS, 8, count) }),
  imageSize: [256, 256],
  tiny: { taps: 'fine', noise: 1, hidden: 32, smoothing: 1, epochs: 40, batchSize: 16, learningRate: 3e-3 },
  backbone: choiceOf,

  unsuitable: (options, shape) => tooSmall(options, shape),

  phases(options) {
    const { noise, margin, epochs, batchSize } = options;
    const loss = ({ net, x, draw }: nn.StepContext): nn.StepResult => {
      const q = adapt(options, net, x);
      const size = [1, ...(q.shape.slice(1) as number[])];
      const noisy = g.add(q, g.mul(draw('noise', { kind: 'normal', shape: size }), noise));
      // Judged in one batch: apart, a batch norm would hide what the noise adds.
      const answers = discriminate(options, net('discriminator'), g.concat([q, noisy], 0));
      const n = q.shape[0] as number;
      const [real, fake] = g.split(answers, [n, n], 0);
      return { loss: hinge(real, fake, margin), metrics: { normal: g.reduceMean(real), noisy: g.reduceMean(fake) } };
    };
    return [
      ...(options.standardize ? [learnStandard(batchSize, (net, x) => patches(options, net, x))] : []),
      {
        epochs,
        batchSize,
        phase: {
          name: 'fit',
          steps: [
            {
              name: 'discriminator',
              updates: ['discriminator'],
              optimizer: nn.adam({ learningRate: options.learningRate, weightDecay: options.weightDecay }),
              loss,
            },
            {
              name: 'adaptor',
              updates: ['adaptor'],
              optimizer: nn.adamW({ learningRate: options.adaptorLearningRate }),
              loss,
            },
          ],
        },
      },
    ];
  },

  pool: (_options, map) => g.reduceMax(map, { axes: [1, 2, 3] }),

  score(options, net, x) {
    const answers = discriminate(options, net('discriminator'), adapt(options, net, x));
    const map = smoothMap(g.neg(answers), [Number(x.shape[2]), Number(x.shape[3])], options.smoothing);
    return { map, score: g.reduceMax(map, { axes: [1, 2, 3] }) };
  },
});
