/**
 * Denoising autoencoder (Kascenas et al., MIDL 2022, and AntanasKascenas/DenoisingAE): a U-Net learns to remove coarse noise
 * from normal images, and then removes from an unseen image what does not belong there. That the noise is coarse matters:
 * noise of single pixels teaches little (arXiv 2301.08330). Noise is added to normal images only; images are scored without.
 * Ours: simpler layers for a CPU, 8 groups, one cosine of the learning rate. Left out: AMSGrad, the filter of small components.
 * The published design finds lesions, a few odd pixels in an image that is otherwise normal. Images of less than 64 pixels are
 * odd as a whole, and a U-Net with skips copies what it has never seen. There the defaults are the plain denoising autoencoder of
 * the founding documents: no skips, a code of 16 numbers, noise of each pixel of deviation 0.5, squared differences. Chosen on
 * held-out training images of digits 2 and 8 against the same images mirrored, turned, or with the lower half of another one
 * upside down. AUROC there, by squared and by absolute differences: 0.991 / 0.997 / 0.996 and 0.976 / 0.990 / 0.989 for
 * digit 2 with pixel noise of 0.5, 0.986 / 0.994 / 0.994 with 1, 0.989 / 0.995 / 0.997 with coarse noise of 0.7. Means over noisy
 * copies (`copies` 4) were never better: 0.991 / 0.996 / 0.996, and for digit 8 0.848 instead of 0.852.
 */
import * as z from 'zod';
import { Rng } from '../core/random.ts';
import { float32 } from '../core/tensor.ts';
import { option, say } from '../core/text.ts';
import { constant } from '../graph/leaf.ts';
import * as g from '../graph/ops/index.ts';
import type { Value } from '../graph/value.ts';
import * as nn from '../nn/index.ts';
import { defineModel } from './define.ts';
import { epochsFor } from './parts/fitting/epochs.ts';
import { phase } from './parts/fitting/phase.ts';
import { differenceMap, itemMap, pooling, poolingFor, poolMap } from './parts/maps/pool-map.ts';
import { needsSide } from './parts/needs-side.ts';
import { convUnet, plainParts } from './parts/nets/conv-unet.ts';
import { levelsFor } from './parts/nets/sizes.ts';
import * as common from './parts/options.ts';
import { channelsOf, countOf, cropTo, itemShapeOf, padTo, sidesOf, sizeOf } from './parts/shapes.ts';

const config = z.strictObject({
  noise: z
    .enum(['coarse', 'pixel'])
    .default('coarse')
    .describe('Noise sampled on a grid and enlarged, or sampled for every pixel.'),
  noiseStd: z.number().min(0).max(10).default(0.2).describe('Standard deviation of the noise, where white is 1.'),
  grain: z
    .int()
    .min(1)
    .max(1024)
    .default(8)
    .describe('Pixels between neighbouring points of the grid of coarse noise.'),
  foreground: z
    .boolean()
    .default(false)
    .describe('Learn and score only where the image is not black, without a margin of about two pixels.'),
  median: z.boolean().default(false).describe('Smooth the map by the median of 5 × 5 pixels.'),
  network: z
    .enum(['plain', 'published'])
    .default('plain')
    .describe(
      'Layers: batch norm and ReLU, or the published ones with weight and group norm, which take half as long again.',
    ),
  width: common.width(16, 'Filters at the size of the image; each level doubles them.'),
  levels: z.int().min(1).max(8).default(4).describe('Sizes at which the network works, each half of the one before.'),
  skips: z.boolean().default(true).describe('Skip connections from the encoder to the decoder, as in a U-Net.'),
  code: z
    .int()
    .min(0)
    .max(4096)
    .default(0)
    .describe('Numbers through which everything passes at the smallest size, without skips; 0 for no such code.'),
  copies: z
    .int()
    .min(0)
    .max(64)
    .default(0)
    .describe('Noisy copies of an image that are denoised in scoring, whose maps are averaged; 0: the image itself.'),
  epochs: common.epochs(10, undefined, { most: 1000000 }),
  batchSize: common.batchSize(16),
  learningRate: common.learningRate(1e-3, "Adam's learning rate at the start."),
  weightDecay: common.weightDecay(1e-5),
  clipNorm: common.clipNorm(0.5, 'Largest norm of the gradient.', { most: 1000 }),
  difference: z
    .enum(['absolute', 'squared'])
    .default('absolute')
    .describe('How the map compares an image with its reconstruction; "absolute" is the published one.'),
  pooling,
});
type Config = z.infer<typeof config>;

/** A channel sum above this is foreground. */
const BLACK = 0.01;
/** Share of 5 × 5 pixels that must be foreground for the middle one to count. */
const INNER = 0.95;

/** 1 where an image is not black, `[N, 1, H, W]`. */
export const foregroundOf = (x: Value): Value => g.step(g.sub(g.reduceSum(x, { axes: [1], keep: true }), BLACK));

/** Values of an axis moved on by `share` of its length, around its end. */
function rolled(x: Value, axis: number, share: Value): Value {
  const size = x.shape[axis] as number;
  const moved = g.add(g.iota(size), g.floor(g.mul(share, size))); // 0 … 2 size − 2
  const places = g.sub(moved, g.mul(g.step(g.sub(moved, size - 0.5)), size));
  return g.gather(x, g.cast(places, 'int64'), axis);
}

/**
 * Noise for a batch: standard normal values `[N, C, h, w]` on a grid, enlarged to `size` and rolled round both axes by
 * `shares` `[2]` of them, uniform in [0, 1).
 */
export function coarseNoise(grid: Value, shares: Value, size: readonly number[]): Value {
  const large = g.resizeBilinear(grid, size); // [N,C,H,W]
  return rolled(rolled(large, 2, g.pick(shares, 0, 0)), 3, g.pick(shares, 0, 1));
}

/** Normal images with noise added, to the foreground only where that is all that counts. `[N, C, H, W]` */
export function corrupt(
  { noiseStd, foreground }: Pick<Config, 'noiseStd' | 'foreground'>,
  x: Value,
  field: Value,
): Value {
  const noise = g.mul(field, noiseStd);
  return g.add(x, foreground ? g.mul(noise, foregroundOf(x)) : noise);
}

/** The image with its border pixels' neighbours mirrored once around it. */
function mirrored(x: Value): Value {
  return [2, 3].reduce((y, axis) => {
    const n = y.shape[axis] as number;
    return g.concat([g.slice(y, { [axis]: [1, 2] }), y, g.slice(y, { [axis]: [n - 2, n - 1] })], axis);
  }, x);
}

/** 3×3 convolution whose kernels are v · s / ‖v‖ (Salimans & Kingma 2016), s the norm of v at the start. */
function normalizedConv(net: nn.Scope, x: Value, filters: number): Value {
  const channels = channelsOf(x);
  const fan = { in: 9 * channels, out: 9 * filters };
  const v = net.parameter('direction', [filters, channels, 3, 3], nn.fanInUniform, fan);
  // Uniform values within ±1/√n, n of them to a kernel, have a norm of about √(1/3).
  const s = net.parameter('size', [filters, 1, 1, 1], nn.filled(Math.sqrt(1 / 3)));
  const norm = g.sqrt(g.add(g.reduceSum(g.square(v), { axes: [1, 2, 3], keep: true }), 1e-12));
  const bias = net.parameter('bias', [filters], nn.fanInUniform, fan);
  return g.conv(mirrored(x), g.mul(v, g.div(s, norm)), { bias });
}

const groupsOf = (filters: number) => [8, 4, 2, 1].find((groups) => filters % groups === 0)!;

/** Twice: mirrored border, weight-normalised convolution, swish, group norm. */
function block(net: nn.Scope, x: Value, filters: number): Value {
  return ['a', 'b'].reduce((h, name) => {
    const at = net.at(name);
    return nn.groupNorm(at.at('norm'), nn.silu(normalizedConv(at, h, filters)), groupsOf(filters));
  }, x);
}

const publishedParts: typeof plainParts = {
  block,
  down: plainParts.down,
  up: (net, x, filters) => nn.convTranspose(net.at('up'), x, { filters, kernel: 2, stride: 2 }),
};

/** Maps `[N, K, h, w]` made again from a code of few numbers. */
function throughCode(net: nn.Scope, x: Value, length: number): Value {
  const code = nn.dense(net.at('code'), g.flatten(x), length); // [N,length]
  const again = nn.dense(net.at('decode'), code, sizeOf(x), { bias: false });
  return g.relu(nn.batchNorm(net.at('norm'), g.reshape(again, [x.shape[0], ...itemShapeOf(x)])));
}

/** x̂: the image without what does not belong there, `[N, C, H, W]`. */
function denoise({ network, width, levels, skips, code }: Config, net: nn.Scope, x: Value): Value {
  const h = convUnet(net, padTo(x, 2 ** (levels - 1)), {
    widths: Array.from({ length: levels }, (_, level) => width << level),
    skips,
    ...(network === 'plain' ? plainParts : publishedParts),
    ...(code > 0 && { middle: (at: nn.Scope, maps: Value) => throughCode(at, maps, code) }),
  });
  return cropTo(nn.conv(net.at('image'), h, { filters: channelsOf(x), kernel: 1 }), sidesOf(x));
}

/** The middle of the 25 values about each pixel, borders mirrored: `[N, 1, H, W] → [N, 1, H, W]`. */
export function median5(map: Value): Value {
  const [height, width] = sidesOf(map);
  const wide = g.padReflect(map, 2);
  const shifts = Array.from({ length: 25 }, (_, i) => [Math.floor(i / 5), i % 5]);
  const around = shifts.map(([y, x]) => g.slice(wide, { 2: [y, y + height], 3: [x, x + width] }));
  return g.slice(g.topK(g.concat(around, 1), 13, { axis: 1 }).values, { 1: [12, 13] });
}

/** Noise for `count` images like x, of deviation 1, from what `draw` gives: `[count, C, H, W]`. */
function fieldsOf({ noise, grain }: Config, x: Value, count: number, draw: nn.StepContext['draw']): Value {
  const isCoarse = noise === 'coarse';
  const grid = isCoarse ? sidesOf(x).map((side) => Math.max(1, Math.round(side / grain))) : sidesOf(x);
  const normal = draw('noise', { kind: 'normal', shape: [count, channelsOf(x), ...grid] });
  return isCoarse ? coarseNoise(normal, draw('roll', { kind: 'uniform', shape: [2] }), sidesOf(x)) : normal;
}

/** Random numbers that are the same in every run: a constant. */
const fixed: nn.StepContext['draw'] = (name, draw) => {
  const values = nn.sample(draw, new Rng(0).split('denoising-autoencoder').split(name));
  return constant(float32(values, draw.shape));
};

/** The map of x and x̂, `[N, 1, H, W]`. */
const compare = ({ difference }: Config, x: Value, y: Value): Value =>
  difference === 'squared' ? itemMap(g.square(g.sub(x, y))) : differenceMap(x, y);

/** The map and x̂ as scoring has them: of the image itself, or the means over noisy copies of it. */
function healed(options: Config, net: nn.Scope, x: Value): { map: Value; reconstruction: Value } {
  const of = (seen: Value) => {
    const reconstruction = denoise(options, net, seen);
    return { map: compare(options, x, reconstruction), reconstruction };
  };
  const { copies } = options;
  if (copies === 0) return of(x);
  const fields = fieldsOf(options, x, copies, fixed); // [copies,C,H,W]
  const next = ([maps, images, i]: Value[]) => {
    const field = g.unsqueeze(g.gather(fields, g.cast(i, 'int64'), 0), 0);
    const { map, reconstruction } = of(corrupt(options, x, field));
    return [g.add(maps, map), g.add(images, reconstruction), g.add(i, 1)];
  };
  const none = g.mul(x, 0);
  const [maps, images] = g.repeat(copies, [itemMap(none), none, constant(0)], next);
  return { map: g.mul(maps, 1 / copies), reconstruction: g.mul(images, 1 / copies) };
}

/** Mean squared error of the image that was denoised, of the foreground where that is all that counts. */
function denoisingLoss(options: Config, { net, x, draw }: nn.StepContext): Value {
  const { foreground } = options;
  const field = fieldsOf(options, x, countOf(x), draw);
  const error = g.square(g.sub(x, denoise(options, net('unet'), corrupt(options, x, field))));
  return g.reduceMean(foreground ? g.mul(error, foregroundOf(x)) : error);
}

/** Training steps by default. */
const STEPS = 600;
/** Least side of images of which a small part may be odd. */
const LARGE = 64;
/** Defaults for smaller ones. */
const WHOLE_IMAGES = { noise: 'pixel', noiseStd: 0.5, skips: false, code: 16, difference: 'squared' } as const;

/**
 * Denoising autoencoder: a U-Net learns to remove coarse noise from normal images; what it removes from an unseen image
 * is the map (Kascenas et al., MIDL 2022).
 * Images from 4 × 4 pixels, larger for more `levels`. Scoring is one pass without noise.
 */
export const denoisingAutoencoder = defineModel({
  name: 'denoising-autoencoder',
  title: 'Denoising autoencoder',
  idea: 'A U-Net that removes coarse noise from normal images; what it removes from an unseen one is the anomaly map.',
  paper: 'Kascenas et al., Denoising autoencoders for unsupervised anomaly detection in brain MRI, MIDL 2022.',
  learning: 'one-class',
  inputs: ['image'],
  learns: 'gradient',
  config,
  presets: {
    kascenas: {
      noise: 'coarse',
      noiseStd: 0.2,
      grain: 8,
      foreground: true,
      median: true,
      network: 'published',
      width: 64,
      levels: 4,
      skips: true,
      code: 0,
      difference: 'absolute',
      epochs: 2100,
      batchSize: 16,
      learningRate: 1e-4,
      weightDecay: 1e-5,
      clipNorm: 0.5,
    },
    'pixel-noise': { noise: 'pixel', noiseStd: 0.2, skips: false, code: 0 },
  },
  defaults(shape, count) {
    const side = Math.min(...shape.slice(1));
    const batchSize = side < 64 ? 16 : 8;
    return {
      ...(side < LARGE && WHOLE_IMAGES),
      grain: Math.max(1, Math.round(side / 16)),
      levels: levelsFor(side, 4),
      batchSize,
      epochs: epochsFor(STEPS, batchSize, count),
      pooling: poolingFor(shape),
    };
  },
  tiny: { width: 4, levels: 2, epochs: 4, batchSize: 16 },

  unsuitable({ levels, code, skips }, shape) {
    if (code > 0 && skips)
      return say`${option('config.code')} (${code}) needs ${option('config.skips')} to be off: with skip connections nothing has to
        pass through the code.`;
    return needsSide(`a network of ${levels} levels`, Math.max(4, 2 ** levels), shape);
  },

  phases(options) {
    const { epochs, batchSize, learningRate, weightDecay, clipNorm } = options;
    const step: nn.Step = {
      name: 'fit',
      updates: ['unet'],
      optimizer: nn.adam({ learningRate, weightDecay }),
      schedule: nn.cosineDecay(),
      clipNorm,
      loss: (context) => denoisingLoss(options, context),
    };
    return [phase({ epochs, batchSize, steps: [step] })];
  },

  pool: (options, map) => poolMap(options.pooling, map),

  score(options, net, x) {
    const { reconstruction, map: whole } = healed(options, net('unet'), x);
    let map = whole; // [N,1,H,W]
    if (options.foreground) {
      const inner = g.averagePool(foregroundOf(x), 5, { stride: 1, padding: 2 });
      map = g.mul(map, g.step(g.sub(inner, INNER)));
    }
    if (options.median) map = median5(map);
    return { map, score: poolMap(options.pooling, map), reconstruction: g.clip(reconstruction, 0, 1) };
  },
});
