/**
 * Variational autoencoder (Kingma & Welling 2014, arXiv 1312.6114): an encoder gives a normal distribution of codes, a
 * decoder one of items, and training raises a lower bound of the likelihood. Scores: the error of the drawing, the bound
 * itself, the reconstruction probability of An & Cho 2015, or the divergence of the code alone. Scoring draws nothing:
 * its L samples use the same L vectors for every item. Ours: one learnt variance for all values, which keeps the two
 * terms of the bound in balance; clipped log variances. Left out: a β that grows.
 */
import * as zod from 'zod';
import { isImage } from '../core/item-shape.ts';
import { Rng } from '../core/random.ts';
import { float32 } from '../core/tensor.ts';
import { gradients } from '../graph/grad.ts';
import { constant } from '../graph/leaf.ts';
import * as g from '../graph/ops/index.ts';
import type { Value } from '../graph/value.ts';
import * as nn from '../nn/index.ts';
import { defineModel, type ItemShape } from './define.ts';
import { prepare, stridedGenerator, stridedTrunk, unsigned } from './parts/dcgan.ts';
import { passesFor } from './parts/passes.ts';
import { itemMap, pooling, poolingFor, poolMap } from './parts/pool-map.ts';
import { isRows, rowEncoder, rowLatent, rowTraining } from './parts/row-nets.ts';
import { spread } from './parts/watch.ts';

const config = zod.strictObject({
  likelihood: zod
    .enum(['gaussian', 'bernoulli'])
    .default('gaussian')
    .describe('What the decoder says of a value: a mean with one learnt variance for all, or for images how white.'),
  beta: zod.number().min(0).max(100).default(1).describe('β: weight of the divergence of the code.'),
  code: zod.int().min(1).max(4096).default(16).describe('Numbers of the code.'),
  width: zod
    .int()
    .min(1)
    .max(512)
    .default(16)
    .describe('Filters next to an image; rows have four times as many units.'),
  score: zod
    .enum(['reconstruction', 'elbo', 'probability', 'kl'])
    .default('reconstruction')
    .describe('The error map pooled, the negative bound, the mean −log p of samples, or the divergence of the code.'),
  samples: zod.int().min(1).max(100).default(10).describe('L: samples of the code for "elbo" and "probability".'),
  map: zod
    .enum(['error', 'gradient'])
    .default('error')
    .describe('Squared error of the drawing, or how much the negative bound changes with each value.'),
  epochs: zod.int().min(1).max(100000).default(10).describe('Passes over the training items.'),
  batchSize: zod.int().min(2).max(65536).default(64).describe('Items per training step.'),
  learningRate: zod.number().positive().max(1).default(1e-3).describe("Adam's learning rate at the start."),
  schedule: zod.enum(['constant', 'cosine']).default('cosine').describe('Learning rate over the training.'),
  pooling,
});
type Config = zod.infer<typeof config>;

/** Bounds of log variances. */
const LOG_VARIANCE = 10;
const clipped = (logVariance: Value) => g.clip(logVariance, -LOG_VARIANCE, LOG_VARIANCE);
const sumOf = (x: Value) => g.reduceSum(x, { axes: x.shape.slice(1).map((_, i) => i + 1) });

/** A normal distribution of codes, `[N, code]` each. */
export interface CodeDistribution {
  readonly mean: Value;
  readonly logVariance: Value;
}

const strided = { weightInit: nn.heNormal(0.2) };

function encode({ code, width }: Config, net: nn.Scope, x: Value): CodeDistribution {
  const h = isRows(x)
    ? g.relu(rowEncoder(net, x, [4 * width, 4 * width], 0))
    : stridedTrunk(net, prepare(x), nn.batchNorm, { width, ...strided });
  const [mean, logVariance] = ['mean', 'logVariance'].map((name) => nn.dense(net.at(name), h, code));
  return { mean, logVariance: clipped(logVariance) };
}

/** The mean of the item, images in [0, 1]. */
function decode({ width }: Config, net: nn.Scope, z: Value, shape: ItemShape): Value {
  if (!isImage(shape)) return rowEncoder(net, z, [4 * width, 4 * width, shape[0]], 0);
  return unsigned(stridedGenerator(net, z, shape, { width, ...strided }));
}

/** ½ Σ (μ² + σ² − 1 − log σ²): divergence of the codes from N(0, 1), `[N]`. */
export function divergence({ mean, logVariance }: CodeDistribution): Value {
  return g.mul(sumOf(g.sub(g.sub(g.add(g.square(mean), g.exp(logVariance)), 1), logVariance)), 0.5);
}

/** −log p(x) of a drawing, summed over the values, `[N]`; the log variance `[]` is of all of them. */
export function surprise(likelihood: Config['likelihood'], x: Value, drawn: Value, logVariance: Value): Value {
  if (likelihood === 'bernoulli') {
    const p = g.clip(drawn, 1e-6, 1 - 1e-6);
    return sumOf(g.neg(g.add(g.mul(x, g.log(p)), g.mul(g.sub(1, x), g.log(g.sub(1, p))))));
  }
  const scaled = g.mul(g.square(g.sub(x, drawn)), g.exp(g.neg(logVariance)));
  return g.mul(sumOf(g.add(scaled, g.add(logVariance, Math.log(2 * Math.PI)))), 0.5);
}

const variance = (net: nn.Scope) => clipped(net.parameter('logVariance', [], nn.filled(-2)));

/** A code: μ + σ · n. */
const sample = ({ mean, logVariance }: CodeDistribution, n: Value) =>
  g.add(mean, g.mul(g.exp(g.mul(logVariance, 0.5)), n));

/** Training steps on images by default. */
const STEPS = 1500;

/**
 * Variational autoencoder: the score is the reconstruction error, the negative evidence bound (ELBO), the
 * reconstruction probability or the divergence of the code (Kingma and Welling 2014, arXiv 1312.6114; An and Cho 2015).
 * Images from 8 × 8 pixels and rows. Scoring is one pass, or one per sample of the code with `score` "elbo" and
 * "probability".
 */
export const vae = defineModel({
  name: 'vae',
  title: 'Variational autoencoder',
  idea: 'An autoencoder with a distribution of codes, trained on a bound of the likelihood; unlikely items are anomalous.',
  paper: 'Kingma & Welling 2014, arXiv 1312.6114; An & Cho 2015.',
  learning: 'one-class',
  inputs: ['image', 'table'],
  learns: 'gradient',
  config,
  presets: {
    'reconstruction-probability': { score: 'probability', samples: 10 },
    elbo: { score: 'elbo' },
    gradient: { map: 'gradient' },
  },
  defaults(shape, count) {
    if (!isImage(shape)) return { code: rowLatent(shape), pooling: 'mean', ...rowTraining(count) };
    const batchSize = count < 1000 ? 16 : 64;
    return { batchSize, epochs: passesFor(STEPS, batchSize, count), pooling: poolingFor(shape) };
  },
  tiny: { code: 4, width: 4, epochs: 8, batchSize: 16, learningRate: 3e-3 },

  unsuitable({ likelihood }, shape) {
    if (!isImage(shape)) {
      return likelihood === 'bernoulli'
        ? 'likelihood bernoulli is for images in [0, 1]; use gaussian for rows.'
        : undefined;
    }
    const [, height, width] = shape;
    if (Math.min(height, width) < 8) return `vae needs images of at least 8 × 8 pixels, got ${height} × ${width}.`;
    return undefined;
  },

  phases(options, shape) {
    const { likelihood, beta, code, epochs, batchSize, learningRate, schedule } = options;
    return [
      {
        epochs,
        batchSize,
        phase: {
          name: 'fit',
          steps: [
            {
              name: 'fit',
              updates: ['encoder', 'decoder'],
              optimizer: nn.adam({ learningRate }),
              schedule: schedule === 'cosine' ? nn.cosineDecay() : nn.steady,
              loss({ net, x, draw }) {
                const codes = encode(options, net('encoder'), x);
                const noise = draw('z', { kind: 'normal', shape: [x.shape[0] as number, code] });
                const drawn = decode(options, net('decoder'), sample(codes, noise), shape);
                const logVariance = variance(net('decoder'));
                const error = g.reduceMean(surprise(likelihood, x, drawn, logVariance));
                const kl = g.reduceMean(divergence(codes));
                // −ELBO = E[−log p(x | z)] + β KL(q(z | x) ‖ N(0, 1))
                const loss = g.add(error, g.mul(kl, beta));
                // With likelihood bernoulli the variance means nothing; it is asked for all the same, and stays.
                return { loss, metrics: { error, kl, 'code-spread': spread(codes.mean) } };
              },
            },
          ],
        },
      },
    ];
  },

  score(options, net, x) {
    const { likelihood, beta, code, samples } = options;
    const shape = x.shape.slice(1) as number[];
    const codes = encode(options, net('encoder'), x);
    const decoder = net('decoder');
    const logVariance = variance(decoder);
    const kl = divergence(codes);
    const surpriseOf = (z: Value) => surprise(likelihood, x, decode(options, decoder, z, shape), logVariance);
    const reconstruction = decode(options, decoder, codes.mean, shape); // [N,C,H,W] or [N,D]
    const error = itemMap(g.square(g.sub(x, reconstruction))); // [N,1,H,W] or [N,D]
    const bound = () => g.add(surprise(likelihood, x, reconstruction, logVariance), g.mul(kl, beta));
    const map = options.map === 'error' ? error : itemMap(g.abs(gradients(g.reduceSum(bound()), [x])[0]));
    /** Mean −log p(x | z) over L codes. */
    const sampled = () => {
      const rng = new Rng(1).split('vae');
      const each = Array.from({ length: samples }, (_, l) => constant(float32(rng.split(l).normals(code), [1, code])));
      return g.div(
        each.map((n) => surpriseOf(sample(codes, n))).reduce((a, b) => g.add(a, b)),
        samples,
      );
    };
    const scores = {
      reconstruction: () => poolMap(options.pooling, error),
      elbo: () => g.add(sampled(), g.mul(kl, beta)),
      probability: sampled,
      kl: () => kl,
    };
    return { score: scores[options.score](), map, reconstruction };
  },
});
