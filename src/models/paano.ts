/**
 * PaAno (ICLR 2026, arXiv 2602.01359), PatchCore for series: a small convolutional network learns embeddings in which a patch is
 * near to itself moved by a step or two and far from the least similar patch of its batch; the score is the mean cosine
 * distance to the nearest embeddings of training patches. A patch is a window without two steps at either end, which leaves
 * room to move it. The bank is filled by a pass after the training, in random order, so it is a random sample. Deviations:
 * channels are normalised one by one; the weights at the end are kept, not those of the lowest loss; the map is |∂ score / ∂ x|,
 * which the paper has not; smaller and fewer channels by default (`published` has those of the paper). Left out: the
 * classifier of adjacent patches, which helps in the first tenth of the training and needs windows of two patches; the mean
 * over all patches that cover a step; a bank of k-means centres.
 */
import * as z from 'zod';
import { gradients } from '../graph/grad.ts';
import * as g from '../graph/ops/index.ts';
import type { Value } from '../graph/value.ts';
import * as nn from '../nn/index.ts';
import { defineModel } from './define.ts';
import { epochsFor } from './parts/fitting/epochs.ts';
import { pass } from './parts/fitting/measure.ts';
import { phase } from './parts/fitting/phase.ts';
import { embed, project, unitLength } from './parts/nets/patch-embedding.ts';
import * as common from './parts/options.ts';
import { needsSteps } from './parts/series/needs-steps.ts';
import { countOf } from './parts/shapes.ts';

const config = z.strictObject({
  width: common.width(32, 'Channels of the first convolution; an embedding has half as many numbers.'),
  bank: z.int().min(1).max(1000000).default(2000).describe('Embeddings of training patches that are compared with.'),
  neighbours: z.int().min(1).max(100).default(3).describe('Nearest embeddings whose mean distance is the score.'),
  margin: z.number().min(0).max(2).default(0.5).describe('By how much the least similar patch has to be farther.'),
  epochs: common.epochs(10, 'Passes over the training windows, of at most 200 training steps each.'),
  batchSize: common.batchSize(128, 'Windows per training step.', { least: 2 }),
  learningRate: common.learningRate(1e-3, "AdamW's learning rate at the start; it falls to a tenth."),
  weightDecay: common.weightDecay(1e-4, 'Weight decay of AdamW.'),
});
type Config = z.infer<typeof config>;

/** Steps by which a patch is moved at most. */
const SHIFT = 2;
/** Training steps by default, and of an epoch at most. */
const STEPS = 200;
/** Patches of fewer steps hold no shape. */
const LEAST_PATCH = 4;

/** The patch of windows `[N, L, D]`, moved by some steps: `[N, L − 4, D]`. */
const patchOf = (x: Value, shift = 0): Value =>
  g.slice(x, { 1: [SHIFT + shift, (x.shape[1] as number) - SHIFT + shift] });

/** Each patch moved by −2, −1, 1 or 2 steps as a uniform number `[N, 1, 1]` says. */
function movedPatch(x: Value, uniform: Value): Value {
  const shifts = [-2, -1, 1, 2];
  return shifts
    .map((shift) => patchOf(x, shift))
    .reduce((chosen, patch, i) => g.where(g.greater(i / shifts.length, uniform), chosen, patch));
}

/** Mean of max(0, d(a, p) − d(a, n) + margin) with cosine distances d, n the patch of the batch that is farthest from a. */
function tripletLoss({ width, margin }: Config, { net, x, draw }: nn.StepContext): nn.StepResult {
  const n = countOf(x);
  const moved = movedPatch(x, draw('shift', { kind: 'uniform', shape: [n, 1, 1] }));
  const codes = embed(width, net('encoder'), g.concat([patchOf(x), moved], 0)); // [2N,E]
  const projected = project(net('projection'), codes);
  const [anchor, positive] = g.split(projected, [n, n]);
  const near = g.reduceSum(g.mul(anchor, positive), { axes: [1] }); // cosines, [N]
  const far = g.neg(g.reduceMax(g.neg(g.matMul(anchor, anchor, { transposeB: true })), { axes: [1] }));
  // d(a, p) − d(a, n) = cos(a, n) − cos(a, p).
  return { loss: g.reduceMean(g.relu(g.add(g.sub(far, near), margin))), watch: { code: codes } };
}

/** Puts the embeddings of a batch behind those of the bank, whose first ones leave it. */
function fillBank({ width, bank }: Config, { net, x }: nn.StepContext): Value {
  const codes = unitLength(embed(width, net('encoder').frozen(), patchOf(x))); // [N,E]
  const [n, size] = codes.shape as [number, number];
  const held = net('bank').buffer('codes', [bank, size], nn.zerosInit);
  const next = n >= bank ? g.slice(codes, { 0: [0, bank] }) : g.concat([g.slice(held, { 0: [n, bank] }), codes], 0);
  net('bank').update('codes', next);
  return g.reduceMean(g.square(codes));
}

/**
 * PaAno: embeddings of patches, learnt by telling patches from each other, and the distance to the nearest ones of training
 * (arXiv 2602.01359).
 * Series. Trains in about a minute; the map is one gradient.
 */
export const paano = defineModel({
  name: 'paano',
  title: 'Patch embeddings with a memory bank',
  idea: 'A network learns what makes pieces of a series alike; the score is the distance to the nearest training pieces.',
  paper: 'PaAno: patch-based representation learning for time-series anomaly detection, ICLR 2026, arXiv 2602.01359.',
  learning: 'one-class',
  inputs: ['series'],
  learns: 'gradient',
  keepsItems: true,
  config,
  presets: { published: { width: 128, batchSize: 512, learningRate: 1e-4, weightDecay: 1e-4, epochs: 1 } },
  defaults(_shape, count) {
    const batchSize = Math.max(16, Math.min(128, Math.floor(count / 16)));
    return { batchSize, epochs: epochsFor(STEPS, batchSize, count) };
  },
  tiny: { width: 8, bank: 64, epochs: 4, batchSize: 32 },
  unsuitable: (_config, shape) => needsSteps('paano', LEAST_PATCH + 2 * SHIFT, shape),

  phases(options) {
    const { epochs, batchSize, bank, learningRate, weightDecay } = options;
    const step: nn.Step = {
      name: 'fit',
      updates: ['encoder', 'projection'],
      optimizer: nn.adamW({ learningRate, weightDecay }),
      schedule: nn.cosineDecay(0.1),
      loss: (context) => tripletLoss(options, context),
    };
    return [
      phase({ epochs, batchSize, mostPerEpoch: STEPS, steps: [step] }),
      pass('bank', batchSize, (context) => fillBank(options, context), { mostPerEpoch: Math.ceil(bank / batchSize) }),
    ];
  },

  score({ width, bank, neighbours }, net, x) {
    const codes = unitLength(embed(width, net('encoder'), patchOf(x)));
    const held = net('bank').buffer('codes', [bank, codes.shape[1] as number], nn.zerosInit);
    // Embeddings have no negative numbers: a place of the bank that is still empty, of zeros, is as far as can be.
    const cosines = g.topK(g.matMul(codes, held, { transposeB: true }), Math.min(neighbours, bank)).values; // [N,k]
    const score = g.relu(g.sub(1, g.reduceMean(cosines, { axes: [1] })));
    return { score, map: g.abs(gradients(g.reduceSum(score), [x])[0]) };
  },
});
