/**
 * DRAEM (Zavrtanik et al., ICCV 2021, and VitjanZ/DRAEM): defects are made on normal images while training; one network
 * learns to reconstruct the image without them, a second to tell from both which pixels they cover. No pretrained
 * weights and no real defects are needed. Widths of the second network are the published ones at `width` 64; those of
 * the first are ours but for its 128 filters next to the image. Ours too: sizes for a CPU, nearest-neighbour doubling,
 * textures made by rule where no folder of foreign images is given, and fillings from elsewhere in the image.
 */
import * as z from 'zod';
import { option, say } from '../core/text.ts';
import * as g from '../graph/ops/index.ts';
import type { Value } from '../graph/value.ts';
import * as nn from '../nn/index.ts';
import { defineModel } from './define.ts';
import { defectDefaults, defectOptions, defectsOf } from './parts/fitting/defects.ts';
import { phase } from './parts/fitting/phase.ts';
import { needsSide } from './parts/needs-side.ts';
import { convUnet, plainParts } from './parts/nets/conv-unet.ts';
import { defectLogit, focalLoss } from './parts/nets/defect-logit.ts';
import { widthsOf } from './parts/nets/sizes.ts';
import * as common from './parts/options.ts';
import { channelsOf, cropTo, padTo, sidesOf } from './parts/shapes.ts';

const config = z.strictObject({
  drawingWidth: common.width(16, 'Filters of the reconstruction network next to the image.'),
  width: common.width(16, 'Filters of the segmentation network next to the image.'),
  levels: z.int().min(1).max(6).default(5).describe('Sizes at which the networks work, each half of the one before.'),
  ssimWeight: common.weight(1, 'Weight of 1 − SSIM; the squared error weighs 1.', { most: 100 }),
  segmentationWeight: common.weight(1, 'Weight of the loss of the segmentation network.', { most: 100 }),
  focus: common.weight(2, 'γ of the focal loss: the larger, the less easy pixels count.', { most: 10 }),
  ...defectOptions,
  window: z
    .int()
    .min(1)
    .max(99)
    .default(21)
    .describe('Side of the square over which the map is averaged for the score.'),
  epochs: common.epochs(10, undefined, { most: 1000000 }),
  batchSize: common.batchSize(8),
  learningRate: common.learningRate(1e-3, "Adam's learning rate at the start."),
  schedule: z
    .enum(['cosine', 'steps'])
    .default('cosine')
    .describe('Learning rate over the training; "steps" takes a fifth at 80 % and again at 90 %, as published.'),
});
type Config = z.infer<typeof config>;

/** The reconstruction `[N, C, H, W]` of an image without its defects, and the logit of a defect `[N, 1, H, W]`. */
function inspect(options: Config, net: (group: string) => nn.Scope, image: Value) {
  const { drawingWidth, width, levels } = options;
  const x = padTo(image, 2 ** (levels - 1));
  const scope = net('drawing');
  const h = convUnet(scope, x, { ...plainParts, widths: widthsOf(drawingWidth, levels), skips: false });
  const reconstruction = nn.conv(scope.at('out'), h, { filters: channelsOf(image), kernel: 3, padding: 1 });
  const logit = defectLogit(net('segmentation'), reconstruction, x, widthsOf(width, levels));
  return { reconstruction: cropTo(reconstruction, sidesOf(image)), logit: cropTo(logit, sidesOf(image)) };
}

/** The largest mean of the map over a square, `[N]`; at the border pixels outside count as 0. */
function largestMean(map: Value, window: number): Value {
  const smooth = window === 1 ? map : g.averagePool(map, window, { stride: 1, padding: (window - 1) / 2 });
  return g.reduceMax(smooth, { axes: [1, 2, 3] });
}

/** mean (x − x̂)² + w_s · (1 − SSIM(x, x̂)) + w_m · focal(mask). */
function defectLoss(options: Config, { net, x, planted }: nn.StepContext): nn.StepResult {
  const { reconstruction, logit } = inspect(options, net, planted!.x);
  const structure = nn.ssim(x, reconstruction);
  const error = nn.l2(x, reconstruction);
  const focal = focalLoss(logit, planted!.mask, options.focus);
  const { ssimWeight, segmentationWeight } = options;
  const loss = g.add(g.add(error, g.mul(structure, ssimWeight)), g.mul(focal, segmentationWeight));
  return { loss, metrics: { error, structure, focal } };
}

/** Sides from which the published window of 21 is scaled down. */
const PUBLISHED_SIDE = 256;

/**
 * DRAEM: trained on synthetic defects; one network reconstructs the image without the defect, a second one segments it
 * (Zavrtanik et al., ICCV 2021, arXiv 2108.07610).
 * Images from 8 × 8 pixels, larger for more `levels`; needs neither real defects nor pretrained weights. Scoring is one
 * pass of two U-Nets.
 */
export const draem = defineModel({
  name: 'draem',
  title: 'DRAEM',
  idea: 'Synthetic defects on normal images: one network learns to reconstruct the image without them, another to segment them.',
  paper: 'Zavrtanik et al., DRAEM: A discriminatively trained reconstruction embedding, ICCV 2021, arXiv 2108.07610.',
  learning: 'one-class',
  inputs: ['image'],
  learns: 'gradient',
  fitTime: 'hours',
  config,
  presets: {
    'paper-256': {
      drawingWidth: 128,
      width: 64,
      levels: 6,
      filling: 'texture',
      window: 21,
      epochs: 700,
      batchSize: 8,
      learningRate: 1e-4,
      schedule: 'steps',
    },
  },
  defaults(shape, count) {
    const side = Math.min(...shape.slice(1), PUBLISHED_SIDE);
    return { ...defectDefaults(shape, count), window: 2 * Math.floor((21 * side) / PUBLISHED_SIDE / 2) + 1 };
  },
  tiny: { drawingWidth: 4, width: 4, levels: 2, epochs: 6, batchSize: 16, learningRate: 3e-3 },

  unsuitable({ levels, window }, shape) {
    if (window % 2 === 0) return say`${option('config.window')} must be odd, got ${window}.`;
    return needsSide(`draem of ${levels} levels and window ${window}`, Math.max(8, 2 ** (levels - 1), window), shape);
  },

  phases(options) {
    const { epochs, batchSize, learningRate } = options;
    const step: nn.Step = {
      name: 'fit',
      updates: ['drawing', 'segmentation'],
      optimizer: nn.adam({ learningRate }),
      schedule: options.schedule === 'cosine' ? nn.cosineDecay() : nn.milestones([0.8, 0.9], 0.2),
      loss: (context) => defectLoss(options, context),
    };
    return [phase({ epochs, batchSize, defects: defectsOf(options), steps: [step] })];
  },

  pool: ({ window }, map) => largestMean(map, window),

  score(options, net, x) {
    const { reconstruction, logit } = inspect(options, net, x);
    const map = g.sigmoid(logit); // [N,1,H,W]
    return { map, score: largestMean(map, options.window), reconstruction: g.clip(reconstruction, 0, 1) };
  },
});
