/**
 * Autoencoder: a network that passes a normal image through a narrow code and reconstructs it; what it cannot reconstruct
 * is anomalous. Networks (`parts/nets/autoencoder.ts`): a strided convolutional one with a dense code (default), the nets of
 * seeds 000 and 001 of the founding documents, and the nine-layer one of Bergmann et al. 2019 (arXiv 1807.02011). Image and
 * reconstruction can also be compared by the features of a frozen pretrained network (`loss` "perceptual", after Johnson et
 * al. 2016, arXiv 1603.08155). Left out: tables and series.
 */
import * as z from 'zod';
import * as g from '../graph/ops/index.ts';
import type { Value } from '../graph/value.ts';
import * as nn from '../nn/index.ts';
import { defineModel } from './define.ts';
import { backboneOptions, choiceOf, tapped, tooSmall } from './parts/features.ts';
import { phase } from './parts/fitting/phase.ts';
import { itemMap, pooling, poolingFor, poolMap } from './parts/maps/pool-map.ts';
import { needsSide } from './parts/needs-side.ts';
import { autoencoderNetworks, reconstruct } from './parts/nets/autoencoder.ts';
import * as common from './parts/options.ts';
import { sidesOf } from './parts/shapes.ts';

const config = z.strictObject({
  network: z
    .enum(autoencoderNetworks)
    .default('strided')
    .describe('Layers: "strided" fits its depth to the image, the others are published nets.'),
  loss: z
    .enum(['l1', 'l2', 'ssim', 'ssim+l2', 'perceptual'])
    .default('ssim+l2')
    .describe(
      'What training minimises and the map shows; "ssim+l2" is 0.1 · (1 − SSIM) + 0.9 · (x − y)², "perceptual" ' +
        '|x − y| + 1 − SSIM + 0.1 · the squared difference of pretrained features.',
    ),
  ...backboneOptions,
  code: common.latent(16, 'Length of the code; if it is too long, the network learns to copy.'),
  width: common.width(32, 'Filters of the first layer of the strided network.'),
  epochs: common.epochs(10),
  batchSize: common.batchSize(64),
  learningRate: common.learningRate(1e-3, "Adam's learning rate at the start."),
  weightDecay: common.weightDecay(1e-5),
  schedule: common.schedule('cosine'),
  pooling,
});
type Config = z.infer<typeof config>;

/**
 * Share of SSIM in "ssim+l2": structure and brightness then weigh about the same on normal images, whose 1 − SSIM is
 * some ten times their squared error. Chosen on held-out normals against defects made from them.
 */
const SSIM_SHARE = 0.1;

/** γ: the share of features beside |x − y| and 1 − SSIM, which weigh 1. */
const FEATURE_SHARE = 0.1;

/** Mean over taps and channels of the squared difference of features, brought to the size of the images: `[N, 1, H, W]`. */
function featureErrors(options: Config, net: (group: string) => nn.Scope, x: Value, y: Value): Value {
  const [ofX, ofY] = [tapped(options, net, x), tapped(options, net, y)];
  const maps = ofX.map((f, i) => g.resizeBilinear(itemMap(g.square(g.sub(f, ofY[i]))), sidesOf(x)));
  return g.div(
    maps.reduce((a, b) => g.add(a, b)),
    maps.length,
  );
}

/** Per-pixel error `[N, C, H, W]` of the loss. */
function errorMap(options: Config, net: (group: string) => nn.Scope, x: Value, y: Value): Value {
  const { loss } = options;
  const absolute = () => g.abs(g.sub(x, y));
  const squared = () => g.square(g.sub(x, y));
  if (loss === 'l1') return absolute();
  if (loss === 'l2') return squared();
  const structure = g.sub(1, nn.ssimMap(x, y));
  if (loss === 'ssim') return structure;
  if (loss === 'ssim+l2') return g.add(g.mul(structure, SSIM_SHARE), g.mul(squared(), 1 - SSIM_SHARE));
  return g.add(g.add(absolute(), structure), g.mul(featureErrors(options, net, x, y), FEATURE_SHARE));
}

/** The mean error of the reconstruction. */
const reconstructionLoss = (options: Config, { net, x }: nn.StepContext): Value =>
  g.reduceMean(errorMap(options, net, x, reconstruct(options.network, options, net('autoencoder'), x)));

/** Training images below which batches are small, so that an epoch has some steps. */
const FEW = 1000;
/** Ten epochs of few images would be no training. */
const LEAST_STEPS = 300;

/**
 * Convolutional autoencoder: normal images pass a narrow code and are reconstructed; the reconstruction error is the
 * map (Bergmann et al. 2019, arXiv 1807.02011).
 * Images from 8 × 8 pixels. Scoring is one pass.
 */
export const autoencoder = defineModel({
  name: 'autoencoder',
  title: 'Convolutional autoencoder',
  idea: 'A network that reconstructs normal images from a narrow code; the reconstruction error is the anomaly map.',
  paper: 'Bergmann et al. 2019, arXiv 1807.02011 (cae-9); seeds 000 and 001 of the founding documents.',
  learning: 'one-class',
  inputs: ['image'],
  learns: 'gradient',
  config,
  presets: {
    'seed-000': {
      network: 'seed-000',
      loss: 'l2',
      epochs: 15,
      batchSize: 32,
      learningRate: 1e-3,
      weightDecay: 1e-5,
      schedule: 'constant',
    },
    'seed-001': {
      network: 'seed-001',
      loss: 'l2',
      epochs: 5,
      batchSize: 128,
      learningRate: 1e-4,
      weightDecay: 1e-5,
      schedule: 'constant',
    },
    'cae-l2': {
      network: 'cae-9',
      loss: 'l2',
      code: 100,
      epochs: 200,
      batchSize: 128,
      learningRate: 2e-4,
      weightDecay: 1e-5,
      schedule: 'constant',
    },
    'cae-ssim': {
      network: 'cae-9',
      loss: 'ssim',
      code: 100,
      epochs: 200,
      batchSize: 128,
      learningRate: 2e-4,
      weightDecay: 1e-5,
      schedule: 'constant',
    },
  },
  defaults(shape, count) {
    const batchSize = count < FEW ? 16 : 64;
    const perEpoch = Math.max(1, Math.floor(count / batchSize));
    return { batchSize, epochs: Math.max(10, Math.ceil(LEAST_STEPS / perEpoch)), pooling: poolingFor(shape) };
  },
  tiny: { width: 4, code: 4, epochs: 2, batchSize: 16 },
  backbone: (options) => (options.loss === 'perceptual' ? choiceOf(options) : undefined),

  unsuitable(options, shape) {
    const [, height, width] = shape;
    if (options.network === 'seed-001' && (height % 4 !== 0 || width % 4 !== 0 || Math.min(height, width) < 16))
      return `network seed-001 needs image sides that are multiples of 4 and at least 16, got ${height} × ${width}.`;
    const small = needsSide('the autoencoder', 8, shape);
    return small ?? (options.loss === 'perceptual' ? tooSmall(options, shape) : undefined);
  },

  phases(options) {
    const { learningRate, weightDecay, epochs, batchSize } = options;
    const step: nn.Step = {
      name: 'fit',
      updates: ['autoencoder'],
      optimizer: nn.adam({ learningRate, weightDecay }),
      schedule: common.scheduleOf(options),
      loss: (context) => reconstructionLoss(options, context),
    };
    return [phase({ epochs, batchSize, steps: [step] })];
  },

  pool: (options, map) => poolMap(options.pooling, map),

  score(options, net, x) {
    const reconstruction = reconstruct(options.network, options, net('autoencoder'), x); // [N,C,H,W]
    const map = itemMap(errorMap(options, net, x, reconstruction)); // [N,1,H,W]
    return { map, score: poolMap(options.pooling, map), reconstruction: g.clip(reconstruction, 0, 1) };
  },
});
