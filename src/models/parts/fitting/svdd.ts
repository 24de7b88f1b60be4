/** What Deep SVDD and Deep SAD share: options, how items are prepared, the autoencoder that is trained first, the centre. */
import * as z from 'zod';
import * as g from '../../../graph/ops/index.ts';
import type { Value } from '../../../graph/value.ts';
import * as nn from '../../../nn/index.ts';
import type { ItemShape, TrainingPhase } from '../../define.ts';
import { byKind } from '../by-kind.ts';
import { poolMap } from '../maps/pool-map.ts';
import { needsSide } from '../needs-side.ts';
import { decode, encode } from '../nets/lenet.ts';
import { rowLatent } from '../nets/rows.ts';
import * as common from '../options.ts';
import { countOf, itemShapeOf } from '../shapes.ts';
import { epochsFor } from './epochs.ts';
import { pass } from './measure.ts';
import { phase } from './phase.ts';

/** Options of the networks and of their training. */
export const svddOptions = {
  network: z
    .enum(['lenet', 'lenet-28', 'lenet-32'])
    .default('lenet')
    .describe(
      'Layers for images: the published nets for 28 × 28 and 32 × 32, or one that fits its depth to the image.',
    ),
  code: common.latent(32, 'Length of the code.'),
  encoders: z
    .int()
    .min(1)
    .max(16)
    .default(3)
    .describe(
      'Encoders that begin differently and are trained side by side; the score is the mean of theirs. Time grows with it.',
    ),
  contrast: z
    .boolean()
    .default(true)
    .describe('Normalise the contrast of each image, then the range of all, before the encoder sees it.'),
  pretrainEpochs: common.epochs(30, 'Passes over the training items for the autoencoder.'),
  epochs: common.epochs(30, 'Passes over the training items for the encoder.'),
  batchSize: common.batchSize(200, 'Items per training step.', { least: 2, most: 65536 }),
  pretrainLearningRate: common.learningRate(1e-3, "Adam's learning rate for the autoencoder."),
  learningRate: common.learningRate(1e-3, "Adam's learning rate for the encoder."),
  pretrainWeightDecay: common.weightDecay(5e-4, 'L2 penalty on the autoencoder.'),
  weightDecay: common.weightDecay(5e-7, 'λ: L2 penalty on the encoder.'),
  schedule: z
    .enum(['cosine', 'step'])
    .default('cosine')
    .describe('Learning rate over each training: along half a cosine, or "step": falls to a tenth once.'),
  pretrainMilestone: common.share(0.33, 'Share of the epochs of the autoencoder before its learning rate falls.'),
  milestone: common.share(0.33, 'Share of the epochs of the encoder before its learning rate falls.'),
};

const schema = z.object(svddOptions);
export type SvddOptions = z.infer<typeof schema>;

/** The published trainings. */
export const svddPresets: Readonly<Record<string, Partial<SvddOptions>>> = {
  mnist: {
    network: 'lenet-28',
    code: 32,
    encoders: 1,
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
    encoders: 1,
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
    pretrainEpochs: epochsFor(PRETRAIN_STEPS, batchSize, count),
    epochs: epochsFor(STEPS, batchSize, count),
  };
  return {
    ...byKind<Partial<SvddOptions>>(shape, { image: lenetFor(shape), table: { code: rowLatent(shape) } }),
    ...training,
  };
}

/** The published net where there is one for the size. */
function lenetFor([, height, width]: ItemShape): Partial<SvddOptions> {
  const of = (side: number) => height === side && width === side;
  if (of(28)) return { network: 'lenet-28', code: 32 };
  return { network: of(32) ? 'lenet-32' : 'lenet', code: 128 };
}

/** Shapes that the networks cannot take, as a sentence. */
export function unsuitableForSvdd({ network, code }: SvddOptions, shape: ItemShape): string | undefined {
  const [, height, width] = shape;
  const side = { 'lenet-28': 28, 'lenet-32': 32, lenet: undefined }[network];
  if (shape.length === 3 && side !== undefined) {
    if (height !== side || width !== side)
      return `network ${network} needs images of ${side} × ${side} pixels, got ${height} × ${width}.`;
    if (code % 16 !== 0) return `network ${network} needs a code of a multiple of 16, got ${code}.`;
  }
  return needsSide('deep-svdd', 8, shape);
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

/** Whether the contrast of items of this shape is normalised: of images, where the option says so. */
const hasContrast = ({ contrast }: Pick<SvddOptions, 'contrast'>, shape: ItemShape) =>
  contrast && byKind(shape, { image: true, table: false });

/** What the networks see: images in [0, 1] by the range of the training images; rows as they are. */
export function prepare(options: Pick<SvddOptions, 'contrast'>, net: nn.Scope, x: Value): Value {
  if (!hasContrast(options, itemShapeOf(x))) return x;
  const { low, high } = rangeOf(net);
  return g.div(g.sub(normalizeContrast(x), low), g.maximum(g.sub(high, low), 1e-6));
}

/** The centre c `[code]`: the mean code, each coordinate moved to at least 0.1 from 0, upwards where it is 0. */
export function centreOf(sum: Value, count: Value): Value {
  const mean = g.div(sum, g.maximum(count, 1));
  return g.mul(g.where(g.greater(0, mean), -1, 1), g.maximum(g.abs(mean), FROM_ZERO));
}

const sumsOf = ({ code }: Pick<SvddOptions, 'code'>, net: nn.Scope) => ({
  sum: net.buffer('sum', [code], nn.zerosInit),
  count: net.buffer('count', [], nn.zerosInit),
});

/** The names of what each encoder has for itself: `encoder`, `encoder2`, `encoder3`. */
export const eachOf = (group: string, { encoders }: Pick<SvddOptions, 'encoders'>): string[] =>
  Array.from({ length: encoders }, (_, i) => (i === 0 ? group : `${group}${i + 1}`));

type Nets = (group: string) => nn.Scope;

/** φ(x) of each encoder: codes of items as they are, `[N, code]`. */
export function codesOf(options: SvddOptions, net: Nets, items: Value): Value[] {
  const x = prepare(options, net('range'), items);
  return eachOf('encoder', options).map((name) => encode(options, net(name), x));
}

/** ‖φ(x) − c‖² of each encoder, `[N]`. */
export function distancesOf(options: SvddOptions, net: Nets, codes: readonly Value[]): Value[] {
  const centres = eachOf('centre', options).map((name) => sumsOf(options, net(name)));
  return codes.map((code, i) => distance(code, centreOf(centres[i].sum, centres[i].count)));
}

/** The mean of values, one for each encoder. */
export const meanOf = (values: readonly Value[]): Value =>
  values.length === 1
    ? values[0]
    : g.div(
        values.reduce((a, b) => g.add(a, b)),
        values.length,
      );

/**
 * A batch of the pass that finds the centres: the sums of the codes of normal items, and their number. Without `labels` all
 * are normal. Returns a number to show as the loss.
 */
export function updateCentres(options: SvddOptions, net: Nets, items: Value, labels?: Value): Value {
  const normal = labels && g.sub(1, labels); // [N]
  const frozen: Nets = (group) => net(group).frozen();
  const codes = codesOf(options, frozen, items);
  for (const [i, name] of eachOf('centre', options).entries()) {
    const { sum, count } = sumsOf(options, net(name));
    const counted = normal ? g.mul(codes[i], g.unsqueeze(normal, 1)) : codes[i];
    net(name).update('sum', g.add(sum, g.reduceSum(counted, { axes: [0] })));
    net(name).update('count', g.add(count, normal ? g.reduceSum(normal) : countOf(codes[i])));
  }
  return meanOf(codes.map((code) => g.reduceMean(g.square(code))));
}

/** ‖φ(x) − c‖² `[N]`. */
export const distance = (phi: Value, c: Value) => g.reduceSum(g.square(g.sub(phi, c)), { axes: [1] });

/** The learning rate over one of the trainings. */
export const svddSchedule = ({ schedule }: SvddOptions, milestone: number): nn.Schedule =>
  schedule === 'cosine' ? nn.cosineDecay() : nn.milestones([milestone]);

/** Learns the range of the normalised training images, whose means are 0. */
function learnRange({ net, x }: nn.StepContext): Value {
  const normal = normalizeContrast(x);
  const { low, high } = rangeOf(net('range'));
  net('range').update('low', g.minimum(low, g.neg(g.reduceMax(g.neg(normal)))));
  net('range').update('high', g.maximum(high, g.reduceMax(normal)));
  return g.reduceMean(g.abs(normal));
}

/** mean Σ (x − x̂)² of each autoencoder, summed, so that each is trained as by itself. */
function autoencoderLoss(options: SvddOptions, { net, x: items }: nn.StepContext): nn.StepResult {
  const x = prepare(options, net('range'), items);
  const decoders = eachOf('decoder', options);
  const codes = codesOf(options, net, items);
  const losses = codes.map((code, i) => {
    const reconstruction = decode(options, net(decoders[i]), code, itemShapeOf(x));
    return g.reduceMean(poolMap('sum', g.square(g.sub(x, reconstruction))));
  });
  return { loss: losses.reduce((a, b) => g.add(a, b)), watch: { code: codes[0] } };
}

/** The phases before there is a centre: the range of the images, where contrast is normalised, and the autoencoder. */
export function beforeCentring(options: SvddOptions, shape: ItemShape): TrainingPhase[] {
  const { batchSize, pretrainEpochs: epochs, pretrainLearningRate: learningRate } = options;
  const pretrain: nn.Step = {
    name: 'autoencoder',
    updates: [...eachOf('encoder', options), ...eachOf('decoder', options)],
    optimizer: nn.adam({ learningRate, weightDecay: options.pretrainWeightDecay }),
    schedule: svddSchedule(options, options.pretrainMilestone),
    loss: (context) => autoencoderLoss(options, context),
  };
  return [
    ...(hasContrast(options, shape) ? [pass('range', batchSize, learnRange)] : []),
    phase({ name: 'autoencoder', epochs, batchSize, steps: [pretrain] }),
  ];
}
