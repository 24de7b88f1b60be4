/**
 * A pretrained encoder with a decoder of transposed convolutions (founding document 002: VGG-19 to its last pool, decoder 8,
 * 16, 64, 256, 512). The published design trains encoder and decoder on the pixels of normal images and scores pixels;
 * what is bright and smooth is then easy to reconstruct and passes for normal. So the encoder stays as it is unless
 * `fineTune`, and the score compares the features of the image with those of its reconstruction (`score` "pixels" is the
 * published one). Images are fed as the network was trained, not merely divided by 255. Left out: rectified Adam (Adam is
 * used instead) and a learning rate that falls on a plateau.
 */
import * as z from 'zod';
import * as g from '../graph/ops/index.ts';
import type { Value } from '../graph/value.ts';
import * as nn from '../nn/index.ts';
import { defineModel, type ImageShape } from './define.ts';
import { backboneOptions, choiceOf, tapped, tapsOf, tooSmall } from './parts/features.ts';
import { epochsFor } from './parts/fitting/epochs.ts';
import { phase } from './parts/fitting/phase.ts';
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
  fineTune: z
    .boolean()
    .default(false)
    .describe('Train the encoder too, as published; its features then discriminate less.'),
  score: z
    .enum(['features', 'pixels'])
    .default('features')
    .describe('What is compared: the features of an image and of its reconstruction, or their pixels.'),
  pooling,
  epochs: common.epochs(30),
  batchSize: common.batchSize(16, undefined, { most: 1024 }),
  learningRate: common.learningRate(3e-4),
});
type Config = z.infer<typeof config>;

/** Filters of the published decoder, one for each doubling of the size. */
const widths = [8, 16, 64, 256, 512];
const STEPS = 400;

/** The options as models on features have them, with one tap. */
function encoderOf({ tap, ...options }: Config) {
  const all = { ...options, taps: tap };
  if (tap !== '') return all;
  if (options.backbone.startsWith('vgg')) return { ...all, taps: 'pool5' };
  return { ...all, taps: tapsOf(all).backbone.usual.at(-1)! };
}

const encode = (options: Config, net: (group: string) => nn.Scope, x: Value): Value =>
  tapped(encoderOf(options), net, x)[0];

/** The image of a code `[N, K, h, w]`, `[N, C, H, W]` in [0, 1]. */
function decode(options: Config, net: nn.Scope, code: Value, [channels, height, width]: ImageShape): Value {
  const { backbone, taps } = tapsOf(encoderOf(options));
  const doublings = Math.log2(backbone.taps[taps[0]].stride);
  let y = code;
  for (const [i, filters] of widths.slice(-doublings).entries()) {
    const at = net.at(`up${i + 1}`);
    y = g.relu(nn.convTranspose(at, y, { filters, kernel: 3, stride: 2, padding: 1, outputPadding: 1 }));
  }
  y = g.sigmoid(nn.convTranspose(net.at('image'), y, { filters: channels, kernel: 3, padding: 1 }));
  return g.resizeBilinear(y, [height, width]);
}

/**
 * A pretrained encoder with a decoder of transposed convolutions; the score compares the encoder's features of an image
 * and of its reconstruction, or their pixels.
 * Images. Named after VGG-19, but takes any backbone; without `fineTune` only the decoder is trained. Scoring is two
 * passes of the encoder and one of the decoder.
 */
export const vgg19Autoencoder = defineModel({
  name: 'vgg19-autoencoder',
  title: 'Autoencoder with a pretrained encoder',
  idea: 'A pretrained network encodes normal images and a decoder learns to reconstruct them; the score is how much the features of an image and of its reconstruction differ.',
  paper: 'Founding document 002, transfer learning with VGG-19 and autoencoders.',
  learning: 'one-class',
  inputs: ['image'],
  learns: 'gradient',
  config,
  presets: { published: { fineTune: true, score: 'pixels', pooling: 'mean', epochs: 26 } },
  defaults: (shape, count) => ({ pooling: poolingFor(shape), epochs: epochsFor(STEPS, 16, count) }),
  imageSize: [128, 128],
  tiny: { backbone: 'oddity', tap: 'fine', epochs: 10, batchSize: 16, learningRate: 2e-3 },
  backbone: (options) => choiceOf(encoderOf(options)),

  unsuitable: (options, shape) => tooSmall(encoderOf(options), shape),

  phases(options) {
    const { epochs, batchSize, learningRate, fineTune } = options;
    const step: nn.Step = {
      name: 'decoder',
      updates: fineTune ? ['backbone', 'decoder'] : ['decoder'],
      optimizer: nn.adam({ learningRate }),
      loss: ({ net, x }) => nn.l2(decode(options, net('decoder'), encode(options, net, x), imageShapeOf(x)), x),
    };
    return [phase({ epochs, batchSize, steps: [step] })];
  },

  pool: (options, map) => poolMap(options.pooling, map),

  score(options, net, x) {
    const code = encode(options, net, x);
    const reconstruction = decode(options, net('decoder'), code, imageShapeOf(x));
    const inFeatures = () => itemMap(g.square(g.sub(encode(options, net, reconstruction), code)));
    const errors =
      options.score === 'pixels' ? g.square(g.sub(x, reconstruction)) : g.resizeBilinear(inFeatures(), sidesOf(x));
    const map = itemMap(errors);
    return { map, score: poolMap(options.pooling, map), reconstruction };
  },
});
