/**
 * Autoencoder of stacked frames (Hasan et al., CVPR 2016, arXiv 1604.04574) with the skip-frame pseudo-anomalies of STEAL Net
 * (Astrid et al., ICCV workshops 2021): a convolutional network reconstructs a window of frames from a narrow code, and the
 * squared error of the frame that the window stands for is the map. Now and then a training window is fed with skipped frames,
 * which is to say too fast, and must be reconstructed at its usual pace. Ours: frames stacked as channels of two-dimensional
 * convolutions where STEAL Net's are three-dimensional; skipped frames that would lie outside of the window turn back at its
 * ends, so that no more frames are read. Left out: pseudo-anomalies by patches, and the min-max of each test clip, which uses the
 * frames that are judged.
 */
import * as z from 'zod';
import * as g from '../graph/ops/index.ts';
import type { Value } from '../graph/value.ts';
import * as nn from '../nn/index.ts';
import { defineModel } from './define.ts';
import { epochsFor } from './parts/fitting/epochs.ts';
import { phase } from './parts/fitting/phase.ts';
import { judgedFrame } from './parts/frames/frames.ts';
import { skipFrames } from './parts/frames/skip-frames.ts';
import { itemMap, pooling, poolMap } from './parts/maps/pool-map.ts';
import { needsSide } from './parts/needs-side.ts';
import { convUnet, plainParts } from './parts/nets/conv-unet.ts';
import { levelsFor, widthsOf } from './parts/nets/sizes.ts';
import * as common from './parts/options.ts';
import { countOf, cropTo, padTo } from './parts/shapes.ts';

const config = z.strictObject({
  frames: z
    .int()
    .min(2)
    .max(64)
    .default(16)
    .describe('Frames of a window; the error is that of the one in its middle.'),
  width: common.width(16, 'Filters at the size of the frames; each level doubles them, up to eight times.'),
  levels: z.int().min(1).max(8).default(4).describe('Sizes at which the network works, each half of the one before.'),
  skipShare: common.share(0.01, 'Share of the training windows that are fed with skipped frames; 0 for none.'),
  epochs: common.epochs(10, 'Passes over the training windows.'),
  batchSize: common.batchSize(8, 'Windows per training step.'),
  learningRate: common.learningRate(1e-3, "Adam's learning rate at the start."),
  schedule: common.schedule('cosine'),
  pooling,
  smoothing: z
    .number()
    .min(0)
    .max(100)
    .default(3)
    .describe('Standard deviation of the Gaussian by which scores are smoothed along a clip, in frames; 0 for none.'),
});
type Config = z.infer<typeof config>;

/** Training steps by default. */
const STEPS = 800;

/** Windows `[N, L, C, H, W]` as the network has them. */
function reconstruct({ width, levels }: Config, net: nn.Scope, x: Value): Value {
  const [n, frames, channels, height, across] = x.shape as [number, number, number, number, number];
  const stacked = g.reshape(x, [n, frames * channels, height, across]);
  const h = convUnet(net, padTo(stacked, 2 ** (levels - 1)), {
    widths: widthsOf(width, levels),
    skips: false,
    ...plainParts,
  });
  const y = nn.conv(net.at('out'), h, { filters: frames * channels, kernel: 3, padding: 1 });
  return g.reshape(cropTo(y, [height, across]), x.shape);
}

/** Mean squared error of all frames, where some windows are fed with skipped frames. */
function reconstructionLoss(options: Config, { net, x, draw }: nn.StepContext): Value {
  const { skipShare } = options;
  const chance = () => draw('skip', { kind: 'uniform', shape: [countOf(x)] });
  const seen = skipShare > 0 ? skipFrames(x, chance(), skipShare) : x;
  return nn.l2(x, reconstruct(options, net('autoencoder'), seen));
}

/**
 * Convolutional autoencoder of stacked frames: the error of the frame in the middle of a window (Hasan et al., CVPR 2016; skipped
 * frames after STEAL Net, Astrid et al., ICCV workshops 2021).
 * Clips of frames from 8 × 8 pixels, seen 16 at a time. Trains in minutes; scoring is one pass.
 */
export const frameAutoencoder = defineModel({
  name: 'frame-autoencoder',
  title: 'Autoencoder of stacked frames',
  idea: 'A network reconstructs a window of frames through a narrow code; the error of its middle frame is the map.',
  paper:
    'Hasan et al., CVPR 2016, arXiv 1604.04574; Astrid et al., Synthetic temporal anomaly guided end-to-end video anomaly detection, ICCV workshops 2021.',
  learning: 'one-class',
  inputs: ['clip'],
  learns: 'gradient',
  config,
  presets: { 'no-skips': { skipShare: 0 } },
  defaults(shape, count) {
    const side = Math.min(...shape.slice(-2));
    const batchSize = side < 128 ? 16 : 8;
    return { levels: levelsFor(side, 4), batchSize, epochs: epochsFor(STEPS, batchSize, count) };
  },
  imageSize: { atMost: 256 },
  tiny: { frames: 4, width: 8, levels: 2, epochs: 4, batchSize: 16 },
  window: ({ frames }) => frames,
  smoothing: ({ smoothing }) => smoothing,

  unsuitable({ levels }, shape) {
    if (shape[0] < 2) return `frame-autoencoder needs windows of at least 2 frames, got ${shape[0]}.`;
    return needsSide(`a network of ${levels} levels`, Math.max(8, 2 ** levels), shape.slice(1));
  },

  phases(options) {
    const { epochs, batchSize, learningRate } = options;
    const step: nn.Step = {
      name: 'fit',
      updates: ['autoencoder'],
      optimizer: nn.adam({ learningRate }),
      schedule: common.scheduleOf(options),
      loss: (context) => reconstructionLoss(options, context),
    };
    return [phase({ epochs, batchSize, steps: [step] })];
  },

  pool: (options, map) => poolMap(options.pooling, map),

  score(options, net, x) {
    const found = reconstruct(options, net('autoencoder'), x);
    const map = itemMap(g.square(g.sub(judgedFrame(x), judgedFrame(found)))); // [N,1,H,W]
    return { map, score: poolMap(options.pooling, map) };
  },
});
