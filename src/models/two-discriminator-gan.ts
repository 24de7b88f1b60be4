/**
 * GAN with two discriminators (Kim, Jeong, Choi and Seo 2020, "GAN-based Anomaly Detection in Imbalance Problems", ECCV
 * workshops): a U-Net learns to draw normal images again and to fail on labelled anomalies; one discriminator sees
 * normal images only, the other anomalies only, and neither is needed to score. The paper's text was not at hand:
 * layers, weights and patches are those of a re-implementation, the nets for large images those of a lab script; widths
 * of the small discriminators and the default rates are ours: with 1e-3 for all networks the generator fails on normal
 * images too and stays so. Left out: k-means over anomalies – they are drawn equally from their classes, which the data
 * names. Each step keeps Adam moments of its own. Presets `seed-…` are the three nets of seed 000 of the founding
 * documents; of the last only a diagram exists, so its weights (1 each) are ours.
 */
import * as z from 'zod';
import * as g from '../graph/ops/index.ts';
import type { Value } from '../graph/value.ts';
import * as nn from '../nn/index.ts';
import { defineModel } from './define.ts';
import { signed, unsigned } from './parts/dcgan.ts';
import { depthOf, filtersOf, fromCanvas, toCanvas, withoutFrame } from './parts/ganomaly-nets.ts';
import { poolMap } from './parts/pool-map.ts';
import { decodeSeed000, encodeSeed000 } from './parts/seed-000.ts';

const weight = (value: number, what: string) =>
  z.number().min(0).max(1e4).default(value).describe(`Weight of ${what}.`);
const config = z.strictObject({
  method: z
    .enum(['two-discriminator', 'seed-ae', 'seed-sota', 'seed-gan'])
    .default('two-discriminator')
    .describe('Nets and losses: those of the paper, or of seed 000, which leave widths, weights and patches aside.'),
  width: z.int().min(1).max(512).default(16).describe('Filters of the first convolution of the U-Net.'),
  discriminatorWidth: z.int().min(1).max(512).default(8).describe('Filters of the first convolution that judges.'),
  dropout: z.number().min(0).max(0.9).default(0).describe('Share of the encoder that a training step leaves out.'),
  l1Weight: weight(1.5, 'drawing normal images: mean |x − G(x)|'),
  patchWeight: weight(1.5, 'the worst patches of normal images'),
  patch: z.int().min(2).max(1024).default(16).describe('Side of a patch in pixels; they overlap by half.'),
  topPatches: z.int().min(1).max(10000).default(3).describe('Patches with the largest errors that count.'),
  latentWeight: weight(0.5, 'the same code of a normal image and of its drawing'),
  adversarialWeight: weight(0.5, 'drawings that pass for normal; 0 trains no discriminator of normals'),
  abcWeight: weight(0.5, 'failing on anomalies: −log(1 − exp(−mean |x − G(x)|))'),
  anomalyAdversarialWeight: weight(1, 'drawings that are unlike anomalies; 0 trains no discriminator of anomalies'),
  adversarial: z.enum(['lsgan', 'bce']).default('lsgan').describe('How a judgement misses its target.'),
  epochs: z.int().min(1).max(100000).default(10).describe('Passes over the normal training images.'),
  batchSize: z.int().min(2).max(4096).default(64).describe('Images per training step, half of them anomalous.'),
  learningRate: z.number().positive().max(1).default(5e-4).describe("Adam's learning rate of the generator."),
  discriminatorLearningRate: z.number().positive().max(1).default(1e-4).describe("Adam's learning rate that judges."),
  weightDecay: z.number().min(0).max(1).default(0).describe('L2 penalty added to the gradient.'),
});
type Config = z.infer<typeof config>;

/** How seed 000 trains. Its epochs draw as many images as the whole data set has; here they are passes over normals. */
const seed = { epochs: 15, batchSize: 32, learningRate: 1e-3, discriminatorLearningRate: 1e-3, weightDecay: 1e-5 };

const isSeed = ({ method }: Config) => method !== 'two-discriminator';

/** x in [−1, 1], within a frame where the U-Net needs one. */
const inputOf = (options: Config, image: Value) => (isSeed(options) ? signed(image) : toCanvas(image));

/** Halvings of the U-Net: four, 32 pixels to two; more for large images, fewer where they would not be whole. */
function levelsOf(canvas: Value): number {
  const sides = canvas.shape.slice(2) as number[];
  let levels = 1;
  while (levels < Math.max(4, depthOf(canvas)) && sides.every((n) => n % 2 ** (levels + 1) === 0)) levels++;
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
    h = g.leakyRelu(nn.conv(at, h, { filters: filtersOf(options.width, i), ...halving }), 0.01);
    h = nn.dropout(at, h, options.dropout);
    maps.push(h); // [N,width·2^i,H/2^(i+1),W/2^(i+1)]
  }
  return maps;
}

const latentOf = (options: Config, net: nn.Scope, x: Value) => encode(options, net, x).at(-1)!;

/** G: the image drawn again, in [−1, 1]. */
function generate(options: Config, net: nn.Scope, x: Value): Value {
  const maps = encode(options, net, x);
  if (isSeed(options)) return decodeSeed000(net, maps[0], x);
  let h = maps[maps.length - 1];
  for (let i = maps.length - 1; i > 0; i--) {
    h = nn.convTranspose(net.at(`up${i}`), h, { filters: filtersOf(options.width, i - 1), ...halving });
    h = i === maps.length - 1 ? g.leakyRelu(h, 0.01) : g.relu(h);
    h = g.concat([maps[i - 1], h], 1); // [N,2·width·2^(i−1),H/2^i,W/2^i]
  }
  return g.tanh(nn.convTranspose(net.at('up0'), h, { filters: x.shape[1] as number, ...halving }));
}

/** D_N and D_A: logits that patches of an image are real, `[N,1,4,4]` of 32 × 32 pixels, `[N,1,14,14]` of 128 × 128. */
function discriminate(options: Config, net: nn.Scope, x: Value): Value {
  if (isSeed(options)) return encodeSeed000(net, x); // [N,64,1,1]
  const side = (h: Value) => Math.min(...(h.shape.slice(2) as number[]));
  let h = x;
  const layer = (i: number, how: { stride: number; padding: number }) => {
    const filters = filtersOf(options.discriminatorWidth, i);
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

/** How far judgements are from "real" (1) or "drawn" (0): mean (σ(l) − t)², or cross-entropy. */
function miss({ adversarial }: Config, logits: Value, target: 0 | 1): Value {
  if (adversarial === 'bce') return nn.bceWithLogits(logits, target);
  return g.reduceMean(g.square(g.sub(g.sigmoid(logits), target)));
}

/**
 * Mean error of the `top` worst of all overlapping patches of each image, mean over the batch: `[N,C,H,W]` → scalar.
 * M = (⌊(H − P)/S⌋ + 1) · (⌊(W − P)/S⌋ + 1) patches of P pixels with a step of S = P/2.
 */
export function patchLoss(x: Value, drawn: Value, patch: number, top: number): Value {
  const error = g.reduceMean(g.abs(g.sub(x, drawn)), { axes: [1], keep: true }); // [N,1,H,W]
  const side = Math.min(patch, ...(x.shape.slice(2) as number[]));
  const patches = g.flatten(g.averagePool(error, side, { stride: Math.max(1, side >> 1) })); // [N,M]
  return g.reduceMean(g.topK(patches, Math.min(top, patches.shape[1] as number)).values);
}

/**
 * ABC loss (Yamanaka et al. 2019): mean of −log(1 − exp(−e)) with e = mean |x − G(x)| of each image; it falls as e grows,
 * down to −log(1 − exp(−2)) = 0.1454 for values in [−1, 1], and e counts as 1e-6 at least, where it would be infinite.
 */
export function abcLoss(x: Value, drawn: Value): Value {
  const e = g.maximum(g.reduceMean(g.abs(g.sub(x, drawn)), { axes: [1, 2, 3] }), 1e-6); // [N]
  return g.neg(g.reduceMean(g.log(g.sub(1, g.exp(g.neg(e))))));
}

/** The half of a balanced batch that is normal, or the one that is anomalous. */
function halfOf(batch: Value, kind: 'normal' | 'anomalous'): Value {
  const count = batch.shape[0] as number;
  return g.slice(batch, { 0: kind === 'normal' ? [0, count >> 1] : [count >> 1, count] });
}

type Terms = readonly (readonly [weight: number, loss: Value])[];
const weighted = (terms: Terms) =>
  terms.map(([w, loss]) => (w === 1 ? loss : g.mul(loss, w))).reduce((a, b) => g.add(a, b));

/** The loss of G on normal images x, and what it is made of. */
function normalLoss(options: Config, net: nn.StepContext['net'], x: Value): nn.StepResult {
  const E = net('generator').frozen(); // codes are compared without dropout
  const drawn = generate(options, net('generator'), x);
  const squared = nn.l2(x, drawn);
  const latent = () => [latentOf(options, E, x), latentOf(options, E, drawn)] as const;
  const judged = (group: string) => miss(options, discriminate(options, net(group), drawn), 1);
  switch (options.method) {
    case 'seed-ae':
      return squared;
    case 'seed-gan':
      return g.add(squared, judged('discriminator'));
    case 'seed-sota': // σ((MSE(x̂, x) + MSE(D_N(x̂), 1) + MSE(E(x̂), E(x))) / 3)
      return g.sigmoid(g.mul(g.add(g.add(squared, judged('normal')), nn.l2(...latent())), 1 / 3));
    case 'two-discriminator': {
      const error = nn.l1(x, drawn);
      const terms: [number, Value][] = [[options.l1Weight, error]];
      if (options.patchWeight > 0)
        terms.push([options.patchWeight, patchLoss(x, drawn, options.patch, options.topPatches)]);
      if (options.latentWeight > 0) terms.push([options.latentWeight, nn.l1(...latent())]);
      if (options.adversarialWeight > 0) terms.push([options.adversarialWeight, judged('normal')]);
      return { loss: weighted(terms), metrics: { error } };
    }
  }
}

/** The loss of G on anomalous images x. */
function anomalyLoss(options: Config, net: nn.StepContext['net'], x: Value): nn.StepResult {
  const drawn = generate(options, net('generator'), x);
  const judged = (target: 0 | 1) => miss(options, discriminate(options, net('anomalous'), drawn), target);
  switch (options.method) {
    case 'seed-ae':
    case 'seed-gan':
      return g.neg(nn.l2(x, drawn));
    case 'seed-sota': // −½ σ(MSE(D_A(x̂), 1) + MSE(x̂, x))
      return g.mul(g.sigmoid(g.add(judged(1), nn.l2(x, drawn))), -0.5);
    case 'two-discriminator': {
      const terms: [number, Value][] = [[options.abcWeight, abcLoss(x, drawn)]];
      if (options.anomalyAdversarialWeight > 0) terms.push([options.anomalyAdversarialWeight, judged(0)]);
      return { loss: weighted(terms), metrics: { error: nn.l1(x, drawn) } };
    }
  }
}

/** The discriminators of a method: its group of parameters and what it sees. */
function judgesOf(options: Config): (readonly [group: string, sees: 'normal' | 'anomalous'])[] {
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
    'A U-Net learns to draw normal images again and to fail on labelled anomalies, judged by one discriminator for each ' +
    'kind; the error of the drawing is the score. It fails as well on what resembles the anomalies that it was shown.',
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

  unsuitable(_options, [, height, width]) {
    if (Math.min(height, width) >= 8) return undefined;
    return `a GAN with two discriminators needs images of at least 8 × 8 pixels, got ${height} × ${width}.`;
  },

  phases(options) {
    const { weightDecay, learningRate, discriminatorLearningRate } = options;
    const judging = nn.adam({ learningRate: discriminatorLearningRate, weightDecay });
    const drawing = nn.adam({ learningRate, weightDecay });
    // D_N on normals, D_A on anomalies, G on normals, G on anomalies.
    const judges = judgesOf(options).map(
      ([group, sees]): nn.Step => ({
        name: group,
        updates: [group], // G stands still, as if its drawing were detached
        optimizer: judging,
        loss({ net, x: batch }) {
          const x = inputOf(options, halfOf(batch, sees));
          const real = discriminate(options, net(group), x);
          const fake = discriminate(options, net(group), generate(options, net('generator'), x));
          // ½ (D(x) → 1 + D(G(x)) → 0)
          const loss = g.mul(g.add(miss(options, real, 1), miss(options, fake, 0)), 0.5);
          const mean = (logits: Value) => g.reduceMean(g.sigmoid(logits));
          return { loss, metrics: { real: mean(real), fake: mean(fake) } };
        },
      }),
    );
    const drawn = (['normal', 'anomalous'] as const).map(
      (kind): nn.Step => ({
        name: `generator-${kind}`,
        updates: ['generator'],
        optimizer: drawing,
        loss({ net, x: batch }) {
          const x = inputOf(options, halfOf(batch, kind));
          return kind === 'normal' ? normalLoss(options, net, x) : anomalyLoss(options, net, x);
        },
      }),
    );
    const { epochs, batchSize } = options;
    return [{ epochs, batchSize, balanced: true, phase: { name: 'fit', steps: [...judges, ...drawn] } }];
  },

  pool: (_options, map) => poolMap('mean', map),

  /** |x − G(x)| of values in [−1, 1]; squared for the nets of the seed, as there. */
  score(options, net, image) {
    const x = inputOf(options, image);
    const drawn = generate(options, net('generator'), x);
    const error = g.sub(x, drawn);
    const mean = g.reduceMean(isSeed(options) ? g.square(error) : g.abs(error), { axes: [1], keep: true });
    const map = isSeed(options) ? mean : withoutFrame(mean, image); // [N,1,H,W]
    const reconstruction = isSeed(options) ? unsigned(drawn) : fromCanvas(drawn, image);
    return { map, score: poolMap('mean', map), reconstruction };
  },
});
