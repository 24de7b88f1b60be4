/**
 * Supervised classifier: three convolutions with max pooling and two dense layers, trained on normal and labelled
 * anomalous images (seed 001 of the founding documents, with the third convolution that its text promises and its code
 * left out, and with padding, so that small images keep some pixels). It recognises the kinds of anomalies that it was
 * shown; others may look normal to it. Left out: pretrained weights, augmentation, more than two classes.
 */
import * as z from 'zod';
import { gradients } from '../graph/grad.ts';
import * as g from '../graph/ops/index.ts';
import type { Value } from '../graph/value.ts';
import * as nn from '../nn/index.ts';
import { defineModel } from './define.ts';
import { phase } from './parts/fitting/phase.ts';
import { needsSide } from './parts/needs-side.ts';
import * as common from './parts/options.ts';
import { sidesOf, signed } from './parts/shapes.ts';

const config = z.strictObject({
  width: common.width(16, 'Filters of the first convolution; each next one has twice as many.'),
  pool: z
    .int()
    .min(2)
    .max(4)
    .default(2)
    .describe('Side of the max pooling after each convolution, in pixels; 4 in seed 001.'),
  units: z.int().min(1).max(4096).default(256).describe('Units of the hidden dense layer.'),
  dropout: common.share(0.5, 'Share of the hidden units that a training step leaves out.', { most: 0.9 }),
  anomalyShare: common.share(
    0.1,
    'Least share of anomalies in each batch: rarer ones repeat; 0 leaves them as rare as they are.',
    { most: 0.9 },
  ),
  anomalyWeight: z
    .number()
    .positive()
    .max(1e6)
    .default(1)
    .describe('Weight of an anomalous image in the loss; a normal one has 1.'),
  loss: z.enum(['cross-entropy', 'focal']).default('cross-entropy').describe('What training minimises.'),
  gamma: common.weight(2, 'γ of the focal loss: the larger, the less easy images count.', { most: 10 }),
  epochs: common.epochs(5),
  batchSize: common.batchSize(128, undefined, { least: 2 }),
  learningRate: common.learningRate(1e-3, "Adam's learning rate at the start."),
  weightDecay: common.weightDecay(0),
  schedule: common.schedule('cosine'),
});
type Config = z.infer<typeof config>;

/** The features of the last convolution `[N, 4·width, h, w]`. */
function features({ width, pool }: Config, net: nn.Scope, image: Value): Value {
  let h = signed(image); // Normalize(0.5, 0.5)
  for (let i = 0; i < 3; i++) {
    h = g.relu(nn.conv(net.at(`conv${i + 1}`), h, { filters: width << i, kernel: 3, padding: 1 }));
    const [height, across] = sidesOf(h);
    h = g.maxPool(h, [Math.min(pool, height), Math.min(pool, across)]);
  }
  return h;
}

/** Logits `[N, 2]` of normal and anomalous. */
function classify({ units, dropout }: Config, net: nn.Scope, h: Value): Value {
  const hidden = g.relu(nn.dense(net.at('fc1'), g.flatten(h), units));
  return nn.dense(net.at('fc2'), nn.dropout(net.at('fc1'), hidden, dropout), 2);
}

/** `[N]` of 0 and 1 → `[N, 2]`. */
function oneHot(labels: Value): Value {
  const y = g.unsqueeze(labels, 1);
  return g.concat([g.sub(1, y), y], 1);
}

/** Cross-entropy or focal loss, anomalous images weighted. */
function classLoss(options: Config, { net, x, labels }: nn.StepContext): nn.StepResult {
  const logits = classify(options, net('cnn'), features(options, net('cnn'), x));
  const targets = g.mul(oneHot(labels), g.along([1, options.anomalyWeight], 1, 2));
  return options.loss === 'focal' ? nn.focal(logits, targets, options.gamma) : nn.crossEntropy(logits, targets);
}

/**
 * A small convolutional classifier of normal against labelled anomalous images; the log odds are the score and HiResCAM
 * is the map (Draelos and Carin 2020, arXiv 2011.08891).
 * Supervised: needs labelled anomalies for training, and recognises only kinds like them. Images from 8 × 8 pixels;
 * scoring is one pass.
 */
export const cnn = defineModel({
  name: 'cnn',
  title: 'Convolutional classifier',
  idea: 'A small network that learns to tell labelled anomalies from normal images; the log odds are the score.',
  paper: 'Seed 001 of the founding documents. Maps: HiResCAM, Draelos and Carin 2020, arXiv 2011.08891.',
  learning: 'supervised',
  inputs: ['image'],
  learns: 'gradient',
  config,
  presets: {
    'seed-001': {
      width: 32,
      pool: 4,
      units: 256,
      dropout: 0,
      anomalyShare: 0,
      epochs: 5,
      batchSize: 128,
      learningRate: 1e-4,
      schedule: 'constant',
    },
  },
  tiny: { width: 4, units: 16, epochs: 4, batchSize: 16 },

  unsuitable: (_options, shape) => needsSide('the classifier', 8, shape),

  phases(options) {
    const { learningRate, weightDecay, anomalyShare, epochs, batchSize } = options;
    const step: nn.Step = {
      name: 'fit',
      updates: ['cnn'],
      optimizer: nn.adam({ learningRate, weightDecay }),
      schedule: common.scheduleOf(options),
      loss: (context) => classLoss(options, context),
    };
    return [phase({ epochs, batchSize, anomalyShare: anomalyShare > 0 ? anomalyShare : undefined, steps: [step] })];
  },

  score(options, net, x) {
    const h = features(options, net('cnn'), x); // [N,K,h,w]
    const logits = classify(options, net('cnn'), h);
    const score = g.reduceSum(g.mul(logits, g.along([-1, 1], 1, 2)), { axes: [1] }); // log odds, [N]
    // HiResCAM: each feature times its gradient says how much its place speaks for an anomaly.
    const [gradient] = gradients(g.reduceSum(score), [h]);
    const places = g.reduceSum(g.mul(h, gradient), { axes: [1], keep: true }); // [N,1,h,w]
    return { map: g.resizeBilinear(places, sidesOf(x)), score };
  },
});
