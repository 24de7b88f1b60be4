/** What Deep SVDD and Deep SAD share: options, how items are prepared, the autoencoder that is trained first, the centre. */
import * as z from 'zod';
import { isImage } from '../../core/item-shape.ts';
import * as g from '../../graph/ops/index.ts';
import type { Value } from '../../graph/value.ts';
import * as nn from '../../nn/index.ts';
import type { ItemShape, TrainingPhase } from '../define.ts';
import { decode, encode } from './lenet.ts';
import { pass } from './measure.ts';
import { passesFor } from './passes.ts';
import { isRows, rowLatent } from './row-nets.ts';
import { spread } from './watch.ts';

/** Options of the networks and of their training. */
export const svddOptions = {
  network: z
    .enum(['lenet', 'lenet-28', 'lenet-32'])
    .default('lenet')
    .describe(
      'Layers for images: the published nets for 28 × 28 and 32 × 32, or one that fits its depth to the image.',
    ),
  code: z.int().min(1).max(4096).default(32).describe('Numbers that the encoder gives.'),
  contrast: z
    .boolean()
    .default(true)
    .describe('Normalise the contrast of each image, then the range of all, before the encoder sees it.'),
  pretrainEpochs: z.int().min(1).max(100000).default(30).describe('Passes over the items for the autoencoder.'),
  epochs: z.int().min(1).max(100000).default(30).describe('Passes over the items for the encoder.'),
  batchSize: z.int().min(2).max(65536).default(200).describe('Items per training step.'),
  pretrainLearningRate: z.number().positive().max(1).default(1e-3).describe("Adam's rate for the autoencoder."),
  learningRate: z.number().positive().max(1).default(1e-3).describe("Adam's rate for the encoder."),
  pretrainWeightDecay: z.number().min(0).max(1).default(5e-4).describe('L2 penalty on the autoencoder.'),
  weightDecay: z.number().min(0).max(1).default(5e-7).describe('λ: L2 penalty on the encoder.'),
  schedule: z
    .enum(['cosine', 'step'])
    .default('cosine')
    .describe('Learning rate over each training; "step" falls to a tenth once.'),
  pretrainMilestone: z
    .number()
    .min(0)
    .max(1)
    .default(0.33)
    .describe('Share of the autoencoder epochs before its step.'),
  milestone: z.number().min(0).max(1).default(0.33).describe('Share of the encoder epochs before its step.'),
};

const schema = z.object(svddOptions);
export type SvddOptions = z.infer<typeof schema>;

/** The published trainings. */
export const svddPresets: Readonly<Record<string, Partial<SvddOptions>>> = {
  mnist: {
    network: 'lenet-28',
    code: 32,
    pretrainEpochs: 150,
    epochs: 150,
    batchSize: 200,
    pretrainLearningRate: 1e-4,
    learningRate: 1e-4,
    pretrainWeightDecay: 5e-4,
    weightDecay: 5e-7,
    schedule: 'step',
    pretrainMilestone: 1 / 3,
    milestone: 1 / 3,
  },
  cifar10: {
    network: 'lenet-32',
    code: 128,
    pretrainEpochs: 350,
    epochs: 150,
    batchSize: 200,
    pretrainLearningRate: 1e-4,
    learningRate: 1e-4,
    pretrainWeightDecay: 5e-7,
    weightDecay: 5e-7,
    schedule: 'step',
    pretrainMilestone: 250 / 350,
    milestone: 1 / 3,
  },
};

/** Training steps by default: of the autoencoder, then of the encoder. */
const PRETRAIN_STEPS = 300;
const STEPS = 600;

/** What follows from the data. */
export function svddDefaults(shape: ItemShape, count: number): Partial<SvddOptions> {
  const batchSize = Math.max(16, Math.min(200, Math.floor(count / 8)));
  const training = {
    batchSize,
    pretrainEpochs: passesFor(PRETRAIN_STEPS, batchSize, count),
    epochs: passesFor(STEPS, batchSize, count),
  };
  if (!isImage(shape)) return { code: rowLatent(shape), ...training };
  const [, height, width] = shape;
  const of = (side: number) => height === side && width === side;
  if (of(28)) return { network: 'lenet-28', code: 32, ...training };
  return { network: of(32) ? 'lenet-32' : 'lenet', code: 128, ...training };
}

/** Shapes that the networks cannot take, as a sentence. */
export function unsuitableForSvdd({ network, code }: SvddOptions, shape: ItemShape): string | undefined {
  if (!isImage(shape)) return undefined;
  const [, height, width] = shape;
  const side = network === 'lenet-28' ? 28 : network === 'lenet-32' ? 32 : undefined;
  if (side !== undefined && (height !== side || width !== side))
    return `network ${network} needs images of ${side} × ${side} pixels, got ${height} × ${width}.`;
  if (side !== undefined && code % 16 !== 0) return `network ${network} needs a code of a multiple of 16, got ${code}.`;
  if (Math.min(height, width) < 8) return `deep-svdd needs images of at least 8 × 8 pixels, got ${height} × ${width}.`;
  return undefined;
}

/** No coordinate of the centre is nearer to 0. */
const FROM_ZERO = 0.1;
/** (x − m) / mean |x − m| per image, m its mean: global contrast normalisation with L1 scale. One grey gives 0. */
export function normalizeContrast(x: Value): Value {
  const over = { axes: [1, 2, 3], keep: true };
  const centred = g.sub(x, g.reduceMean(x, over));
  return g.div(centred, g.maximum(g.reduceMean(g.abs(centred), over), 1e-6));
}

/** Least and largest value of the normalised training images. Their means are 0, so it is between that both start. */
function rangeOf(net: nn.Scope): { low: Value; high: Value } {
  return { low: net.buffer('low', [], nn.zerosInit), high: net.buffer('high', [], nn.zerosInit) };
}

/** What the networks see: images in [0, 1] by the range of the training images; rows as they are. */
export function prepare({ contrast }: Pick<SvddOptions, 'contrast'>, net: nn.Scope, x: Value): Value {
  if (isRows(x) || !contrast) return x;
  const { low, high } = rangeOf(net);
  return g.div(g.sub(normalizeContrast(x), low), g.maximum(g.sub(high, low), 1e-6));
}

/** The centre c `[code]`: the mean code, each coordinate moved to at least 0.1 from 0, upwards where it is 0. */
export function centreOf(sum: Value, count: Value): Value {
  const mean = g.div(sum, g.maximum(count, 1));
  return g.mul(g.where(g.greater(0, mean), -1, 1), g.maximum(g.abs(mean), FROM_ZERO));
}

export function centre({ code }: Pick<SvddOptions, 'code'>, net: nn.Scope): Value {
  return centreOf(net.buffer('sum', [code], nn.zerosInit), net.buffer('count', [], nn.zerosInit));
}

/** ‖φ(x) − c‖² `[N]`. */
export const distance = (phi: Value, c: Value) => g.reduceSum(g.square(g.sub(phi, c)), { axes: [1] });

/** Σ (x − x̂)² of each item, `[N]`. */
const itemErrors = (x: Value, drawn: Value) =>
  g.reduceSum(g.square(g.sub(x, drawn)), { axes: x.shape.slice(1).map((_, i) => i + 1) });

/** The learning rate over one of the trainings. */
export const svddSchedule = ({ schedule }: SvddOptions, milestone: number): nn.Schedule =>
  schedule === 'cosine' ? nn.cosineDecay() : nn.milestones([milestone]);

/** The phases before there is a centre: the range of the images, where contrast is normalised, and the autoencoder. */
export function beforeCentring(options: SvddOptions, shape: ItemShape): TrainingPhase[] {
  const { batchSize } = options;
  /** Learns the range of the training images, whose means are 0. */
  const range = pass('range', batchSize, ({ net, x }) => {
    const normal = normalizeContrast(x);
    const { low, high } = rangeOf(net('range'));
    net('range').update('low', g.minimum(low, g.neg(g.reduceMax(g.neg(normal)))));
    net('range').update('high', g.maximum(high, g.reduceMax(normal)));
    return g.reduceMean(g.abs(normal));
  });

  const pretrain: TrainingPhase = {
    epochs: options.pretrainEpochs,
    batchSize,
    phase: {
      name: 'autoencoder',
      steps: [
        {
          name: 'autoencoder',
          updates: ['encoder', 'decoder'],
          optimizer: nn.adam({
            learningRate: options.pretrainLearningRate,
            weightDecay: options.pretrainWeightDecay,
          }),
          schedule: svddSchedule(options, options.pretrainMilestone),
          loss({ net, x: item }) {
            const x = prepare(options, net('range'), item);
            const code = encode(options, net('encoder'), x);
            const error = itemErrors(x, decode(options, net('decoder'), code, shape));
            return { loss: g.reduceMean(error), metrics: { 'code-spread': spread(code) } };
          },
        },
      ],
    },
  };

  return [...(isImage(shape) && options.contrast ? [range] : []), pretrain];
}
