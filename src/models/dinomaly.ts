/**
 * Dinomaly (Guo et al., Dinomaly: the less is more philosophy in multi-class unsupervised anomaly detection, CVPR 2025, arXiv
 * 2405.14325): a decoder of transformer blocks restores the tokens of a frozen vision transformer from their mean, behind a
 * bottleneck that does little but drop out. Attention is linear, so that it cannot copy a place; blocks are compared in two
 * groups, and what is easy teaches little. One model may learn several products. Ours: the decoder sees patch tokens only,
 * not the class token and registers; the schedule and the growth of the mining follow the length of the training, which is a few
 * hundred steps by default; backbones that are no transformers give one group, the joined features of their taps; images are
 * resampled instead of cropped, and maps are blurred by a Gaussian instead of a window of 5 × 5.
 */
import * as z from 'zod';
import { ConfigError } from '../core/errors.ts';
import { option, say } from '../core/text.ts';
import * as g from '../graph/ops/index.ts';
import type { Value } from '../graph/value.ts';
import * as nn from '../nn/index.ts';
import { defineModel } from './define.ts';
import { asRows, backboneOptions, choiceOf, joined, tapped, tapsOf, tooSmall } from './parts/features.ts';
import { epochsFor } from './parts/fitting/epochs.ts';
import { phase } from './parts/fitting/phase.ts';
import { poolMap } from './parts/maps/pool-map.ts';
import { smoothMap } from './parts/maps/smooth-map.ts';
import { linearAttention } from './parts/nets/linear-attention.ts';
import * as common from './parts/options.ts';
import { sidesOf } from './parts/shapes.ts';

const config = z.strictObject({
  ...backboneOptions,
  blocks: z.int().min(2).max(16).default(8).describe('Blocks of the decoder; even.'),
  dropout: common.share(0.2, 'Share of the numbers that the bottleneck drops.', { most: 0.9 }),
  mining: z
    .int()
    .min(1)
    .max(1e6)
    .default(100)
    .describe('Steps until nine of ten places, the easiest, teach a tenth of what others do; published: 1000.'),
  smoothing: common.smoothing(1.4),
  epochs: common.epochs(20),
  batchSize: common.batchSize(16, undefined, { least: 1, most: 1024 }),
  learningRate: common.learningRate(2e-3, "StableAdamW's learning rate, which falls to a tenth."),
});
type Config = z.infer<typeof config>;

/** Training steps by default. */
const STEPS = 300;
/** As published. */
const PUBLISHED = { beta1: 0.9, beta2: 0.999, eps: 1e-10, weightDecay: 1e-4 };
const CLIP = 0.1;
const INIT = nn.truncatedNormal(0.01);
/** Norms of the decoder. */
const NORM_EPS = 1e-8;
/** Numbers of a head, where they divide the width. */
const HEAD = 64;
/** Largest share of easy places, and what their gradients are multiplied by. */
const EASY = { share: 0.9, factor: 0.1 };
/** Blocks of a vision transformer whose tokens are restored. */
const TARGETS = 8;

/**
 * The options with the taps that are restored where none are named: of a vision transformer of 8 to 23 blocks the eight in the
 * middle (2 to 9 of 12), of a deeper one every other from the fifth (4, 6, … 18); others as they are.
 */
export function targetsOf<T extends Pick<Config, 'backbone' | 'taps' | 'weights' | 'preparation'>>(options: T): T {
  if (options.taps !== '') return options;
  const { backbone } = tapsOf(options);
  const depth = Object.keys(backbone.taps).filter((tap) => /^block\d+$/.test(tap)).length;
  if (depth === 0 || backbone.classToken === undefined) return options;
  if (depth < TARGETS) {
    throw new ConfigError(
      'unsuitable',
      say`dinomaly restores ${TARGETS} blocks of a vision transformer, but ${backbone.name} has ${depth}. Choose another, or
        name blocks with ${option('config.taps', 'block0,block1')}.`,
    );
  }
  const [first, step] = depth >= 24 ? [4, 2] : [Math.floor((depth - TARGETS) / 2), 1];
  return { ...options, taps: Array.from({ length: TARGETS }, (_, k) => `block${first + step * k}`).join() };
}

/** Features that are restored, each `[N, C, h, w]`: those of the taps where they are alike, else all joined as one. */
function targets(options: Config, net: (group: string) => nn.Scope, x: Value): Value[] {
  const grids = tapped(targetsOf(options), net, x);
  const [first, ...rest] = grids;
  const isAlike = rest.every((y) => y.shape.slice(1).every((d, i) => d === first.shape[i + 1]));
  return isAlike ? grids : [joined(grids)];
}

const mean = (list: readonly Value[]): Value =>
  list.length === 1
    ? list[0]
    : g.mul(
        list.reduce((a, b) => g.add(a, b)),
        1 / list.length,
      );

const dense = (at: nn.Scope, x: Value, units: number): Value =>
  nn.dense(at, x, units, { weightInit: INIT, biasInit: nn.zerosInit });

/** The noisy bottleneck: dropout before, within and behind a perceptron of four times the width. */
function bottleneck(net: nn.Scope, x: Value, rate: number): Value {
  const width = x.shape[2] as number;
  const hidden = nn.gelu(dense(net.at('fc1'), nn.dropout(net.at('before'), x, rate), 4 * width));
  const y = dense(net.at('fc2'), nn.dropout(net.at('within'), hidden, rate), width);
  return nn.dropout(net.at('behind'), y, rate);
}

function block(net: nn.Scope, x: Value): Value {
  const width = x.shape[2] as number;
  const heads = width % HEAD === 0 ? width / HEAD : 1;
  const y = g.add(x, linearAttention(net.at('attn'), nn.layerNormLast(net.at('norm1'), x, NORM_EPS), heads, INIT));
  const hidden = nn.gelu(dense(net.at('fc1'), nn.layerNormLast(net.at('norm2'), y, NORM_EPS), 4 * width));
  return g.add(y, dense(net.at('fc2'), hidden, width));
}

/** Two halves of a list, or the list where it has one entry. */
const halves = <T>(list: readonly T[]): (readonly T[])[] =>
  list.length === 1 ? [list] : [list.slice(0, list.length >> 1), list.slice(list.length >> 1)];

/** Groups of the encoder's tokens and of what the decoder makes of them, `[N, P, C]` each, and their grid. */
export function restored(options: Config, net: (group: string) => nn.Scope, x: Value) {
  const encoded = targets(options, net, x);
  const grid = sidesOf(encoded[0]);
  const tokens = encoded.map(asRows);
  let y = bottleneck(net('decoder').at('bottleneck'), mean(tokens), options.dropout);
  const decoded: Value[] = [];
  for (let i = 0; i < options.blocks; i++) {
    y = block(net('decoder').at('blocks').at(i), y);
    decoded.unshift(y); // the last block restores the first
  }
  const wanted = halves(tokens).map(mean);
  const given = (wanted.length === 1 ? [decoded] : halves(decoded)).map(mean);
  return { grid, groups: wanted.map((a, i) => [a, given[i]] as const) };
}

/**
 * b with the gradients of easy places scaled down: of places whose distance `[N, P]` is below that of the hardest share
 * 1 − `easy`, a scalar.
 */
export function mined(b: Value, distances: Value, easy: Value): Value {
  const [n, places] = distances.shape as [number, number];
  const count = n * places;
  const sorted = g.sort(g.stopGradient(g.reshape(distances, [count])), 0);
  const hard = g.floor(g.mul(g.sub(1, easy), count));
  const at = g.clip(g.sub(count, hard), 0, count - 1);
  const limit = g.gather(sorted, g.cast(g.reshape(at, [1]), 'int64'), 0);
  const isHard = g.sub(1, g.step(g.sub(limit, g.stopGradient(distances)))); // 1 unless below the limit
  const factor = g.unsqueeze(g.add(g.mul(isHard, 1 - EASY.factor), EASY.factor), 2);
  return g.add(g.mul(b, factor), g.stopGradient(g.mul(b, g.sub(1, factor))));
}

/** Mean over groups of 1 − cos of all tokens of an image at once, hard places mined. */
function restoringLoss(options: Config, { net, x }: nn.StepContext): Value {
  const { groups } = restored(options, net, x);
  const steps = net('decoder').buffer('steps', [1], nn.zerosInit);
  net('decoder').update('steps', g.add(steps, 1));
  const easy = g.reshape(g.minimum(g.mul(steps, EASY.share / options.mining), EASY.share), []);
  const terms = groups.map(([a, b]) => {
    const whole = (v: Value) => g.reshape(v, [v.shape[0], (v.shape[1] as number) * (v.shape[2] as number)]);
    return nn.cosine(whole(a), whole(mined(b, g.sub(1, nn.cosineSimilarity(a, b)), easy)));
  });
  return mean(terms);
}

/** Rises over a tenth of the training, at most 100 steps, and falls along half a cosine to a tenth. */
export const warmCosine: nn.Schedule = (iteration, total) => {
  const warm = Math.min(100, Math.floor(total / 10));
  return iteration < warm ? (iteration + 1) / warm : nn.cosineDecay(0.1)(iteration - warm, total - warm);
};

/**
 * Dinomaly: a decoder restores the tokens of a vision transformer through a noisy bottleneck and linear attention; where it
 * cannot is anomalous (Guo et al., CVPR 2025, arXiv 2405.14325).
 * Images, also of several products at once. Trains a decoder about as large as the backbone; scoring is one pass of both.
 */
export const dinomaly = defineModel({
  name: 'dinomaly',
  title: 'Dinomaly',
  idea: 'A decoder restores the tokens of a vision transformer through dropout and attention that cannot focus; where it cannot is anomalous.',
  paper: 'Guo et al., Dinomaly: the less is more philosophy in multi-class unsupervised anomaly detection, CVPR 2025.',
  learning: 'one-class',
  inputs: ['image'],
  learns: 'gradient',
  config,
  presets: { paper: { backbone: 'dinov2_vitb14_reg', mining: 1000 } },
  defaults(_shape, count, { mining, batchSize = 16 }) {
    // Where the mining is said, ten times as many steps, as published.
    return { epochs: epochsFor(mining ? 10 * mining : STEPS, batchSize, count) };
  },
  imageSize: [256, 256],
  fitTime: 'hours',
  tiny: { taps: 'fine', blocks: 2, epochs: 12, batchSize: 16, mining: 20 },
  backbone: (options) => choiceOf(targetsOf(options)),

  unsuitable(options, shape) {
    if (options.blocks % 2 !== 0) return say`${option('config.blocks')} must be even, got ${options.blocks}.`;
    return tooSmall(targetsOf(options), shape);
  },

  phases(options) {
    const { epochs, batchSize, learningRate } = options;
    const step: nn.Step = {
      name: 'decoder',
      updates: ['decoder'],
      optimizer: nn.stableAdamW({ learningRate, ...PUBLISHED }),
      schedule: warmCosine,
      clipNorm: CLIP,
      loss: (context) => restoringLoss(options, context),
    };
    return [phase({ epochs, batchSize, steps: [step] })];
  },

  pool: (_options, map) => poolMap('top', map),

  score(options, net, x) {
    const { grid, groups } = restored(options, net, x);
    const maps = groups.map(([a, b]) => g.reshape(g.sub(1, nn.cosineSimilarity(a, b)), [x.shape[0], 1, ...grid]));
    const map = smoothMap(mean(maps), sidesOf(x), options.smoothing);
    return { map, score: poolMap('top', map) };
  },
});
