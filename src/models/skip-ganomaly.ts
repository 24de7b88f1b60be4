/**
 * Skip-GANomaly (Akcay et al. 2019, arXiv 1901.08954): a U-Net that reconstructs normal images, trained against a
 * discriminator whose features also score. A U-Net may copy what it is shown, anomalies too: what separates them is the
 * training before that, and published figures come from the epoch that was best on the test set. Here the number of
 * epochs is an option, scoring uses running statistics and scores are raw. As in the authors' code the residual of the
 * score is squared (the paper prints an absolute one), the discriminator too lessens the distance of the features, and
 * the pixels weigh 50 (40 in the paper). Two things differ from that code: a step of the discriminator comes before one of
 * the generator, each with a pass of its own (there the generator's comes first, and both share one pass), and images of
 * other sizes than 4 · 2^n get a black frame where it resizes them to 32 × 32. Left out: restarting the discriminator when
 * its loss vanishes, and input noise, which is switched off there.
 */
import * as z from 'zod';
import * as g from '../graph/ops/index.ts';
import type { Value } from '../graph/value.ts';
import * as nn from '../nn/index.ts';
import { defineModel } from './define.ts';
import { phase } from './parts/fitting/phase.ts';
import { itemMap, poolMap } from './parts/maps/pool-map.ts';
import { needsSide } from './parts/needs-side.ts';
import { canvasDepth, encodeCanvas, fromCanvas, kernels, toCanvas, withoutFrame } from './parts/nets/ganomaly.ts';
import { unet } from './parts/nets/unet.ts';
import type { Verdict } from './parts/nets/verdict.ts';
import * as common from './parts/options.ts';
import { sidesOf } from './parts/shapes.ts';

const config = z.strictObject({
  code: common.latent(100, "Length of the discriminator's features of an image."),
  width: common.width(64, 'Filters of the first convolution; each next one doubles them.'),
  adversarialWeight: common.weight(1, 'Weight of deceiving the discriminator.'),
  contextualWeight: common.weight(50, 'Weight of the reconstruction error.'),
  latentWeight: common.weight(1, 'Weight of the distance in discriminator features.'),
  residualShare: common.share(
    0.9,
    'λ: share of the error of the pixels in the score; the rest is that of the features.',
  ),
  epochs: common.epochs(15),
  batchSize: common.batchSize(64, undefined, { least: 2 }),
  learningRate: common.learningRate(2e-4),
});
type Config = z.infer<typeof config>;

/** Levels of the U-Net: as deep as halvings are whole, which is down to one pixel for 32 and 64 pixels. */
function levelsOf(canvas: Value): number {
  let levels = canvasDepth(canvas);
  const whole = (level: number) => sidesOf(canvas).every((n) => n % 2 ** level === 0);
  while (whole(levels + 1)) levels++;
  return levels;
}

/** G: the reconstruction of an image, in [−1, 1]. */
function generate({ width }: Config, net: nn.Scope, x: Value): Value {
  return unet(net, x, { width, depth: levelsOf(x) });
}

/** D: the features f `[N,code,1,1]` and the logit `[N,1,1,1]` that the image is real. */
function discriminate({ width, code }: Config, net: nn.Scope, x: Value): Verdict {
  const features = encodeCanvas(width, code, net, x);
  return { features, logit: nn.conv(net.at('logit'), features, { filters: 1, kernel: 3, padding: 1, ...kernels }) };
}

/** BCE(D(x), 1) + BCE(D(x̂), 0) + w_l · mean (f(x) − f(x̂))². */
function discriminatorLoss(options: Config, { net, x: image }: nn.StepContext): nn.StepResult {
  const x = toCanvas(image);
  const real = discriminate(options, net('discriminator'), x);
  const fake = discriminate(options, net('discriminator'), generate(options, net('generator'), x));
  const latent = nn.l2(real.features, fake.features);
  const entropy = g.add(nn.bceWithLogits(real.logit, 1), nn.bceWithLogits(fake.logit, 0));
  const mean = (logit: Value) => g.reduceMean(g.sigmoid(logit));
  return {
    loss: g.add(entropy, g.mul(latent, options.latentWeight)),
    metrics: { real: mean(real.logit), fake: mean(fake.logit) },
  };
}

/** w_a · BCE(D(x̂), 1) + w_c · mean |x − x̂| + w_l · mean (f(x) − f(x̂))². */
function generatorLoss(options: Config, { net, x: image }: nn.StepContext): nn.StepResult {
  const x = toCanvas(image);
  const reconstruction = generate(options, net('generator'), x);
  const real = discriminate(options, net('discriminator'), x);
  const fake = discriminate(options, net('discriminator'), reconstruction);
  const adversarial = nn.bceWithLogits(fake.logit, 1);
  const contextual = nn.l1(x, reconstruction);
  const latent = nn.l2(real.features, fake.features);
  const { adversarialWeight, contextualWeight, latentWeight } = options;
  const loss = [
    g.mul(adversarial, adversarialWeight),
    g.mul(contextual, contextualWeight),
    g.mul(latent, latentWeight),
  ].reduce((a, b) => g.add(a, b));
  return { loss, metrics: { adversarial, contextual, latent }, watch: { generated: reconstruction, data: x } };
}

/**
 * Skip-GANomaly: a U-Net reconstructs normal images against a discriminator; the score joins the reconstruction error
 * and the distance in discriminator features (Akcay et al. 2019, arXiv 1901.08954).
 * Images from 8 × 8 pixels. Scoring is one pass of the U-Net and two of the discriminator.
 */
export const skipGanomaly = defineModel({
  name: 'skip-ganomaly',
  title: 'Skip-GANomaly',
  idea:
    'A U-Net, trained against a discriminator to reconstruct normal images; the errors of the pixels and of the ' +
    'features that the discriminator sees are the score.',
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

  unsuitable: (_options, shape) => needsSide('Skip-GANomaly', 8, shape),

  phases(options) {
    const { epochs, batchSize, learningRate } = options;
    const optimizer = nn.adam({ learningRate, beta1: 0.5 });
    const steps: nn.Step[] = [
      {
        name: 'discriminator',
        updates: ['discriminator'],
        optimizer,
        loss: (step) => discriminatorLoss(options, step),
      },
      { name: 'generator', updates: ['generator'], optimizer, loss: (step) => generatorLoss(options, step) },
    ];
    return [phase({ epochs, batchSize, steps })];
  },

  score(options, net, image) {
    const x = toCanvas(image);
    const reconstruction = generate(options, net('generator'), x);
    const features = (y: Value) => discriminate(options, net('discriminator'), y).features;
    const squared = g.square(g.sub(x, reconstruction)); // [N,C,H,W] of the canvas
    const residual = poolMap('mean', squared);
    const latent = poolMap('mean', g.square(g.sub(features(x), features(reconstruction))));
    // λ mean (x − x̂)² + (1 − λ) mean (f(x) − f(x̂))²
    const score = g.add(g.mul(residual, options.residualShare), g.mul(latent, 1 - options.residualShare));
    const map = withoutFrame(itemMap(squared), image); // [N,1,H,W]
    return { map, score, reconstruction: fromCanvas(reconstruction, image) };
  },
});
