/**
 * ALAD: a bidirectional GAN with two more discriminators. D_xz sees pairs of an item and its code; D_xx tells (x, x) from
 * (x, G(E(x))) and D_zz tells (z, z) from (z, E(G(z))), so that encoder and generator learn to invert each other (Zenati
 * et al. 2018, arXiv 1812.02288). Networks: `parts/nets/alad.ts`.
 * Pairs of images lie on top of each other in channels by default, one below the other in the public code (`pairs`). That
 * code scales no table, and on Arrhythmia leaves anomalies in training; here tables are min-max scaled and cleaned unless
 * the run says otherwise, and the protocol `arrhythmia-public` does as that code does.
 * Left out: early stopping on held-out normals. For images the defaults are a quarter of the published widths, for minutes
 * of one core.
 */
import * as z from 'zod';
import * as g from '../graph/ops/index.ts';
import type { Value } from '../graph/value.ts';
import * as nn from '../nn/index.ts';
import { defineModel } from './define.ts';
import { byKind } from './parts/by-kind.ts';
import { epochsFor } from './parts/fitting/epochs.ts';
import { phase } from './parts/fitting/phase.ts';
import { itemMap } from './parts/maps/pool-map.ts';
import { needsSide } from './parts/needs-side.ts';
import { aladNets } from './parts/nets/alad.ts';
import { rowLatent, rowOutputs, rowPace, rowTraining } from './parts/nets/rows.ts';
import * as common from './parts/options.ts';
import { countOf, cropTo, fromSigned, itemShapeOf, sidesOf, unsignedDifference } from './parts/shapes.ts';

const config = z.strictObject({
  score: z
    .enum(['fm', 'l1', 'l2', 'logits'])
    .default('fm')
    .describe(
      'What the score is, of x and x̂ = G(E(x)): "fm" the l1 distance of the features of D_xx for (x, x) and (x, x̂); ' +
        '"l1" and "l2" the distance of x and x̂; "logits" how unlike (x, x) the pair (x, x̂) seems to D_xx.',
    ),
  pairs: z
    .enum(['channels', 'height'])
    .default('channels')
    .describe(
      'How D_xx sees two images: on top of each other in channels, which compares them pixel by pixel, or one below ' +
        'the other, as in the public code.',
    ),
  rows: z.enum(['kdd', 'arrhythmia']).default('kdd').describe('Networks for tables.'),
  latent: common.latent(100, 'Length of the code; published: 32 for KDD, 64 for Arrhythmia.'),
  width: common.width(32, 'Filters of the first convolutions; published: 128.'),
  units: z
    .int()
    .min(2)
    .max(8192)
    .default(256)
    .describe('Units of the wide dense layer of D_xz for images; published: 1024.'),
  spectral: z.boolean().default(true).describe('Spectral norm in encoder and discriminators, for images.'),
  drawn: z
    .enum(rowOutputs)
    .default('linear')
    .describe(
      'Output of the generator of rows: "linear" as published, or "sigmoid", in [0, 1] as min-max scaling gives.',
    ),
  epochs: common.epochs(20, 'Passes over the training items; by default about 3,000 steps.'),
  batchSize: common.batchSize(32, 'Items per training step.', { least: 2 }),
  learningRate: common.learningRate(2e-4),
  pace: z
    .number()
    .positive()
    .max(10)
    .default(1)
    .describe("Learning rate of the discriminators as a multiple of the others'; below 1 they get ahead less easily."),
  schedule: common.schedule('constant'),
  average: common.average(
    0.999,
    'Decay of the moving average of all weights that scoring uses; shorter during the first steps.',
  ),
});
type Config = z.infer<typeof config>;

const discriminators = ['discriminator-xz', 'discriminator-xx', 'discriminator-zz'];

/** A batch and its codes, there and back, and the logits of real and generated pairs. */
function cycles(options: Config, { net, x: items, draw }: nn.StepContext) {
  const nets = aladNets(itemShapeOf(items));
  const x = nets.prepare(items);
  const shape = itemShapeOf(x);
  const z = draw('z', { kind: 'normal', shape: [countOf(x), options.latent] });
  const generated = nets.generate(options, net('generator'), z, shape); // G(z)
  const code = nets.encode(options, net('encoder'), x); // E(x)
  const x2 = nets.generate(options, net('generator'), code, shape); // G(E(x))
  const z2 = nets.encode(options, net('encoder'), generated); // E(G(z))
  return {
    ...{ x, generated, code, x2 },
    xz: {
      real: nets.discriminateXz(options, net('discriminator-xz'), x, code),
      fake: nets.discriminateXz(options, net('discriminator-xz'), generated, z),
    },
    xx: {
      real: nets.discriminateXx(options, net('discriminator-xx'), x, x).logit,
      fake: nets.discriminateXx(options, net('discriminator-xx'), x, x2).logit,
    },
    zz: {
      real: nets.discriminateZz(options, net('discriminator-zz'), z, z),
      fake: nets.discriminateZz(options, net('discriminator-zz'), z, z2),
    },
  };
}

/** Σ BCE(real, target) + BCE(fake, 1 − target). */
const contrast = ({ real, fake }: { real: Value; fake: Value }, target: 0 | 1) =>
  g.add(nn.bceWithLogits(real, target), nn.bceWithLogits(fake, 1 - target));

/** The three losses share no weights: one step on their sum is a step on each. */
function discriminatorsLoss(options: Config, context: nn.StepContext): nn.StepResult {
  const { xz, xx, zz, x, generated, code } = cycles(options, context);
  const [dxz, dxx, dzz] = [contrast(xz, 1), contrast(xx, 1), contrast(zz, 1)];
  return {
    loss: g.add(g.add(dxz, dxx), dzz),
    metrics: { xz: dxz, xx: dxx, zz: dzz, real: g.reduceMean(xz.real), fake: g.reduceMean(xz.fake) },
    watch: { generated, data: x, code },
  };
}

/** G's own term does not reach E, nor E's G: one step on the sum moves both at once, as the public code does. */
function generatorEncoderLoss(options: Config, context: nn.StepContext): nn.StepResult {
  const { xz, xx, zz, x, x2 } = cycles(options, context);
  const cycle = g.add(contrast(xx, 0), contrast(zz, 0));
  return { loss: g.add(contrast(xz, 0), cycle), metrics: { cycle, residual: nn.l1(x, x2) } };
}

/**
 * ALAD: a bidirectional GAN with two extra discriminators that force encoder and generator to be each other's inverse.
 * The score compares an item with its reconstruction, by default in the features of one discriminator (Zenati et al.
 * 2018, arXiv 1812.02288).
 * Images from 8 × 8 pixels and rows. Scoring is one pass through three small networks.
 */
export const alad = defineModel({
  name: 'alad',
  title: 'ALAD (cycle-consistent bidirectional GAN)',
  idea:
    'A generator and an encoder, trained against three discriminators that also require each to invert the other; ' +
    'the score is how different a discriminator finds an item and its reconstruction.',
  paper: 'Zenati et al. 2018, Adversarially Learned Anomaly Detection, arXiv 1812.02288.',
  learning: 'one-class',
  inputs: ['image', 'table'],
  learns: 'gradient',
  config,
  presets: {
    // The published runs stop early on held-out normals; their epochs are not given for images.
    cifar10: { latent: 100, width: 128, units: 1024, pairs: 'height', epochs: 100, batchSize: 32, learningRate: 2e-4 },
    svhn: { latent: 100, width: 128, units: 1024, pairs: 'height', epochs: 100, batchSize: 32, learningRate: 2e-4 },
    // Ours, by held-out attack rows: in [0, 1], reconstructions come close to them (a sum of differences of 1.0, where the
    // mean row leaves 8.4), and the residual separates defects of them better than the features. With a higher rate both
    // improve on them, and get worse on KDD99.
    kdd: { rows: 'kdd', latent: 32, score: 'l1', drawn: 'sigmoid', epochs: 2, batchSize: 64, ...rowPace },
    'kdd-published': { rows: 'kdd', latent: 32, epochs: 100, batchSize: 50, learningRate: 1e-5 },
    arrhythmia: { rows: 'arrhythmia', latent: 64, epochs: 200, batchSize: 32, ...rowPace },
    'arrhythmia-published': { rows: 'arrhythmia', latent: 64, epochs: 1000, batchSize: 32, learningRate: 1e-5 },
  },
  defaults: (shape, count) =>
    byKind<Partial<Config>>(shape, {
      image: { epochs: epochsFor(3000, 32, count) },
      table: { latent: rowLatent(shape), ...rowTraining(count), ...rowPace },
    }),
  tiny: { latent: 8, width: 8, units: 16, epochs: 6, batchSize: 32, learningRate: 2e-3, average: 0.9 },

  unsuitable: (_options, shape) => needsSide('alad', 8, shape),

  phases(options) {
    const { learningRate, batchSize, epochs, pace } = options;
    const schedule = common.scheduleOf(options);
    const steps: nn.Step[] = [
      {
        name: 'discriminators',
        updates: discriminators,
        optimizer: nn.adam({ learningRate: learningRate * pace, beta1: 0.5 }),
        schedule,
        loss: (context) => discriminatorsLoss(options, context),
      },
      {
        name: 'generator-encoder',
        updates: ['generator', 'encoder'],
        optimizer: nn.adam({ learningRate, beta1: 0.5 }),
        schedule,
        loss: (context) => generatorEncoderLoss(options, context),
      },
    ];
    const groups = ['generator', 'encoder', ...discriminators];
    return [phase({ epochs, batchSize, steps, average: { groups, decay: nn.rampedAverage(options.average) } })];
  },

  score(options, net, items) {
    const nets = aladNets(itemShapeOf(items));
    const x = nets.prepare(items);
    const code = nets.encode(options, net('encoder'), x);
    const again = nets.generate(options, net('generator'), code, itemShapeOf(x)); // G(E(x))
    const difference = cropTo(g.sub(x, again), sidesOf(items));
    const discriminate = (other: Value) => nets.discriminateXx(options, net('discriminator-xx'), x, other);
    const sum = (v: Value) => g.reduceSum(g.flatten(v), { axes: [1] });
    const score = {
      fm: () => sum(g.abs(g.sub(discriminate(x).features, discriminate(again).features))),
      l1: () => sum(g.abs(difference)),
      l2: () => g.sqrt(g.add(sum(g.square(difference)), 1e-12)),
      logits: () => sum(g.softplus(g.neg(discriminate(again).logit))),
    }[options.score]();
    const map = unsignedDifference(itemMap(g.abs(difference)));
    return { score, map, reconstruction: fromSigned(again, items) };
  },
});
