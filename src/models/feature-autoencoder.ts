/**
 * An autoencoder of pretrained features (after Shi et al., Unsupervised anomaly segmentation via deep feature
 * reconstruction, DFR, Neurocomputing 2021): the features of each place, joined from several depths, are squeezed through
 * a narrow code by 1×1 convolutions, and the error of what comes out is the map. With `code` d and C channels the layers
 * are C → (C + d)/2 → 2d → d → 2d → (C + d)/2 → C, with batch norm and ReLU but for the code and the last. Ours: features
 * centred and in units of their mean standard deviation. Left out: d by principal components of the features at hand, of
 * which those of the backbone in the box have 44 and 56 for nine tenths of the variance on two data sets.
 */
import * as z from 'zod';
import * as g from '../graph/ops/index.ts';
import type { Value } from '../graph/value.ts';
import * as nn from '../nn/index.ts';
import { defineModel } from './define.ts';
import { backboneOptions, choiceOf, joined, tapped, tooSmall } from './parts/features.ts';
import { epochsFor } from './parts/fitting/epochs.ts';
import { phase } from './parts/fitting/phase.ts';
import { learnStandard, standard } from './parts/fitting/standard-features.ts';
import { itemMap, pooling, poolingFor, poolMap } from './parts/maps/pool-map.ts';
import { smoothMap } from './parts/maps/smooth-map.ts';
import * as common from './parts/options.ts';
import { channelsOf, sidesOf } from './parts/shapes.ts';

const config = z.strictObject({
  ...backboneOptions,
  code: common.latent(
    48,
    'Length of the code of a place; if it is as long as the features, the network learns to copy.',
  ),
  smoothing: common.smoothing(0),
  pooling,
  epochs: common.epochs(30),
  batchSize: common.batchSize(16, undefined, { most: 1024 }),
  learningRate: common.learningRate(1e-3, "Adam's learning rate at the start."),
});
type Config = z.infer<typeof config>;

/** Training steps by default. */
const STEPS = 400;

/** Features of images at the finest grid of the taps, `[N, C, h, w]`. */
const featuresOf = (options: Config, net: (group: string) => nn.Scope, x: Value): Value =>
  joined(tapped(options, net, x));

/** Features `[N, C, h, w]` through the code and back. */
export function reconstruct({ code }: Pick<Config, 'code'>, net: nn.Scope, y: Value): Value {
  const channels = channelsOf(y);
  const half = Math.ceil((channels + code) / 2);
  const layer = (name: string, x: Value, filters: number) => nn.conv(net.at(name), x, { filters, kernel: 1 });
  const active = (name: string, x: Value, filters: number) =>
    g.relu(nn.batchNorm(net.at(name).at('norm'), layer(name, x, filters)));
  let h = active('down1', y, half);
  h = active('down2', h, 2 * code);
  h = layer('code', h, code); // [N,code,h,w]
  h = active('up2', h, 2 * code);
  h = active('up1', h, half);
  return layer('features', h, channels);
}

/**
 * Autoencoder of pretrained features: the features of each place pass a narrow code, and their reconstruction error is
 * the map (after DFR, Shi et al. 2021, Neurocomputing).
 * Images. 1×1 convolutions on frozen features: quick to train, one pass to score, and nothing about the arrangement of
 * places is learnt.
 */
export const featureAutoencoder = defineModel({
  name: 'feature-autoencoder',
  title: 'Autoencoder of features',
  idea: 'Pretrained features of normal images pass a narrow code; the error of their reconstruction is the map.',
  paper: 'Shi et al., Unsupervised anomaly segmentation via deep feature reconstruction, Neurocomputing 2021.',
  learning: 'one-class',
  inputs: ['image'],
  learns: 'gradient',
  config,
  presets: {},
  defaults: (shape, count) => ({ pooling: poolingFor(shape), epochs: epochsFor(STEPS, 16, count) }),
  imageSize: [256, 256],
  tiny: { taps: 'fine', epochs: 10, batchSize: 16, learningRate: 3e-3 },
  backbone: choiceOf,

  unsuitable: (options, shape) => tooSmall(options, shape),

  phases(options) {
    const { epochs, batchSize, learningRate } = options;
    const step: nn.Step = {
      name: 'fit',
      updates: ['autoencoder'],
      optimizer: nn.adam({ learningRate }),
      schedule: nn.cosineDecay(),
      loss({ net, x }) {
        const y = standard(net('features'), featuresOf(options, net, x));
        return nn.l2(reconstruct(options, net('autoencoder'), y), y);
      },
    };
    return [
      learnStandard(batchSize, (net, x) => featuresOf(options, net, x)),
      phase({ epochs, batchSize, steps: [step] }),
    ];
  },

  pool: (options, map) => poolMap(options.pooling, map),

  score(options, net, x) {
    const y = standard(net('features'), featuresOf(options, net, x)); // [N,C,h,w]
    const errors = itemMap(g.square(g.sub(reconstruct(options, net('autoencoder'), y), y))); // [N,1,h,w]
    const map = smoothMap(errors, sidesOf(x), options.smoothing);
    return { map, score: poolMap(options.pooling, map) };
  },
});
