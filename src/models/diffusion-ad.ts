/**
 * DiffusionAD (Zhang et al. 2023, arXiv 2303.08730, and HuiZhang0812/DiffusionAD): defects are made on normal images while
 * training; a diffusion model of normal images draws the image without them in one step, led by a look through more noise,
 * and a second network tells from image and drawing which pixels they cover. Two passes of one network and one of another
 * score an image. Ours: sizes for a CPU, one learning rate for both networks, the same noise in both looks, textures made
 * by rule where no folder of foreign images is given, and fillings from elsewhere in the image. Scoring uses noise that
 * never changes, the same for all images.
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
import { defectLogit, focalLoss, widthsOf } from './parts/defect-logit.ts';
import { guidedStep, type Look } from './parts/diffusion.ts';
import { predictNoise, unetStep } from './parts/diffusion-unet.ts';
import { passesFor } from './parts/passes.ts';
import { cropTo, toSigned } from './parts/sides.ts';

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
  segmentationWidth: z
    .int()
    .min(1)
    .max(512)
    .default(16)
    .describe('Filters of the second network next to the image; published: 64.'),
  levels: z.int().min(1).max(6).default(5).describe('Sizes at which the second network works, each half of the other.'),
  near: z.int().min(1).max(STEPS).default(200).describe('Steps of noise from which the image is drawn in scoring.'),
  far: z.int().min(1).max(STEPS).default(400).describe('Steps of noise of the look that leads in scoring.'),
  border: z
    .int()
    .min(1)
    .max(STEPS - 1)
    .default(300)
    .describe('Training draws from fewer steps for the image, and from at least as many for the look that leads.'),
  guidance: z.number().min(0).max(10).default(1).describe('w: how strongly the look from further away leads.'),
  segmentationWeight: z.number().min(0).max(100).default(5).describe('Weight of the focal loss of the second network.'),
  focus: z.number().min(0).max(10).default(4).describe('γ of the focal loss: how little easy pixels count.'),
  defectShare: z.number().min(0).max(1).default(0.5).describe('Share of the training images that get a defect.'),
  filling: z
    .enum(['texture', 'self', 'both'])
    .default('both')
    .describe('What defects are made of: a foreign texture, another place of the image, or either.'),
  textures: z
    .string()
    .default('')
    .describe('Folder of foreign images to fill defects with; empty for textures made by rule.'),
  epochs: z.int().min(1).max(1000000).default(10).describe('Passes over the training images.'),
  batchSize: z.int().min(1).max(4096).default(8).describe('Images per training step; published: 16.'),
  learningRate: z.number().positive().max(1).default(5e-4).describe("Adam's learning rate at the start."),
});
type Config = z.infer<typeof config>;

const schedule = nn.noiseSchedule('linear', STEPS);
/** √ᾱ and √(1 − ᾱ) by step from 0. */
const [images, spreads] = [(k: number) => k, (k: number) => 1 - k].map((share) =>
  constant(float32(Array.from(schedule.kept.subarray(1), (k) => Math.sqrt(share(k))))),
);

/** The noise of steps `[N]`, counted from 0. */
function lookAt(step: Value): Look {
  const of = (column: Value) => g.reshape(g.gather(column, g.cast(step, 'int64'), 0), [-1, 1, 1, 1]);
  return { image: of(images), spread: of(spreads), step };
}

interface Inspected {
  /** Without its defects, in [−1, 1], at the size of x. */
  readonly drawn: Value;
  /** The logit of a defect, `[N, 1, H, W]`. */
  readonly logit: Value;
  /** Noise that was found at the near and the far look, `[N, 2, C, H, W]`. */
  readonly found: Value;
}

/** From x `[N, C, H, W]` in [−1, 1] with sides that both networks can halve. */
function inspect(
  options: Config,
  net: (group: string) => nn.Scope,
  x: Value,
  { noise, near, far }: { noise: Value; near: Value; far: Value },
): Inspected {
  const denoise = (image: Value, step: Value) => predictNoise(options, net('unet'), image, step);
  const looks = { near: lookAt(near), far: lookAt(far), guidance: options.guidance };
  const { healed: drawn, found } = guidedStep(denoise, x, noise, looks);
  const widths = widthsOf(options.segmentationWidth, options.levels);
  return { drawn, logit: defectLogit(net('segmentation'), drawn, x, widths), found };
}

const prepare = ({ levels }: Config, x: Value) =>
  toSigned(x, Math.max(unetStep(Math.max(...(x.shape.slice(2) as number[]))), 2 ** (levels - 1)));

/** Squared error of the noise found in both looks, over the images without a defect; 0 where all have one. */
export function noiseLoss(found: Value, noise: Value, mask: Value): Value {
  const isNormal = g.sub(1, g.reduceMax(mask, { axes: [1, 2, 3] })); // [N]
  const each = g.reduceMean(g.square(g.sub(found, g.unsqueeze(noise, 1))), { axes: [1, 2, 3, 4] });
  return g.div(g.reduceSum(g.mul(each, isNormal)), g.maximum(g.reduceSum(isNormal), 1));
}

/** |d| − ½, and ½ d² where |d| < 1: smooth L1 with its bend at 1, of differences in [−1, 1] always the square. */
const smoothL1 = (a: Value, b: Value) => g.mul(g.reduceMean(g.square(g.sub(a, b))), 0.5);

/** The mean of the highest values of a map: 50 of 256 × 256 pixels, `[N]`. */
function highest(map: Value): Value {
  const flat = g.flatten(map);
  const count = Math.max(1, Math.round((50 * (flat.shape[1] as number)) / 256 ** 2));
  return g.reduceMean(g.topK(flat, count).values, { axes: [1] });
}

/** Training steps by default. */
const TRAINING_STEPS = 600;

/**
 * DiffusionAD: trained on synthetic defects; a diffusion model reconstructs the image without its defect in a single
 * step, and a segmentation network marks the pixels that changed (Zhang et al. 2023, arXiv 2303.08730).
 * Images from 8 × 8 pixels. Scoring is two passes of the diffusion network and one of the other, far less than
 * `anoddpm`.
 */
export const diffusionAd = defineModel({
  name: 'diffusion-ad',
  title: 'DiffusionAD',
  idea: 'Defects made on normal images; a diffusion model draws them away in one step, another network learns to see where they were.',
  paper: 'Zhang et al., Norm-guided one-step denoising diffusion for anomaly detection, arXiv 2303.08730.',
  learning: 'one-class',
  inputs: ['image'],
  learns: 'gradient',
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
  defaults(shape, count) {
    const side = Math.min(...shape.slice(1));
    const batchSize = side < 64 ? 16 : 8;
    return {
      levels: Math.max(1, Math.min(5, Math.floor(Math.log2(side / 4)) + 1)),
      batchSize,
      epochs: passesFor(TRAINING_STEPS, batchSize, count),
    };
  },
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

  unsuitable({ width, heads, near, far, border }, [, height, width_]) {
    if (Math.min(height, width_) < 8)
      return `DiffusionAD needs images of at least 8 × 8 pixels, got ${height} × ${width_}.`;
    if (width % heads !== 0)
      return say`${option('config.width')} must be a multiple of ${option('config.heads')} (${heads}), got ${width}.`;
    if (near > border)
      return say`${option('config.near')} must be at most ${option('config.border')} (${border}), got ${near}.`;
    if (far <= border)
      return say`${option('config.far')} must be above ${option('config.border')} (${border}), got ${far}.`;
    return undefined;
  },

  phases(options) {
    const { epochs, batchSize, learningRate, border, segmentationWeight, focus } = options;
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
              updates: ['unet', 'segmentation'],
              optimizer: nn.adam({ learningRate }),
              schedule: nn.cosineDecay(),
              clipNorm: 1,
              loss({ net, planted, draw }) {
                const x = prepare(options, planted!.x);
                const shape = x.shape as number[];
                // t_s ~ U{0 … border − 1}, t_b ~ U{border … T − 1}; a float32 may round up to the end.
                const [near, far] = [
                  ['near', 0, border],
                  ['far', border, STEPS],
                ].map(([name, from, to]) => {
                  const share = draw(name as string, { kind: 'uniform', shape: [shape[0]] });
                  const step = g.floor(g.mul(share, Number(to) - Number(from)));
                  return g.minimum(g.add(step, from as number), Number(to) - 1);
                });
                const noise = draw('noise', { kind: 'normal', shape });
                const { logit, found } = inspect(options, net, x, { noise, near, far });
                const { mask } = planted!;
                const seen = cropTo(logit, mask);
                const error = noiseLoss(found, noise, mask);
                // Half for the published α of 0.5.
                const focal = g.mul(focalLoss(seen, mask, focus), 0.5);
                const smooth = smoothL1(g.sigmoid(seen), mask);
                const loss = g.add(g.add(error, g.mul(focal, segmentationWeight)), smooth);
                return { loss, metrics: { error, focal, smooth } };
              },
            },
          ],
        },
      },
    ];
  },

  pool: (_, map) => highest(map),

  score(options, net, image) {
    const x = prepare(options, image);
    const shape = [1, ...(x.shape.slice(1) as number[])];
    const noise = constant(
      float32(nn.drawn({ kind: 'normal', shape }, new Rng(0).split('diffusion-ad').split('noise')), shape),
    );
    const [near, far] = [options.near, options.far].map((steps) => constant(float32([steps - 1])));
    const { drawn, logit } = inspect(options, net, x, { noise, near, far });
    const map = g.sigmoid(cropTo(logit, image)); // [N,1,H,W]
    return { map, score: highest(map), reconstruction: g.mul(g.add(cropTo(drawn, image), 1), 0.5) };
  },
});
