/**
 * A pretrained encoder with a decoder that draws the image (founding document 002: VGG-19 to its last pool, decoder of
 * transposed convolutions 8, 16, 64, 256, 512). The published design trains encoder and decoder on the pixels of normal
 * images and scores pixels; what is bright and smooth is then easy to reconstruct and passes for normal. So the encoder
 * stays as it is unless `fineTune`, and the score compares features of the image with those of its reconstruction at
 * several depths: d = mean over channels of ((Δf − μ) / σ)², μ and σ of each channel's difference on held-out normals,
 * summed over the taps (`score` "pixels" is the published one). For scenes, which are odd as a whole, Δf is its mean over the
 * image (`score` "scene", preset "scenes"). With SqueezeNet and one kind of ground left out of three, that ranked water with
 * AUROC 0.85 at 64 × 64 pixels and 0.95 at 128 × 128, the places' mean 0.56 and 0.69, deserts with 1.00 both ways; comparing
 * the usual taps instead of those of strides 2, 4 and 8 gave 0.58. The decoder enlarges by nearest neighbours and convolves,
 * which leaves no checkerboard, and has fewer filters the nearer it is to the image; the published one has more, and most
 * of its time goes there. Images are fed as the network was trained, not merely divided by 255. Left out: rectified Adam
 * (Adam is used instead) and a learning rate that falls on a plateau.
 */
import * as z from 'zod';
import { isOnnxFile } from '../backbones/index.ts';
import * as g from '../graph/ops/index.ts';
import type { Value } from '../graph/value.ts';
import * as nn from '../nn/index.ts';
import { defineModel, type ImageShape } from './define.ts';
import { backboneOptions, choiceOf, tapped, tapsOf, tooSmall } from './parts/features.ts';
import { epochsFor } from './parts/fitting/epochs.ts';
import { pass } from './parts/fitting/measure.ts';
import { phase } from './parts/fitting/phase.ts';
import { addToSums, standard } from './parts/fitting/standard-features.ts';
import { itemMap, pooling, poolingFor, poolMap } from './parts/maps/pool-map.ts';
import * as common from './parts/options.ts';
import { imageShapeOf, sidesOf } from './parts/shapes.ts';

const { backbone, weights, preparation } = backboneOptions;
const config = z.strictObject({
  backbone: backbone.default('vgg19'),
  weights,
  preparation,
  tap: z
    .string()
    .default('')
    .describe('Where the encoder ends; of VGG networks their last pool if empty, of others the coarsest usual tap.'),
  taps: z
    .string()
    .default('')
    .describe(
      'Places whose features are compared, separated by commas; if empty, the last of strides 2, 4 and 8 (of VGG networks of blocks 2, 3 and 4), of a network with fewer than two of them the usual ones.',
    ),
  decoder: z
    .enum(['narrowing', 'published'])
    .default('narrowing')
    .describe('Nearest neighbours and convolutions that narrow towards the image, or the published transposed ones.'),
  fineTune: z
    .boolean()
    .default(false)
    .describe('Train the encoder too, as published; its features then discriminate less.'),
  score: z
    .enum(['features', 'scene', 'pixels'])
    .default('features')
    .describe(
      'What is compared: features of an image and of its reconstruction place by place, the same over the whole image, for scenes, or pixels.',
    ),
  pooling,
  epochs: common.epochs(30),
  batchSize: common.batchSize(16, undefined, { most: 1024 }),
  learningRate: common.learningRate(1e-3),
});
type Config = z.infer<typeof config>;

/** Filters of the published decoder, one for each doubling of the size. */
const widths = [8, 16, 64, 256, 512];
/** Filters of the narrowing decoder at the size of the image; twice as many at each half of it, and at most `WIDEST`. */
const NARROWEST = 16;
const WIDEST = 128;
const STEPS = 400;
/** No channel counts as varying less than this share of the mean variance. */
const LEAST_VARIANCE = 0.1;
/** Strides of the grids whose features are compared; of VGG networks the ends of their blocks 2, 3 and 4. */
const COMPARED = [2, 4, 8];

/** The options as models on features have them, the tap where the encoder ends first. */
function encoderOf({ tap, taps, ...options }: Config) {
  const all = { ...options, taps };
  if (tap !== '') return { ...all, taps: tap };
  if (options.backbone.startsWith('vgg')) return { ...all, taps: 'pool5' };
  return { ...all, taps: tapsOf(all).backbone.usual.at(-1)! };
}

/** The options with the taps whose features are compared. */
function comparedOf(options: Config): Config {
  if (options.taps !== '') return options;
  if (isOnnxFile(options.backbone) && options.tap !== '') return { ...options, taps: options.tap };
  const { backbone, taps } = tapsOf(options);
  const all = Object.entries(backbone.taps).filter(([name]) => !name.startsWith('pool'));
  const fine = COMPARED.flatMap((stride) => all.findLast(([, tap]) => tap.stride === stride)?.[0] ?? []);
  return { ...options, taps: (fine.length > 1 ? fine : taps).join() };
}

/** All taps that the model needs, those of the comparison first. */
function allOf(options: Config): Config {
  const [compared, [end]] = [tapsOf(comparedOf(options)).taps, tapsOf(encoderOf(options)).taps];
  const needed = options.score === 'pixels' ? [end] : [...new Set([...compared, end])];
  return { ...options, taps: needed.join() };
}

/** Features at the taps that are compared, and the code. */
function encode(options: Config, net: (group: string) => nn.Scope, x: Value): { code: Value; compared: Value[] } {
  const all = allOf(options);
  const { taps } = tapsOf(all);
  const found = tapped(all, net, x);
  const at = (tap: string) => found[taps.indexOf(tap)];
  const compared = options.score === 'pixels' ? [] : tapsOf(comparedOf(options)).taps.map(at);
  return { code: at(tapsOf(encoderOf(options)).taps[0]), compared };
}

/** The image of a code `[N, K, h, w]`, `[N, C, H, W]` in [0, 1]. */
function decode(options: Config, net: nn.Scope, code: Value, [channels, height, width]: ImageShape): Value {
  const { backbone, taps } = tapsOf(encoderOf(options));
  const doublings = Math.log2(backbone.taps[taps[0]].stride);
  let y = code;
  if (options.decoder === 'published') {
    for (const [i, filters] of widths.slice(-doublings).entries()) {
      const at = net.at(`up${i + 1}`);
      y = g.relu(nn.convTranspose(at, y, { filters, kernel: 3, stride: 2, padding: 1, outputPadding: 1 }));
    }
    y = nn.convTranspose(net.at('image'), y, { filters: channels, kernel: 3, padding: 1 });
  } else {
    for (let i = doublings - 1; i >= 0; i--) {
      const at = net.at(`up${doublings - i}`);
      const filters = Math.min(WIDEST, NARROWEST * 2 ** i);
      // Channels are brought together before the grid grows: a quarter of the work.
      y = g.relu(nn.batchNorm(at.at('norm1'), nn.conv(at.at('join'), y, { filters, kernel: 1, bias: false })));
      const larger = g.upsampleNearest(y, 2);
      const smooth = nn.conv(at.at('conv'), larger, { filters, kernel: 3, padding: 1, bias: false });
      y = g.relu(nn.batchNorm(at.at('norm2'), smooth));
    }
    y = nn.conv(net.at('image'), y, { filters: channels, kernel: 3, padding: 1 });
  }
  return g.resizeBilinear(g.sigmoid(y), [height, width]);
}

/** Δf at each tap, reconstruction less image, `[N, C, h, w]`, and the reconstruction. */
export function differences(options: Config, net: (group: string) => nn.Scope, x: Value) {
  const { code, compared } = encode(options, net, x);
  const reconstruction = decode(options, net('decoder'), code, imageShapeOf(x));
  if (options.score === 'pixels') return { reconstruction, found: [] };
  const again = encode(options, net, reconstruction).compared;
  return { reconstruction, found: compared.map((f, i) => g.sub(again[i], f)) };
}

/** What is known of the differences at each of the taps that are compared. */
const keptAt = (options: Config, net: (group: string) => nn.Scope): nn.Scope[] =>
  tapsOf(comparedOf(options)).taps.map((tap) => net('differences').at(tap));

/** The mean of a difference over the places, `[N, C, 1, 1]`: what it is of an image as a whole. */
const wholeOf = (change: Value): Value => g.reduceMean(change, { axes: [2, 3], keep: true });

/** Learns mean and spread of the differences, on images that the decoder did not see. */
function learnDifferences(options: Config, { net, x }: nn.StepContext): Value {
  const frozen = (group: string) => (group === 'decoder' ? net(group).frozen() : net(group));
  const { found } = differences(options, frozen, x);
  const kept = keptAt(options, net);
  for (const [i, change] of found.entries()) {
    addToSums(kept[i], change);
    if (options.score === 'scene') addToSums(kept[i].at('whole'), wholeOf(change));
  }
  return found.map((change) => g.reduceMean(g.square(change))).reduce((a, b) => g.add(a, b));
}

/**
 * A pretrained encoder with a decoder that draws the image; the score compares features of an image and of its
 * reconstruction at several depths, or their pixels.
 * Images. Named after VGG-19, but takes any backbone; without `fineTune` only the decoder is trained. Scoring is two
 * passes of the encoder and one of the decoder.
 */
export const vgg19Autoencoder = defineModel({
  name: 'vgg19-autoencoder',
  title: 'Autoencoder with a pretrained encoder',
  idea: 'A pretrained network encodes normal images and a decoder learns to reconstruct them; the score is how much the features of an image and of its reconstruction differ, in units of what they do on normal ones.',
  paper: 'Founding document 002, transfer learning with VGG-19 and autoencoders.',
  learning: 'one-class',
  inputs: ['image'],
  learns: 'gradient',
  config,
  before: { decoder: 'published' },
  presets: {
    published: {
      decoder: 'published',
      fineTune: true,
      score: 'pixels',
      pooling: 'mean',
      epochs: 26,
      learningRate: 3e-4,
    },
    scenes: { score: 'scene' },
  },
  defaults: (shape, count) => ({ pooling: poolingFor(shape), epochs: epochsFor(STEPS, 16, count) }),
  imageSize: [128, 128],
  tiny: { backbone: 'oddity', tap: 'fine', taps: 'fine', epochs: 10, batchSize: 16, learningRate: 2e-3 },
  backbone: (options) => choiceOf(allOf(options)),

  unsuitable: (options, shape) => tooSmall(allOf(options), shape),

  phases(options) {
    const { epochs, batchSize, learningRate, fineTune } = options;
    const step: nn.Step = {
      name: 'decoder',
      updates: fineTune ? ['backbone', 'decoder'] : ['decoder'],
      optimizer: nn.adam({ learningRate }),
      loss({ net, x }) {
        const { code } = encode(options, net, x);
        return nn.l2(decode(options, net('decoder'), code, imageShapeOf(x)), x);
      },
    };
    return [
      phase({ epochs, batchSize, steps: [step] }),
      ...(options.score === 'pixels'
        ? []
        : [pass('differences', batchSize, (context) => learnDifferences(options, context), { of: 'held-out' })]),
    ];
  },

  pool: (options, map) => poolMap(options.pooling, map),

  score(options, net, x) {
    const { reconstruction, found } = differences(options, net, x);
    if (options.score === 'pixels') {
      const map = itemMap(g.square(g.sub(x, reconstruction)));
      return { map, score: poolMap(options.pooling, map), reconstruction };
    }
    const kept = keptAt(options, net);
    const sum = (values: readonly Value[]) => values.reduce((a, b) => g.add(a, b));
    const inSpreads = (at: nn.Scope, v: Value) => itemMap(g.square(standard(at, v, 'channel', LEAST_VARIANCE)));
    const map = sum(found.map((change, i) => g.resizeBilinear(inSpreads(kept[i], change), sidesOf(x))));
    if (options.score === 'features') return { map, score: poolMap(options.pooling, map), reconstruction };
    const whole = sum(found.map((change, i) => inSpreads(kept[i].at('whole'), wholeOf(change)))); // [N,1,1,1]
    return { map, score: poolMap('mean', whole), reconstruction };
  },
});
