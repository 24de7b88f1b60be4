/**
 * EfficientAD (Batzner et al., WACV 2024, arXiv 2303.14535): a small student learns a teacher's features on normal
 * images, harder where it errs most, and an autoencoder learns them through a code of 64 numbers. The student also learns what the
 * autoencoder gives, so that a wrong arrangement of right parts stands out as a difference of those two. Both maps are
 * brought to one scale by quantiles on normal images. Networks are the published ones at `width` 128 and
 * `autoencoderWidth` 64. Ours: the teacher is a backbone, its features resampled to the student's grid and not distilled
 * into a network of the student's kind first (name an ONNX file of such a one as `backbone` to have it); padded
 * convolutions, whose grid covers the image; quantiles are means over batches of held-out normals; penalty images are
 * foreign textures on the training images instead of ImageNet; and by default narrow networks and few steps of several
 * images. Planted defects on held-out tiles, 48 of 128 × 128 pixels, after 130 steps: AUROC 0.62 of images and 0.65 of pixels
 * with the penalty, 0.65 and 0.66 without; such figures differ by 0.05 by chance. A teacher of the student's kind that was
 * distilled from the backbone in the same number of steps, on training images and textures, had 0.66 and 0.62 in 1.6 times
 * the time, and was left out: that few images make no teacher.
 */
import * as z from 'zod';
import { imagenet, prepare } from '../backbones/index.ts';
import * as g from '../graph/ops/index.ts';
import type { Value } from '../graph/value.ts';
import * as nn from '../nn/index.ts';
import { defineModel } from './define.ts';
import { backboneOptions, choiceOf, joined, tapped, tapsOf, tooSmall } from './parts/features.ts';
import { epochsFor } from './parts/fitting/epochs.ts';
import { pass, upperQuantile } from './parts/fitting/measure.ts';
import { phase } from './parts/fitting/phase.ts';
import { poolMap } from './parts/maps/pool-map.ts';
import { needsSide } from './parts/needs-side.ts';
import { autoencode, BORDER, gridSide, patchNetwork } from './parts/nets/efficient-ad.ts';
import * as common from './parts/options.ts';
import { channelsOf, countOf, sidesOf } from './parts/shapes.ts';

const config = z.strictObject({
  ...backboneOptions,
  taps: z
    .string()
    .default('')
    .describe('Places in the teacher whose features are learnt, separated by commas; its finest usual one if empty.'),
  network: z.enum(['small', 'medium']).default('small').describe('Layers of the student, as published.'),
  width: z
    .int()
    .min(4)
    .max(512)
    .default(32)
    .describe("Filters of the small student's first layer, to which all others are in proportion; published: 128."),
  autoencoderWidth: z
    .int()
    .min(2)
    .max(512)
    .default(32)
    .describe('Filters of the autoencoder; its first two layers have half of them; published: 64.'),
  padding: z
    .boolean()
    .default(true)
    .describe('Pad the convolutions of the student; without padding, as published, its map leaves out a border.'),
  hardQuantile: common.share(0.9, 'Share of the squared differences, the smallest ones, that the student ignores.', {
    most: 0.9999,
  }),
  penalty: z
    .enum(['none', 'textures'])
    .default('textures')
    .describe('Penalise the student for learning the teacher on foreign textures; takes half as long again.'),
  textures: z
    .string()
    .default('')
    .describe('Folder of foreign images for the penalty; empty for textures made by rule.'),
  epochs: common.epochs(10, undefined, { most: 1000000 }),
  batchSize: common.batchSize(4, undefined, { most: 1024 }),
  learningRate: common.learningRate(2e-3),
  schedule: z
    .enum(['cosine', 'step'])
    .default('cosine')
    .describe('Learning rate over the training; "step" falls to a tenth at 95 %, as published.'),
});
type Config = z.infer<typeof config>;

/** Training steps by default. */
const STEPS = 500;
const WEIGHT_DECAY = 1e-5;
/** Quantiles of the maps of normal images that become 0 and `SCALE`. */
const QUANTILES = [0.9, 0.995] as const;
const SCALE = 0.1;
/** Smallest variance of a channel, and smallest distance of the quantiles. */
const EPS = 1e-12;
/** Least side of images for a student without padding. */
const LEAST_UNPADDED = 40;

/** The options with the finest usual tap where none is named. */
function teacherOf(options: Config): Config {
  return options.taps === '' ? { ...options, taps: tapsOf(options).taps[0] } : options;
}

const gridsOf = ({ padding }: Config, x: Value): number[] => sidesOf(x).map((side) => gridSide(side, padding));

/** The teacher's features of images in [0, 1], on the grid of the student. */
function taughtRaw(options: Config, net: (group: string) => nn.Scope, x: Value): Value {
  const y = joined(tapped(teacherOf(options), net, x));
  const grid = gridsOf(options, x);
  if (sidesOf(y).every((side, i) => side === grid[i])) return y;
  const whole = g.resizeBilinear(y, gridsOf({ ...options, padding: true }, x));
  if (options.padding) return whole;
  return g.slice(whole, { 2: [BORDER, BORDER + grid[0]], 3: [BORDER, BORDER + grid[1]] });
}

interface Statistics {
  readonly mean: Value;
  readonly variance: Value;
  readonly batches: Value;
}

/** Mean and variance of each channel of the teacher on training images, and how many batches they are of. */
function statistics(net: nn.Scope, channels: number): Statistics {
  const shape = [1, channels, 1, 1];
  return {
    mean: net.buffer('mean', shape, nn.zerosInit),
    variance: net.buffer('variance', shape, nn.zerosInit),
    batches: net.buffer('batches', [], nn.zerosInit),
  };
}

/** The statistics with one more batch `[N, C, h, w]`, as large as those before (Chan et al. 1979). */
export function merge({ mean, variance, batches }: Statistics, y: Value): Statistics {
  const over = { axes: [0, 2, 3], keep: true };
  const own = g.reduceMean(y, over);
  const ownVariance = g.reduceMean(g.square(g.sub(y, own)), over);
  const [all, shift] = [g.add(batches, 1), g.sub(own, mean)];
  // M₂ of both and δ² n_a n_b / (n_a + n_b), in units of a batch.
  const between = g.mul(g.square(shift), g.div(batches, all));
  const sum = g.add(g.add(g.mul(variance, batches), ownVariance), between);
  return { mean: g.add(mean, g.div(shift, all)), variance: g.div(sum, all), batches: all };
}

/** The same with mean 0 and variance 1 per channel over the training images: t. */
function taught(options: Config, net: (group: string) => nn.Scope, x: Value): Value {
  const y = taughtRaw(options, net, x);
  const { mean, variance } = statistics(net('teacher'), channelsOf(y));
  return g.div(g.sub(y, mean), g.sqrt(g.maximum(variance, EPS)));
}

/** s₁, which follows the teacher, and s₂, which follows the autoencoder: `[N, C, h, w]` each. */
function studied(options: Config, net: nn.Scope, x: Value, channels: number): [Value, Value] {
  const y = patchNetwork(options, net, prepare(imagenet, x), 2 * channels);
  return g.split(y, [channels, channels], 1) as [Value, Value];
}

/** Mean of the squares that are at least their quantile, of each item by itself, over all items. */
export function hardMean(squares: Value, quantile: number): Value {
  const rows = g.flatten(squares); // [N,C·h·w]
  const n = channelsOf(rows);
  return g.reduceMean(g.topK(rows, n - Math.ceil(quantile * (n - 1))).values);
}

/**
 * Brightness, contrast or saturation of each image, one of the three, times a factor from 0.8 to 1.2. `random` is
 * uniform in [0, 1), `[N, 2, 1, 1]`: which of them, and the factor.
 */
export function jittered(x: Value, random: Value): Value {
  const [which, how] = g.split(random, [1, 1], 1);
  const factor = g.add(g.mul(how, 0.4), 0.8);
  const isSaturation = g.step(g.sub(which, 2 / 3));
  const isContrast = g.sub(g.step(g.sub(which, 1 / 3)), isSaturation);
  const planes = x.shape[1] === 3 ? g.split(x, [1, 1, 1], 1) : undefined;
  const grey = planes
    ? planes.map((plane, c) => g.mul(plane, [0.299, 0.587, 0.114][c])).reduce((a, b) => g.add(a, b))
    : g.reduceMean(x, { axes: [1], keep: true });
  const mean = g.reduceMean(grey, { axes: [1, 2, 3], keep: true });
  // f x + (1 − f) r with r black, the mean grey or the grey of the pixel.
  const rest = g.add(g.mul(isContrast, mean), g.mul(isSaturation, grey));
  return g.clip(g.add(g.mul(x, factor), g.mul(rest, g.sub(1, factor))), 0, 1);
}

/** (1/C) Σ_c (a − b)², `[N, 1, h, w]`. */
const meanSquares = (a: Value, b: Value) => g.reduceMean(g.square(g.sub(a, b)), { axes: [1], keep: true });

/** The student's map, t against s₁, and the autoencoder's, a against s₂. */
function rawMaps(options: Config, net: (group: string) => nn.Scope, x: Value): [Value, Value] {
  const t = taught(options, net, x);
  const channels = channelsOf(t);
  const [s1, s2] = studied(options, net('student').frozen(), x, channels);
  const to = { outputs: channels, grid: sidesOf(t) };
  const a = autoencode(options.autoencoderWidth, net('autoencoder').frozen(), prepare(imagenet, x), to);
  return [meanSquares(t, s1), meanSquares(a, s2)];
}

/** Quantiles of both maps on held-out normals, `[2]` each. */
function quantiles(net: nn.Scope) {
  return {
    low: net.buffer('low', [2], nn.zerosInit),
    high: net.buffer('high', [2], nn.zerosInit),
    batches: net.buffer('batches', [], nn.zerosInit),
  };
}

/** 0.1 (m − q_a) / (q_b − q_a). */
export const normalized = (map: Value, low: Value, high: Value): Value =>
  g.div(g.mul(g.sub(map, low), SCALE), g.maximum(g.sub(high, low), EPS));

/** Mean of s₁² where a foreign texture covers the image, so that the student learns nothing of it. */
function penaltyOf(
  options: Config,
  net: nn.Scope,
  { x, mask }: { readonly x: Value; readonly mask: Value },
  channels: number,
): Value {
  const [s1] = studied(options, net, x, channels);
  const squares = g.reduceMean(g.square(s1), { axes: [1], keep: true });
  const whole = g.resizeBilinear(mask, gridsOf({ ...options, padding: true }, x), { antialias: true });
  const [height, width] = sidesOf(squares);
  const [top, left] = sidesOf(whole).map((side, i) => (side - [height, width][i]) / 2);
  const share = g.slice(whole, { 2: [top, top + height], 3: [left, left + width] });
  return g.div(g.reduceSum(g.mul(squares, share)), g.maximum(g.reduceSum(share), 1));
}

/** Moves the teacher's statistics by a batch. */
function learnTeacher(options: Config, { net, x }: nn.StepContext): Value {
  const y = taughtRaw(options, net, x);
  const merged = merge(statistics(net('teacher'), channelsOf(y)), y);
  for (const [name, value] of Object.entries(merged)) net('teacher').update(name, value);
  return g.reduceMean(g.square(y));
}

/** Algorithm 1: the hard mean of (t − s₁)², mean (t(x′) − a)², mean (a − s₂)², and the penalty where there is one. */
function studentLoss(options: Config, context: nn.StepContext): nn.StepResult {
  const { net, x, draw } = context;
  const t = taught(options, net, x);
  const channels = channelsOf(t);
  const [s1] = studied(options, net('student'), x, channels);
  const hard = hardMean(g.square(g.sub(t, s1)), options.hardQuantile);
  const other = jittered(x, draw('jitter', { kind: 'uniform', shape: [countOf(x), 2, 1, 1] }));
  const to = { outputs: channels, grid: sidesOf(t) };
  const a = autoencode(options.autoencoderWidth, net('autoencoder'), prepare(imagenet, other), to);
  const [, s2] = studied(options, net('student'), other, channels);
  const losses = { hard, autoencoder: nn.l2(taught(options, net, other), a), both: nn.l2(a, s2) };
  const metrics =
    options.penalty === 'textures'
      ? { ...losses, penalty: penaltyOf(options, net('student'), context.planted!, channels) }
      : losses;
  return { loss: Object.values(metrics).reduce((sum, l) => g.add(sum, l)), metrics };
}

/** Moves the quantiles of both maps by a batch. */
function learnQuantiles(options: Config, { net, x }: nn.StepContext): Value {
  const maps = rawMaps(options, net, x);
  const before = quantiles(net('maps'));
  const all = g.add(before.batches, 1);
  for (const [name, share] of [
    ['low', QUANTILES[0]],
    ['high', QUANTILES[1]],
  ] as const) {
    const own = maps.map((map) => g.reshape(upperQuantile(g.reshape(map, [-1]), 1 - share), [1]));
    const shift = g.sub(g.concat(own, 0), before[name]);
    net('maps').update(name, g.add(before[name], g.div(shift, all)));
  }
  net('maps').update('batches', all);
  return g.reduceMean(g.add(...maps));
}

/**
 * EfficientAD: a small student and an autoencoder learn the features of a pretrained teacher on normal images; where
 * the three disagree is anomalous (Batzner et al., WACV 2024, arXiv 2303.14535).
 * Images. Also finds parts in the wrong place, not only unusual textures; made for fast scoring, one pass of each
 * network.
 */
export const efficientAd = defineModel({
  name: 'efficient-ad',
  title: 'EfficientAD',
  idea: 'A small student and an autoencoder learn the features of a pretrained teacher on normal images; where the three differ is anomalous.',
  paper:
    'Batzner, Heckler and König, EfficientAD: accurate visual anomaly detection at millisecond-level latencies, WACV 2024.',
  learning: 'one-class',
  inputs: ['image'],
  learns: 'gradient',
  config,
  presets: Object.fromEntries(
    (['small', 'medium'] as const).map((network) => [
      `paper-${network}`,
      {
        network,
        width: 128,
        autoencoderWidth: 64,
        padding: false,
        hardQuantile: 0.999,
        penalty: 'textures',
        epochs: 350,
        batchSize: 1,
        learningRate: 1e-4,
        schedule: 'step',
      } as const,
    ]),
  ),
  defaults(shape, count) {
    const batchSize = Math.min(...shape.slice(1)) < 192 ? 4 : 2;
    return { batchSize, epochs: epochsFor(STEPS, batchSize, count) };
  },
  imageSize: [256, 256],
  tiny: { taps: 'fine', width: 16, autoencoderWidth: 16, epochs: 4, batchSize: 8, learningRate: 3e-3 },
  backbone: (options) => choiceOf(teacherOf(options)),

  unsuitable(options, shape) {
    const unpadded = options.padding ? undefined : needsSide('efficient-ad without padding', LEAST_UNPADDED, shape);
    return unpadded ?? tooSmall(teacherOf(options), shape);
  },

  phases(options) {
    const { epochs, batchSize, learningRate, penalty, textures: textureFolder } = options;
    const step: nn.Step = {
      name: 'student',
      updates: ['student', 'autoencoder'],
      optimizer: nn.adam({ learningRate, weightDecay: WEIGHT_DECAY }),
      schedule: options.schedule === 'cosine' ? nn.cosineDecay() : nn.milestones([0.95], 0.1),
      loss: (context) => studentLoss(options, context),
    };
    const defects = { share: 1, filling: 'texture', blend: 0, ...(textureFolder && { textureFolder }) } as const;
    return [
      pass('teacher', batchSize, (context) => learnTeacher(options, context)),
      phase({ epochs, batchSize, ...(penalty === 'textures' && { defects }), steps: [step] }),
      pass('maps', batchSize, (context) => learnQuantiles(options, context), { of: 'held-out' }),
    ];
  },

  pool: (_options, map) => poolMap('max', map),

  score(options, net, x) {
    const { low, high } = quantiles(net('maps'));
    const [student, autoencoder] = rawMaps(options, net, x).map((map, i) =>
      normalized(map, g.pick(low, 0, i), g.pick(high, 0, i)),
    );
    const grid = g.mul(g.add(student, autoencoder), 0.5); // [N,1,h,w]
    const border = options.padding ? 0 : BORDER;
    const whole = border === 0 ? grid : g.padAll(grid, [0, 0, border, border], [0, 0, border, border]);
    const map = g.resizeBilinear(whole, sidesOf(x));
    return { map, score: poolMap('max', map) };
  },
});
