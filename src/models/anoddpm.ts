/**
 * AnoDDPM (Wyatt et al. 2022): a diffusion model of normal images. Noise is added to an image part of the way, up to step λ,
 * and the network removes it again; what it knows from no normal image comes back different. Simplex noise, whose coarse
 * octaves also cover large defects, or Gaussian. Scoring uses noise that never changes, the same for all images, and the
 * average weights. One difference to the authors' code in training: the depth of a simplex field is random, not taken from
 * the step; over random lattices both give the same fields. Left out: L1 and hybrid losses, noise with random octaves,
 * noising by single steps, and averages over noise of another kind than trained on.
 * Ours by default: the single guided step of DiffusionAD instead of 250 of DDPM, which leaves time for 16 noise fields: what one
 * field hides, or adds, goes with the mean of their reconstructions. Small images have a blurred map. Of images from 64
 * pixels on features of a pretrained network are compared: squared differences of pixels miss what is as dark as its
 * surroundings. Chosen on held-out normal magnetic tiles of 128 pixels against the same with planted defects, healed by a network
 * of width 16 after 400 steps of 2 images, from 4 simplex fields; image AUROC for λ 100 / 250 / 400: pixels 0.641 / 0.621 / –,
 * features with one μ per channel 0.481 / 0.725 / 0.748, with μ by place 0.662 / 0.811 / 0.822, and d in deviations by place too
 * 0.698 / 0.878 / 0.879. Before the best linear denoiser λ mattered little: features by place 0.936 at 100, 0.884 at 250 with one
 * μ per channel, pixels 0.738 and 0.671 (Gaussian noise: 0.933, 0.903, 0.819, 0.777). A blur of 2 or 4 pixels gave features
 * nothing and cost pixels 0.01 to 0.08 there.
 * Simplex noise stays the default as the paper's; `bench simplex` could not confirm that it is the better one: over three seeds Gaussian
 * noise has a pixel AP higher by 0.107 (95 %: 0.061 to 0.144) on planted blobs, and by 0.025 (−0.001 to 0.046) on real defects.
 */
import * as z from 'zod';
import { Rng } from '../core/random.ts';
import { float32 } from '../core/tensor.ts';
import { option, say } from '../core/text.ts';
import { constant } from '../graph/leaf.ts';
import * as g from '../graph/ops/index.ts';
import type { Value } from '../graph/value.ts';
import * as nn from '../nn/index.ts';
import { defineModel, type TrainingPhase } from './define.ts';
import { ddimSample, ddpmSample, noisy, oneStep, shareColumns } from './parts/diffusion.ts';
import { backboneOptions, choiceOf, tapped, tooSmall } from './parts/features.ts';
import { epochsFor } from './parts/fitting/epochs.ts';
import { pass } from './parts/fitting/measure.ts';
import { phase } from './parts/fitting/phase.ts';
import { differenceInDeviations, inPlace, learnDifferences, learnPlaces } from './parts/maps/feature-difference.ts';
import { itemMap, pooling, poolingFor, poolMap } from './parts/maps/pool-map.ts';
import { smoothMap } from './parts/maps/smooth-map.ts';
import { needsSide } from './parts/needs-side.ts';
import { predictNoise, unetStep } from './parts/nets/diffusion-unet.ts';
import * as common from './parts/options.ts';
import { countOf, cropTo, fromSigned, itemShapeOf, sidesOf, toSigned } from './parts/shapes.ts';

/** T, as published. */
const STEPS = 1000;
/** Least sides of images of which features are compared by default. */
const LARGE = 64;
/** Noise fields by how noise is removed: as many as cost about the same. */
const FIELDS = { fast: 16, ddim: 8, ddpm: 1 } as const;
/** Images of which features are measured at once, and so many times at most. */
const MEASURED = { batch: 4, most: 12 } as const;

const config = z.strictObject({
  width: z
    .int()
    .min(4)
    .max(512)
    .multipleOf(4)
    .default(32)
    .describe(
      'Channels of the first level, a multiple of 4; deeper ones have up to four times as many; published: 128.',
    ),
  attention: z
    .int()
    .min(0)
    .max(64)
    .default(16)
    .describe(
      'Longest side, in pixels, of maps with attention; published: 32. Time and memory grow with its fourth power.',
    ),
  heads: z.int().min(1).max(16).default(2).describe('Heads of attention.'),
  noise: z.enum(['simplex', 'gaussian']).default('simplex').describe('Noise, in training and scoring.'),
  octaves: z.int().min(1).max(10).default(6).describe('Octaves of simplex noise.'),
  persistence: z
    .number()
    .positive()
    .max(1)
    .default(0.8)
    .describe('Strength of each octave of simplex noise as a share of the coarser one.'),
  wavelength: z
    .number()
    .min(1)
    .max(1024)
    .default(64)
    .describe('Pixels per wave of the coarsest octave of simplex noise; published: 64 on images of 256.'),
  normalizeNoise: z
    .boolean()
    .default(false)
    .describe('Scale simplex noise to a variance of 1; the published code leaves it at about a quarter.'),
  schedule: z.enum(['linear', 'cosine']).default('linear').describe('How noise grows over the 1000 steps.'),
  trainSteps: z
    .int()
    .min(1)
    .max(STEPS)
    .default(800)
    .describe('Largest number of steps of noise in training; more noise the network never sees.'),
  reversal: z
    .enum(['ddim', 'ddpm', 'fast'])
    .default('fast')
    .describe(
      'How noise is removed: "ddim" in a few steps, "ddpm" in every step with fresh noise (published), "fast" in one ' +
        'step, guided by a prediction from more noise.',
    ),
  lambda: z
    .int()
    .min(0)
    .max(STEPS)
    .default(250)
    .describe('λ: steps of noise that are added to an image to be scored; with 0 its map is 0.'),
  levels: z.int().min(1).max(20).default(1).describe('Noise levels that are averaged: λ / levels, …, λ.'),
  seeds: z
    .int()
    .min(1)
    .max(64)
    .default(16)
    .describe(
      'Noise fields per noise level whose reconstructions are averaged; by default 16 with "fast", 8 with "ddim", 1 with "ddpm".',
    ),
  turns: z.int().min(1).max(STEPS).default(10).describe('Sampling steps per noise level; "ddim" only.'),
  far: z.int().min(1).max(STEPS).default(400).describe('Steps of noise of the guiding prediction; "fast" only.'),
  guidance: common.weight(1, 'Strength of that guidance; "fast" only.', { most: 10 }),
  average: common.average(0.999, 'Decay of the moving average of the weights.', { most: 0.99999 }),
  epochs: common.epochs(30),
  batchSize: common.batchSize(8, 'Images per training step; published: 1.'),
  learningRate: common.learningRate(
    1e-3,
    "Adam's learning rate; published: 1e-4, with which small networks learn half as fast.",
  ),
  score: z
    .enum(['pixels', 'features'])
    .default('pixels')
    .describe(
      'What of an image and its reconstruction is compared: pixels (published), or features of a pretrained network; by ' +
        'default features from 64 × 64 pixels on.',
    ),
  ...backboneOptions,
  smoothing: common.smoothing(8),
  pooling,
});
type Config = z.infer<typeof config>;

/** Images in [−1, 1] with sides that the network can halve. */
const prepare = (x: Value) => toSigned(x, unetStep(Math.max(...sidesOf(x))));

const octavesOf = ({ octaves, persistence, wavelength, normalizeNoise }: Config) => ({
  octaves,
  persistence,
  wavelength,
  normalized: normalizeNoise,
});

/** Noise of a shape, as in training. */
const noiseOf = (options: Config, shape: readonly number[]): nn.Draw =>
  options.noise === 'gaussian' ? { kind: 'normal', shape } : { kind: 'simplex', shape, octaves: octavesOf(options) };

/** Noise for scoring, the same in every run: a constant. */
const fixedNoise = (options: Config, name: string, shape: readonly number[]): Value =>
  constant(float32(nn.sample(noiseOf(options, shape), new Rng(0).split('anoddpm').split(name)), shape));

/** The reconstruction of x `[N,C,H,W]` in [−1, 1] from the noise of `lambda` steps, the mean over all noise fields. */
function reconstruct(options: Config, net: nn.Scope, x: Value, lambda: number): Value {
  const { seeds, turns, far, guidance, reversal } = options;
  const schedule = nn.noiseSchedule(options.schedule, STEPS);
  const denoise = (image: Value, step: Value) => predictNoise(options, net, image, step);
  const shape = itemShapeOf(x);
  const starts = fixedNoise(options, 'start', [seeds, ...shape]);
  const fresh = reversal === 'ddpm' ? fixedNoise(options, 'turns', [Math.max(1, lambda), seeds, ...shape]) : undefined;
  const from = (field: Value) => {
    const noise = g.unsqueeze(g.gather(starts, field, 0), 0); // [1,C,H,W]
    if (reversal === 'fast') return oneStep(schedule, denoise, x, { lambda, far, guidance, noise });
    const start = noisy(schedule, x, noise, lambda);
    if (!fresh) return ddimSample(schedule, denoise, start, { lambda, turns });
    const ofTurn = (turn: Value) => g.unsqueeze(g.gather(g.gather(fresh, turn, 0), field, 0), 0);
    return ddpmSample(schedule, denoise, start, { lambda, fresh: ofTurn });
  };
  // One field after the other: side by side they would take as many times the memory.
  const next = ([sum, i]: Value[]) => [g.add(sum, from(g.cast(i, 'int64'))), g.add(i, 1)];
  const [sum] = g.repeat(seeds, [g.mul(x, 0), constant(0)], next);
  return g.mul(sum, 1 / seeds);
}

/** Whether features are compared. */
const sees = ({ score }: Config) => score === 'features';

/** Features of the reconstruction less those of the image at each tap; both images in [0, 1]. */
function featureDifferences(
  options: Config,
  net: (group: string) => nn.Scope,
  images: Value,
  reconstruction: Value,
): Value[] {
  const given = tapped(options, net, images);
  return tapped(options, net, reconstruction).map((healed, i) => g.sub(healed, given[i]));
}

/** The mean of the reconstructions from all noise levels, `[N,C,H,W]` in [−1, 1] as `prepare` has it. */
function healed(options: Config, net: nn.Scope, x: Value): Value {
  const { lambda, levels } = options;
  const each = Array.from({ length: levels }, (_, i) =>
    reconstruct(options, net, x, Math.round((lambda * (i + 1)) / levels)),
  );
  return g.mul(
    each.reduce((a, b) => g.add(a, b)),
    1 / levels,
  );
}

/** The image `[N,C,H,W]` in [0, 1] without what no normal image has. */
const healedImage = (options: Config, net: (group: string) => nn.Scope, images: Value): Value =>
  fromSigned(healed(options, net('unet').frozen(), prepare(images)), images);

/** How the features of images and of their reconstructions differ from what is usual: `[N,1,H,W]`. */
function featureMap(options: Config, net: (group: string) => nn.Scope, images: Value, reconstruction: Value): Value {
  const differences = featureDifferences(options, net, images, reconstruction);
  return differenceInDeviations(net('differences'), differences, sidesOf(images));
}

/**
 * Passes that learn what differences are usual: of features, then of their map. Thresholds come from the held-out normals, so
 * what is usual at a single place must come from other ones.
 */
function measuring(options: Config): TrainingPhase[] {
  if (!sees(options)) return [];
  const features = ({ net, x }: nn.StepContext) =>
    learnDifferences(net('differences'), featureDifferences(options, net, x, healedImage(options, net, x)));
  const places = ({ net, x }: nn.StepContext) =>
    learnPlaces(net('places'), featureMap(options, net, x, healedImage(options, net, x)));
  const read = { mostPerEpoch: MEASURED.most };
  return [pass('features', MEASURED.batch, features, read), pass('places', MEASURED.batch, places, read)];
}

/** L_simple = mean (ε̂ − ε)² at x_{t+1} = √ᾱ · x₀ + √(1 − ᾱ) · ε, t ~ U{0 … trainSteps − 1}. */
function noiseLoss(options: Config, { net, x: images, draw }: nn.StepContext): Value {
  const { trainSteps } = options;
  const x = prepare(images);
  const n = countOf(x);
  const share = draw('step', { kind: 'uniform', shape: [n] });
  const t = g.minimum(g.floor(g.mul(share, trainSteps)), trainSteps - 1); // a float32 may round up to 1
  const noise = draw('noise', noiseOf(options, x.shape as number[]));
  const columns = shareColumns(nn.noiseSchedule(options.schedule, STEPS), trainSteps);
  const [image, spread] = columns.map((column) => g.reshape(g.gather(column, g.cast(t, 'int64'), 0), [n, 1, 1, 1]));
  const noised = g.add(g.mul(x, image), g.mul(noise, spread));
  return nn.l2(predictNoise(options, net('unet'), noised, t), noise);
}

/**
 * AnoDDPM: adds noise to an image part of the way and lets a diffusion model of normal images remove it; the squared
 * difference is the map (Wyatt et al. 2022, CVPR workshops).
 * Images from 8 × 8 pixels; from 64 × 64 on the features of image and reconstruction are compared. Scoring runs the network
 * twice for each noise field (16 by default), so it is among the slowest here.
 */
export const anoddpm = defineModel({
  name: 'anoddpm',
  title: 'AnoDDPM',
  idea: 'A diffusion model of normal images: noise is added to an image part of the way and removed again; how pixels or features differ is the map.',
  paper: 'Wyatt, Leach, Schmon and Willcocks 2022, CVPR workshop NTIRE, pp. 650–656.',
  learning: 'one-class',
  inputs: ['image'],
  learns: 'gradient',
  fitTime: 'hours',
  config,
  before: { score: 'pixels', smoothing: 0 },
  presets: {
    'paper-256': {
      width: 128,
      attention: 32,
      reversal: 'ddpm',
      epochs: 3000,
      batchSize: 1,
      learningRate: 1e-4,
      average: 0.9999,
      seeds: 1,
      score: 'pixels',
      smoothing: 0,
      pooling: 'mean',
    },
    'image-64': { width: 32, attention: 32 },
    'image-128': { width: 32, attention: 32 },
  },
  tiny: { width: 8, attention: 8, seeds: 2, epochs: 4, batchSize: 8, learningRate: 2e-3, average: 0.95 },

  defaults(shape, count, { reversal = 'fast', score: asked }) {
    const [, height, width] = shape;
    const isLarge = Math.min(height, width) >= LARGE;
    const score = asked ?? (isLarge ? 'features' : 'pixels');
    const wavelength = 2 ** Math.max(2, Math.round(Math.log2(Math.max(height, width) / 4)));
    const batchSize = Math.max(height, width) >= 64 ? 4 : 32;
    return {
      wavelength,
      octaves: Math.log2(wavelength), // down to waves of 2 pixels
      batchSize,
      epochs: epochsFor(1500, batchSize, count),
      seeds: FIELDS[reversal],
      score,
      ...((isLarge || score === 'features') && { smoothing: 0 }),
      pooling: poolingFor(shape),
    };
  },
  backbone: (options) => (sees(options) ? choiceOf(options) : undefined),

  unsuitable(options, shape) {
    const { width, heads, lambda, far, trainSteps, reversal } = options;
    const small = needsSide('AnoDDPM', 8, shape);
    if (small) return small;
    if (width % heads !== 0)
      return say`${option('config.width')} must be a multiple of ${option('config.heads')} (${heads}), got ${width}.`;
    const most = reversal === 'fast' ? 'far' : 'lambda';
    const steps = reversal === 'fast' ? far : lambda;
    if (steps > trainSteps)
      return say`${option(['config', most])} must be at most ${option('config.trainSteps')} (${trainSteps}), got ${steps}:
        the network is not trained on more noise.`;
    if (reversal === 'fast' && far <= lambda)
      return say`${option('config.far')} must be above ${option('config.lambda')} (${lambda}), got ${far}.`;
    return sees(options) ? tooSmall(options, shape) : undefined;
  },

  phases(options) {
    const { epochs, batchSize, learningRate } = options;
    const step: nn.Step = {
      name: 'fit',
      updates: ['unet'],
      optimizer: nn.adam({ learningRate }),
      clipNorm: 1,
      loss: (context) => noiseLoss(options, context),
    };
    const average = { groups: ['unet'], decay: nn.rampedAverage(options.average) };
    return [phase({ epochs, batchSize, steps: [step], average }), ...measuring(options)];
  },

  pool: (options, map) => poolMap(options.pooling, map),

  score(options, net, images) {
    const x = prepare(images);
    const mean = healed(options, net('unet'), x);
    const reconstruction = fromSigned(mean, images);
    const sides = sidesOf(images);
    const difference = sees(options)
      ? inPlace(net('places'), featureMap(options, net, images, reconstruction))
      : itemMap(cropTo(g.square(g.sub(x, mean)), sides)); // of values in [−1, 1]
    const map = smoothMap(difference, sides, options.smoothing); // [N,1,H,W]
    return { map, score: poolMap(options.pooling, map), reconstruction };
  },
});
