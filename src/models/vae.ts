/**
 * Variational autoencoder (Kingma & Welling 2014, arXiv 1312.6114): an encoder gives a normal distribution of codes, a
 * decoder one of items, and training raises a lower bound of the likelihood. Scores: the reconstruction error, the bound
 * itself, the reconstruction probability of An & Cho 2015, or the divergence of the code alone. Scoring is not random:
 * its L samples use the same L vectors for every item. Ours: one learnt variance for all values, which keeps the two
 * terms of the bound in balance; clipped log variances; of rows β grows in steps at the start (Bowman et al. 2016, arXiv 1511.06349), for
 * with the whole divergence from the first step on the codes of few columns collapse to the prior. Left out: free bits, a β that swings.
 */
import * as zod from 'zod';
import { Rng } from '../core/random.ts';
import { float32 } from '../core/tensor.ts';
import { constant } from '../graph/leaf.ts';
import * as g from '../graph/ops/index.ts';
import type { Value } from '../graph/value.ts';
import * as nn from '../nn/index.ts';
import { defineModel, type ImageShape, type ItemShape } from './define.ts';
import { byKind } from './parts/by-kind.ts';
import { epochsFor } from './parts/fitting/epochs.ts';
import { phase } from './parts/fitting/phase.ts';
import { itemMap, pooling, poolingFor, poolMap, sensitivityMap } from './parts/maps/pool-map.ts';
import { needsSide } from './parts/needs-side.ts';
import { stridedGenerator, stridedTrunk } from './parts/nets/dcgan.ts';
import { rowEncoder, rowLatent, rowTraining } from './parts/nets/rows.ts';
import * as common from './parts/options.ts';
import { countOf, itemShapeOf, signed, unsigned } from './parts/shapes.ts';

const config = zod.strictObject({
  likelihood: zod
    .enum(['gaussian', 'bernoulli'])
    .default('gaussian')
    .describe('Distribution of a decoded value: normal with one learnt variance for all, or Bernoulli; images only.'),
  beta: common.weight(1, 'β: weight of the divergence of the code.', { most: 100 }),
  warmUp: common.share(0, 'Share of the epochs in which the weight of the divergence rises from 0 to β, in steps.', {
    most: 0.9,
  }),
  code: common.latent(16, 'Length of the code.'),
  width: common.width(16, 'Filters next to an image; rows have four times as many units.'),
  score: zod
    .enum(['reconstruction', 'elbo', 'probability', 'kl'])
    .default('reconstruction')
    .describe(
      'The pooled error map, the negative bound (ELBO), the mean −log p of samples, or the divergence of the code.',
    ),
  samples: zod.int().min(1).max(100).default(10).describe('L: samples of the code for "elbo" and "probability".'),
  map: zod
    .enum(['error', 'gradient'])
    .default('error')
    .describe('Squared reconstruction error, or how much the negative bound changes with each value.'),
  epochs: common.epochs(10, 'Passes over the training items.'),
  batchSize: common.batchSize(64, 'Items per training step.', { least: 2, most: 65536 }),
  learningRate: common.learningRate(1e-3, "Adam's learning rate at the start."),
  schedule: common.schedule('cosine'),
  pooling,
});
type Config = zod.infer<typeof config>;

/** Bounds of log variances. */
const LOG_VARIANCE = 10;
const clipped = (logVariance: Value) => g.clip(logVariance, -LOG_VARIANCE, LOG_VARIANCE);
const sumOf = (x: Value) => poolMap('sum', x);

/** A normal distribution of codes, `[N, code]` each. */
export interface CodeDistribution {
  readonly mean: Value;
  readonly logVariance: Value;
}

interface Coder {
  /** The last hidden layer before the code, `[N, F]`. */
  trunk(net: nn.Scope, x: Value, width: number): Value;
  /** The mean of the item, images in [0, 1]. */
  decode(net: nn.Scope, z: Value, shape: ItemShape, width: number): Value;
}

const strided = { weightInit: nn.heNormal(0.2) };

const images: Coder = {
  trunk: (net, x, width) => stridedTrunk(net, signed(x), nn.batchNorm, { width, ...strided }),
  decode: (net, z, shape: ImageShape, width) => unsigned(stridedGenerator(net, z, shape, { width, ...strided })),
};

const rows: Coder = {
  trunk: (net, x, width) => g.relu(rowEncoder(net, x, [4 * width, 4 * width], 0)),
  decode: (net, z, [columns], width) => rowEncoder(net, z, [4 * width, 4 * width, columns], 0),
};

const coderFor = (shape: ItemShape) => byKind(shape, { image: images, table: rows });

function encode({ code, width }: Config, net: nn.Scope, x: Value): CodeDistribution {
  const h = coderFor(itemShapeOf(x)).trunk(net, x, width);
  const [mean, logVariance] = ['mean', 'logVariance'].map((name) => nn.dense(net.at(name), h, code));
  return { mean, logVariance: clipped(logVariance) };
}

const decode = ({ width }: Config, net: nn.Scope, z: Value, shape: ItemShape): Value =>
  coderFor(shape).decode(net, z, shape, width);

/** ½ Σ (μ² + σ² − 1 − log σ²): divergence of the codes from N(0, 1), `[N]`. */
export function divergence({ mean, logVariance }: CodeDistribution): Value {
  return g.mul(sumOf(g.sub(g.sub(g.add(g.square(mean), g.exp(logVariance)), 1), logVariance)), 0.5);
}

/** −log p(x) under the decoded `mean`, summed over the values, `[N]`; the log variance `[]` is of all of them. */
export function surprise(likelihood: Config['likelihood'], x: Value, mean: Value, logVariance: Value): Value {
  if (likelihood === 'bernoulli') {
    const p = g.clip(mean, 1e-6, 1 - 1e-6);
    return sumOf(g.neg(g.add(g.mul(x, g.log(p)), g.mul(g.sub(1, x), g.log(g.sub(1, p))))));
  }
  const scaled = g.mul(g.square(g.sub(x, mean)), g.exp(g.neg(logVariance)));
  return g.mul(sumOf(g.add(scaled, g.add(logVariance, Math.log(2 * Math.PI)))), 0.5);
}

const variance = (net: nn.Scope) => clipped(net.parameter('logVariance', [], nn.filled(-2)));

/** A code: μ + σ · n. */
const sample = ({ mean, logVariance }: CodeDistribution, n: Value) =>
  g.add(mean, g.mul(g.exp(g.mul(logVariance, 0.5)), n));

/** −ELBO = E[−log p(x | z)] + β KL(q(z | x) ‖ N(0, 1)). */
function negativeBound(options: Config, beta: number, { net, x, draw }: nn.StepContext): nn.StepResult {
  const codes = encode(options, net('encoder'), x);
  const noise = draw('z', { kind: 'normal', shape: [countOf(x), options.code] });
  const reconstruction = decode(options, net('decoder'), sample(codes, noise), itemShapeOf(x));
  // With likelihood bernoulli the variance is not used; it is asked for all the same, and stays.
  const logVariance = variance(net('decoder'));
  const error = g.reduceMean(surprise(options.likelihood, x, reconstruction, logVariance));
  const kl = g.reduceMean(divergence(codes));
  const loss = g.add(error, g.mul(kl, beta));
  return { loss, metrics: { error, kl, active: activeUnits(codes.mean) }, watch: { posterior: codes.mean } };
}

/** Units of a code `[N, code]` whose mean varies by more than .01 over the batch (Burda, Grosse, Salakhutdinov 2016, arXiv 1509.00519). */
function activeUnits(means: Value): Value {
  const centred = g.sub(means, g.reduceMean(means, { axes: [0], keep: true }));
  const variances = g.reduceMean(g.square(centred), { axes: [0] });
  return g.reduceSum(g.cast(g.greater(variances, 0.01), 'float32'));
}

/** Epochs by phase, and the share of β in each: at most four steps, then all of it. */
export function warmUpOf(
  epochs: number,
  share: number,
): readonly { readonly epochs: number; readonly share: number }[] {
  const rising = Math.min(epochs - 1, Math.round(share * epochs));
  const steps = Math.min(4, rising);
  const phases = Array.from({ length: steps }, (_, k) => ({
    epochs: Math.floor(((k + 1) * rising) / steps) - Math.floor((k * rising) / steps),
    share: k / steps,
  }));
  return [...phases, { epochs: epochs - rising, share: 1 }];
}

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
    const batchSize = count < 1000 ? 16 : 64;
    return byKind<Partial<Config>>(shape, {
      image: { batchSize, epochs: epochsFor(STEPS, batchSize, count), pooling: poolingFor(shape) },
      table: { code: rowLatent(shape), pooling: 'mean', warmUp: 0.25, ...rowTraining(count) },
    });
  },
  before: { warmUp: 0 },
  tiny: { code: 4, width: 4, epochs: 8, batchSize: 16, learningRate: 3e-3 },

  unsuitable: ({ likelihood }, shape) =>
    likelihood === 'bernoulli' && byKind(shape, { image: false, table: true })
      ? 'likelihood bernoulli is for images in [0, 1]; use gaussian for rows.'
      : needsSide('vae', 8, shape),

  phases(options) {
    const { batchSize, learningRate, warmUp, beta } = options;
    const all = warmUpOf(options.epochs, warmUp);
    return all.map(({ epochs, share }, i) => {
      const isLast = i === all.length - 1;
      const step: nn.Step = {
        name: 'fit',
        updates: ['encoder', 'decoder'],
        optimizer: nn.adam({ learningRate }),
        schedule: isLast ? common.scheduleOf(options) : nn.constant,
        loss: (context) => negativeBound(options, share * beta, context),
      };
      return phase({ name: isLast ? 'fit' : `warm-up ${i + 1}`, epochs, batchSize, steps: [step] });
    });
  },

  score(options, net, x) {
    const { likelihood, beta, code, samples } = options;
    const shape = itemShapeOf(x);
    const codes = encode(options, net('encoder'), x);
    const decoder = net('decoder');
    const logVariance = variance(decoder);
    const kl = divergence(codes);
    const surpriseOf = (z: Value) => surprise(likelihood, x, decode(options, decoder, z, shape), logVariance);
    const reconstruction = decode(options, decoder, codes.mean, shape); // [N,C,H,W] or [N,D]
    const error = itemMap(g.square(g.sub(x, reconstruction))); // [N,1,H,W] or [N,D]
    const bound = () => g.add(surprise(likelihood, x, reconstruction, logVariance), g.mul(kl, beta));
    const map = options.map === 'error' ? error : sensitivityMap(bound(), x);
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
