/**
 * AnoDDPM (Wyatt et al. 2022): a diffusion model of normal images. An image is covered with noise part of the way, as far
 * as step λ, and the network takes the noise off again; what it had no normal image for comes back different. Simplex
 * noise, whose coarse octaves also cover large defects, or Gaussian. Scoring uses noise that never changes, the same for
 * all images, and the average weights. One difference to the authors' code in training: the depth of a simplex field is
 * drawn by itself, not taken from the step; over random lattices both give the same fields. Left out: L1 and hybrid
 * losses, noise with random octaves, noising by single steps, and averages over noise of another kind than trained on.
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
import { leap, noisy, walkBack, walkRandomly } from './parts/diffusion.ts';
import { predictNoise, unetStep } from './parts/diffusion-unet.ts';
import { passesFor } from './parts/passes.ts';
import { itemMap, pooling, poolingFor, poolMap } from './parts/pool-map.ts';
import { cropTo, toSigned } from './parts/sides.ts';

/** T, as published. */
const STEPS = 1000;

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
    .describe('Steps that training draws from: more noise than this the network never sees.'),
  reversal: z
    .enum(['ddim', 'ddpm', 'fast'])
    .default('ddim')
    .describe(
      'How noise is taken off: "ddim" in a few turns, "ddpm" in every step with fresh noise (published), "fast" in one ' +
        'step that a look from further away leads.',
    ),
  lambda: z
    .int()
    .min(0)
    .max(STEPS)
    .default(250)
    .describe('Steps of noise that an image to be scored gets; 0 returns the image, and its map is 0.'),
  levels: z.int().min(1).max(20).default(1).describe('Numbers of steps that are averaged: λ / levels, …, λ.'),
  seeds: z.int().min(1).max(32).default(1).describe('Noise fields per level that are averaged.'),
  turns: z.int().min(1).max(STEPS).default(25).describe('Turns of the network per level; "ddim" only.'),
  far: z.int().min(1).max(STEPS).default(400).describe('Steps of noise of the look from further away; "fast" only.'),
  guidance: z.number().min(0).max(10).default(1).describe('How strongly that look leads; "fast" only.'),
  average: z.number().min(0).max(0.99999).default(0.999).describe('Decay of the moving average of the weights.'),
  epochs: z.int().min(1).max(100000).default(30).describe('Passes over the training images.'),
  batchSize: z.int().min(1).max(4096).default(8).describe('Images per training step; published: 1.'),
  learningRate: z
    .number()
    .positive()
    .max(1)
    .default(1e-3)
    .describe("Adam's learning rate; published: 1e-4, with which small networks learn half as fast."),
  pooling,
});
type Config = z.infer<typeof config>;

/** Images in [−1, 1] with sides that the network can halve. */
const prepare = (x: Value) => toSigned(x, unetStep(Math.max(...(x.shape.slice(2) as number[]))));

const octavesOf = ({ octaves, persistence, wavelength, normalizeNoise }: Config) => ({
  octaves,
  persistence,
  wavelength,
  normalized: normalizeNoise,
});

/** Noise of a shape, as in training. */
const drawOf = (options: Config, shape: readonly number[]): nn.Draw =>
  options.noise === 'gaussian' ? { kind: 'normal', shape } : { kind: 'simplex', shape, octaves: octavesOf(options) };

/** Noise for scoring, the same in every run: a constant. */
const fixedNoise = (options: Config, name: string, shape: readonly number[]): Value =>
  constant(float32(nn.drawn(drawOf(options, shape), new Rng(0).split('anoddpm').split(name)), shape));

/** x `[N,C,H,W]` in [−1, 1] with the noise of `lambda` steps put on and taken off again, the mean over all seeds. */
function heal(options: Config, net: nn.Scope, x: Value, lambda: number): Value {
  const { seeds, turns, far, guidance, reversal } = options;
  const schedule = nn.noiseSchedule(options.schedule, STEPS);
  const denoise = (image: Value, step: Value) => predictNoise(options, net, image, step);
  const [n, ...shape] = x.shape as [string, number, number, number];
  // Seeds lie side by side on the batch axis.
  const wide = g.reshape(g.broadcastTo(g.unsqueeze(x, 1), [n, seeds, ...shape]), [-1, ...shape]);
  const tile = (noise: Value) => g.reshape(g.broadcastTo(g.unsqueeze(noise, 0), [n, seeds, ...shape]), [-1, ...shape]);
  const noise = tile(fixedNoise(options, 'start', [seeds, ...shape]));
  const start = noisy(schedule, wide, noise, lambda);
  let healed: Value;
  if (reversal === 'fast') healed = leap(schedule, denoise, wide, { lambda, far, guidance, noise });
  else if (reversal === 'ddim') healed = walkBack(schedule, denoise, start, { lambda, turns });
  else {
    const fields = fixedNoise(options, 'turns', [Math.max(1, lambda), seeds, ...shape]);
    healed = walkRandomly(schedule, denoise, start, { lambda, fresh: (turn) => tile(g.gather(fields, turn, 0)) });
  }
  return g.reduceMean(g.reshape(healed, [n, seeds, ...shape]), { axes: [1] });
}

/**
 * AnoDDPM: adds noise to an image part of the way and lets a diffusion model of normal images remove it; the squared
 * difference is the map (Wyatt et al. 2022, CVPR workshops).
 * Images from 8 × 8 pixels. Scoring runs the network `turns` times per image (25 by default), so it is among the
 * slowest here.
 */
export const anoddpm = defineModel({
  name: 'anoddpm',
  title: 'AnoDDPM',
  idea: 'A diffusion model of normal images: an image is covered with noise part of the way and drawn again from there; the squared difference is the map.',
  paper: 'Wyatt, Leach, Schmon and Willcocks 2022, CVPR workshop NTIRE, pp. 650–656.',
  learning: 'one-class',
  inputs: ['image'],
  learns: 'gradient',
  config,
  presets: {
    'paper-256': {
      width: 128,
      attention: 32,
      reversal: 'ddpm',
      epochs: 3000,
      batchSize: 1,
      learningRate: 1e-4,
      average: 0.9999,
      pooling: 'mean',
    },
    'image-64': { width: 32, attention: 32 },
    'image-128': { width: 32, attention: 32 },
  },
  tiny: { width: 8, attention: 8, turns: 4, epochs: 4, batchSize: 8, learningRate: 2e-3, average: 0.95 },

  defaults(shape, count) {
    const [, height, width] = shape;
    const wavelength = 2 ** Math.max(2, Math.round(Math.log2(Math.max(height, width) / 4)));
    const batchSize = Math.max(height, width) >= 64 ? 8 : 32;
    return {
      wavelength,
      octaves: Math.log2(wavelength), // down to waves of 2 pixels
      batchSize,
      epochs: passesFor(1500, batchSize, count),
      pooling: poolingFor(shape),
    };
  },

  unsuitable({ width, heads, lambda, far, trainSteps, reversal }, [, height, width_]) {
    if (Math.min(height, width_) < 8)
      return `AnoDDPM needs images of at least 8 × 8 pixels, got ${height} × ${width_}.`;
    if (width % heads !== 0)
      return say`${option('config.width')} must be a multiple of ${option('config.heads')} (${heads}), got ${width}.`;
    const most = reversal === 'fast' ? 'far' : 'lambda';
    const steps = reversal === 'fast' ? far : lambda;
    if (steps > trainSteps)
      return say`${option(['config', most])} must be at most ${option('config.trainSteps')} (${trainSteps}), got ${steps}:
        the network is not trained on more noise.`;
    if (reversal === 'fast' && far <= lambda)
      return say`${option('config.far')} must be above ${option('config.lambda')} (${lambda}), got ${far}.`;
    return undefined;
  },

  phases(options) {
    const { epochs, batchSize, learningRate, trainSteps, average } = options;
    const { kept } = nn.noiseSchedule(options.schedule, STEPS);
    const shares = [(k: number) => k, (k: number) => 1 - k].map((share) =>
      constant(float32(Array.from(kept.subarray(1, trainSteps + 1), (k) => Math.sqrt(share(k))))),
    );
    return [
      {
        epochs,
        batchSize,
        phase: {
          name: 'fit',
          average: { groups: ['unet'], decay: nn.rampedAverage(average) },
          steps: [
            {
              name: 'fit',
              updates: ['unet'],
              optimizer: nn.adam({ learningRate }),
              clipNorm: 1,
              loss({ net, x: images, draw }) {
                const x = prepare(images);
                const shape = x.shape as number[];
                // t ~ U{0 … trainSteps − 1}, ε, x_{t+1} = √ᾱ · x₀ + √(1 − ᾱ) · ε
                const share = draw('step', { kind: 'uniform', shape: [shape[0]] });
                const t = g.minimum(g.floor(g.mul(share, trainSteps)), trainSteps - 1); // a float32 may round up to 1
                const noise = draw('noise', drawOf(options, shape));
                const [image, spread] = shares.map((column) =>
                  g.reshape(g.gather(column, g.cast(t, 'int64'), 0), [shape[0], 1, 1, 1]),
                );
                const covered = g.add(g.mul(x, image), g.mul(noise, spread));
                // L_simple = mean (ε̂ − ε)²
                return nn.l2(predictNoise(options, net('unet'), covered, t), noise);
              },
            },
          ],
        },
      },
    ];
  },

  pool: (options, map) => poolMap(options.pooling, map),

  score(options, net, images) {
    const x = prepare(images);
    const { lambda, levels } = options;
    const healed = Array.from({ length: levels }, (_, i) =>
      heal(options, net('unet'), x, Math.round((lambda * (i + 1)) / levels)),
    );
    const mean = g.mul(
      healed.reduce((a, b) => g.add(a, b)),
      1 / levels,
    );
    const map = itemMap(cropTo(g.square(g.sub(x, mean)), images)); // [N,1,H,W], of values in [−1, 1]
    return {
      map,
      score: poolMap(options.pooling, map),
      reconstruction: g.mul(g.add(cropTo(mean, images), 1), 0.5),
    };
  },
});
