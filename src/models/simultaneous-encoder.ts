/**
 * A Wasserstein GAN with an encoder that learns beside it, at every step, from what the generator draws at that time:
 * more robust to anomalies among the training images than an encoder that comes afterwards (Berg, Ahlberg and Felsberg
 * 2019, arXiv 1905.11034, and amandaberg/GANomalyDetection). Networks: those published (`parts/progressive-nets.ts`), at
 * full size from the start, and small strided ones (default). Left out: progressive growing. The moving average is of
 * the encoder too, not of the generator alone, since the one inverts the other.
 */
import * as zod from 'zod';
import * as g from '../graph/ops/index.ts';
import type { Value } from '../graph/value.ts';
import * as nn from '../nn/index.ts';
import { defineModel, type ImageShape } from './define.ts';
import { signed, stridedGenerator, stridedTrunk, unsigned } from './parts/dcgan.ts';
import { gradientPenalty } from './parts/gradient-penalty.ts';
import { progressiveCode, progressiveGenerator, progressiveTrunk, progressiveValue } from './parts/progressive-nets.ts';
import { spread } from './parts/watch.ts';

const weight = () => zod.number().min(0).max(1000);
const config = zod.strictObject({
  network: zod
    .enum(['strided', 'progressive'])
    .default('strided')
    .describe('Layers: "progressive" are the published nets, "strided" small ones; both fit their depth to the image.'),
  latent: zod.int().min(1).max(4096).default(64).describe('Numbers from which an image is drawn.'),
  width: zod
    .int()
    .min(1)
    .max(512)
    .default(32)
    .describe('Filters next to the image; they double with each halving, in strided nets eightfold at most.'),
  most: zod.int().min(1).max(512).default(512).describe('Filters at most, of "progressive".'),
  penalty: weight().default(10).describe('Weight of the gradient penalty.'),
  drift: weight().default(1e-3).describe("Weight of the critic's squared value of real images, which keeps it near 0."),
  featureWeight: weight()
    .default(0.1)
    .describe('Weight of the distance in critic features in the score; the residual weighs 1.'),
  normWeight: weight()
    .default(0.1)
    .describe("Weight of the code's root mean square in the score: no loss holds it, and odd images often move it."),
  criticSteps: zod.int().min(1).max(20).default(1).describe('Critic steps per step of generator and encoder.'),
  epochs: zod.int().min(1).max(100000).default(15).describe('Passes over the training images.'),
  batchSize: zod.int().min(2).max(4096).default(64).describe('Images per training step.'),
  learningRate: zod
    .number()
    .positive()
    .max(1)
    .default(5e-4)
    .describe("Adam's learning rate, for all networks; its betas are 0 and 0.99."),
  clipNorm: zod
    .number()
    .positive()
    .max(1e6)
    .default(1)
    .describe("Largest norm of the encoder's gradient; users of the public code met an encoder that was no number."),
  average: zod
    .number()
    .min(0)
    .max(0.9999)
    .default(0.99)
    .describe('Decay of the moving average of generator and encoder; shorter during the first steps.'),
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
function trunk(options: Config, net: nn.Scope, x: Value, norm: (at: nn.Scope, h: Value) => Value): Value {
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

/** mean |a − b| per item, `[N]`. */
const distance = (a: Value, b: Value) =>
  g.reduceMean(g.abs(g.sub(a, b)), { axes: a.shape.slice(1).map((_, i) => i + 1) });

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
} as const;

/**
 * A Wasserstein GAN and an encoder that is trained beside it at every step; the score joins the reconstruction error,
 * the distance in critic features and the size of the code (Berg, Ahlberg and Felsberg 2019, arXiv 1905.11034).
 * Images from 8 × 8 pixels. By its paper more robust to anomalies among the training images than an encoder
 * that is trained afterwards, as in `fAnogan`. Scoring is one pass.
 */
export const simultaneousEncoder = defineModel({
  name: 'simultaneous-encoder',
  title: 'GAN with simultaneous encoder',
  idea:
    'A Wasserstein GAN and an encoder that inverts its generator learn side by side; the difference between image and ' +
    'drawing, in pixels and in critic features, and the size of the code are the score.',
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

  unsuitable(_options, [, height, width]) {
    if (Math.min(height, width) >= 8) return undefined;
    return `simultaneous-encoder needs images of at least 8 × 8 pixels, got ${height} × ${width}.`;
  },

  phases(options, shape: ImageShape) {
    const { epochs, batchSize, learningRate, criticSteps, clipNorm } = options;
    const optimizer = nn.adam({ learningRate, beta1: 0, beta2: 0.99 });
    const latents = ({ x, draw }: nn.StepContext) =>
      draw('z', { kind: 'normal', shape: [x.shape[0] as number, options.latent] });
    const steps: nn.Step[] = [
      {
        name: 'critic',
        updates: ['critic'],
        optimizer,
        repeats: criticSteps,
        loss(context) {
          const { net, x: image, draw } = context;
          const x = signed(image);
          const made = generate(options, net('generator'), latents(context), shape);
          const critic = (v: Value) => criticize(options, net('critic'), v);
          const value = critic(x);
          const [real, fake] = [g.reduceMean(value), g.reduceMean(critic(made))];
          const u = draw('u', { kind: 'uniform', shape: [image.shape[0] as number, 1, 1, 1] });
          const penalty = gradientPenalty(critic, x, made, u);
          // D(G(z)) − D(x) + λ · penalty + ε · D(x)²
          const held = g.mul(g.reduceMean(g.square(value)), options.drift);
          const loss = g.add(g.sub(fake, real), g.add(g.mul(penalty, options.penalty), held));
          return { loss, metrics: { real, fake, penalty } };
        },
      },
      {
        name: 'generator',
        updates: ['generator'],
        optimizer,
        loss(context) {
          const made = generate(options, context.net('generator'), latents(context), shape);
          const loss = g.neg(g.reduceMean(criticize(options, context.net('critic'), made)));
          return { loss, metrics: { 'generated-spread': spread(made), 'data-spread': spread(signed(context.x)) } };
        },
      },
      {
        name: 'encoder',
        updates: ['encoder'],
        optimizer,
        clipNorm,
        // mean |G(z) − G(E(G(z)))|: the encoder sees drawings alone, never a training image.
        loss(context) {
          const draws = (z: Value) => generate(options, context.net('generator').frozen(), z, shape);
          const made = draws(latents(context));
          const code = encode(options, context.net('encoder'), made);
          return { loss: nn.l1(made, draws(code)), metrics: { 'code-spread': spread(code) } };
        },
      },
    ];
    const average = { groups: ['generator', 'encoder'], decay: nn.rampedAverage(options.average) };
    return [{ epochs, batchSize, phase: { name: 'gan', steps, average } }];
  },

  score(options, net, image) {
    const shape = image.shape.slice(1) as unknown as ImageShape;
    const x = signed(image);
    const code = encode(options, net('encoder'), x);
    const again = generate(options, net('generator'), code, shape); // G(E(x)), [N,C,H,W]
    const f = (v: Value) => features(options, net('critic'), v);
    // mean |x − x̂| + κ · mean |f(x) − f(x̂)| + ν · ‖E(x)‖ / √Z
    const size = g.sqrt(g.add(g.reduceMean(g.square(code), { axes: [1] }), 1e-12));
    const felt = g.mul(distance(f(x), f(again)), options.featureWeight);
    const score = g.add(g.add(distance(x, again), felt), g.mul(size, options.normWeight)); // [N]
    const reconstruction = unsigned(again);
    const map = g.reduceMean(g.abs(g.sub(image, reconstruction)), { axes: [1], keep: true }); // [N,1,H,W]
    return { score, map, reconstruction };
  },
});
