/**
 * Skip-GANomaly (Akcay et al. 2019, arXiv 1901.08954): a U-Net that draws normal images again, trained against a
 * discriminator whose features also score. A U-Net may copy what it is shown, anomalies too: what tells them apart is
 * the training before that, and published figures come from the epoch that was best on the test set. Here the number of
 * epochs is an option, scoring uses running statistics and scores are raw. As in the authors' code the residual of the
 * score is squared (the paper prints an absolute one), the discriminator too lessens the distance of the features, and
 * the pixels weigh 50 (40 in the paper). Left out: starting the discriminator anew when its loss vanishes, and input
 * noise, which is switched off there.
 */
import * as z from 'zod';
import * as g from '../graph/ops/index.ts';
import type { Value } from '../graph/value.ts';
import * as nn from '../nn/index.ts';
import { defineModel } from './define.ts';
import { depthOf, encode, fromCanvas, kernels, toCanvas, withoutFrame } from './parts/ganomaly-nets.ts';
import { unet } from './parts/unet.ts';
import { spread } from './parts/watch.ts';

const config = z.strictObject({
  code: z.int().min(1).max(4096).default(100).describe("Numbers in the discriminator's features of an image."),
  width: z.int().min(1).max(512).default(64).describe('Filters of the first convolution; each next one doubles them.'),
  adversarialWeight: z.number().min(0).max(1e4).default(1).describe('Weight of passing for a real image.'),
  contextualWeight: z.number().min(0).max(1e4).default(50).describe('Weight of drawing the same pixels.'),
  latentWeight: z.number().min(0).max(1e4).default(1).describe('Weight of the same features in the discriminator.'),
  residualShare: z
    .number()
    .min(0)
    .max(1)
    .default(0.9)
    .describe('λ: share of the error of the pixels in the score; the rest is that of the features.'),
  epochs: z.int().min(1).max(100000).default(15).describe('Passes over the training images.'),
  batchSize: z.int().min(2).max(4096).default(64).describe('Images per training step.'),
  learningRate: z.number().positive().max(1).default(2e-4).describe("Adam's learning rate."),
});
type Config = z.infer<typeof config>;

/** Levels of the U-Net: as deep as halvings are whole, which is down to one pixel for 32 and 64 pixels. */
function levelsOf(canvas: Value): number {
  let levels = depthOf(canvas);
  const whole = (level: number) => (canvas.shape.slice(2) as number[]).every((n) => n % 2 ** level === 0);
  while (whole(levels + 1)) levels++;
  return levels;
}

/** G: the image drawn again, in [−1, 1]. */
function generate({ width }: Config, net: nn.Scope, x: Value): Value {
  return unet(net, x, { width, depth: levelsOf(x) });
}

/** D: the features f `[N,code,1,1]` and the logit `[N,1,1,1]` that the image is real. */
function discriminate({ width, code }: Config, net: nn.Scope, x: Value): { features: Value; logit: Value } {
  const features = encode(width, code, net, x);
  return { features, logit: nn.conv(net.at('logit'), features, { filters: 1, kernel: 3, padding: 1, ...kernels }) };
}

/**
 * Skip-GANomaly: a U-Net reconstructs normal images against a discriminator; the score joins the reconstruction error
 * and the distance in discriminator features (Akcay et al. 2019, arXiv 1901.08954).
 * Images from 8 × 8 pixels. Scoring is one pass of the U-Net and two of the discriminator.
 */
export const skipGanomaly = defineModel({
  name: 'skip-ganomaly',
  title: 'Skip-GANomaly',
  idea: 'A U-Net trained against a discriminator to draw normal images again; the errors of the pixels and of the features that the discriminator sees are the score.',
  paper: 'Akcay, Atapour-Abarghouei and Breckon 2019, arXiv 1901.08954.',
  learning: 'one-class',
  inputs: ['image'],
  learns: 'gradient',
  config,
  presets: {
    paper: { contextualWeight: 40, epochs: 15 },
    cifar10: { contextualWeight: 50, epochs: 25 },
  },
  tiny: { code: 8, width: 4, epochs: 8, batchSize: 16, learningRate: 2e-3 },

  unsuitable(_options, [, height, width]) {
    if (Math.min(height, width) >= 8) return undefined;
    return `Skip-GANomaly needs images of at least 8 × 8 pixels, got ${height} × ${width}.`;
  },

  phases(options) {
    const optimizer = nn.adam({ learningRate: options.learningRate, beta1: 0.5 });
    return [
      {
        epochs: options.epochs,
        batchSize: options.batchSize,
        phase: {
          name: 'fit',
          steps: [
            {
              name: 'discriminator',
              updates: ['discriminator'],
              optimizer,
              loss({ net, x: image }) {
                const x = toCanvas(image);
                const real = discriminate(options, net('discriminator'), x);
                const fake = discriminate(options, net('discriminator'), generate(options, net('generator'), x));
                const latent = nn.l2(real.features, fake.features);
                // BCE(D(x), 1) + BCE(D(x̂), 0) + mean (f(x) − f(x̂))²
                const told = g.add(nn.bceWithLogits(real.logit, 1), nn.bceWithLogits(fake.logit, 0));
                const loss = g.add(told, g.mul(latent, options.latentWeight));
                const mean = (logit: Value) => g.reduceMean(g.sigmoid(logit));
                return { loss, metrics: { real: mean(real.logit), fake: mean(fake.logit) } };
              },
            },
            {
              name: 'generator',
              updates: ['generator'],
              optimizer,
              loss({ net, x: image }) {
                const x = toCanvas(image);
                const drawn = generate(options, net('generator'), x);
                const real = discriminate(options, net('discriminator'), x);
                const fake = discriminate(options, net('discriminator'), drawn);
                const adversarial = nn.bceWithLogits(fake.logit, 1); // BCE(D(x̂), 1)
                const contextual = nn.l1(x, drawn); // mean |x − x̂|
                const latent = nn.l2(real.features, fake.features); // mean (f(x) − f(x̂))²
                const { adversarialWeight, contextualWeight, latentWeight } = options;
                const loss = [
                  g.mul(adversarial, adversarialWeight),
                  g.mul(contextual, contextualWeight),
                  g.mul(latent, latentWeight),
                ].reduce((a, b) => g.add(a, b));
                const spreads = { 'generated-spread': spread(drawn), 'data-spread': spread(x) };
                return { loss, metrics: { adversarial, contextual, latent, ...spreads } };
              },
            },
          ],
        },
      },
    ];
  },

  score(options, net, image) {
    const x = toCanvas(image);
    const drawn = generate(options, net('generator'), x);
    const seen = (picture: Value) => discriminate(options, net('discriminator'), picture).features;
    const perImage = { axes: [1, 2, 3] };
    const squared = g.square(g.sub(x, drawn)); // [N,C,H,W] of the canvas
    const residual = g.reduceMean(squared, perImage);
    const latent = g.reduceMean(g.square(g.sub(seen(x), seen(drawn))), perImage);
    // λ mean (x − x̂)² + (1 − λ) mean (f(x) − f(x̂))²
    const score = g.add(g.mul(residual, options.residualShare), g.mul(latent, 1 - options.residualShare));
    const map = withoutFrame(g.reduceMean(squared, { axes: [1], keep: true }), image); // [N,1,H,W]
    return { map, score, reconstruction: fromCanvas(drawn, image) };
  },
});
