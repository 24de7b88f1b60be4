/**
 * Plain GAN: a discriminator learns to tell normal items from drawn ones, and what it takes for drawn is anomalous.
 * Goodfellow et al. 2014, arXiv 1406.2661; the simplest GAN baseline of the founding documents. Weak by nature: where
 * the generator wins, the discriminator knows nothing, and off the data it has learnt only where the generator went.
 */
import * as zod from 'zod';
import { isImage } from '../core/item-shape.ts';
import { gradients } from '../graph/grad.ts';
import * as g from '../graph/ops/index.ts';
import type { Value } from '../graph/value.ts';
import * as nn from '../nn/index.ts';
import { defineModel } from './define.ts';
import {
  discriminate,
  discriminatorLoss,
  ganNetworks,
  generate,
  generatorLoss,
  prepare,
  unsuitableForGan,
} from './parts/dcgan.ts';
import { isRows, rowLatent, rowTraining } from './parts/row-nets.ts';
import { spread } from './parts/watch.ts';

const config = zod.strictObject({
  network: zod
    .enum(ganNetworks)
    .default('strided')
    .describe('Layers: "strided" fits its depth to the image, the others are published nets.'),
  width: zod.int().min(1).max(512).default(32).describe('Filters next to the image; "strided" and "dcgan-5" only.'),
  latent: zod.int().min(1).max(4096).default(100).describe('Numbers from which an item is drawn.'),
  realTarget: zod
    .number()
    .min(0.5)
    .max(1)
    .default(0.9)
    .describe('What the discriminator should say of real images; below 1 it stays modest (one-sided smoothing).'),
  average: zod
    .number()
    .min(0)
    .max(0.9999)
    .default(0.99)
    .describe('Decay of the moving average of the discriminator that scores; 0 scores with its last state.'),
  epochs: zod.int().min(1).max(100000).default(15).describe('Passes over the training items.'),
  batchSize: zod.int().min(1).max(4096).default(64).describe('Items per training step.'),
  learningRate: zod.number().positive().max(1).default(2e-4).describe("Adam's learning rate; its beta1 is 0.5."),
});
type Config = zod.infer<typeof config>;

/** z ~ N(0, 1). */
const latents = ({ latent }: Config, { x, draw }: nn.StepContext): Value =>
  draw('z', { kind: 'normal', shape: [x.shape[0] as number, latent] });

/**
 * Plain GAN: the discriminator's logit, negated, is the score. A baseline that is weak by nature, since the
 * discriminator learns only where the generator went (Goodfellow et al. 2014, arXiv 1406.2661).
 * Images from 8 × 8 pixels and rows. Scoring is one pass of the discriminator; maps are gradients of the score.
 */
export const gan = defineModel({
  name: 'gan',
  title: 'Plain GAN',
  idea: 'A discriminator learns to tell normal items from drawn ones; the less real an item looks to it, the higher the score.',
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

  defaults: (shape, count) => (isImage(shape) ? {} : { latent: rowLatent(shape), ...rowTraining(count) }),
  unsuitable: ({ network }, shape) => unsuitableForGan(network, shape),

  phases(options, shape) {
    const { epochs, batchSize, learningRate, realTarget, average } = options;
    const optimizer = nn.adam({ learningRate, beta1: 0.5 });
    return [
      {
        epochs,
        batchSize,
        phase: {
          name: 'gan',
          average: average > 0 ? { groups: ['discriminator'], decay: average } : undefined,
          steps: [
            {
              name: 'discriminator',
              updates: ['discriminator'],
              optimizer,
              loss(context) {
                const { net, x } = context;
                const made = generate(options, net('generator'), latents(options, context), shape);
                // Real and drawn images never share a batch under batch norm.
                const real = discriminate(options, net('discriminator'), prepare(x)).logit;
                const fake = discriminate(options, net('discriminator'), made).logit;
                return {
                  loss: discriminatorLoss(real, fake, realTarget),
                  metrics: { real: g.reduceMean(real), fake: g.reduceMean(fake) },
                };
              },
            },
            {
              name: 'generator',
              updates: ['generator'],
              optimizer,
              loss(context) {
                const made = generate(options, context.net('generator'), latents(options, context), shape);
                const loss = generatorLoss(discriminate(options, context.net('discriminator'), made).logit);
                return {
                  loss,
                  metrics: { 'generated-spread': spread(made), 'data-spread': spread(prepare(context.x)) },
                };
              },
            },
          ],
        },
      },
    ];
  },

  /** The logit with its sign turned: a probability would saturate and make ties. */
  score(options, net, x) {
    const score = g.neg(discriminate(options, net('discriminator'), prepare(x)).logit); // [N]
    // There is no drawing of the item to compare with: the map says on which of its values the score depends most.
    const slope = g.abs(gradients(g.reduceSum(score), [x])[0]);
    return { score, map: isRows(x) ? slope : g.reduceMean(slope, { axes: [1], keep: true }) }; // [N,1,H,W] or [N,D]
  },
});
