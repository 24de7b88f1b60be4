/**
 * GAN with two discriminators (Kim, Jeong, Choi and Seo 2020, "GAN-based Anomaly Detection in Imbalance Problems", ECCV
 * workshops): a U-Net learns to reconstruct normal images and to fail on labelled anomalies; one discriminator sees
 * normal images only, the other anomalies only, and neither is needed to score. The paper's text was not at hand:
 * layers, weights and patches are those of a re-implementation, the nets for large images those of a lab script; widths
 * of the small discriminators and the default rates are ours: with 1e-3 for all networks the generator fails on normal
 * images too and stays so. Left out: k-means over anomalies – they are sampled equally from their classes, which the data
 * names. Each step keeps Adam moments of its own. Presets `seed-…` are the three nets of seed 000 of the founding
 * documents; of the last only a diagram exists, so its weights (1 each) are ours.
 */
import * as z from 'zod';
import * as g from '../graph/ops/index.ts';
import type { Value } from '../graph/value.ts';
import * as nn from '../nn/index.ts';
import { defineModel } from './define.ts';
import { phase } from './parts/fitting/phase.ts';
import { differenceMap, itemMap, poolMap } from './parts/maps/pool-map.ts';
import { needsSide } from './parts/needs-side.ts';
import { canvasDepth, fromCanvas, toCanvas, withoutFrame } from './parts/nets/ganomaly.ts';
import { decodeSeed000, encodeSeed000 } from './parts/nets/seed-000.ts';
import { filtersAt } from './parts/nets/sizes.ts';
import * as common from './parts/options.ts';
import { channelsOf, countOf, sidesOf, signed, unsigned } from './parts/shapes.ts';

const config = z.strictObject({
  method: z
    .enum(['two-discriminator', 'seed-ae', 'seed-sota', 'seed-gan'])
    .default('two-discriminator')
    .describe('Nets and losses: those of the paper, or of seed 000, which leave widths, weights and patches aside.'),
  width: common.width(16, 'Filters of the first convolution of the U-Net.'),
  discriminatorWidth: common.width(8, 'Filters of the first convolution of a discriminator.'),
  dropout: common.share(0, 'Share of the encoder that a training step leaves out.', { most: 0.9 }),
  l1Weight: common.weight(1.5, 'Weight of reconstructing normal images: mean |x − G(x)|.'),
  patchWeight: common.weight(1.5, 'Weight of the worst patches of normal images.'),
  patch: z.int().min(2).max(1024).default(16).describe('Side of a patch in pixels; they overlap by half.'),
  topPatches: z.int().min(1).max(10000).default(3).describe('Patches with the largest errors that count.'),
  latentWeight: common.weight(
    0.5,
    'Weight of the distance between the codes of a normal image and its reconstruction.',
  ),
  adversarialWeight: common.weight(
    0.5,
    'Weight of reconstructions that look normal to a discriminator; 0 trains no discriminator of normal images.',
  ),
  abcWeight: common.weight(0.5, 'Weight of failing on anomalies: −log(1 − exp(−mean |x − G(x)|)).'),
  anomalyAdversarialWeight: common.weight(
    1,
    'Weight of reconstructions that do not look anomalous to a discriminator; 0 trains no discriminator of anomalies.',
  ),
  adversarial: z
    .enum(['lsgan', 'bce'])
    .default('lsgan')
    .describe('Loss of the discriminators: least squares or binary cross-entropy.'),
  epochs: common.epochs(10, 'Passes over the normal training images.'),
  batchSize: common.batchSize(64, 'Images per training step, half of them anomalous.', { least: 2 }),
  learningRate: common.learningRate(5e-4, "Adam's learning rate for the generator."),
  discriminatorLearningRate: common.learningRate(1e-4, "Adam's learning rate for the discriminators."),
  weightDecay: common.weightDecay(0),
});
type Config = z.infer<typeof config>;

/** How seed 000 trains. Its epochs sample as many images as the whole data set has; here they are passes over normals. */
const seed = { epochs: 15, batchSize: 32, learningRate: 1e-3, discriminatorLearningRate: 1e-3, weightDecay: 1e-5 };

const isSeed = ({ method }: Config) => method !== 'two-discriminator';

/** x in [−1, 1], within a frame where the U-Net needs one. */
const inputOf = (options: Config, image: Value) => (isSeed(options) ? signed(image) : toCanvas(image));

/** Halvings of the U-Net: four, 32 pixels to two; more for large images, fewer where they would not be whole. */
function levelsOf(canvas: Value): number {
  let levels = 1;
  while (levels < Math.max(4, canvasDepth(canvas)) && sidesOf(canvas).every((n) => n % 2 ** (levels + 1) === 0))
    levels++;
  return levels;
}

const halving = { kernel: 4, stride: 2, padding: 1 };

/** E: the maps of every level, the last of which is the latent vector: `[N,8·width,2,2]` of 32 × 32 pixels. */
function encode(options: Config, net: nn.Scope, x: Value): Value[] {
  if (isSeed(options)) return [encodeSeed000(net, x)];
  const maps: Value[] = [];
  let h = x;
  for (let i = 0; i < levelsOf(x); i++) {
    const at = net.at(`down${i}`);
    h = g.leakyRelu(nn.conv(at, h, { filters: filtersAt(options.width, i), ...halving }), 0.01);
    h = nn.dropout(at, h, options.dropout);
    maps.push(h); // [N,width·2^i,H/2^(i+1),W/2^(i+1)]
  }
  return maps;
}

const latentOf = (options: Config, net: nn.Scope, x: Value) => encode(options, net, x).at(-1)!;

/** G: the reconstruction of an image, in [−1, 1]. */
function generate(options: Config, net: nn.Scope, x: Value): Value {
  const maps = encode(options, net, x);
  if (isSeed(options)) return decodeSeed000(net, maps[0], x);
  let h = maps[maps.length - 1];
  for (let i = maps.length - 1; i > 0; i--) {
    h = nn.convTranspose(net.at(`up${i}`), h, { filters: filtersAt(options.width, i - 1), ...halving });
    h = i === maps.length - 1 ? g.leakyRelu(h, 0.01) : g.relu(h);
    h = g.concat([maps[i - 1], h], 1); // [N,2·width·2^(i−1),H/2^i,W/2^i]
  }
  return g.tanh(nn.convTranspose(net.at('up0'), h, { filters: channelsOf(x), ...halving }));
}

/** D_N and D_A: logits that patches of an image are real, `[N,1,4,4]` of 32 × 32 pixels, `[N,1,14,14]` of 128 × 128. */
function discriminate(options: Config, net: nn.Scope, x: Value): Value {
  if (isSeed(options)) return encodeSeed000(net, x); // [N,64,1,1]
  const side = (h: Value) => Math.min(...sidesOf(h));
  let h = x;
  const layer = (i: number, how: { stride: number; padding: number }) => {
    const filters = filtersAt(options.discriminatorWidth, i);
    h = g.leakyRelu(nn.conv(net.at(`conv${i}`), h, { filters, kernel: 4, ...how }));
  };
  if (side(x) > 32) {
    // The patches of pix2pix (Isola et al. 2017), 70 × 70 pixels: 128 → 64 → 32 → 16 → 15 → 14.
    for (let i = 0; i < 4; i++) layer(i, { stride: i < 3 ? 2 : 1, padding: 1 });
    return nn.conv(net.at('logit'), h, { filters: 1, kernel: 4, padding: 1 });
  }
  layer(0, { stride: 2, padding: 1 });
  for (let i = 1; i <= 4 && side(h) >= 4; i++) layer(i, { stride: 1, padding: 0 }); // 16 → 13 → 10 → 7 → 4
  return nn.conv(net.at('logit'), h, { filters: 1, kernel: 1 });
}

/** How far logits are from a target, 1 for real and 0 for generated: mean (σ(l) − t)², or cross-entropy. */
function adversarialLoss({ adversarial }: Config, logits: Value, target: 0 | 1): Value {
  if (adversarial === 'bce') return nn.bceWithLogits(logits, target);
  return g.reduceMean(g.square(g.sub(g.sigmoid(logits), target)));
}

/**
 * Mean error of the `top` worst of all overlapping patches of each image, mean over the batch: `[N,C,H,W]` → scalar.
 * M = (⌊(H − P)/S⌋ + 1) · (⌊(W − P)/S⌋ + 1) patches of P pixels with a step of S = P/2.
 */
export function patchLoss(x: Value, reconstruction: Value, patch: number, top: number): Value {
  const error = differenceMap(x, reconstruction); // [N,1,H,W]
  const side = Math.min(patch, ...sidesOf(x));
  const patches = g.flatten(g.averagePool(error, side, { stride: Math.max(1, side >> 1) })); // [N,M]
  return g.reduceMean(g.topK(patches, Math.min(top, channelsOf(patches))).values);
}

/**
 * ABC loss (Yamanaka et al. 2019): mean of −log(1 − exp(−e)) with e = mean |x − G(x)| of each image; it falls as e grows,
 * down to −log(1 − exp(−2)) = 0.1454 for values in [−1, 1], and e counts as 1e-6 at least, where it would be infinite.
 */
export function abcLoss(x: Value, reconstruction: Value): Value {
  const e = g.maximum(poolMap('mean', g.abs(g.sub(x, reconstruction))), 1e-6); // [N]
  return g.neg(g.reduceMean(g.log(g.sub(1, g.exp(g.neg(e))))));
}

/** The half of a balanced batch that is normal, or the one that is anomalous. */
function halfOf(batch: Value, kind: 'normal' | 'anomalous'): Value {
  const count = countOf(batch);
  return g.slice(batch, { 0: kind === 'normal' ? [0, count >> 1] : [count >> 1, count] });
}

type Terms = readonly (readonly [weight: number, loss: Value])[];
const weighted = (terms: Terms) =>
  terms.map(([w, loss]) => (w === 1 ? loss : g.mul(loss, w))).reduce((a, b) => g.add(a, b));

/** The loss of G on normal images x, and what it is made of. */
function normalLoss(options: Config, net: nn.StepContext['net'], x: Value): nn.StepResult {
  const E = net('generator').frozen(); // codes are compared without dropout
  const reconstruction = generate(options, net('generator'), x);
  const squared = nn.l2(x, reconstruction);
  const latent = () => [latentOf(options, E, x), latentOf(options, E, reconstruction)] as const;
  const asReal = (group: string) => adversarialLoss(options, discriminate(options, net(group), reconstruction), 1);
  switch (options.method) {
    case 'seed-ae':
      return squared;
    case 'seed-gan':
      return g.add(squared, asReal('discriminator'));
    case 'seed-sota': // σ((MSE(x̂, x) + MSE(D_N(x̂), 1) + MSE(E(x̂), E(x))) / 3)
      return g.sigmoid(g.mul(g.add(g.add(squared, asReal('normal')), nn.l2(...latent())), 1 / 3));
    case 'two-discriminator': {
      const error = nn.l1(x, reconstruction);
      const terms: [number, Value][] = [[options.l1Weight, error]];
      if (options.patchWeight > 0)
        terms.push([options.patchWeight, patchLoss(x, reconstruction, options.patch, options.topPatches)]);
      if (options.latentWeight > 0) terms.push([options.latentWeight, nn.l1(...latent())]);
      if (options.adversarialWeight > 0) terms.push([options.adversarialWeight, asReal('normal')]);
      return { loss: weighted(terms), metrics: { error } };
    }
  }
}

/** The loss of G on anomalous images x. */
function anomalyLoss(options: Config, net: nn.StepContext['net'], x: Value): nn.StepResult {
  const reconstruction = generate(options, net('generator'), x);
  const towards = (target: 0 | 1) =>
    adversarialLoss(options, discriminate(options, net('anomalous'), reconstruction), target);
  switch (options.method) {
    case 'seed-ae':
    case 'seed-gan':
      return g.neg(nn.l2(x, reconstruction));
    case 'seed-sota': // −½ σ(MSE(D_A(x̂), 1) + MSE(x̂, x))
      return g.mul(g.sigmoid(g.add(towards(1), nn.l2(x, reconstruction))), -0.5);
    case 'two-discriminator': {
      const terms: [number, Value][] = [[options.abcWeight, abcLoss(x, reconstruction)]];
      if (options.anomalyAdversarialWeight > 0) terms.push([options.anomalyAdversarialWeight, towards(0)]);
      return { loss: weighted(terms), metrics: { error: nn.l1(x, reconstruction) } };
    }
  }
}

/** ½ (D(x) → 1 + D(G(x)) → 0) of the discriminator in `group`. G does not move, as if its output were detached. */
function discriminatorLoss(options: Config, net: nn.StepContext['net'], group: string, x: Value): nn.StepResult {
  const real = discriminate(options, net(group), x);
  const fake = discriminate(options, net(group), generate(options, net('generator'), x));
  const loss = g.mul(g.add(adversarialLoss(options, real, 1), adversarialLoss(options, fake, 0)), 0.5);
  const mean = (logits: Value) => g.reduceMean(g.sigmoid(logits));
  return { loss, metrics: { real: mean(real), fake: mean(fake) } };
}

/** The discriminators of a method: the group of parameters and the half of a batch that each sees. */
function discriminatorsOf(options: Config): (readonly [group: string, sees: 'normal' | 'anomalous'])[] {
  if (options.method === 'seed-ae') return [];
  if (options.method === 'seed-gan') return [['discriminator', 'normal']];
  const both = [
    ['normal', options.adversarialWeight] as const,
    ['anomalous', options.anomalyAdversarialWeight] as const,
  ];
  return both.filter(([, w]) => isSeed(options) || w > 0).map(([kind]) => [kind, kind]);
}

/**
 * A U-Net that learns to reconstruct normal images and to fail on labelled anomalies, against one discriminator for
 * each kind; the reconstruction error is the score (Kim et al. 2020, ECCV workshops, doi 10.1007/978-3-030-65414-6_11).
 * Supervised: needs labelled anomalies. Images from 8 × 8 pixels; scoring is one pass of the U-Net.
 */
export const twoDiscriminatorGan = defineModel({
  name: 'two-discriminator-gan',
  title: 'GAN with two discriminators',
  idea:
    'A U-Net learns to reconstruct normal images and to fail on labelled anomalies, with one discriminator for each; the ' +
    'reconstruction error is the score. It also fails on what resembles the anomalies that it was shown.',
  paper:
    'Kim, Jeong, Choi and Seo 2020, ECCV workshops, doi 10.1007/978-3-030-65414-6_11; seed 000 of the founding documents.',
  learning: 'supervised',
  inputs: ['image'],
  learns: 'gradient',
  config,
  presets: {
    paper: {
      width: 64,
      discriminatorWidth: 64,
      dropout: 0.5,
      epochs: 50,
      batchSize: 12,
      learningRate: 6.25e-5,
      discriminatorLearningRate: 1e-4,
    },
    'ae-abc': {
      learningRate: 1e-3,
      l1Weight: 1,
      patchWeight: 0,
      latentWeight: 0,
      adversarialWeight: 0,
      abcWeight: 1,
      anomalyAdversarialWeight: 0,
    },
    'seed-ae': { method: 'seed-ae', ...seed },
    'seed-sota': { method: 'seed-sota', ...seed },
    'seed-gan': { method: 'seed-gan', ...seed },
  },
  tiny: { width: 4, discriminatorWidth: 4, patch: 8, epochs: 6, batchSize: 16, learningRate: 3e-3 },

  unsuitable: (_options, shape) => needsSide('a GAN with two discriminators', 8, shape),

  /** D_N on normals, D_A on anomalies, G on normals, G on anomalies. */
  phases(options) {
    const { epochs, batchSize, weightDecay, learningRate, discriminatorLearningRate } = options;
    const discriminators = discriminatorsOf(options).map(
      ([group, sees]): nn.Step => ({
        name: group,
        updates: [group],
        optimizer: nn.adam({ learningRate: discriminatorLearningRate, weightDecay }),
        loss: ({ net, x }) => discriminatorLoss(options, net, group, inputOf(options, halfOf(x, sees))),
      }),
    );
    const generator = (kind: 'normal' | 'anomalous', loss: typeof normalLoss): nn.Step => ({
      name: `generator-${kind}`,
      updates: ['generator'],
      optimizer: nn.adam({ learningRate, weightDecay }),
      loss: ({ net, x }) => loss(options, net, inputOf(options, halfOf(x, kind))),
    });
    const steps = [...discriminators, generator('normal', normalLoss), generator('anomalous', anomalyLoss)];
    return [phase({ epochs, batchSize, balanced: true, steps })];
  },

  pool: (_options, map) => poolMap('mean', map),

  /** |x − G(x)| of values in [−1, 1]; squared for the nets of the seed, as there. */
  score(options, net, image) {
    const x = inputOf(options, image);
    const reconstruction = generate(options, net('generator'), x);
    const error = g.sub(x, reconstruction);
    const whole = itemMap(isSeed(options) ? g.square(error) : g.abs(error));
    const map = isSeed(options) ? whole : withoutFrame(whole, image); // [N,1,H,W]
    const restored = isSeed(options) ? unsigned(reconstruction) : fromCanvas(reconstruction, image);
    return { map, score: poolMap('mean', map), reconstruction: restored };
  },
});
