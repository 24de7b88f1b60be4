/**
 * GANomaly (Akcay et al. 2018, arXiv 1805.06725): an autoencoder that is followed by a second encoder and trained
 * against a discriminator. Normal images have the same code before and after they are drawn again; anomalies do not.
 * Unlike the authors' code, scoring uses running statistics, so a score depends on its image alone, and scores are raw:
 * not stretched over the test set. Left out: starting the discriminator anew when its loss vanishes, which hides a
 * collapse, and choosing the epoch by the test set. Images of other sizes than 4 · 2^n get a black frame; layers have at
 * most eight times the first one's filters (the paper's sizes, 32 and 64 pixels, need no more). The defaults are
 * for minutes of one core: a quarter of the published filters, and fewer steps, after which defects made of held-out
 * digits are told no better. The presets are the published nets.
 */
import * as z from 'zod';
import { isImage } from '../core/item-shape.ts';
import * as g from '../graph/ops/index.ts';
import type { Value } from '../graph/value.ts';
import * as nn from '../nn/index.ts';
import { defineModel } from './define.ts';
import {
  depthOf,
  encode,
  filtersOf,
  fromCanvas,
  halving,
  kernels,
  norm,
  toCanvas,
  trunk,
} from './parts/ganomaly-nets.ts';
import { passesFor } from './parts/passes.ts';
import {
  isRows,
  judgeRows,
  kddGenerator,
  kddJudge,
  rowEncoder,
  rowGenerator,
  rowLatent,
  rowTraining,
} from './parts/row-nets.ts';
import { spread } from './parts/watch.ts';

const config = z.strictObject({
  code: z.int().min(1).max(4096).default(100).describe('Numbers in the code of an image.'),
  width: z
    .int()
    .min(1)
    .max(512)
    .default(16)
    .describe('Filters of the first convolution; each next one doubles them; published: 64.'),
  adversarialWeight: z
    .number()
    .min(0)
    .max(1e4)
    .default(1)
    .describe('Weight of matching the features that the discriminator sees.'),
  contextualWeight: z.number().min(0).max(1e4).default(50).describe('Weight of drawing the same pixels.'),
  encoderWeight: z.number().min(0).max(1e4).default(1).describe('Weight of finding the same code again.'),
  epochs: z
    .int()
    .min(1)
    .max(100000)
    .default(15)
    .describe('Passes over the training items; by default about 2,000 steps on images.'),
  batchSize: z.int().min(2).max(4096).default(64).describe('Items per training step.'),
  learningRate: z.number().positive().max(1).default(2e-4).describe("Adam's learning rate."),
  schedule: z.enum(['constant', 'cosine']).default('constant').describe('Learning rate over the whole training.'),
});
type Config = z.infer<typeof config>;

/** Slope of the leaky rectifiers of row networks. */
const SLOPE = 0.2;

/** What the networks see of a batch: images on their canvas, rows as they are. */
const prepare = (x: Value) => (isRows(x) ? x : toCanvas(x));

/** E1 and E2: the code of an item, `[N,code,1,1]` of an image and `[N,code]` of a row. */
function encodeItem({ width, code }: Config, net: nn.Scope, x: Value): Value {
  return isRows(x) ? rowEncoder(net, x, [64, code], SLOPE) : encode(width, code, net, x);
}

/** The item of a code, with the shape of x; an image in [−1, 1]. */
function decode({ width }: Config, net: nn.Scope, code: Value, x: Value): Value {
  if (isRows(x)) return rowGenerator(net, code, [...kddGenerator, x.shape[1] as number]);
  const depth = depthOf(x);
  const [channels, ...size] = x.shape.slice(1) as number[];
  const first = net.at('code');
  const inner = size.map((n) => n / 2 ** depth);
  let h = nn.convTranspose(first, code, { filters: filtersOf(width, depth - 1), kernel: inner, ...kernels });
  h = g.relu(norm(first, h)); // [N,256,4,4]
  for (let i = depth - 2; i >= 0; i--) {
    const at = net.at(`up${i + 1}`);
    h = g.relu(norm(at, nn.convTranspose(at, h, { filters: filtersOf(width, i), ...halving })));
  }
  return g.tanh(nn.convTranspose(net.at('up0'), h, { filters: channels, ...halving }));
}

/** D: the features f `[N,256,4,4]` and the logit `[N,1,1,1]` that the image is real; of rows `[N,128]` and `[N,1]`. */
function discriminate({ width }: Config, net: nn.Scope, x: Value): { features: Value; logit: Value } {
  if (isRows(x)) return judgeRows(net, x, { ...kddJudge, slope: SLOPE, dropout: 0 });
  const features = trunk(width, net, x);
  const kernel = features.shape.slice(2) as number[];
  return { features, logit: nn.conv(net.at('logit'), features, { filters: 1, kernel, ...kernels }) };
}

/** G: code, drawn item and its code. */
function generate(options: Config, net: nn.Scope, x: Value) {
  const code = encodeItem(options, net.at('encoder'), x);
  const drawn = decode(options, net.at('decoder'), code, x);
  return { code, drawn, again: encodeItem(options, net.at('reencoder'), drawn) };
}

/**
 * GANomaly: encoder, decoder and second encoder, trained against a discriminator; the score is the distance between the
 * codes before and after reconstruction (Akcay et al. 2018, arXiv 1805.06725).
 * Images from 8 × 8 pixels and rows. Scoring is one pass; the map is the reconstruction error.
 */
export const ganomaly = defineModel({
  name: 'ganomaly',
  title: 'GANomaly',
  idea: 'Encoder, decoder and a second encoder, trained against a discriminator; the distance of both codes is the score, the error of the drawing the map.',
  paper: 'Akcay, Atapour-Abarghouei and Breckon 2018, arXiv 1805.06725.',
  learning: 'one-class',
  inputs: ['image', 'table'],
  learns: 'gradient',
  config,
  presets: {
    mnist: { code: 100, width: 64, epochs: 15, batchSize: 64, learningRate: 2e-4 },
    cifar10: { code: 100, width: 64, epochs: 15, batchSize: 64, learningRate: 2e-4 },
    // Ours: the paper has images only. A code of 8 ranks held-out normals against defects of them better than 32.
    kdd: { code: 8, epochs: 2, batchSize: 128, learningRate: 1e-3, schedule: 'cosine' },
  },
  defaults: (shape, count) =>
    isImage(shape)
      ? { epochs: passesFor(2000, 64, count) }
      : { code: rowLatent(shape), ...rowTraining(count), learningRate: 1e-3, schedule: 'cosine' },
  tiny: { code: 8, width: 8, epochs: 15, batchSize: 16, learningRate: 5e-3 },

  unsuitable(_options, shape) {
    if (!isImage(shape)) return undefined;
    const [, height, width] = shape;
    if (Math.min(height, width) >= 8) return undefined;
    return `GANomaly needs images of at least 8 × 8 pixels, got ${height} × ${width}.`;
  },

  phases(options) {
    const optimizer = nn.adam({ learningRate: options.learningRate, beta1: 0.5 });
    const schedule = options.schedule === 'cosine' ? nn.cosineDecay() : nn.steady;
    return [
      {
        epochs: options.epochs,
        batchSize: options.batchSize,
        phase: {
          name: 'fit',
          steps: [
            {
              name: 'discriminator',
              updates: ['discriminator'],
              optimizer,
              schedule,
              loss({ net, x: items }) {
                const x = prepare(items);
                const { drawn } = generate(options, net('generator'), x);
                const real = discriminate(options, net('discriminator'), x).logit;
                const fake = discriminate(options, net('discriminator'), drawn).logit;
                // ½ (BCE(D(x), 1) + BCE(D(x̂), 0))
                const loss = g.mul(g.add(nn.bceWithLogits(real, 1), nn.bceWithLogits(fake, 0)), 0.5);
                const metrics = { real: g.reduceMean(g.sigmoid(real)), fake: g.reduceMean(g.sigmoid(fake)) };
                return { loss, metrics };
              },
            },
            {
              name: 'generator',
              updates: ['generator'],
              optimizer,
              schedule,
              loss({ net, x: items }) {
                const x = prepare(items);
                const { code, drawn, again } = generate(options, net('generator'), x);
                const seen = (picture: Value) => discriminate(options, net('discriminator'), picture).features;
                const adversarial = nn.l2(seen(x), seen(drawn)); // mean (f(x) − f(x̂))²
                const contextual = nn.l1(x, drawn); // mean |x − x̂|
                const encoder = nn.l2(code, again); // mean (z − ẑ)²
                const { adversarialWeight, contextualWeight, encoderWeight } = options;
                const loss = [
                  g.mul(adversarial, adversarialWeight),
                  g.mul(contextual, contextualWeight),
                  g.mul(encoder, encoderWeight),
                ].reduce((a, b) => g.add(a, b));
                const watched = { adversarial, contextual, encoder };
                const spreads = {
                  'generated-spread': spread(drawn),
                  'data-spread': spread(x),
                  'code-spread': spread(code),
                };
                return { loss, metrics: { ...watched, ...spreads } };
              },
            },
          ],
        },
      },
    ];
  },

  score(options, net, items) {
    const { code, drawn, again } = generate(options, net('generator'), prepare(items));
    // A(x) = mean (z − ẑ)², [N]
    const score = g.reduceMean(g.flatten(g.square(g.sub(code, again))), { axes: [1] });
    if (isRows(items)) return { map: g.abs(g.sub(items, drawn)), score, reconstruction: drawn };
    const reconstruction = fromCanvas(drawn, items); // [N,C,H,W]
    const map = g.reduceMean(g.abs(g.sub(items, reconstruction)), { axes: [1], keep: true }); // [N,1,H,W]
    return { map, score, reconstruction };
  },
});
