/**
 * EGBAD: a bidirectional GAN. An encoder and a generator learn to fool one discriminator that judges pairs of an item
 * and its code; then E(x) is a code of x at the cost of one pass (Zenati et al. 2018, arXiv 1802.06222, after Donahue et
 * al. 2017, arXiv 1605.09782). Networks: `parts/egbad-nets.ts`. Both networks learn from the batch of the discriminator's
 * step, where the public code draws a second one; their losses stay apart, as its authors advise.
 * Left out: the padding of the last test batch with ones, unscaled tables. For images the defaults are for minutes of one
 * core: small nets, and a discriminator at a fifth of the others' rate, which at the same rate ran far ahead.
 */
import * as z from 'zod';
import { isImage } from '../core/item-shape.ts';
import * as g from '../graph/ops/index.ts';
import type { Value } from '../graph/value.ts';
import * as nn from '../nn/index.ts';
import { defineModel } from './define.ts';
import { discriminate, encode, generate, halvings } from './parts/egbad-nets.ts';
import { passesFor } from './parts/passes.ts';
import { isRows, rowLatent, rowTraining } from './parts/row-nets.ts';
import { cropTo, toSigned } from './parts/sides.ts';
import { spread } from './parts/watch.ts';

const config = z.strictObject({
  score: z
    .enum(['fm', 'ce', 'ce-code'])
    .default('fm')
    .describe(
      'What the discriminator adds to the residual: "fm" the distance of its features for (x, E(x)) and (G(E(x)), E(x)); ' +
        '"ce" how unreal (x, E(x)) seems, as the paper writes; "ce-code" how unreal (G(E(x)), E(x)) seems, as its code does.',
    ),
  weight: z
    .number()
    .min(0)
    .max(1)
    .default(0.1)
    .describe("The discriminator's share w in the score (1 − w) · residual + w · discriminator."),
  norm: z
    .enum(['l1', 'l2'])
    .default('l1')
    .describe('Norm of the residual and of the feature distance: sum of absolute values, or Euclidean.'),
  latent: z.int().min(1).max(4096).default(32).describe('Numbers of the code; published: 200 for MNIST, 32 for KDD.'),
  width: z
    .int()
    .min(2)
    .max(512)
    .default(16)
    .describe("Filters of the discriminator's first convolution; published: 64."),
  units: z
    .int()
    .min(2)
    .max(8192)
    .default(128)
    .describe('Units of the wide dense layers of image networks; published: 1024.'),
  epochs: z
    .int()
    .min(1)
    .max(100000)
    .default(10)
    .describe('Passes over the training items; by default about 3,000 steps on images.'),
  batchSize: z.int().min(2).max(4096).default(64).describe('Items per training step.'),
  learningRate: z.number().positive().max(1).default(1e-3).describe("Adam's learning rate; published: 1e-5."),
  pace: z
    .number()
    .positive()
    .max(10)
    .default(1)
    .describe("The discriminator's learning rate as a multiple of the others'; below 1 it wins less easily."),
  schedule: z.enum(['constant', 'cosine']).default('constant').describe('Learning rate over the whole training.'),
  average: z
    .number()
    .min(0)
    .max(1)
    .default(0.999)
    .describe('Decay of the moving average of all weights that scoring uses; shorter during the first steps.'),
});
type Config = z.infer<typeof config>;

/** What the networks see of a batch. */
const prepare = (x: Value): Value =>
  toSigned(x, isRows(x) ? 1 : 2 ** halvings(...(x.shape.slice(2) as [number, number])));

/** ‖d‖ of each item, `[N]`: a sum over its numbers, as the paper's; not a mean. */
function normOf(kind: Config['norm'], difference: Value): Value {
  const d = g.flatten(difference);
  return kind === 'l1'
    ? g.reduceSum(g.abs(d), { axes: [1] })
    : g.sqrt(g.add(g.reduceSum(g.square(d), { axes: [1] }), 1e-12));
}

/** BCE of each item's logit `[N, 1]` against "real", `[N]`: the less real, the larger. */
const unreal = (logit: Value): Value => g.reduceSum(g.softplus(g.neg(logit)), { axes: [1] });

/**
 * EGBAD: a bidirectional GAN whose encoder gives the code of an item in one pass; the score joins the reconstruction
 * error and what the discriminator of (item, code) pairs finds (Zenati et al. 2018, arXiv 1802.06222).
 * Images from 8 × 8 pixels and rows. Scoring is one pass through three small networks; `alad` adds two
 * discriminators to it.
 */
export const egbad = defineModel({
  name: 'egbad',
  title: 'EGBAD (bidirectional GAN)',
  idea:
    'A generator and an encoder trained together against a judge of pairs (item, code); ' +
    'what the two cannot draw again, or the judge finds odd, is anomalous.',
  paper: 'Zenati et al. 2018, Efficient GAN-Based Anomaly Detection, arXiv 1802.06222.',
  learning: 'one-class',
  inputs: ['image', 'table'],
  learns: 'gradient',
  config,
  presets: {
    // Epochs are not published for MNIST: 100 is about what this learning rate needs.
    mnist: { latent: 200, width: 64, units: 1024, epochs: 100, batchSize: 100, learningRate: 1e-5, pace: 1 },
    // Ours, by held-out attack rows: encoder and generator circle, and only a long average of them undoes one another. The
    // residual of such rows goes on wandering; three times as long tells defects of them somewhat better, KDD99 worse.
    kdd: { latent: 32, epochs: 4, batchSize: 64, learningRate: 3e-4, average: 0.9999 },
    'kdd-published': { latent: 32, epochs: 100, batchSize: 50, learningRate: 1e-5, average: 0.9999 },
  },
  defaults: (shape, count) =>
    isImage(shape)
      ? { epochs: passesFor(3000, 64, count), pace: 0.2 }
      : { latent: rowLatent(shape), ...rowTraining(count), learningRate: 5e-4 },
  tiny: { latent: 8, width: 8, units: 32, epochs: 4, batchSize: 16, learningRate: 1e-3, average: 0.9 },

  unsuitable(_options, shape) {
    const [, height, width] = shape as readonly (number | undefined)[];
    if (height === undefined || width === undefined || Math.min(height, width) >= 8) return undefined;
    return `egbad needs images of at least 8 × 8 pixels, got ${height} × ${width}.`;
  },

  phases(options) {
    const { learningRate, batchSize, epochs, latent, pace } = options;
    const optimizer = nn.adam({ learningRate, beta1: 0.5 });
    const schedule = options.schedule === 'cosine' ? nn.cosineDecay() : nn.steady;
    const steps: nn.Step[] = [
      {
        name: 'discriminator',
        updates: ['discriminator'],
        optimizer: nn.adam({ learningRate: learningRate * pace, beta1: 0.5 }),
        schedule,
        loss({ net, x: items, draw }) {
          const x = prepare(items);
          const z = draw('z', { kind: 'normal', shape: [x.shape[0] as number, latent] });
          const made = generate(net('generator'), z, x.shape.slice(1) as number[], options);
          const code = encode(net('encoder'), x, options);
          const real = discriminate(net('discriminator'), x, code, options).logit; // D(x, E(x))
          const fake = discriminate(net('discriminator'), made, z, options).logit; // D(G(z), z)
          return {
            loss: g.add(nn.bceWithLogits(real, 1), nn.bceWithLogits(fake, 0)),
            metrics: {
              real: g.reduceMean(real),
              fake: g.reduceMean(fake),
              'generated-spread': spread(made),
              'data-spread': spread(x),
              'code-spread': spread(code),
            },
          };
        },
      },
      {
        name: 'generator',
        updates: ['generator'],
        optimizer,
        schedule,
        loss({ net, x: items, draw }) {
          const x = prepare(items);
          const z = draw('z', { kind: 'normal', shape: [x.shape[0] as number, latent] });
          const made = generate(net('generator'), z, x.shape.slice(1) as number[], options);
          return nn.bceWithLogits(discriminate(net('discriminator'), made, z, options).logit, 1);
        },
      },
      {
        name: 'encoder',
        updates: ['encoder'],
        optimizer,
        schedule,
        loss({ net, x: items }) {
          const x = prepare(items);
          const code = encode(net('encoder'), x, options);
          const again = generate(net('generator').frozen(), code, x.shape.slice(1) as number[], options);
          return {
            loss: nn.bceWithLogits(discriminate(net('discriminator'), x, code, options).logit, 0),
            metrics: { residual: nn.l1(x, again) },
          };
        },
      },
    ];
    const average = { groups: ['generator', 'encoder', 'discriminator'], decay: nn.rampedAverage(options.average) };
    return [{ epochs, batchSize, phase: { name: 'fit', steps, average } }];
  },

  score(options, net, items) {
    const x = prepare(items);
    const code = encode(net('encoder'), x, options);
    const again = generate(net('generator'), code, x.shape.slice(1) as number[], options); // G(E(x))
    const judge = (item: Value) => discriminate(net('discriminator'), item, code, options);
    const difference = cropTo(g.sub(x, again), items);
    const residual = normOf(options.norm, difference);
    const oddness = {
      fm: () => normOf(options.norm, g.sub(judge(x).features, judge(again).features)),
      ce: () => unreal(judge(x).logit),
      'ce-code': () => unreal(judge(again).logit),
    }[options.score]();
    const score = g.add(g.mul(residual, 1 - options.weight), g.mul(oddness, options.weight));
    if (isRows(items)) return { score, map: g.abs(difference), reconstruction: again };
    const map = g.mul(g.reduceMean(g.abs(difference), { axes: [1], keep: true }), 0.5); // in units of [0, 1]
    return { score, map, reconstruction: g.mul(g.add(cropTo(again, items), 1), 0.5) };
  },
});
