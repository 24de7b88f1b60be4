/**
 * EGBAD: a bidirectional GAN. An encoder and a generator learn to fool one discriminator of pairs of an item
 * and its code; then E(x) is a code of x at the cost of one pass (Zenati et al. 2018, arXiv 1802.06222, after Donahue et
 * al. 2017, arXiv 1605.09782). Networks: `parts/nets/egbad.ts`. Both networks learn from the batch of the discriminator's
 * step, where the public code samples a second one; their losses stay apart, as its authors advise. As in that code, running
 * statistics of batch norm move in the step that trains their network only.
 * The published score adds terms of any size with weights .9 and .1. On images the residual is of hundreds, so that its
 * discriminator says nothing; here each term is divided by its spread over held-out normals, and `terms` raw is the published sum.
 * The default, ce with .75, was chosen on outliers and defects planted in held-out normals of a seed that stands in no table: AUROC
 * .88 on KDD99, .67 on Arrhythmia and .66 on MNIST, where the sum that its authors advise (fm, .1, raw) has .81, .59 and .57.
 * `score` ce with `weight` 1 is the paper's σ alone, of which its tables are. `inversion` is ours: nothing else in a bidirectional
 * GAN makes the encoder invert the generator, and in short trainings it does not.
 * Left out: the padding of the last test batch with ones, unscaled tables. For images the defaults are for minutes of one
 * core: small nets, and a discriminator at a fifth of the others' rate, which at the same rate ran far ahead.
 */
import * as z from 'zod';
import * as g from '../graph/ops/index.ts';
import type { Value } from '../graph/value.ts';
import * as nn from '../nn/index.ts';
import { defineModel } from './define.ts';
import { byKind } from './parts/by-kind.ts';
import { epochsFor } from './parts/fitting/epochs.ts';
import { pass } from './parts/fitting/measure.ts';
import { phase } from './parts/fitting/phase.ts';
import { addTerms, spreadOf } from './parts/fitting/term-spread.ts';
import { itemMap } from './parts/maps/pool-map.ts';
import { needsSide } from './parts/needs-side.ts';
import { egbadNets } from './parts/nets/egbad.ts';
import { rowLatent, rowTraining } from './parts/nets/rows.ts';
import * as common from './parts/options.ts';
import { countOf, cropTo, fromSigned, itemShapeOf, sidesOf, unsignedDifference } from './parts/shapes.ts';

const config = z.strictObject({
  score: z
    .enum(['fm', 'ce', 'ce-code'])
    .default('ce')
    .describe(
      'What the discriminator adds to the residual: "fm" the distance of its features for (x, E(x)) and (G(E(x)), E(x)); ' +
        '"ce" how unreal (x, E(x)) seems, as the paper writes; "ce-code" how unreal (G(E(x)), E(x)) seems, as its code does.',
    ),
  weight: common.share(
    0.75,
    "The discriminator's share w in the score (1 − w) · residual + w · discriminator; published: 0.1.",
  ),
  terms: z
    .enum(['standard', 'raw'])
    .default('standard')
    .describe('Terms of the score: divided by their spread over held-out normal items, or as published.'),
  norm: z
    .enum(['l1', 'l2'])
    .default('l1')
    .describe('Norm of the residual and of the feature distance: sum of absolute values, or Euclidean.'),
  latent: common.latent(32, 'Length of the code; published: 200 for MNIST, 32 for KDD.'),
  width: z
    .int()
    .min(2)
    .max(512)
    .default(16)
    .describe("Filters of the discriminator's first convolution; published: 64."),
  units: z
    .int()
    .min(2)
    .max(8192)
    .default(128)
    .describe('Units of the wide dense layers of image networks; published: 1024.'),
  epochs: common.epochs(10, 'Passes over the training items; by default about 3,000 steps on images.'),
  batchSize: common.batchSize(64, 'Items per training step.', { least: 2 }),
  learningRate: common.learningRate(1e-3, "Adam's learning rate; published: 1e-5."),
  pace: z
    .number()
    .positive()
    .max(10)
    .default(1)
    .describe("Learning rate of the discriminator as a multiple of the others'; below 1 it gets ahead less easily."),
  schedule: common.schedule('constant'),
  inversion: common.weight(
    0,
    "Weight of the mean of |x − G(E(x))| in the encoder's loss, with the generator fixed; 0 for none, as published.",
  ),
  average: common.average(
    0.999,
    'Decay of the moving average of all weights that scoring uses; shorter during the first steps.',
  ),
});
type Config = z.infer<typeof config>;

/** The score that the authors of the public code advise. */
const published: Partial<Config> = { score: 'fm', weight: 0.1, terms: 'raw' };

/** ‖d‖ of each item, `[N]`: a sum over its numbers, as the paper's; not a mean. */
function normOf(kind: Config['norm'], difference: Value): Value {
  const d = g.flatten(difference);
  return kind === 'l1'
    ? g.reduceSum(g.abs(d), { axes: [1] })
    : g.sqrt(g.add(g.reduceSum(g.square(d), { axes: [1] }), 1e-12));
}

/** BCE of each item's logit `[N, 1]` against "real", `[N]`: the less real, the larger. */
const unreal = (logit: Value): Value => g.reduceSum(g.softplus(g.neg(logit)), { axes: [1] });

/** A batch, and items and latent vectors that the generator made it from. */
function generated(options: Config, { net, x: items, draw }: nn.StepContext) {
  const nets = egbadNets(itemShapeOf(items));
  const x = nets.prepare(items);
  const z = draw('z', { kind: 'normal', shape: [countOf(x), options.latent] });
  return { nets, x, z, fake: nets.generate(options, net('generator'), z, itemShapeOf(x)) };
}

/** BCE(D(x, E(x)), 1) + BCE(D(G(z), z), 0). */
function discriminatorLoss(options: Config, context: nn.StepContext): nn.StepResult {
  const { net } = context;
  const { nets, x, z, fake: made } = generated(options, context);
  const code = nets.encode(options, net('encoder'), x);
  const real = nets.discriminate(options, net('discriminator'), x, code).logit;
  const fake = nets.discriminate(options, net('discriminator'), made, z).logit;
  return {
    loss: g.add(nn.bceWithLogits(real, 1), nn.bceWithLogits(fake, 0)),
    metrics: { real: g.reduceMean(real), fake: g.reduceMean(fake) },
    watch: { generated: made, data: x, code },
  };
}

/** BCE(D(G(z), z), 1). */
function generatorLoss(options: Config, context: nn.StepContext): nn.StepResult {
  const { nets, z, fake } = generated(options, context);
  return nn.bceWithLogits(nets.discriminate(options, context.net('discriminator'), fake, z).logit, 1);
}

/** BCE(D(x, E(x)), 0). */
function encoderLoss(options: Config, { net, x: items }: nn.StepContext): nn.StepResult {
  const nets = egbadNets(itemShapeOf(items));
  const x = nets.prepare(items);
  const code = nets.encode(options, net('encoder'), x);
  const again = nets.generate(options, net('generator').frozen(), code, itemShapeOf(x));
  const { logit } = nets.discriminate(options, net('discriminator'), x, code);
  const adversarial = nn.bceWithLogits(logit, 0);
  const residual = nn.l1(x, again);
  const { inversion } = options;
  return { loss: inversion > 0 ? g.add(adversarial, g.mul(residual, inversion)) : adversarial, metrics: { residual } };
}

/** The two terms of the score, `[N]` each, and what they come from. */
function termsOf(options: Config, net: (group: string) => nn.Scope, items: Value) {
  const nets = egbadNets(itemShapeOf(items));
  const x = nets.prepare(items);
  const code = nets.encode(options, net('encoder'), x);
  const again = nets.generate(options, net('generator'), code, itemShapeOf(x)); // G(E(x))
  const discriminate = (item: Value) => nets.discriminate(options, net('discriminator'), item, code);
  const difference = cropTo(g.sub(x, again), sidesOf(items));
  const unusual = {
    fm: () => normOf(options.norm, g.sub(discriminate(x).features, discriminate(again).features)),
    ce: () => unreal(discriminate(x).logit),
    'ce-code': () => unreal(discriminate(again).logit),
  }[options.score]();
  return { terms: { residual: normOf(options.norm, difference), unusual }, again, difference };
}

/** Whether the score weighs two terms against each other. */
const weighs = ({ terms, weight }: Config): boolean => terms === 'standard' && weight > 0 && weight < 1;

/** Measures the spread of both terms over a batch. */
function measureTerms(options: Config, { net, x }: nn.StepContext): Value {
  const { terms } = termsOf(options, (group) => net(group).frozen(), x);
  addTerms(net, terms);
  return g.reduceMean(terms.residual);
}

/**
 * EGBAD: a bidirectional GAN whose encoder gives the code of an item in one pass; the score joins the reconstruction
 * error and what the discriminator of (item, code) pairs finds (Zenati et al. 2018, arXiv 1802.06222).
 * Images from 8 × 8 pixels and rows. Scoring is one pass through three small networks; `alad` adds two
 * discriminators to it.
 */
export const egbad = defineModel({
  name: 'egbad',
  title: 'EGBAD (bidirectional GAN)',
  idea:
    'A generator and an encoder are trained together against a discriminator of pairs (item, code). An item that they ' +
    'reconstruct badly, or that the discriminator finds unusual, is anomalous.',
  paper: 'Zenati et al. 2018, Efficient GAN-Based Anomaly Detection, arXiv 1802.06222.',
  learning: 'one-class',
  inputs: ['image', 'table'],
  learns: 'gradient',
  config,
  before: { terms: 'raw', inversion: 0 },
  presets: {
    // Epochs are not published for MNIST: 100 is about what this learning rate needs.
    mnist: {
      ...published,
      latent: 200,
      width: 64,
      units: 1024,
      epochs: 100,
      batchSize: 100,
      learningRate: 1e-5,
      pace: 1,
    },
    // Ours, by held-out attack rows: encoder and generator oscillate, and only with a long average do they invert each other.
    // The residual of such rows keeps drifting; three times as many epochs separate defects of them somewhat better, and
    // KDD99 worse.
    // The feature distance of the public code is kept. Its weight and the inversion are by outliers planted in held-out rows of another
    // seed: AUROC .86, and .81 with the sum that the code advises and no inversion. There σ has .88, on KDD99 itself less.
    kdd: {
      score: 'fm',
      weight: 0.5,
      inversion: 10,
      latent: 32,
      epochs: 4,
      batchSize: 64,
      learningRate: 3e-4,
      average: 0.9999,
    },
    'kdd-published': { ...published, latent: 32, epochs: 100, batchSize: 50, learningRate: 1e-5, average: 0.9999 },
  },
  defaults: (shape, count) =>
    byKind<Partial<Config>>(shape, {
      image: { epochs: epochsFor(3000, 64, count), pace: 0.2 },
      table: { latent: rowLatent(shape), ...rowTraining(count), learningRate: 5e-4 },
    }),
  tiny: { latent: 8, width: 8, units: 32, epochs: 4, batchSize: 16, learningRate: 1e-3, average: 0.9 },

  unsuitable: (_options, shape) => needsSide('egbad', 8, shape),

  phases(options) {
    const { learningRate, batchSize, epochs, pace } = options;
    const optimizer = nn.adam({ learningRate, beta1: 0.5 });
    const schedule = common.scheduleOf(options);
    const steps: nn.Step[] = [
      {
        name: 'discriminator',
        updates: ['discriminator'],
        optimizer: nn.adam({ learningRate: learningRate * pace, beta1: 0.5 }),
        schedule,
        ownStatistics: true,
        loss: (context) => discriminatorLoss(options, context),
      },
      {
        name: 'generator',
        updates: ['generator'],
        optimizer,
        schedule,
        ownStatistics: true,
        loss: (context) => generatorLoss(options, context),
      },
      {
        name: 'encoder',
        updates: ['encoder'],
        optimizer,
        schedule,
        ownStatistics: true,
        loss: (context) => encoderLoss(options, context),
      },
    ];
    const groups = ['generator', 'encoder', 'discriminator'];
    const fit = phase({ epochs, batchSize, steps, average: { groups, decay: nn.rampedAverage(options.average) } });
    return weighs(options)
      ? [fit, pass('terms', batchSize, (context) => measureTerms(options, context), { of: 'held-out' })]
      : [fit];
  },

  score(options, net, items) {
    const { terms, again, difference } = termsOf(options, net, items);
    const [residual, unusual] = Object.entries(terms).map(([name, value]) =>
      weighs(options) ? g.div(value, spreadOf(net, name)) : value,
    );
    const { weight } = options;
    const score =
      weight === 0 ? residual : weight === 1 ? unusual : g.add(g.mul(residual, 1 - weight), g.mul(unusual, weight));
    const map = unsignedDifference(itemMap(g.abs(difference)));
    return { score, map, reconstruction: fromSigned(again, items) };
  },
});
