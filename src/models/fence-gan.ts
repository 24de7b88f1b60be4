/**
 * Fence GAN: the generator is pushed not into the data but to its boundary and spread along it, so that the
 * discriminator's own answer is a score (Ngo et al. 2019, arXiv 1904.01209, and phuccuongngo99/Fence_GAN). Encirclement
 * in the form of the public code, BCE(D(G(z)), α); the paper's log|α − D(G(z))| has no lower bound. Networks:
 * `parts/fence-nets.ts`. Left out: choosing the epoch by labelled anomalies, and the option of an L2 penalty.
 */
import * as zod from 'zod';
import { gradients } from '../graph/grad.ts';
import * as g from '../graph/ops/index.ts';
import type { Value } from '../graph/value.ts';
import * as nn from '../nn/index.ts';
import { defineModel, type ItemShape } from './define.ts';
import { prepare } from './parts/dcgan.ts';
import { discriminate, fenceNetworks, generate, latentOf } from './parts/fence-nets.ts';
import { isRows } from './parts/row-nets.ts';
import { spread } from './parts/watch.ts';

const rate = () => zod.number().positive().max(1);
const config = zod.strictObject({
  network: zod
    .enum(fenceNetworks)
    .default('strided')
    .describe('Layers for images: "strided" fits its depth to them, the others are published nets.'),
  width: zod
    .int()
    .min(1)
    .max(512)
    .default(32)
    .describe('Filters next to the image of "strided"; for tables hidden units of the generator.'),
  latent: zod
    .int()
    .min(1)
    .max(4096)
    .default(64)
    .describe('Numbers from which an image is drawn; rows are drawn from as many as they have columns.'),
  noise: zod.number().positive().max(1e6).default(1).describe('Standard deviation of these numbers.'),
  alpha: zod
    .number()
    .gt(0)
    .lt(1)
    .default(0.5)
    .describe('What the discriminator should say of drawn items, between 0 and 1: where the boundary lies.'),
  beta: zod
    .number()
    .min(0)
    .max(1e6)
    .default(10)
    .describe('Weight of 1 / (mean distance of drawn items to their centre); good values grow with that distance.'),
  gamma: zod
    .number()
    .gt(0)
    .max(1)
    .default(0.5)
    .describe('Weight of drawn items in the discriminator’s loss; below 1 it does not give up normal items.'),
  pretrainEpochs: zod
    .int()
    .min(0)
    .max(100000)
    .default(1)
    .describe('Passes over the training items in which the discriminator alone learns.'),
  epochs: zod.int().min(1).max(100000).default(10).describe('Passes over the training items for both.'),
  batchSize: zod.int().min(2).max(4096).default(64).describe('Items per training step.'),
  learningRate: rate().default(2e-4).describe("Adam's learning rate for the generator; its beta1 is 0.5."),
  discriminatorLearningRate: rate().default(1e-4).describe("Adam's learning rate for the discriminator."),
  decay: zod
    .number()
    .min(0)
    .max(1)
    .default(0)
    .describe("The discriminator's rate is divided by 1 + decay · steps, as in the public code."),
  clipNorm: zod
    .number()
    .positive()
    .max(1e6)
    .default(1)
    .describe("Largest norm of the generator's gradient: dispersion explodes where all drawn items are one."),
});

/** 1 / (mean ‖x_i − μ‖₂ + 1e-8), μ the mean of the drawn items: large where they are alike. */
export function dispersion(drawn: Value): Value {
  const x = g.flatten(drawn);
  const away = g.sub(x, g.reduceMean(x, { axes: [0], keep: true }));
  // Inside the root too, or its slope at 0 is no number.
  const distance = g.sqrt(g.add(g.reduceSum(g.square(away), { axes: [1] }), 1e-16));
  return g.div(1, g.add(g.reduceMean(distance), 1e-8));
}

/**
 * Fence GAN: the generator is trained to produce items on the boundary of the normal ones, so that the discriminator's
 * own answer is a usable score (Ngo et al. 2019, arXiv 1904.01209).
 * Images from 8 × 8 pixels and rows. Scoring is one pass of the discriminator; maps are gradients of the score.
 */
export const fenceGan = defineModel({
  name: 'fence-gan',
  title: 'Fence GAN',
  idea:
    'The generator draws items that lie around the normal ones like a fence, and the discriminator learns to tell both ' +
    'apart; the less real an item looks to it, the higher the score.',
  paper: 'Ngo et al. 2019, Fence GAN: Towards Better Anomaly Detection, arXiv 1904.01209.',
  learning: 'one-class',
  inputs: ['image', 'table'],
  learns: 'gradient',
  config,
  presets: {
    mnist: {
      network: 'mnist',
      latent: 200,
      alpha: 0.1,
      beta: 30,
      gamma: 0.1,
      pretrainEpochs: 15,
      epochs: 100,
      batchSize: 200,
      learningRate: 2e-5,
      discriminatorLearningRate: 1e-5,
    },
    // How long the discriminator is pretrained is not published for CIFAR-10: as for MNIST.
    cifar10: {
      network: 'cifar10',
      latent: 256,
      alpha: 0.5,
      beta: 10,
      gamma: 0.5,
      pretrainEpochs: 15,
      epochs: 150,
      batchSize: 128,
      learningRate: 1e-3,
      discriminatorLearningRate: 1e-4,
      decay: 1e-5,
    },
    // Two columns N(20, 3²), unscaled: 30 000 steps where there are 2 000 rows.
    toy: {
      width: 10,
      noise: 8,
      alpha: 0.5,
      beta: 15,
      gamma: 0.1,
      pretrainEpochs: 20,
      epochs: 1500,
      batchSize: 100,
      learningRate: 1e-3,
      discriminatorLearningRate: 1e-3,
    },
  },
  tiny: {
    width: 8,
    latent: 8,
    beta: 1,
    epochs: 8,
    batchSize: 16,
    learningRate: 2e-3,
    discriminatorLearningRate: 2e-3,
  },

  unsuitable({ network }, shape) {
    const [, height, width] = shape as readonly (number | undefined)[];
    if (height === undefined || width === undefined) return undefined;
    const least = network === 'cifar10' ? 16 : 8;
    if (Math.min(height, width) >= least) return undefined;
    return `fence-gan needs images of at least ${least} × ${least} pixels, got ${height} × ${width}.`;
  },

  phases(options, shape: ItemShape) {
    const { alpha, beta, gamma, epochs, pretrainEpochs, batchSize, clipNorm } = options;
    const optimizer = nn.adam({ learningRate: options.discriminatorLearningRate, beta1: 0.5 });
    const schedule: nn.Schedule = (iteration) => 1 / (1 + options.decay * iteration);
    const draw = (context: nn.StepContext): Value => {
      const size = [context.x.shape[0] as number, latentOf(options.latent, shape)];
      const z = g.mul(context.draw('z', { kind: 'normal', shape: size }), options.noise);
      return generate(options, context.net('generator'), z, shape);
    };
    const judge = ({ net }: nn.StepContext, x: Value) => discriminate(options, net('discriminator'), x);
    // Two updates by one optimiser: real items with weight 1, then drawn ones with weight γ.
    const discriminator: nn.Step[] = [
      {
        name: 'real',
        updates: ['discriminator'],
        optimizer,
        schedule,
        loss(context) {
          const logit = judge(context, prepare(context.x));
          return { loss: nn.bceWithLogits(logit, 1), metrics: { logit: g.reduceMean(logit) } };
        },
      },
      {
        name: 'fake',
        updates: ['discriminator'],
        optimizer,
        continues: 'real',
        schedule,
        loss(context) {
          const logit = judge(context, draw(context));
          return { loss: g.mul(nn.bceWithLogits(logit, 0), gamma), metrics: { logit: g.reduceMean(logit) } };
        },
      },
    ];
    const generator: nn.Step = {
      name: 'generator',
      updates: ['generator'],
      optimizer: nn.adam({ learningRate: options.learningRate, beta1: 0.5 }),
      clipNorm,
      loss(context) {
        const drawn = draw(context);
        const encirclement = nn.bceWithLogits(judge(context, drawn), alpha);
        const spreading = dispersion(drawn);
        return {
          loss: g.add(encirclement, g.mul(spreading, beta)),
          metrics: {
            encirclement,
            dispersion: spreading,
            'generated-spread': spread(drawn),
            'data-spread': spread(prepare(context.x)),
          },
        };
      },
    };
    return [
      { epochs: pretrainEpochs, batchSize, phase: { name: 'pretrain', steps: discriminator } },
      { epochs, batchSize, phase: { name: 'fence', steps: [...discriminator, generator] } },
    ].filter((phase) => phase.epochs > 0);
  },

  /** Minus the logit of D, which is the logit of 1 − D: a probability would saturate and make ties. */
  score(options, net, items) {
    const score = g.neg(discriminate(options, net('discriminator'), prepare(items))); // [N]
    // There is no drawing of the item to compare with: the map says on which values the score depends most.
    const [slope] = gradients(g.reduceSum(score), [items]);
    const map = g.abs(slope);
    return { score, map: isRows(items) ? map : g.reduceMean(map, { axes: [1], keep: true }) }; // [N,1,H,W], [N,D]
  },
});
