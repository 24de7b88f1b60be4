/**
 * Fence GAN: the generator is pushed not into the data but to its boundary and spread along it, so that the
 * discriminator's own answer is a score (Ngo et al. 2019, arXiv 1904.01209, and phuccuongngo99/Fence_GAN). Encirclement
 * in the form of the public code, BCE(D(G(z)), α); the paper's log|α − D(G(z))| has no lower bound. Networks:
 * `parts/nets/fence.ts`. The discriminator sees generated items that the generator makes with its running statistics, as the
 * public code predicts them; the generator trains on statistics of its batch. Left out: choosing the epoch by labelled
 * anomalies, and the option of an L2 penalty. Ours: a bound on the norm of the generator's gradient.
 */
import * as zod from 'zod';
import * as g from '../graph/ops/index.ts';
import type { Value } from '../graph/value.ts';
import * as nn from '../nn/index.ts';
import { defineModel } from './define.ts';
import { phase } from './parts/fitting/phase.ts';
import { sensitivityMap } from './parts/maps/pool-map.ts';
import { needsImages, needsSide } from './parts/needs-side.ts';
import { discriminate, fenceNetworks, generate, latentOf } from './parts/nets/fence.ts';
import * as common from './parts/options.ts';
import { countOf, itemShapeOf, signedItems } from './parts/shapes.ts';

const config = zod.strictObject({
  network: zod
    .enum(fenceNetworks)
    .default('strided')
    .describe('Layers for images: "strided" fits its depth to them, the others are published nets.'),
  width: common.width(32, 'Filters next to the image of "strided"; for tables hidden units of the generator.'),
  latent: common.latent(
    64,
    'Length of the latent vector from which an image is generated; that of a row is its number of columns.',
  ),
  noise: zod.number().positive().max(1e6).default(1).describe('Standard deviation of the latent vector.'),
  alpha: zod
    .number()
    .gt(0)
    .lt(1)
    .default(0.5)
    .describe('Target of the discriminator for generated items, between 0 and 1: where the boundary lies.'),
  beta: common.weight(
    10,
    'Weight of 1 / (mean distance of generated items to their centre); good values grow with that distance.',
    { most: 1e6 },
  ),
  gamma: zod
    .number()
    .gt(0)
    .max(1)
    .default(0.5)
    .describe("Weight of generated items in the discriminator's loss; below 1 it does not give up normal items."),
  pretrainEpochs: zod
    .int()
    .min(0)
    .max(100000)
    .default(1)
    .describe('Passes over the training items in which the discriminator alone learns.'),
  epochs: common.epochs(10, 'Passes over the training items for both networks.'),
  batchSize: common.batchSize(64, 'Items per training step.', { least: 2 }),
  learningRate: common.learningRate(2e-4, "Adam's learning rate for the generator; its beta1 is 0.5."),
  discriminatorLearningRate: common.learningRate(1e-4, "Adam's learning rate for the discriminator."),
  decay: common.share(0, "The discriminator's learning rate is divided by 1 + decay · steps, as in the public code."),
  clipNorm: common.clipNorm(
    1,
    "Largest norm of the generator's gradient: dispersion explodes where all generated items are equal.",
  ),
});
type Config = zod.infer<typeof config>;

/** 1 / (mean ‖x_i − μ‖₂ + 1e-8), μ the mean of the generated items: large where they are alike. */
export function dispersion(generated: Value): Value {
  const x = g.flatten(generated);
  const away = g.sub(x, g.reduceMean(x, { axes: [0], keep: true }));
  // Inside the root too, or its gradient at 0 is not a number.
  const distance = g.sqrt(g.add(g.reduceSum(g.square(away), { axes: [1] }), 1e-16));
  return g.div(1, g.add(g.reduceMean(distance), 1e-8));
}

/** G(z), z ~ N(0, noise²), by a generator that trains or one that stays as it is. */
function generated(options: Config, { x, draw }: nn.StepContext, generator: nn.Scope): Value {
  const shape = itemShapeOf(x);
  const normal = draw('z', { kind: 'normal', shape: [countOf(x), latentOf(options.latent, shape)] });
  return generate(options, generator, g.mul(normal, options.noise), shape);
}

/** BCE(D(x), 1). */
function realLoss(options: Config, { net, x }: nn.StepContext): nn.StepResult {
  const logit = discriminate(options, net('discriminator'), signedItems(x));
  return { loss: nn.bceWithLogits(logit, 1), metrics: { logit: g.reduceMean(logit) } };
}

/** γ · BCE(D(G(z)), 0), G with its running statistics, as it predicts in the public code. */
function fakeLoss(options: Config, step: nn.StepContext): nn.StepResult {
  const fake = generated(options, step, step.net('generator').frozen());
  const logit = discriminate(options, step.net('discriminator'), fake);
  return { loss: g.mul(nn.bceWithLogits(logit, 0), options.gamma), metrics: { logit: g.reduceMean(logit) } };
}

/** BCE(D(G(z)), α) + β · dispersion(G(z)). */
function fenceLoss(options: Config, step: nn.StepContext): nn.StepResult {
  const fence = generated(options, step, step.net('generator'));
  const encirclement = nn.bceWithLogits(discriminate(options, step.net('discriminator'), fence), options.alpha);
  const spreading = dispersion(fence);
  return {
    loss: g.add(encirclement, g.mul(spreading, options.beta)),
    metrics: { encirclement, dispersion: spreading },
    watch: { generated: fence, data: signedItems(step.x) },
  };
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
    'The generator makes items that lie around the normal ones like a fence, and the discriminator learns to tell both ' +
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
    // The command of the public code's README: 15 passes of pretraining, as for MNIST.
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
    epochs: 16,
    batchSize: 16,
    learningRate: 2e-3,
    discriminatorLearningRate: 2e-3,
  },

  unsuitable: ({ network }, shape) =>
    (network === 'strided' ? undefined : needsImages(`network ${network}`, shape)) ??
    needsSide('fence-gan', network === 'cifar10' ? 16 : 8, shape),

  phases(options) {
    const { epochs, pretrainEpochs, batchSize, clipNorm, learningRate } = options;
    const schedule: nn.Schedule = (iteration) => 1 / (1 + options.decay * iteration);
    // Two updates by one optimiser: real items with weight 1, then generated ones with weight γ.
    const shared = {
      updates: ['discriminator'],
      optimizer: nn.adam({ learningRate: options.discriminatorLearningRate, beta1: 0.5 }),
      schedule,
    };
    const discriminator: nn.Step[] = [
      { ...shared, name: 'real', loss: (step) => realLoss(options, step) },
      { ...shared, name: 'fake', continues: 'real', loss: (step) => fakeLoss(options, step) },
    ];
    const generator: nn.Step = {
      name: 'generator',
      updates: ['generator'],
      optimizer: nn.adam({ learningRate, beta1: 0.5 }),
      clipNorm,
      loss: (step) => fenceLoss(options, step),
    };
    return [
      phase({ name: 'pretrain', epochs: pretrainEpochs, batchSize, steps: discriminator }),
      phase({ name: 'fence', epochs, batchSize, steps: [...discriminator, generator] }),
    ].filter(({ epochs }) => epochs > 0);
  },

  /** Minus the logit of D, which is the logit of 1 − D: a probability would saturate and make ties. */
  score(options, net, items) {
    const score = g.neg(discriminate(options, net('discriminator'), signedItems(items))); // [N]
    return { score, map: sensitivityMap(score, items) };
  },
});
