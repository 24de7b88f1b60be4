/**
 * ALAD: a bidirectional GAN with two more discriminators. D_xz judges pairs of an item and its code; D_xx tells (x, x)
 * from (x, G(E(x))) and D_zz tells (z, z) from (z, E(G(z))), so that encoder and generator learn to undo each other
 * (Zenati et al. 2018, arXiv 1812.02288). Networks of the public code: images of 32 × 32 × 3 with `width` 128 have its
 * parameter counts, other sizes as many halvings as leave at most 4 pixels; rows have those for KDD or Arrhythmia.
 * Spectral norm as there: encoder and discriminators but for their last layers, images only.
 * Left out: early stopping on held-out normals. For images the defaults are a quarter of the published widths, for minutes
 * of one core.
 */
import * as z from 'zod';
import { isImage } from '../core/item-shape.ts';
import * as g from '../graph/ops/index.ts';
import type { Value } from '../graph/value.ts';
import * as nn from '../nn/index.ts';
import { defineModel } from './define.ts';
import type { Judgement } from './parts/egbad-nets.ts';
import { passesFor } from './parts/passes.ts';
import {
  drawnRows,
  isRows,
  judgeRows,
  rowEncoder,
  rowGenerator,
  rowLatent,
  rowLayer,
  rowPace,
  rowTraining,
} from './parts/row-nets.ts';
import { cropTo, toSigned } from './parts/sides.ts';
import { spread } from './parts/watch.ts';

const config = z.strictObject({
  score: z
    .enum(['fm', 'l1', 'l2', 'logits'])
    .default('fm')
    .describe(
      'What the score is, of x and x̂ = G(E(x)): "fm" the l1 distance of the features of D_xx for (x, x) and (x, x̂); ' +
        '"l1" and "l2" the distance of x and x̂; "logits" how unlike (x, x) the pair (x, x̂) seems to D_xx.',
    ),
  pairs: z
    .enum(['channels', 'height'])
    .default('channels')
    .describe(
      'How D_xx sees two images: on top of each other in channels, which compares them pixel by pixel, or one below ' +
        'the other, as in the public code.',
    ),
  rows: z.enum(['kdd', 'arrhythmia']).default('kdd').describe('Networks for tables.'),
  latent: z.int().min(1).max(4096).default(100).describe('Numbers of the code; 32 for KDD, 64 for Arrhythmia.'),
  width: z.int().min(1).max(512).default(32).describe('Filters of the first convolutions; published: 128.'),
  units: z
    .int()
    .min(2)
    .max(8192)
    .default(256)
    .describe('Units of the wide dense layer of D_xz for images; published: 1024.'),
  spectral: z.boolean().default(true).describe('Spectral norm in encoder and discriminators, for images.'),
  drawn: z
    .enum(drawnRows)
    .default('linear')
    .describe(
      'Numbers of drawn rows: "linear" as published, or "sigmoid", held in [0, 1] as scaling by min-max has them.',
    ),
  epochs: z
    .int()
    .min(1)
    .max(100000)
    .default(20)
    .describe('Passes over the training items; by default about 3,000 steps.'),
  batchSize: z.int().min(2).max(4096).default(32).describe('Items per training step.'),
  learningRate: z.number().positive().max(1).default(2e-4).describe("Adam's learning rate."),
  pace: z
    .number()
    .positive()
    .max(10)
    .default(1)
    .describe("The discriminators' learning rate as a multiple of the others'; below 1 they win less easily."),
  schedule: z.enum(['constant', 'cosine']).default('constant').describe('Learning rate over the whole training.'),
  average: z
    .number()
    .min(0)
    .max(1)
    .default(0.999)
    .describe('Decay of the moving average of all weights that scoring uses; shorter during the first steps.'),
});
type Config = z.infer<typeof config>;

const SLOPE = 0.2;
/** Judges of pairs of rows or codes. */
const pairJudge = { slope: SLOPE, dropout: 0.2 };
const leaky = (x: Value) => g.leakyRelu(x, SLOPE);
const image = { weightInit: nn.normalInit(0.01), biasInit: nn.zerosInit };

/** Halvings that leave at most 4 pixels, at least 1. */
const halvings = (x: { readonly shape: Value['shape'] }): number =>
  Math.max(1, Math.ceil(Math.log2(Math.max(...(x.shape.slice(-2) as number[])) / 4)));

/** Filters after each halving: 128, 256, then 512. */
const filtersOf = (width: number, halving: number) => width << Math.min(halving, 2);

/** Widths of the row networks; x and z layers of D_xz have 128 units. */
const rowNets = {
  kdd: { encoder: [64], generator: [64, 128], joint: 128, xx: [128], zz: [32] },
  arrhythmia: { encoder: [256, 128], generator: [128, 256], joint: 256, xx: [256, 128], zz: [64, 32] },
} as const;

/** What the networks see of a batch. */
const prepare = (x: Value): Value => toSigned(x, isRows(x) ? 1 : 2 ** halvings(x));

/** E: `x → z`, `[N, latent]`. */
export function encode(options: Config, net: nn.Scope, x: Value): Value {
  const { latent, width, spectral } = options;
  if (isRows(x)) return rowEncoder(net, x, [...rowNets[options.rows].encoder, latent], SLOPE);
  let h = x;
  for (let i = 0; i < halvings(x); i++) {
    const at = net.at(`conv${i + 1}`);
    h = nn.conv(at, h, { ...image, filters: filtersOf(width, i), kernel: 4, stride: 2, padding: 1, spectral });
    h = leaky(nn.batchNorm(at.at('norm'), h));
  }
  return g.flatten(nn.conv(net.at('code'), h, { ...image, filters: latent, kernel: h.shape.slice(2) as number[] }));
}

/** G: `z → x` of one item's shape, images in [−1, 1]. */
export function generate(options: Config, net: nn.Scope, z: Value, shape: readonly number[]): Value {
  const { latent, width } = options;
  if (shape.length === 1) return rowGenerator(net, z, [...rowNets[options.rows].generator, shape[0]], options.drawn);
  const count = halvings({ shape });
  const inner = shape.slice(1).map((side) => side >> count);
  let h = g.reshape(z, [z.shape[0], latent, 1, 1]);
  for (let i = count; i >= 0; i--) {
    const at = net.at(`up${i}`);
    const size = i === count ? { kernel: inner } : { kernel: 4, stride: 2, padding: 1 };
    h = nn.convTranspose(at, h, { ...image, ...size, filters: i === 0 ? shape[0] : filtersOf(width, i - 1) });
    if (i > 0) h = g.relu(nn.batchNorm(at.at('norm'), h));
  }
  return g.tanh(h);
}

/** D_xz: the logit `[N, 1]` of pairs (x, z). */
export function judgeXz(options: Config, net: nn.Scope, x: Value, z: Value): Value {
  const { width, units, spectral } = options;
  if (isRows(x)) {
    const layer = (name: string, h: Value, count: number) => nn.dense(net.at(name), h, count, rowLayer);
    const hx = leaky(nn.batchNorm(net.at('row').at('norm'), layer('row', x, 128)));
    const hz = nn.dropout(net.at('code'), leaky(layer('code', z, 128)), 0.5);
    const joint = leaky(layer('joint', g.concat([hx, hz], 1), rowNets[options.rows].joint));
    return layer('logit', nn.dropout(net.at('joint'), joint, 0.5), 1);
  }
  let h = x;
  for (let i = 0; i < halvings(x); i++) {
    const at = net.at(`conv${i + 1}`);
    h = nn.conv(at, h, { ...image, filters: filtersOf(width, i), kernel: 4, stride: 2, padding: 1, spectral });
    h = leaky(i > 0 ? nn.batchNorm(at.at('norm'), h) : h);
  }
  const layer = (name: string, input: Value, count: number) =>
    nn.dropout(net.at(name), leaky(nn.dense(net.at(name), input, count, { ...image, spectral })), 0.2);
  const hz = layer('code2', layer('code1', z, Math.ceil(units / 2)), Math.ceil(units / 2));
  return nn.dense(net.at('logit'), layer('joint', g.concat([g.flatten(h), hz], 1), units), 1, image);
}

/** D_xx: judges pairs (x, x′); its features are those of the layer below the logit. */
export function judgeXx(options: Config, net: nn.Scope, x: Value, other: Value): Judgement {
  if (isRows(x)) return judgeRows(net, g.concat([x, other], 1), { ...pairJudge, widths: rowNets[options.rows].xx });
  const { width, spectral, pairs } = options;
  let h = g.concat([x, other], pairs === 'channels' ? 1 : 2);
  for (const i of [0, 1]) {
    const at = net.at(`conv${i + 1}`);
    const filters = Math.ceil(width / 2) << i;
    h = leaky(nn.conv(at, h, { ...image, filters, kernel: 5, stride: 2, padding: 2, spectral }));
    if (i === 0) h = nn.dropout(at, h, 0.2);
  }
  const features = g.flatten(h);
  return { features, logit: nn.dense(net.at('logit'), nn.dropout(net.at('conv2'), features, 0.2), 1, image) };
}

/** D_zz: the logit of pairs of codes (z, z′), `like` telling whether x is an image or a row. */
export function judgeZz(options: Config, net: nn.Scope, z: Value, other: Value, like: Value): Value {
  const pair = g.concat([z, other], 1);
  if (isRows(like)) return judgeRows(net, pair, { ...pairJudge, widths: rowNets[options.rows].zz }).logit;
  return judgeRows(net, pair, { ...pairJudge, widths: [64, 32], layer: { ...image, spectral: options.spectral } })
    .logit;
}

/** What a step says of a batch: every item and code, there and back. */
function cycles(options: Config, { net, x: items, draw }: nn.StepContext) {
  const x = prepare(items);
  const shape = x.shape.slice(1) as number[];
  const z = draw('z', { kind: 'normal', shape: [x.shape[0] as number, options.latent] });
  const made = generate(options, net('generator'), z, shape); // G(z)
  const code = encode(options, net('encoder'), x); // E(x)
  const x2 = generate(options, net('generator'), code, shape); // G(E(x))
  const z2 = encode(options, net('encoder'), made); // E(G(z))
  return {
    ...{ x, z, made, code, x2 },
    /** Logits of the real and the made pairs. */
    xz: {
      real: judgeXz(options, net('discriminator-xz'), x, code),
      fake: judgeXz(options, net('discriminator-xz'), made, z),
    },
    xx: {
      real: judgeXx(options, net('discriminator-xx'), x, x).logit,
      fake: judgeXx(options, net('discriminator-xx'), x, x2).logit,
    },
    zz: {
      real: judgeZz(options, net('discriminator-zz'), z, z, x),
      fake: judgeZz(options, net('discriminator-zz'), z, z2, x),
    },
  };
}

/** Σ BCE(real, target) + BCE(fake, 1 − target). */
const contrast = ({ real, fake }: { real: Value; fake: Value }, target: 0 | 1) =>
  g.add(nn.bceWithLogits(real, target), nn.bceWithLogits(fake, 1 - target));

/**
 * ALAD: a bidirectional GAN with two extra discriminators that force encoder and generator to be each other's inverse.
 * The score compares an item with its reconstruction, by default in the features of one discriminator (Zenati et al.
 * 2018, arXiv 1812.02288).
 * Images from 8 × 8 pixels and rows. Scoring is one pass through three small networks.
 */
export const alad = defineModel({
  name: 'alad',
  title: 'ALAD (cycle-consistent bidirectional GAN)',
  idea:
    'A generator and an encoder against three judges, who also demand that each undoes the other; ' +
    'how different the judge of pairs finds an item and its drawing is the score.',
  paper: 'Zenati et al. 2018, Adversarially Learned Anomaly Detection, arXiv 1812.02288.',
  learning: 'one-class',
  inputs: ['image', 'table'],
  learns: 'gradient',
  config,
  presets: {
    // The published runs stop early on held-out normals; their epochs are not given for images.
    cifar10: { latent: 100, width: 128, units: 1024, pairs: 'height', epochs: 100, batchSize: 32, learningRate: 2e-4 },
    svhn: { latent: 100, width: 128, units: 1024, pairs: 'height', epochs: 100, batchSize: 32, learningRate: 2e-4 },
    // Ours, by held-out attack rows: held in [0, 1], drawings come close to them (a sum of differences of 1.0, where the
    // mean row leaves 8.4), and the residual tells defects of them better than the features. A higher rate draws and tells
    // them better still, KDD99 worse.
    kdd: { rows: 'kdd', latent: 32, score: 'l1', drawn: 'sigmoid', epochs: 2, batchSize: 64, ...rowPace },
    'kdd-published': { rows: 'kdd', latent: 32, epochs: 100, batchSize: 50, learningRate: 1e-5 },
    arrhythmia: { rows: 'arrhythmia', latent: 64, epochs: 200, batchSize: 32, ...rowPace },
    'arrhythmia-published': { rows: 'arrhythmia', latent: 64, epochs: 1000, batchSize: 32, learningRate: 1e-5 },
  },
  defaults: (shape, count) =>
    isImage(shape)
      ? { epochs: passesFor(3000, 32, count) }
      : { latent: rowLatent(shape), ...rowTraining(count), ...rowPace },
  tiny: { latent: 8, width: 8, units: 16, epochs: 6, batchSize: 32, learningRate: 2e-3, average: 0.9 },

  unsuitable(_options, shape) {
    const [, height, width] = shape as readonly (number | undefined)[];
    if (height === undefined || width === undefined || Math.min(height, width) >= 8) return undefined;
    return `alad needs images of at least 8 × 8 pixels, got ${height} × ${width}.`;
  },

  phases(options) {
    const { learningRate, batchSize, epochs, pace } = options;
    const schedule = options.schedule === 'cosine' ? nn.cosineDecay() : nn.steady;
    const judges = ['discriminator-xz', 'discriminator-xx', 'discriminator-zz'];
    const steps: nn.Step[] = [
      {
        // The three losses share no weights: one step on their sum is a step on each.
        name: 'discriminators',
        updates: judges,
        optimizer: nn.adam({ learningRate: learningRate * pace, beta1: 0.5 }),
        schedule,
        loss(context) {
          const { xz, xx, zz, x, made, code } = cycles(options, context);
          const [dxz, dxx, dzz] = [contrast(xz, 1), contrast(xx, 1), contrast(zz, 1)];
          return {
            loss: g.add(g.add(dxz, dxx), dzz),
            metrics: {
              ...{ xz: dxz, xx: dxx, zz: dzz },
              real: g.reduceMean(xz.real),
              fake: g.reduceMean(xz.fake),
              'generated-spread': spread(made),
              'data-spread': spread(x),
              'code-spread': spread(code),
            },
          };
        },
      },
      {
        // G's own term does not reach E, nor E's G: one step on the sum moves both at once, as the public code does.
        name: 'generator-encoder',
        updates: ['generator', 'encoder'],
        optimizer: nn.adam({ learningRate, beta1: 0.5 }),
        schedule,
        loss(context) {
          const { xz, xx, zz, x, x2 } = cycles(options, context);
          const cycle = g.add(contrast(xx, 0), contrast(zz, 0));
          return {
            loss: g.add(contrast(xz, 0), cycle),
            metrics: { cycle, residual: nn.l1(x, x2) },
          };
        },
      },
    ];
    const average = { groups: ['generator', 'encoder', ...judges], decay: nn.rampedAverage(options.average) };
    return [{ epochs, batchSize, phase: { name: 'fit', steps, average } }];
  },

  score(options, net, items) {
    const x = prepare(items);
    const code = encode(options, net('encoder'), x);
    const again = generate(options, net('generator'), code, x.shape.slice(1) as number[]); // G(E(x))
    const difference = cropTo(g.sub(x, again), items);
    const judge = (other: Value) => judgeXx(options, net('discriminator-xx'), x, other);
    const sum = (v: Value) => g.reduceSum(g.flatten(v), { axes: [1] });
    const score = {
      fm: () => sum(g.abs(g.sub(judge(x).features, judge(again).features))),
      l1: () => sum(g.abs(difference)),
      l2: () => g.sqrt(g.add(sum(g.square(difference)), 1e-12)),
      logits: () => sum(g.softplus(g.neg(judge(again).logit))),
    }[options.score]();
    if (isRows(items)) return { score, map: g.abs(difference), reconstruction: again };
    const map = g.mul(g.reduceMean(g.abs(difference), { axes: [1], keep: true }), 0.5); // in units of [0, 1]
    return { score, map, reconstruction: g.mul(g.add(cropTo(again, items), 1), 0.5) };
  },
});
