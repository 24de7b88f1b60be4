/**
 * DRAEM (Zavrtanik et al., ICCV 2021, and VitjanZ/DRAEM): defects are made on normal images while training; one network
 * learns to draw the image without them, a second to tell from image and drawing which pixels they cover. No pretrained
 * weights and no real defects are needed. Widths of the second network are the published ones at `width` 64; those of
 * the first are ours but for its 128 filters next to the image. Ours too: sizes for a CPU, nearest-neighbour doubling,
 * textures made by rule where no folder of foreign images is given, and fillings from elsewhere in the image.
 */
import { option, say } from '../core/text.ts';
import * as z from 'zod';
import * as g from '../graph/ops/index.ts';
import type { Value } from '../graph/value.ts';
import * as nn from '../nn/index.ts';
import { defineModel } from './define.ts';
import { convUnet, plainParts } from './parts/conv-unet.ts';
import { defectLogit, focalLoss, widthsOf } from './parts/defect-logit.ts';
import { passesFor } from './parts/passes.ts';
import { cropTo, padTo } from './parts/sides.ts';

const config = z.strictObject({
  drawingWidth: z.int().min(1).max(512).default(16).describe('Filters of the first network next to the image.'),
  width: z.int().min(1).max(512).default(16).describe('Filters of the second network next to the image.'),
  levels: z.int().min(1).max(6).default(5).describe('Sizes at which the networks work, each half of the one before.'),
  ssimWeight: z.number().min(0).max(100).default(1).describe('Weight of 1 − SSIM beside the squared error.'),
  segmentationWeight: z.number().min(0).max(100).default(1).describe('Weight of the loss of the second network.'),
  focus: z.number().min(0).max(10).default(2).describe('γ of the focal loss: how little easy pixels count.'),
  defectShare: z.number().min(0).max(1).default(0.5).describe('Share of the training images that get a defect.'),
  filling: z
    .enum(['texture', 'self', 'both'])
    .default('both')
    .describe('What defects are made of: a foreign texture, another place of the image, or either.'),
  textures: z
    .string()
    .default('')
    .describe('Folder of foreign images to fill defects with; empty for textures made by rule.'),
  window: z
    .int()
    .min(1)
    .max(99)
    .default(21)
    .describe('Side of the square over which the map is averaged for the score.'),
  epochs: z.int().min(1).max(1000000).default(10).describe('Passes over the training images.'),
  batchSize: z.int().min(1).max(4096).default(8).describe('Images per training step.'),
  learningRate: z.number().positive().max(1).default(1e-3).describe("Adam's learning rate at the start."),
  schedule: z
    .enum(['cosine', 'steps'])
    .default('cosine')
    .describe('Learning rate over the training; "steps" takes a fifth at 80 % and again at 90 %, as published.'),
});
type Config = z.infer<typeof config>;

/** Drawing `[N, C, H, W]` of an image without its defects, and the logit of a defect `[N, 1, H, W]`. */
function inspect(options: Config, net: (group: string) => nn.Scope, image: Value): { drawn: Value; logit: Value } {
  const { drawingWidth, width, levels } = options;
  const x = padTo(image, 2 ** (levels - 1));
  const drawing = net('drawing');
  const h = convUnet(drawing, x, { ...plainParts, widths: widthsOf(drawingWidth, levels), skips: false });
  const drawn = nn.conv(drawing.at('out'), h, { filters: image.shape[1] as number, kernel: 3, padding: 1 });
  const logit = defectLogit(net('segmentation'), drawn, x, widthsOf(width, levels));
  return { drawn: cropTo(drawn, image), logit: cropTo(logit, image) };
}

/** The largest mean of the map over a square, `[N]`; at the border pixels outside count as 0. */
function largestMean(map: Value, window: number): Value {
  const smooth = window === 1 ? map : g.averagePool(map, window, { stride: 1, padding: (window - 1) / 2 });
  return g.reduceMax(smooth, { axes: [1, 2, 3] });
}

/** Training steps by default. */
const STEPS = 600;
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
  idea: 'Defects made on normal images; one network draws them away, another learns to see where they were.',
  paper: 'Zavrtanik et al., DRAEM: A discriminatively trained reconstruction embedding, ICCV 2021, arXiv 2108.07610.',
  learning: 'one-class',
  inputs: ['image'],
  learns: 'gradient',
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
    const side = Math.min(...shape.slice(1));
    const batchSize = side < 64 ? 16 : 8;
    return {
      levels: Math.max(1, Math.min(5, Math.floor(Math.log2(side / 4)) + 1)),
      batchSize,
      epochs: passesFor(STEPS, batchSize, count),
      window: 2 * Math.floor((21 * Math.min(side, PUBLISHED_SIDE)) / PUBLISHED_SIDE / 2) + 1,
    };
  },
  tiny: { drawingWidth: 4, width: 4, levels: 2, epochs: 6, batchSize: 16, learningRate: 3e-3 },

  unsuitable({ levels, window }, [, height, width]) {
    const least = Math.max(8, 2 ** (levels - 1), window);
    if (window % 2 === 0) return say`${option('config.window')} must be odd, got ${window}.`;
    if (Math.min(height, width) < least)
      return `draem of ${levels} levels and window ${window} needs images of at least ${least} × ${least} pixels, got ${height} × ${width}.`;
    return undefined;
  },

  phases(options) {
    const { epochs, batchSize, learningRate, ssimWeight, segmentationWeight, focus } = options;
    return [
      {
        epochs,
        batchSize,
        defects: {
          share: options.defectShare,
          filling: options.filling,
          ...(options.textures && { textureFolder: options.textures }),
        },
        phase: {
          name: 'fit',
          steps: [
            {
              name: 'fit',
              updates: ['drawing', 'segmentation'],
              optimizer: nn.adam({ learningRate }),
              schedule: options.schedule === 'cosine' ? nn.cosineDecay() : nn.milestones([0.8, 0.9], 0.2),
              loss({ net, x, planted }) {
                const { drawn, logit } = inspect(options, net, planted!.x);
                const structure = nn.ssim(x, drawn);
                const error = nn.l2(x, drawn);
                const focal = focalLoss(logit, planted!.mask, focus);
                const loss = g.add(g.add(error, g.mul(structure, ssimWeight)), g.mul(focal, segmentationWeight));
                return { loss, metrics: { error, structure, focal } };
              },
            },
          ],
        },
      },
    ];
  },

  pool: ({ window }, map) => largestMean(map, window),

  score(options, net, x) {
    const { drawn, logit } = inspect(options, net, x);
    const map = g.sigmoid(logit); // [N,1,H,W]
    return { map, score: largestMean(map, options.window), reconstruction: g.clip(drawn, 0, 1) };
  },
});
