/**
 * Student–teacher feature pyramid matching (Wang et al., BMVC 2021, arXiv 2103.04257): a fresh network of the teacher's
 * architecture learns the teacher's features on normal images. Where an image shows what it never saw, student and
 * teacher differ. Features are scaled to length 1 at each place, so it is their direction that counts. The map is
 * the product over the taps, here its root (the geometric mean), which ranks the same and does not vanish. Loss and map are
 * ‖t̂ − ŝ‖² as in the public code, of which the paper writes the half. Taps are the last of strides 4, 8 and 16, as published of
 * ResNet-18. Ours by default: fewer steps, so Adam, which brought half the loss on tiles
 * to 0.17 in 130 steps where the published descent with momentum came to 0.32, and half a cosine over the rate. Of the backbone in the box, which comes without batch norms,
 * the student has them. Left out: choosing an epoch by a validation loss.
 */
import * as z from 'zod';
import { features, normed, oddity, oddityNetwork } from '../backbones/index.ts';
import { input } from '../graph/leaf.ts';
import * as g from '../graph/ops/index.ts';
import type { Value } from '../graph/value.ts';
import * as nn from '../nn/index.ts';
import { defineModel } from './define.ts';
import { backboneOptions, choiceOf, stagesOf, tapped, tapsOf, tooSmall } from './parts/features.ts';
import { epochsFor } from './parts/fitting/epochs.ts';
import { phase } from './parts/fitting/phase.ts';
import { poolMap } from './parts/maps/pool-map.ts';
import * as common from './parts/options.ts';
import { sidesOf } from './parts/shapes.ts';

const config = z.strictObject({
  ...backboneOptions,
  epochs: common.epochs(20),
  batchSize: common.batchSize(16, undefined, { least: 2, most: 1024 }),
  optimizer: z
    .enum(['adam', 'sgd'])
    .default('adam')
    .describe('Adam, or gradient descent with momentum 0.9 as published.'),
  learningRate: common.learningRate(3e-3, 'Learning rate of the optimiser; published: 0.4.', { most: 10 }),
  weightDecay: common.weightDecay(1e-5, 'L2 penalty on the student.'),
  schedule: z.enum(['cosine', 'constant']).default('cosine').describe('Learning rate over the training.'),
});
type Config = z.infer<typeof config>;

/** Training steps by default. */
const STEPS = 400;
const MOMENTUM = 0.9;
/** What is added to squared lengths. */
const EPS = 1e-12;

/** Features of a student at the teacher's taps, `[N, C, h, w]` each. */
function studied(options: Config, net: nn.Scope, x: Value): Value[] {
  const { backbone, taps } = tapsOf(stagesOf(options));
  const fresh = backbone.name === oddity.name;
  const network = fresh ? (at: nn.Scope, image: Value) => oddityNetwork(at, image, normed) : backbone.network;
  return features({ ...backbone, network }, net, x, taps);
}

const unit = (y: Value) => g.div(y, g.sqrt(g.add(g.reduceSum(g.square(y), { axes: [1], keep: true }), EPS)));

/** ‖t̂ − ŝ‖² at each place, t̂ and ŝ scaled to length 1: `[N, 1, h, w]`, from 0 to 4. */
export function squaredDistance(teacher: Value, student: Value): Value {
  return g.reduceSum(g.square(g.sub(unit(teacher), unit(student))), { axes: [1], keep: true });
}

/** How student and teacher differ at each tap. */
function distances(options: Config, net: (group: string) => nn.Scope, x: Value): Value[] {
  const student = studied(options, net('student'), x);
  return tapped(stagesOf(options), net, x).map((teacher, i) => squaredDistance(teacher, student[i]));
}

/** (Π_l m_l)^(1/L) of maps brought to the size of the image, `[N, 1, H, W]`. */
export function geometricMean(maps: readonly Value[], size: readonly number[]): Value {
  const product = maps.map((m) => g.resizeBilinear(m, size)).reduce((a, b) => g.mul(a, b));
  return maps.length === 1 ? product : g.pow(product, 1 / maps.length);
}

/** Whether the initial kernels of a network that is built anew are not 0, which no gradient would change. */
function canBegin(options: Config): boolean {
  const trace = new nn.Trace(true);
  studied(options, trace.group('student'), input('x', [1, 3, 64, 64]));
  return [...trace.parameters.values()].every(({ spec }) => spec.shape.length < 4 || spec.init !== nn.zerosInit);
}

/** Σ_l 1 / (H_l W_l) Σ ‖t̂ − ŝ‖², mean over the batch. */
const matchingLoss = (options: Config, { net, x }: nn.StepContext): Value =>
  distances(options, net, x)
    .map((d) => g.reduceMean(d))
    .reduce((a, b) => g.add(a, b));

/**
 * STFPM: a student network learns a pretrained teacher's features on normal images at several depths; where their
 * directions differ is anomalous (Wang et al., BMVC 2021, arXiv 2103.04257).
 * Images. The student is as large as the teacher; scoring is one pass of both.
 */
export const stfpm = defineModel({
  name: 'stfpm',
  title: 'Student–teacher feature pyramid matching',
  idea: 'A student network learns the features of a pretrained teacher on normal images; where the two differ is anomalous.',
  paper: 'Wang et al., Student-teacher feature pyramid matching for anomaly detection, BMVC 2021.',
  learning: 'one-class',
  inputs: ['image'],
  learns: 'gradient',
  config,
  presets: {
    paper: {
      backbone: 'resnet18',
      epochs: 100,
      batchSize: 32,
      optimizer: 'sgd',
      learningRate: 0.4,
      weightDecay: 1e-4,
      schedule: 'constant',
    },
  },
  defaults(shape, count) {
    const batchSize = Math.min(...shape.slice(1)) < 192 ? 16 : 8;
    return { batchSize, epochs: epochsFor(STEPS, batchSize, count) };
  },
  imageSize: [256, 256],
  tiny: { taps: 'fine', epochs: 6, batchSize: 16 },
  backbone: (options) => choiceOf(stagesOf(options)),

  unsuitable(options, shape) {
    if (!canBegin(options))
      return `stfpm needs a backbone that can be trained from scratch, but ${options.backbone} cannot. Choose oddity or resnet18.`;
    return tooSmall(stagesOf(options), shape);
  },

  phases(options) {
    const { epochs, batchSize, learningRate, weightDecay } = options;
    const rates = { learningRate, weightDecay };
    const step: nn.Step = {
      name: 'student',
      updates: ['student'],
      optimizer: options.optimizer === 'adam' ? nn.adam(rates) : nn.sgd({ ...rates, momentum: MOMENTUM }),
      schedule: common.scheduleOf(options),
      loss: (context) => matchingLoss(options, context),
    };
    return [phase({ epochs, batchSize, steps: [step] })];
  },

  pool: (_options, map) => poolMap('max', map),

  score(options, net, x) {
    const map = geometricMean(distances(options, net, x), sidesOf(x));
    return { map, score: poolMap('max', map) };
  },
});
