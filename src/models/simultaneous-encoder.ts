/**
 * A Wasserstein GAN with an encoder that learns beside it, at every step, from what the generator makes at that time:
 * more robust to anomalies among the training images than an encoder that comes afterwards (Berg, Ahlberg and Felsberg
 * 2019, arXiv 1905.11034, and amandaberg/GANomalyDetection). Networks: those published (`parts/nets/progressive.ts`), at
 * full size from the start, and small strided ones (default). Left out: progressive growing. The moving average is of
 * the encoder too, not of the generator alone, since the one inverts the other. The norm of the code, a third of the
 * paper's score, is an option here: the generator sees the code's direction alone, so nothing bounds its length. Held-out
 * digits and defects made of them (5, seed 11) were separated with a mean AUROC of .788 with it at weight .1, .816
 * without it, and .818 by the pixels alone. The presets keep it.
 */
import * as zod from 'zod';
import * as g from '../graph/ops/index.ts';
import type { Value } from '../graph/value.ts';
import * as nn from '../nn/index.ts';
import { defineModel, type ImageShape } from './define.ts';
import { normalLatents } from './parts/fitting/gan-losses.ts';
import { gradientPenalty } from './parts/fitting/gradient-penalty.ts';
import { phase } from './parts/fitting/phase.ts';
import { differenceMap, poolMap } from './parts/maps/pool-map.ts';
import { needsSide } from './parts/needs-side.ts';
import { type Norm, stridedGenerator, stridedTrunk } from './parts/nets/dcgan.ts';
import { progressiveCode, progressiveGenerator, progressiveTrunk, progressiveValue } from './parts/nets/progressive.ts';
import * as common from './parts/options.ts';
import { countOf, imageShapeOf, signed, unsigned } from './parts/shapes.ts';

const config = zod.strictObject({
  network: zod
    .enum(['strided', 'progressive'])
    .default('strided')
    .describe('Layers: "progressive" are the published nets, "strided" small ones; both fit their depth to the image.'),
  latent: common.latent(64, 'Length of the latent vector from which an image is generated.'),
  width: common.width(
    32,
    'Filters next to the image; they double with each halving, in strided nets eightfold at most.',
  ),
  most: common.width(512, 'Largest number of filters of a layer; "progressive" only.'),
  penalty: common.neededWeight(10, 'Weight of the gradient penalty, without which nothing bounds the critic.', {
    most: 1000,
  }),
  drift: common.weight(1e-3, "Weight of the critic's squared value of real images, which keeps it near 0.", {
    most: 1000,
  }),
  featureWeight: common.weight(
    0.1,
    'Weight of the distance in critic features in the score; the reconstruction error weighs 1.',
    { most: 1000 },
  ),
  normWeight: common.weight(
    0,
    "Weight of the code's root mean square in the score; in the paper it is a part of it, but no loss bounds it here.",
    { most: 1000 },
  ),
  criticSteps: zod.int().min(1).max(20).default(1).describe('Critic steps per step of generator and encoder.'),
  epochs: common.epochs(15),
  batchSize: common.batchSize(64, undefined, { least: 2 }),
  learningRate: common.learningRate(5e-4, "Adam's learning rate, for all networks; its betas are 0 and 0.99."),
  clipNorm: common.clipNorm(
    1,
    "Largest norm of the encoder's gradient; in the public code the encoder sometimes diverged to NaN.",
  ),
  average: common.average(
    0.99,
    'Decay of the moving average of generator and encoder; shorter during the first steps.',
    { most: 0.9999 },
  ),
});
type Config = zod.infer<typeof config>;

/**
 * G: latent vectors `[N, Z]`, brought to unit mean square → images `[N, C, H, W]` in [−1, 1]. A vector of zeros stays one:
 * the root holds 1e-8.
 */
function generate(options: Config, net: nn.Scope, z: Value, shape: ImageShape): Value {
  const unit = nn.pixelNorm(z);
  if (options.network === 'progressive') return progressiveGenerator(net, unit, shape, options);
  return stridedGenerator(net, unit, shape, { width: options.width, weightInit: nn.heNormal(0.2) });
}

/** Layers that critic and encoder have in common, each item by itself in the critic. */
function trunk(options: Config, net: nn.Scope, x: Value, norm: Norm): Value {
  if (options.network === 'progressive') return progressiveTrunk(net, x, options);
  return stridedTrunk(net, x, norm, { width: options.width, weightInit: nn.heNormal(0.2) });
}

/** f: the critic's features of each image, independent of the others. */
const features = (options: Config, net: nn.Scope, x: Value) => trunk(options, net, x, (at, h) => nn.layerNorm(at, h));

/** D: `[N]`, larger for images that look real. */
function criticize(options: Config, net: nn.Scope, x: Value): Value {
  const h = features(options, net, x);
  if (options.network === 'progressive') return progressiveValue(net, h);
  return g.reshape(nn.dense(net.at('value'), h, 1, { weightInit: nn.glorotUniform }), [x.shape[0]]);
}

/** E: images in [−1, 1] → `[N, Z]`, of any length: the generator sees the direction alone. */
function encode(options: Config, net: nn.Scope, x: Value): Value {
  const h = trunk(options, net, x, (at, v) => nn.batchNorm(at, v));
  if (options.network === 'progressive') return progressiveCode(net, h, options.latent);
  return nn.dense(net.at('code'), h, options.latent, { weightInit: nn.glorotUniform });
}

/** mean |a − b| of each item, `[N]`. */
const distance = (a: Value, b: Value) => poolMap('mean', g.abs(g.sub(a, b)));

/** D(G(z)) − D(x) + λ · penalty + ε · D(x)², means over the batch. */
function criticLoss(options: Config, step: nn.StepContext): nn.StepResult {
  const { net, x: image, draw } = step;
  const x = signed(image);
  const generated = generate(options, net('generator'), normalLatents(step, options.latent), imageShapeOf(x));
  const critic = (v: Value) => criticize(options, net('critic'), v);
  const value = critic(x);
  const [real, fake] = [g.reduceMean(value), g.reduceMean(critic(generated))];
  const u = draw('u', { kind: 'uniform', shape: [countOf(x), 1, 1, 1] });
  const penalty = gradientPenalty(critic, x, generated, u);
  const drift = g.mul(g.reduceMean(g.square(value)), options.drift);
  const loss = g.add(g.sub(fake, real), g.add(g.mul(penalty, options.penalty), drift));
  return { loss, metrics: { real, fake, penalty } };
}

/** −D(G(z)). */
function generatorLoss(options: Config, step: nn.StepContext): nn.StepResult {
  const { net, x } = step;
  const generated = generate(options, net('generator'), normalLatents(step, options.latent), imageShapeOf(x));
  const loss = g.neg(g.reduceMean(criticize(options, net('critic'), generated)));
  return { loss, watch: { generated: generated, data: signed(x) } };
}

/** mean |G(z) − G(E(G(z)))|: the encoder sees generated images alone, never a training image. */
function encoderLoss(options: Config, step: nn.StepContext): nn.StepResult {
  const { net, x } = step;
  const generator = (z: Value) => generate(options, net('generator').frozen(), z, imageShapeOf(x));
  const generated = generator(normalLatents(step, options.latent));
  const code = encode(options, net('encoder'), generated);
  return { loss: nn.l1(generated, generator(code)), watch: { code: code } };
}

/** The published networks, sizes and rates; lengths are of the full size alone, where the published training grew. */
const published = {
  network: 'progressive',
  latent: 512,
  most: 512,
  penalty: 10,
  drift: 1e-3,
  criticSteps: 1,
  learningRate: 1e-3,
  average: 0.999,
  normWeight: 0.1,
} as const;

/**
 * A Wasserstein GAN and an encoder that is trained beside it at every step; the score joins the reconstruction error,
 * the distance in critic features and, if asked, the size of the code (Berg, Ahlberg and Felsberg 2019, arXiv
 * 1905.11034).
 * Images from 8 × 8 pixels. By its paper more robust to anomalies among the training images than an encoder
 * that is trained afterwards, as in `fAnogan`. Scoring is one pass.
 */
export const simultaneousEncoder = defineModel({
  name: 'simultaneous-encoder',
  title: 'GAN with simultaneous encoder',
  idea:
    'A Wasserstein GAN and an encoder that inverts its generator learn side by side; the score is the difference ' +
    'between image and reconstruction, in pixels and in critic features.',
  paper: 'Berg, Ahlberg and Felsberg 2019, arXiv 1905.11034; Karras et al. 2018, arXiv 1710.10196 (networks).',
  learning: 'one-class',
  inputs: ['image'],
  learns: 'gradient',
  config,
  presets: {
    'image-32': { ...published, width: 512, batchSize: 64, epochs: 100 },
    'image-64': { ...published, width: 256, batchSize: 32, epochs: 100 },
  },
  tiny: { width: 8, latent: 8, epochs: 8, batchSize: 16, learningRate: 2e-3, average: 0.9 },

  unsuitable: (_options, shape) => needsSide('simultaneous-encoder', 8, shape),

  phases(options) {
    const { epochs, batchSize, learningRate, criticSteps, clipNorm } = options;
    const optimizer = nn.adam({ learningRate, beta1: 0, beta2: 0.99 });
    const steps: nn.Step[] = [
      {
        name: 'critic',
        updates: ['critic'],
        optimizer,
        repeats: criticSteps,
        loss: (step) => criticLoss(options, step),
      },
      { name: 'generator', updates: ['generator'], optimizer, loss: (step) => generatorLoss(options, step) },
      { name: 'encoder', updates: ['encoder'], optimizer, clipNorm, loss: (step) => encoderLoss(options, step) },
    ];
    const average = { groups: ['generator', 'encoder'], decay: nn.rampedAverage(options.average) };
    return [phase({ name: 'gan', epochs, batchSize, steps, average })];
  },

  score(options, net, image) {
    const x = signed(image);
    const code = encode(options, net('encoder'), x);
    const again = generate(options, net('generator'), code, imageShapeOf(x)); // G(E(x)), [N,C,H,W]
    const f = (v: Value) => features(options, net('critic'), v);
    // mean |x − x̂| + κ · mean |f(x) − f(x̂)| + ν · ‖E(x)‖ / √Z
    const size = () => g.sqrt(g.add(g.reduceMean(g.square(code), { axes: [1] }), 1e-12));
    const inFeatures = g.mul(distance(f(x), f(again)), options.featureWeight);
    const apart = g.add(distance(x, again), inFeatures);
    const score = options.normWeight > 0 ? g.add(apart, g.mul(size(), options.normWeight)) : apart; // [N]
    const reconstruction = unsigned(again);
    return { score, map: differenceMap(image, reconstruction), reconstruction };
  },
});
