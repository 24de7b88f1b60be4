/**
 * Conditional GAN (Mirza & Osindero 2014, arXiv 1411.1784) as a detector: a GAN that knows a context, the class of a normal
 * training item (a digit, a product, a camera), and then an encoder, which finds the latent vector from which the
 * generator reconstructs an image in its context (as in f-AnoGAN, after the GAN). The score is the difference of an image
 * and its best reconstruction, in the context that is known or else in any. It is supervised in the class: it uses the
 * classes of the normal items, never labels of anomalies. Networks: DCGAN's (default), the context beside the latent
 * vector and as planes beside the image; and the dense nets of the paper, here trained by Adam instead of its gradient
 * descent with growing momentum.
 */
import * as z from 'zod';
import { ConfigError } from '../core/errors.ts';
import { float32 } from '../core/tensor.ts';
import { constant } from '../graph/leaf.ts';
import * as g from '../graph/ops/index.ts';
import type { Value } from '../graph/value.ts';
import * as nn from '../nn/index.ts';
import { defineModel, type ImageShape } from './define.ts';
import { phase } from './parts/fitting/phase.ts';
import { differenceMap } from './parts/maps/pool-map.ts';
import { needsSide } from './parts/needs-side.ts';
import {
  discriminate as dcganDiscriminate,
  generate as dcganGenerate,
  generatorLoss as onLogit,
  discriminatorLoss as onLogits,
  stridedTrunk,
} from './parts/nets/dcgan.ts';
import * as common from './parts/options.ts';
import { countOf, imageShapeOf, signed, unsigned } from './parts/shapes.ts';

const config = z.strictObject({
  network: z
    .enum(['strided', 'mirza-2014'])
    .default('strided')
    .describe('Layers: "strided" are convolutions that fit the image, "mirza-2014" the dense nets of the paper.'),
  latent: common.latent(100, 'Length of the latent vector from which an image of a context is generated.'),
  width: common.width(64, 'Filters next to the image; they grow eightfold at most.'),
  context: z
    .int()
    .min(-1)
    .max(100000)
    .default(-1)
    .describe('Class of all scored images, counted from 0 over those of the training items; -1 tries every one.'),
  epochs: common.epochs(15, 'Passes over the training images for the GAN.'),
  encoderEpochs: common.epochs(10, 'Passes over the training images for the encoder.'),
  batchSize: common.batchSize(64, undefined, { least: 2 }),
  learningRate: common.learningRate(2e-4, "Adam's learning rate for the GAN."),
  encoderLearningRate: common.learningRate(1e-3, "Adam's learning rate for the encoder."),
});
type Config = z.infer<typeof config>;

const dcgan = ({ width }: Config) => ({ network: 'strided', width }) as const;

/** G: images `[N,C,H,W]` in [−1, 1] from latent vectors `[N,Z]` in contexts `[N,K]`. */
function generate(options: Config, net: nn.Scope, latent: Value, context: Value, shape: ImageShape): Value {
  if (options.network === 'strided') return dcganGenerate(dcgan(options), net, g.concat([latent, context], 1), shape);
  const fromLatent = g.relu(nn.dense(net.at('latent'), latent, 200));
  const fromContext = g.relu(nn.dense(net.at('context'), context, 1000));
  const joint = g.relu(nn.dense(net.at('joint'), g.concat([fromLatent, fromContext], 1), 1200));
  const pixels = nn.dense(net.at('image'), joint, shape[0] * shape[1] * shape[2]);
  return signed(g.sigmoid(g.reshape(pixels, [latent.shape[0], ...shape])));
}

/** The largest of `pieces` linear units (Goodfellow et al. 2013), with half of the units left out while training. */
function maxout(net: nn.Scope, x: Value, units: number, pieces: number): Value {
  const all = g.reshape(nn.dense(net, x, units * pieces), [x.shape[0], units, pieces]);
  return nn.dropout(net, g.reduceMax(all, { axes: [2] }), 0.5);
}

/** D: the logit `[N]` that images `[N,C,H,W]` in [−1, 1] are real, in contexts `[N,K]`. */
function discriminate(options: Config, net: nn.Scope, x: Value, context: Value): Value {
  if (options.network === 'strided') {
    const [count, , height, width] = x.shape;
    const classes = context.shape[1];
    const planes = g.broadcastTo(g.reshape(context, [count, classes, 1, 1]), [count, classes, height, width]);
    return dcganDiscriminate(dcgan(options), net, g.concat([x, planes], 1)).logit;
  }
  const fromImage = maxout(net.at('image'), g.flatten(x), 240, 5);
  const fromContext = maxout(net.at('context'), context, 50, 5);
  const joint = maxout(net.at('joint'), g.concat([fromImage, fromContext], 1), 240, 4);
  return g.reshape(nn.dense(net.at('logit'), joint, 1), [x.shape[0]]);
}

/** E: latent vectors `[N,Z]` in [−1, 1], the range that the generator learnt. */
function encode({ width, latent }: Config, net: nn.Scope, x: Value): Value {
  const h = stridedTrunk(net, x, nn.batchNorm, { width, weightInit: nn.heNormal(0.2) });
  return g.tanh(nn.dense(net.at('latent'), h, latent, { weightInit: nn.glorotUniform }));
}

/** How many contexts the generator was trained with. */
function contextsOf({ network, latent }: Config, net: nn.Scope): number {
  if (network === 'mirza-2014') return net.at('context').learnt('weight').shape[0] as number;
  return (net.at('start').learnt('weight').shape[0] as number) - latent;
}

/**
 * The image reconstructed in each of the contexts `wanted`, `[N,M,C,H,W]` in [−1, 1], and the residuals
 * mean (x − G(E(x) | y))², `[N,M]`.
 */
function inContexts(options: Config, net: (group: string) => nn.Scope, x: Value, wanted: readonly number[]) {
  const shape = imageShapeOf(x);
  const known = contextsOf(options, net('generator'));
  const count = x.shape[0];
  const ones = new Float32Array(wanted.length * known);
  wanted.forEach((context, i) => {
    ones[i * known + context] = 1;
  });
  const every = (v: Value, width: number) => g.reshape(g.broadcastTo(v, [count, wanted.length, width]), [-1, width]); // [N·M,width]
  const contexts = every(constant(float32(ones, [1, wanted.length, known])), known);
  const latents = every(g.unsqueeze(encode(options, net('encoder'), x), 1), options.latent);
  const flat = generate(options, net('generator'), latents, contexts, shape); // [N·M,C,H,W]
  const reconstructions = g.reshape(flat, [count, wanted.length, ...shape]);
  const squares = g.square(g.sub(g.unsqueeze(x, 1), reconstructions));
  return { reconstructions, residuals: g.reduceMean(squares, { axes: [2, 3, 4] }) };
}

/** G(z | y), z ~ U(−1, 1), in the contexts of the batch. */
function generated(options: Config, { net, x, draw, classes }: nn.StepContext): Value {
  const uniform = draw('z', { kind: 'uniform', shape: [countOf(classes), options.latent] });
  return generate(options, net('generator'), signed(uniform), classes, imageShapeOf(x));
}

/** BCE(D(x | y), 1) + BCE(D(G(z | y) | y), 0). */
function discriminatorLoss(options: Config, step: nn.StepContext): nn.StepResult {
  const logits = (x: Value) => discriminate(options, step.net('discriminator'), x, step.classes);
  const [real, fake] = [logits(signed(step.x)), logits(generated(options, step))];
  const mean = (logit: Value) => g.reduceMean(g.sigmoid(logit));
  return { loss: onLogits(real, fake), metrics: { real: mean(real), fake: mean(fake) } };
}

/** BCE(D(G(z | y) | y), 1). */
function generatorLoss(options: Config, step: nn.StepContext): nn.StepResult {
  const made = generated(options, step);
  const fake = discriminate(options, step.net('discriminator'), made, step.classes);
  return {
    loss: onLogit(fake),
    watch: { generated: made, data: signed(step.x) },
  };
}

/** mean (x − G(E(x) | y))². Weights and running statistics of the generator stay as they are. */
function encoderLoss(options: Config, { net, x: image, classes }: nn.StepContext): nn.StepResult {
  const x = signed(image);
  const latent = encode(options, net('encoder'), x);
  const again = generate(options, net('generator').frozen(), latent, classes, imageShapeOf(x));
  return { loss: nn.l2(x, again), watch: { code: latent } };
}

/**
 * Conditional GAN: generator and discriminator know the class of a normal image, an encoder finds its latent vector;
 * the score is the smallest reconstruction error over the classes (Mirza and Osindero 2014, arXiv 1411.1784).
 * Images from 8 × 8 pixels whose normal items have classes. Scoring costs one reconstruction per class, or one in all
 * with `context`.
 */
export const conditionalGan = defineModel({
  name: 'conditional-gan',
  title: 'Conditional GAN',
  idea:
    'A GAN learns to generate normal images of each class and an encoder learns to find the latent vector of an image; ' +
    'the error of the best reconstruction, in the known class or in any, is the score.',
  paper: 'Mirza and Osindero 2014, arXiv 1411.1784; the encoder after Schlegl et al. 2019.',
  learning: 'one-class',
  inputs: ['image'],
  learns: 'gradient',
  config,
  presets: { 'mirza-2014': { network: 'mirza-2014', latent: 100, batchSize: 100 } },
  tiny: { latent: 8, width: 8, epochs: 4, encoderEpochs: 10, batchSize: 16, encoderLearningRate: 5e-3 },

  unsuitable: (_options, shape) => needsSide('a conditional GAN', 8, shape),

  phases(options) {
    const { epochs, encoderEpochs, batchSize, learningRate, encoderLearningRate } = options;
    const optimizer = nn.adam({ learningRate, beta1: 0.5 });
    const gan: nn.Step[] = [
      {
        name: 'discriminator',
        updates: ['discriminator'],
        optimizer,
        loss: (step) => discriminatorLoss(options, step),
      },
      { name: 'generator', updates: ['generator'], optimizer, loss: (step) => generatorLoss(options, step) },
    ];
    const encoder: nn.Step = {
      name: 'encoder',
      updates: ['encoder'],
      optimizer: nn.adam({ learningRate: encoderLearningRate }),
      schedule: nn.cosineDecay(),
      loss: (step) => encoderLoss(options, step),
    };
    return [
      phase({ name: 'gan', epochs, batchSize, steps: gan }),
      phase({ name: 'encoder', epochs: encoderEpochs, batchSize, steps: [encoder] }),
    ];
  },

  score(options, net, image) {
    const known = contextsOf(options, net('generator'));
    const { context } = options;
    if (context >= known) {
      throw new ConfigError(
        'unknown-context',
        `conditional-gan: context must be below ${known}, the number of classes trained on, got ${context}.`,
      );
    }
    const wanted = context < 0 ? Array.from({ length: known }, (_, i) => i) : [context];
    const { reconstructions, residuals } = inContexts(options, net, signed(image), wanted);
    const score = g.neg(g.reduceMax(g.neg(residuals), { axes: [1] })); // min over y, [N]
    const best = g.cast(g.equal(residuals, g.unsqueeze(score, 1)), 'float32'); // 1 at the best, [N,M]
    const share = g.div(best, g.reduceSum(best, { axes: [1], keep: true }));
    const weights = g.reshape(share, [image.shape[0], wanted.length, 1, 1, 1]);
    const reconstruction = unsigned(g.reduceSum(g.mul(reconstructions, weights), { axes: [1] })); // [N,C,H,W]
    return { score, map: differenceMap(image, reconstruction), reconstruction };
  },
});
