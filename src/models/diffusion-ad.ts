/**
 * DiffusionAD (Zhang et al. 2023, arXiv 2303.08730, and HuiZhang0812/DiffusionAD): defects are made on normal images while
 * training; a diffusion model of normal images reconstructs the image without them in one step, guided by a prediction from
 * more noise, and a second network tells from image and reconstruction which pixels they cover. Two passes of one network
 * and one of another score an image. Ours: sizes for a CPU, one learning rate for both networks, the same noise at both
 * noise levels, textures made by rule where no folder of foreign images is given, and fillings from elsewhere in the image.
 * Scoring uses noise that never changes, the same for all images.
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
import { guidedStep, type NoiseLevel, shareColumns } from './parts/diffusion.ts';
import { defectDefaults, defectOptions, defectsOf } from './parts/fitting/defects.ts';
import { phase } from './parts/fitting/phase.ts';
import { needsSide } from './parts/needs-side.ts';
import { defectLogit, focalLoss } from './parts/nets/defect-logit.ts';
import { predictNoise, unetStep } from './parts/nets/diffusion-unet.ts';
import { widthsOf } from './parts/nets/sizes.ts';
import * as common from './parts/options.ts';
import { channelsOf, countOf, cropTo, fromSigned, itemShapeOf, sidesOf, toSigned } from './parts/shapes.ts';

/** T, as published. */
const STEPS = 1000;

const config = z.strictObject({
  width: z
    .int()
    .min(4)
    .max(512)
    .multipleOf(4)
    .default(16)
    .describe('Channels of the first level of the diffusion model, a multiple of 4; published: 128.'),
  attention: z
    .int()
    .min(0)
    .max(64)
    .default(16)
    .describe('Longest side, in pixels, of maps with attention; published: 32.'),
  heads: z.int().min(1).max(16).default(2).describe('Heads of attention; published: 4.'),
  segmentationWidth: common.width(16, 'Filters of the segmentation network next to the image; published: 64.'),
  levels: z
    .int()
    .min(1)
    .max(6)
    .default(5)
    .describe('Sizes at which the segmentation network works, each half of the one before.'),
  near: z
    .int()
    .min(1)
    .max(STEPS)
    .default(200)
    .describe('Steps of noise from which the image is reconstructed in scoring.'),
  far: z.int().min(1).max(STEPS).default(400).describe('Steps of noise of the guiding prediction in scoring.'),
  border: z
    .int()
    .min(1)
    .max(STEPS - 1)
    .default(300)
    .describe('Training samples fewer steps for the image, and at least as many for the guiding prediction.'),
  guidance: common.weight(1, 'w: strength of the guidance by the prediction from more noise.', { most: 10 }),
  segmentationWeight: common.weight(5, 'Weight of the focal loss of the segmentation network.', { most: 100 }),
  focus: common.weight(4, 'γ of the focal loss: the larger, the less easy pixels count.', { most: 10 }),
  ...defectOptions,
  epochs: common.epochs(10, undefined, { most: 1000000 }),
  batchSize: common.batchSize(8, 'Images per training step; published: 16.'),
  learningRate: common.learningRate(5e-4, "Adam's learning rate at the start."),
});
type Config = z.infer<typeof config>;

/** √ᾱ and √(1 − ᾱ) by step from 0. */
const [images, spreads] = shareColumns(nn.noiseSchedule('linear', STEPS), STEPS);

/** The noise of steps `[N]`, counted from 0. */
function noiseAt(step: Value): NoiseLevel {
  const of = (column: Value) => g.reshape(g.gather(column, g.cast(step, 'int64'), 0), [-1, 1, 1, 1]);
  return { image: of(images), spread: of(spreads), step };
}

interface Inspected {
  /** Without its defects, in [−1, 1], at the size of x. */
  readonly reconstruction: Value;
  /** The logit of a defect, `[N, 1, H, W]`. */
  readonly logit: Value;
  /** Noise that was predicted at the near and the far level, `[N, 2, C, H, W]`. */
  readonly predicted: Value;
}

/** From x `[N, C, H, W]` in [−1, 1] with sides that both networks can halve. */
function inspect(
  options: Config,
  net: (group: string) => nn.Scope,
  x: Value,
  { noise, near, far }: { noise: Value; near: Value; far: Value },
): Inspected {
  const denoise = (image: Value, step: Value) => predictNoise(options, net('unet'), image, step);
  const levels = { near: noiseAt(near), far: noiseAt(far), guidance: options.guidance };
  const { reconstruction, predicted } = guidedStep(denoise, x, noise, levels);
  const widths = widthsOf(options.segmentationWidth, options.levels);
  return { reconstruction, logit: defectLogit(net('segmentation'), reconstruction, x, widths), predicted };
}

const prepare = ({ levels }: Config, x: Value) =>
  toSigned(x, Math.max(unetStep(Math.max(...sidesOf(x))), 2 ** (levels - 1)));

/**
 * Squared errors of the noise predicted at the two levels, summed as in the public code, over the images without a defect; 0
 * where all have one.
 */
export function noiseLoss(predicted: Value, noise: Value, mask: Value): Value {
  const isNormal = g.sub(1, g.reduceMax(mask, { axes: [1, 2, 3] })); // [N]
  const ofLevels = g.reduceMean(g.square(g.sub(predicted, g.unsqueeze(noise, 1))), { axes: [2, 3, 4] }); // [N,2]
  const each = g.reduceSum(ofLevels, { axes: [1] });
  return g.div(g.reduceSum(g.mul(each, isNormal)), g.maximum(g.reduceSum(isNormal), 1));
}

/** |d| − ½, and ½ d² where |d| < 1: smooth L1 with its bend at 1, of differences in [−1, 1] always the square. */
const smoothL1 = (a: Value, b: Value) => g.mul(g.reduceMean(g.square(g.sub(a, b))), 0.5);

/** Uniform random steps `[N]` from `from` to `to` − 1. */
function randomStep({ draw, planted }: nn.StepContext, name: string, from: number, to: number): Value {
  const share = draw(name, { kind: 'uniform', shape: [countOf(planted!.x)] });
  const step = g.floor(g.mul(share, to - from));
  return g.minimum(g.add(step, from), to - 1); // a float32 may round up to the end
}

/** The error of the noise, w · ½ focal(mask) – half for the published α of 0.5 – and smooth L1 of the mask. */
function defectLoss(options: Config, step: nn.StepContext): nn.StepResult {
  const { net, planted, draw } = step;
  const { border, segmentationWeight, focus } = options;
  const x = prepare(options, planted!.x);
  const { mask } = planted!;
  // t_s ~ U{0 … border − 1}, t_b ~ U{border … T − 1}
  const [near, far] = [randomStep(step, 'near', 0, border), randomStep(step, 'far', border, STEPS)];
  const noise = draw('noise', { kind: 'normal', shape: x.shape as number[] });
  const { logit, predicted } = inspect(options, net, x, { noise, near, far });
  const segmented = cropTo(logit, sidesOf(mask));
  const error = noiseLoss(predicted, noise, mask);
  const focal = g.mul(focalLoss(segmented, mask, focus), 0.5);
  const smooth = smoothL1(g.sigmoid(segmented), mask);
  const loss = g.add(g.add(error, g.mul(focal, segmentationWeight)), smooth);
  return { loss, metrics: { error, focal, smooth } };
}

/** The mean of the highest values of a map: 50 of 256 × 256 pixels, `[N]`. */
function highest(map: Value): Value {
  const flat = g.flatten(map);
  const count = Math.max(1, Math.round((50 * channelsOf(flat)) / 256 ** 2));
  return g.reduceMean(g.topK(flat, count).values, { axes: [1] });
}

/**
 * DiffusionAD: trained on synthetic defects; a diffusion model reconstructs the image without its defect in a single
 * step, and a segmentation network marks the pixels that changed (Zhang et al. 2023, arXiv 2303.08730).
 * Images from 8 × 8 pixels. Scoring is two passes of the diffusion network and one of the other, far less than
 * `anoddpm`.
 */
export const diffusionAd = defineModel({
  name: 'diffusion-ad',
  title: 'DiffusionAD',
  idea: 'Synthetic defects on normal images: a diffusion model learns to reconstruct the image without them in one step, another network to segment them.',
  paper: 'Zhang et al., Norm-guided one-step denoising diffusion for anomaly detection, arXiv 2303.08730.',
  learning: 'one-class',
  inputs: ['image'],
  learns: 'gradient',
  fitTime: 'hours',
  config,
  presets: {
    'paper-256': {
      width: 128,
      attention: 32,
      heads: 4,
      segmentationWidth: 64,
      levels: 6,
      filling: 'texture',
      epochs: 3000,
      batchSize: 16,
      learningRate: 1e-4,
    },
  },
  defaults: defectDefaults,
  tiny: {
    width: 4,
    heads: 1,
    attention: 0,
    segmentationWidth: 4,
    levels: 2,
    epochs: 6,
    focus: 2,
    batchSize: 16,
    learningRate: 3e-3,
  },

  unsuitable({ width, heads, near, far, border }, shape) {
    const small = needsSide('DiffusionAD', 8, shape);
    if (small) return small;
    if (width % heads !== 0)
      return say`${option('config.width')} must be a multiple of ${option('config.heads')} (${heads}), got ${width}.`;
    if (near > border)
      return say`${option('config.near')} must be at most ${option('config.border')} (${border}), got ${near}.`;
    if (far <= border)
      return say`${option('config.far')} must be above ${option('config.border')} (${border}), got ${far}.`;
    return undefined;
  },

  phases(options) {
    const { epochs, batchSize, learningRate } = options;
    const step: nn.Step = {
      name: 'fit',
      updates: ['unet', 'segmentation'],
      optimizer: nn.adam({ learningRate }),
      schedule: nn.cosineDecay(),
      clipNorm: 1,
      loss: (context) => defectLoss(options, context),
    };
    return [phase({ epochs, batchSize, defects: defectsOf(options), steps: [step] })];
  },

  pool: (_options, map) => highest(map),

  score(options, net, image) {
    const x = prepare(options, image);
    const shape = [1, ...itemShapeOf(x)];
    const normal = nn.sample({ kind: 'normal', shape }, new Rng(0).split('diffusion-ad').split('noise'));
    const [near, far] = [options.near, options.far].map((steps) => constant(float32([steps - 1])));
    const noise = constant(float32(normal, shape));
    const { reconstruction, logit } = inspect(options, net, x, { noise, near, far });
    const map = g.sigmoid(cropTo(logit, sidesOf(image))); // [N,1,H,W]
    return { map, score: highest(map), reconstruction: fromSigned(reconstruction, image) };
  },
});
