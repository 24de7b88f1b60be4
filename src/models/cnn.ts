/**
 * Supervised classifier: three convolutions with max pooling and two dense layers, trained on normal and labelled
 * anomalous images (seed 001 of the founding documents, with the third convolution that its text promises and its code
 * left out, and with padding, so that small images are not eaten up). It knows the kinds of anomalies that it was shown;
 * others may look normal to it. Left out: pretrained weights, augmentation, more than two classes.
 */
import * as z from 'zod';
import { gradients } from '../graph/grad.ts';
import * as g from '../graph/ops/index.ts';
import type { Value } from '../graph/value.ts';
import * as nn from '../nn/index.ts';
import { defineModel } from './define.ts';

const config = z.strictObject({
  width: z
    .int()
    .min(1)
    .max(512)
    .default(16)
    .describe('Filters of the first convolution; each next one has twice as many.'),
  pool: z
    .int()
    .min(2)
    .max(4)
    .default(2)
    .describe('Pixels that become one after each convolution, each way; 4 in seed 001.'),
  units: z.int().min(1).max(4096).default(256).describe('Units of the hidden dense layer.'),
  dropout: z
    .number()
    .min(0)
    .max(0.9)
    .default(0.5)
    .describe('Share of the hidden units that a training step leaves out.'),
  anomalyShare: z
    .number()
    .min(0)
    .max(0.9)
    .default(0.1)
    .describe('Least share of anomalies in each batch: rarer ones repeat; 0 leaves them as rare as they are.'),
  anomalyWeight: z
    .number()
    .positive()
    .max(1e6)
    .default(1)
    .describe('Weight of an anomalous image in the loss; a normal one has 1.'),
  loss: z.enum(['cross-entropy', 'focal']).default('cross-entropy').describe('What training minimises.'),
  gamma: z.number().min(0).max(10).default(2).describe('How much the focal loss ignores what is easy.'),
  epochs: z.int().min(1).max(100000).default(5).describe('Passes over the training images.'),
  batchSize: z.int().min(2).max(4096).default(128).describe('Images per training step.'),
  learningRate: z.number().positive().max(1).default(1e-3).describe("Adam's learning rate at the start."),
  weightDecay: z.number().min(0).max(1).default(0).describe('L2 penalty added to the gradient.'),
  schedule: z.enum(['constant', 'cosine']).default('cosine').describe('Learning rate over the training.'),
});
type Config = z.infer<typeof config>;

/** The features of the last convolution `[N, 4·width, h, w]`. */
function features({ width, pool }: Config, net: nn.Scope, image: Value): Value {
  let h = g.sub(g.mul(image, 2), 1); // Normalize(0.5, 0.5)
  for (let i = 0; i < 3; i++) {
    h = g.relu(nn.conv(net.at(`conv${i + 1}`), h, { filters: width << i, kernel: 3, padding: 1 }));
    const [height, across] = h.shape.slice(2) as number[];
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

  unsuitable(_options, [, height, width]) {
    if (Math.min(height, width) >= 8) return undefined;
    return `the classifier needs images of at least 8 × 8 pixels, got ${height} × ${width}.`;
  },

  phases(options) {
    const { learningRate, weightDecay, anomalyShare, anomalyWeight, epochs, batchSize, gamma } = options;
    return [
      {
        epochs,
        batchSize,
        anomalyShare: anomalyShare > 0 ? anomalyShare : undefined,
        phase: {
          name: 'fit',
          steps: [
            {
              name: 'fit',
              updates: ['cnn'],
              optimizer: nn.adam({ learningRate, weightDecay }),
              schedule: options.schedule === 'cosine' ? nn.cosineDecay() : nn.steady,
              loss({ net, x, labels }) {
                const logits = classify(options, net('cnn'), features(options, net('cnn'), x));
                const targets = g.mul(oneHot(labels), g.along([1, anomalyWeight], 1, 2));
                return options.loss === 'focal' ? nn.focal(logits, targets, gamma) : nn.crossEntropy(logits, targets);
              },
            },
          ],
        },
      },
    ];
  },

  score(options, net, x) {
    const h = features(options, net('cnn'), x); // [N,K,h,w]
    const logits = classify(options, net('cnn'), h);
    const score = g.reduceSum(g.mul(logits, g.along([-1, 1], 1, 2)), { axes: [1] }); // log odds, [N]
    // HiResCAM: each feature times the slope of the score along it says how much its place speaks for an anomaly.
    const [slopes] = gradients(g.reduceSum(score), [h]);
    const places = g.reduceSum(g.mul(h, slopes), { axes: [1], keep: true }); // [N,1,h,w]
    return { map: g.resizeBilinear(places, x.shape.slice(2)), score };
  },
});
