/**
 * Plain GAN: a discriminator learns to tell normal items from generated ones, and what it takes for generated is anomalous.
 * Goodfellow et al. 2014, arXiv 1406.2661; the simplest GAN baseline of the founding documents. Weak by nature: where
 * the generator wins, the discriminator knows nothing, and off the data it has learnt only where the generator went.
 * Running statistics of batch norm move in the step that trains their network only, as in the public code in TensorFlow.
 */
import * as z from 'zod';
import * as g from '../graph/ops/index.ts';
import * as nn from '../nn/index.ts';
import { defineModel } from './define.ts';
import { byKind } from './parts/by-kind.ts';
import { ganDiscriminatorLoss, ganGeneratorLoss, normalLatents } from './parts/fitting/gan-losses.ts';
import { phase } from './parts/fitting/phase.ts';
import { sensitivityMap } from './parts/maps/pool-map.ts';
import { discriminate, ganNetworks, unsuitableForGan } from './parts/nets/dcgan.ts';
import { rowLatent, rowTraining } from './parts/nets/rows.ts';
import * as common from './parts/options.ts';
import { signedItems } from './parts/shapes.ts';

const config = z.strictObject({
  network: z
    .enum(ganNetworks)
    .default('strided')
    .describe('Layers: "strided" fits its depth to the image, the others are published nets.'),
  width: common.width(32, 'Filters next to the image; "strided" and "dcgan-5" only.'),
  latent: common.latent(100, 'Length of the latent vector from which an item is generated.'),
  realTarget: z
    .number()
    .min(0.5)
    .max(1)
    .default(0.9)
    .describe(
      'Target of the discriminator for real items; below 1 it gets less confident (one-sided label smoothing).',
    ),
  average: common.average(
    0.99,
    'Decay of the moving average of the discriminator that scores; 0 scores with its last state.',
    { most: 0.9999 },
  ),
  epochs: common.epochs(15, 'Passes over the training items.'),
  batchSize: common.batchSize(64, 'Items per training step.'),
  learningRate: common.learningRate(2e-4, "Adam's learning rate; its beta1 is 0.5."),
});
/**
 * Plain GAN: the discriminator's logit, negated, is the score. A baseline that is weak by nature, since the
 * discriminator learns only where the generator went (Goodfellow et al. 2014, arXiv 1406.2661).
 * Images from 8 × 8 pixels and rows. Scoring is one pass of the discriminator; maps are gradients of the score.
 */
export const gan = defineModel({
  name: 'gan',
  title: 'Plain GAN',
  idea: 'A discriminator learns to tell normal items from generated ones; the less real an item looks to it, the higher the score.',
  paper: 'Goodfellow et al. 2014, arXiv 1406.2661; Radford et al. 2016, arXiv 1511.06434 (DCGAN).',
  learning: 'one-class',
  inputs: ['image', 'table'],
  learns: 'gradient',
  config,
  presets: {
    mnist: { network: 'zenati', latent: 200 },
    'image-64': { network: 'dcgan-5', width: 64, latent: 100 },
    'image-256': { network: 'seed-256', latent: 100 },
  },
  tiny: { width: 8, latent: 8, epochs: 6, batchSize: 16, learningRate: 2e-3, average: 0.9 },

  defaults: (shape, count) => byKind(shape, { image: {}, table: { latent: rowLatent(shape), ...rowTraining(count) } }),
  unsuitable: ({ network }, shape) => unsuitableForGan(network, shape),

  phases(options) {
    const { epochs, batchSize, learningRate, average } = options;
    const optimizer = nn.adam({ learningRate, beta1: 0.5 });
    const steps: nn.Step[] = [
      {
        name: 'discriminator',
        updates: ['discriminator'],
        optimizer,
        ownStatistics: true,
        loss: (step) => ganDiscriminatorLoss(options, step, normalLatents(step, options.latent)),
      },
      {
        name: 'generator',
        updates: ['generator'],
        optimizer,
        ownStatistics: true,
        loss: (step) => ganGeneratorLoss(options, step, normalLatents(step, options.latent)),
      },
    ];
    const smoothed = average > 0 ? { groups: ['discriminator'], decay: average } : undefined;
    return [phase({ name: 'gan', epochs, batchSize, steps, average: smoothed })];
  },

  /** The logit with its sign turned: a probability would saturate and make ties. */
  score(options, net, x) {
    const score = g.neg(discriminate(options, net('discriminator'), signedItems(x)).logit); // [N]
    return { score, map: sensitivityMap(score, x) };
  },
});
