/**
 * Reverse distillation (RD4AD, Deng and Li, CVPR 2022, arXiv 2201.10703): the features of a frozen teacher at several
 * sizes are brought into one small code, and a decoder learns to restore them from it on normal images. What is
 * anomalous does not fit through the code, so that it is restored as something else. The bottleneck halves the finer grids by
 * convolutions to the coarsest, joins them and halves them once more in a residual stage; the decoder mirrors a residual
 * network, doubling by 2 × 2 transposed convolutions. Ours: a 1 × 1 convolution ends each level, since features at a tap
 * may be negative; grids whose sides are odd are resampled; maps are enlarged with half-pixel centres; and by default
 * plain residual blocks, fewer steps and half a cosine over the rate. Left out: RD++ and its simplex noise.
 */
import * as z from 'zod';
import * as g from '../graph/ops/index.ts';
import type { Value } from '../graph/value.ts';
import * as nn from '../nn/index.ts';
import { defineModel } from './define.ts';
import { backboneOptions, choiceOf, stagesOf, tapped, tooSmall } from './parts/features.ts';
import { epochsFor } from './parts/fitting/epochs.ts';
import { phase } from './parts/fitting/phase.ts';
import { poolMap } from './parts/maps/pool-map.ts';
import { smoothMap } from './parts/maps/smooth-map.ts';
import * as common from './parts/options.ts';
import { channelsOf, sidesOf } from './parts/shapes.ts';

const config = z.strictObject({
  ...backboneOptions,
  block: z
    .enum(['plain', 'bottleneck'])
    .default('plain')
    .describe('Residual blocks of two 3 × 3 convolutions, or of three as in ResNet-50 and wider.'),
  blocks: z.int().min(1).max(8).default(2).describe('Residual blocks of each stage; published: 3 in the bottleneck.'),
  combine: z.enum(['add', 'multiply']).default('add').describe('How the maps of the taps become one.'),
  smoothing: common.smoothing(4),
  epochs: common.epochs(20),
  batchSize: common.batchSize(16, undefined, { least: 2, most: 1024 }),
  learningRate: common.learningRate(5e-3),
  schedule: z.enum(['cosine', 'constant']).default('cosine').describe('Learning rate over the training.'),
});
type Config = z.infer<typeof config>;

/** Training steps by default. */
const STEPS = 400;
/** Adam's as published. */
const BETAS = { beta1: 0.5, beta2: 0.999 };
/** What is added to squared lengths. */
const EPS = 1e-8;

/** A convolution without bias, its batch norm. */
const normed = (at: nn.Scope, x: Value, filters: number, kernel: number, stride = 1): Value =>
  nn.batchNorm(at.at('norm'), nn.conv(at, x, { filters, kernel, stride, padding: kernel >> 1, bias: false }));
/** Twice the size: a transposed convolution without bias, its batch norm. */
const doubled = (at: nn.Scope, x: Value, filters: number): Value =>
  nn.batchNorm(at.at('norm'), nn.convTranspose(at, x, { filters, kernel: 2, stride: 2, bias: false }));
/** Half the size, rounded up. */
const halved = (at: nn.Scope, x: Value, filters: number): Value => normed(at, x, filters, 3, 2);
const kept = (at: nn.Scope, x: Value, filters: number): Value => normed(at, x, filters, 3);

/** A residual block whose size changes as `resize` does. */
function block({ block: kind }: Config, net: nn.Scope, x: Value, filters: number, resize: typeof kept): Value {
  let y: Value;
  if (kind === 'plain') {
    y = kept(net.at('conv2'), g.relu(resize(net.at('conv1'), x, filters)), filters);
  } else {
    const inner = Math.max(1, filters >> 1); // of the wide networks, half; of ResNet-50 it would be a quarter
    y = g.relu(resize(net.at('conv2'), g.relu(normed(net.at('conv1'), x, inner, 1)), inner));
    y = normed(net.at('conv3'), y, filters, 1);
  }
  const same = resize === kept && channelsOf(x) === filters;
  const short = same
    ? x
    : resize === doubled
      ? doubled(net.at('short'), x, filters)
      : normed(net.at('short'), x, filters, 1, resize === halved ? 2 : 1);
  return g.relu(g.add(y, short));
}

/** Blocks of which the first changes the size. */
function stage(options: Config, net: nn.Scope, x: Value, filters: number, resize: typeof kept): Value {
  let y = block(options, net.at(0), x, filters, resize);
  for (let i = 1; i < options.blocks; i++) y = block(options, net.at(i), y, filters, kept);
  return y;
}

/**
 * One code of the features at all taps, coarsest last (OCBE): finer grids pass a 3 × 3 convolution for each halving that
 * lies between them and the coarsest, doubling their channels but not beyond its own; all joined pass a residual stage of
 * half the size and twice the coarsest's channels.
 */
export function bottleneck(options: Config, net: nn.Scope, grids: readonly Value[]): Value {
  const coarsest = grids.at(-1)!;
  const size = sidesOf(coarsest);
  const brought = grids.map((grid, i) => {
    let y = grid;
    const halvings = Math.round(Math.log2(sidesOf(grid)[0] / size[0]));
    for (let k = 0; k < halvings; k++) {
      const filters = k === halvings - 1 ? channelsOf(coarsest) : Math.min(2 * channelsOf(y), channelsOf(coarsest));
      y = g.relu(halved(net.at(`from${i}`).at(k), y, filters));
    }
    return g.resizeBilinear(y, size);
  });
  const joint = brought.length === 1 ? coarsest : g.concat(brought, 1);
  return stage(options, net.at('code'), joint, 2 * channelsOf(coarsest), halved);
}

/** Features from a code, shaped as the teacher's, `like`, coarsest last. */
export function decode(options: Config, net: nn.Scope, code: Value, like: readonly Value[]): Value[] {
  let y = code;
  const found: Value[] = [];
  for (let i = like.length - 1; i >= 0; i--) {
    const [at, size, filters] = [net.at(`level${i}`), sidesOf(like[i]), channelsOf(like[i])];
    const doublings = Math.max(0, Math.round(Math.log2(size[0] / sidesOf(y)[0])));
    for (let k = 0; k < doublings; k++) y = stage(options, at.at(`up${k}`), y, filters, doubled);
    if (doublings === 0) y = stage(options, at.at('same'), y, filters, kept);
    y = g.resizeBilinear(y, size);
    found[i] = nn.conv(at.at('features'), y, { filters, kernel: 1 });
  }
  return found;
}

/** The teacher's features, finest first, and the decoder's of the same shapes. */
function both(options: Config, net: (group: string) => nn.Scope, x: Value): (readonly [Value, Value])[] {
  const teacher = tapped(stagesOf(options), net, x).sort((a, b) => sidesOf(b)[0] - sidesOf(a)[0]);
  const student = decode(options, net('decoder'), bottleneck(options, net('bottleneck'), teacher), teacher);
  return teacher.map((t, i) => [t, student[i]] as const);
}

/** 1 − cos of all features of an item at once, mean over the batch. */
export const wholeDistance = (t: Value, s: Value): Value => nn.cosine(g.flatten(t), g.flatten(s), EPS);

/** 1 − cos of the channels at each place, `[N, 1, h, w]`. */
export function placeDistance(t: Value, s: Value): Value {
  const sum = (v: Value) => g.reduceSum(v, { axes: [1], keep: true });
  const length = (v: Value) => g.sqrt(g.add(sum(g.square(v)), EPS));
  return g.sub(1, g.div(sum(g.mul(t, s)), g.mul(length(t), length(s))));
}

/** Σ_l (1 − cos(t_l, s_l)), mean over the batch. */
const distillationLoss = (options: Config, { net, x }: nn.StepContext): Value =>
  both(options, net, x)
    .map(([t, s]) => wholeDistance(t, s))
    .reduce((a, b) => g.add(a, b));

/**
 * Reverse distillation (RD4AD): a decoder learns to restore a teacher's features from a narrow code of them; features
 * that come back in another direction are anomalous (Deng and Li, CVPR 2022, arXiv 2201.10703).
 * Images. Trains a bottleneck and a decoder as large as the teacher; scoring is one pass of all three.
 */
export const reverseDistillation = defineModel({
  name: 'reverse-distillation',
  title: 'Reverse distillation',
  idea: 'Features of a pretrained teacher pass a narrow code, and a decoder restores them; where they are restored wrongly is anomalous.',
  paper: 'Deng and Li, Anomaly detection via reverse distillation from one-class embedding, CVPR 2022.',
  learning: 'one-class',
  inputs: ['image'],
  learns: 'gradient',
  config,
  presets: {
    paper: {
      backbone: 'wide_resnet50_2',
      block: 'bottleneck',
      blocks: 3,
      epochs: 200,
      batchSize: 16,
      learningRate: 5e-3,
      schedule: 'constant',
    },
  },
  defaults(shape, count) {
    const batchSize = Math.min(...shape.slice(1)) < 192 ? 16 : 8;
    return { batchSize, epochs: epochsFor(STEPS, batchSize, count) };
  },
  imageSize: [256, 256],
  tiny: { taps: 'fine', blocks: 1, smoothing: 1, epochs: 6, batchSize: 16 },
  backbone: (options) => choiceOf(stagesOf(options)),

  unsuitable: (options, shape) => tooSmall(stagesOf(options), shape),

  phases(options) {
    const { epochs, batchSize, learningRate } = options;
    const step: nn.Step = {
      name: 'student',
      updates: ['bottleneck', 'decoder'],
      optimizer: nn.adam({ learningRate, ...BETAS }),
      schedule: common.scheduleOf(options),
      loss: (context) => distillationLoss(options, context),
    };
    return [phase({ epochs, batchSize, steps: [step] })];
  },

  pool: (_options, map) => poolMap('max', map),

  score(options, net, x) {
    const maps = both(options, net, x).map(([t, s]) => g.resizeBilinear(placeDistance(t, s), sidesOf(x)));
    const joint = maps.reduce((a, b) => (options.combine === 'add' ? g.add(a, b) : g.mul(a, b)));
    const map = smoothMap(joint, sidesOf(x), options.smoothing);
    return { map, score: poolMap('max', map) };
  },
});
