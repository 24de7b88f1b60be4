/**
 * GANomaly (Akcay et al. 2018, arXiv 1805.06725): an autoencoder that is followed by a second encoder and trained
 * against a discriminator. Normal images have the same code before and after they are reconstructed; anomalies do not.
 * Unlike the authors' code, scoring uses running statistics, so a score depends on its image alone, and scores are raw:
 * not stretched over the test set. Left out: restarting the discriminator when its loss vanishes, which hides a
 * collapse, and choosing the epoch by the test set. Values are in [−1, 1], the range of the decoder's tanh (that code
 * normalises MNIST by mean .1307 and deviation .3081, up to 2.8). A step of the discriminator comes before one of the
 * generator, each with a pass of its own (there the generator's comes first, and both share one pass). Images of other
 * sizes than 4 · 2^n get a black frame, where that code resizes them, so that scores are of the pixels that were given.
 * Layers have at most eight times the first one's filters (the paper's sizes, 32 and 64 pixels, need no more). The
 * defaults are for minutes of one core: a quarter of the published filters, and fewer steps, after which defects made of
 * held-out digits are separated no better. The presets are the published nets: with the digit 5 left out (seed 11) and
 * 12,800 training digits, 200 steps of them separated held-out digits from five kinds of defects with a mean
 * AUROC of .779, and 800 steps of the default, in 40 % of the time, with .816.
 */
import * as z from 'zod';
import * as g from '../graph/ops/index.ts';
import type { Value } from '../graph/value.ts';
import * as nn from '../nn/index.ts';
import { defineModel } from './define.ts';
import { byKind } from './parts/by-kind.ts';
import { epochsFor } from './parts/fitting/epochs.ts';
import { phase } from './parts/fitting/phase.ts';
import { differenceMap } from './parts/maps/pool-map.ts';
import { needsSide } from './parts/needs-side.ts';
import { ganomalyNets } from './parts/nets/ganomaly.ts';
import { rowLatent, rowTraining } from './parts/nets/rows.ts';
import * as common from './parts/options.ts';
import { itemShapeOf } from './parts/shapes.ts';

const config = z.strictObject({
  code: common.latent(100, 'Length of the code.'),
  width: common.width(16, 'Filters of the first convolution; each next one doubles them; published: 64.'),
  adversarialWeight: common.weight(1, 'Weight of the distance in discriminator features.'),
  contextualWeight: common.weight(50, 'Weight of the reconstruction error.'),
  encoderWeight: common.neededWeight(
    1,
    'Weight of the distance between both codes, by which the second encoder learns.',
  ),
  epochs: common.epochs(15, 'Passes over the training items; by default about 2,000 steps on images.'),
  batchSize: common.batchSize(64, 'Items per training step.', { least: 2 }),
  learningRate: common.learningRate(2e-4),
  schedule: common.schedule('constant'),
});
type Config = z.infer<typeof config>;

/** G: the code of a batch, its reconstruction, and the code of that. */
function generate(options: Config, net: nn.Scope, x: Value) {
  const nets = ganomalyNets(itemShapeOf(x));
  const code = nets.encode(options, net.at('encoder'), x);
  const reconstruction = nets.decode(options, net.at('decoder'), code, x);
  return { code, reconstruction, again: nets.encode(options, net.at('reencoder'), reconstruction) };
}

/** ½ (BCE(D(x), 1) + BCE(D(x̂), 0)). */
function discriminatorLoss(options: Config, { net, x: items }: nn.StepContext): nn.StepResult {
  const nets = ganomalyNets(itemShapeOf(items));
  const x = nets.prepare(items);
  const { reconstruction } = generate(options, net('generator'), x);
  const real = nets.discriminate(options, net('discriminator'), x).logit;
  const fake = nets.discriminate(options, net('discriminator'), reconstruction).logit;
  const loss = g.mul(g.add(nn.bceWithLogits(real, 1), nn.bceWithLogits(fake, 0)), 0.5);
  return { loss, metrics: { real: g.reduceMean(g.sigmoid(real)), fake: g.reduceMean(g.sigmoid(fake)) } };
}

/** w_a · mean (f(x) − f(x̂))² + w_c · mean |x − x̂| + w_e · mean (z − ẑ)². */
function generatorLoss(options: Config, { net, x: items }: nn.StepContext): nn.StepResult {
  const nets = ganomalyNets(itemShapeOf(items));
  const x = nets.prepare(items);
  const { code, reconstruction, again } = generate(options, net('generator'), x);
  const features = (y: Value) => nets.discriminate(options, net('discriminator'), y).features;
  const adversarial = nn.l2(features(x), features(reconstruction));
  const contextual = nn.l1(x, reconstruction);
  const encoder = nn.l2(code, again);
  const { adversarialWeight, contextualWeight, encoderWeight } = options;
  const loss = [
    g.mul(adversarial, adversarialWeight),
    g.mul(contextual, contextualWeight),
    g.mul(encoder, encoderWeight),
  ].reduce((a, b) => g.add(a, b));
  return {
    loss,
    metrics: { adversarial, contextual, encoder },
    watch: { generated: reconstruction, data: x, code },
  };
}

/**
 * GANomaly: encoder, decoder and second encoder, trained against a discriminator; the score is the distance between the
 * codes before and after reconstruction (Akcay et al. 2018, arXiv 1805.06725).
 * Images from 8 × 8 pixels and rows. Scoring is one pass; the map is the reconstruction error.
 */
export const ganomaly = defineModel({
  name: 'ganomaly',
  title: 'GANomaly',
  idea:
    'Encoder, decoder and a second encoder, trained against a discriminator; the distance of both codes is the score, ' +
    'the reconstruction error the map.',
  paper: 'Akcay, Atapour-Abarghouei and Breckon 2018, arXiv 1805.06725.',
  learning: 'one-class',
  inputs: ['image', 'table'],
  learns: 'gradient',
  config,
  presets: {
    mnist: { code: 100, width: 64, epochs: 15, batchSize: 64, learningRate: 2e-4 },
    cifar10: { code: 100, width: 64, epochs: 15, batchSize: 64, learningRate: 2e-4 },
    // Ours: the paper has images only. A code of 8 separates held-out normals from defects of them better than 32.
    kdd: { code: 8, epochs: 2, batchSize: 128, learningRate: 1e-3, schedule: 'cosine' },
  },
  defaults: (shape, count) =>
    byKind<Partial<Config>>(shape, {
      image: { epochs: epochsFor(2000, 64, count) },
      table: { code: rowLatent(shape), ...rowTraining(count), learningRate: 1e-3, schedule: 'cosine' },
    }),
  tiny: { code: 8, width: 8, epochs: 15, batchSize: 16, learningRate: 5e-3 },

  unsuitable: (_options, shape) => needsSide('GANomaly', 8, shape),

  phases(options) {
    const { epochs, batchSize, learningRate } = options;
    const optimizer = nn.adam({ learningRate, beta1: 0.5 });
    const schedule = common.scheduleOf(options);
    const steps: nn.Step[] = [
      {
        name: 'discriminator',
        updates: ['discriminator'],
        optimizer,
        schedule,
        loss: (step) => discriminatorLoss(options, step),
      },
      { name: 'generator', updates: ['generator'], optimizer, schedule, loss: (step) => generatorLoss(options, step) },
    ];
    return [phase({ epochs, batchSize, steps })];
  },

  score(options, net, items) {
    const nets = ganomalyNets(itemShapeOf(items));
    const { code, reconstruction, again } = generate(options, net('generator'), nets.prepare(items));
    // A(x) = mean (z − ẑ)², [N]
    const score = g.reduceMean(g.flatten(g.square(g.sub(code, again))), { axes: [1] });
    const restored = nets.restore(reconstruction, items); // [N,C,H,W] or [N,D]
    return { score, map: differenceMap(items, restored), reconstruction: restored };
  },
});
