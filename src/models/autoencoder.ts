/**
 * Autoencoder: a network that squeezes a normal image through a narrow code and draws it again; what it cannot draw is
 * anomalous. Networks: a strided convolutional one with a dense code (default), the nets of seeds 000 and 001 of the
 * founding documents, and the nine-layer convolutional autoencoder of Bergmann et al. 2019 (arXiv 1807.02011). Drawing and
 * image can also be compared by the features of a frozen pretrained network (`loss` "perceptual", after Johnson et al. 2016,
 * arXiv 1603.08155). Left out: tables and series.
 */
import * as z from 'zod';
import * as g from '../graph/ops/index.ts';
import type { Value } from '../graph/value.ts';
import * as nn from '../nn/index.ts';
import { defineModel, type ImageShape } from './define.ts';
import { backboneOptions, choiceOf, tapped, tooSmall } from './parts/features.ts';
import { itemMap, pooling, poolingFor, poolMap } from './parts/pool-map.ts';
import { decodeSeed000, encodeSeed000 } from './parts/seed-000.ts';
import { cropTo, padTo } from './parts/sides.ts';

const config = z.strictObject({
  network: z
    .enum(['strided', 'seed-000', 'seed-001', 'cae-9'])
    .default('strided')
    .describe('Layers: "strided" fits its depth to the image, the others are published nets.'),
  loss: z
    .enum(['l1', 'l2', 'ssim', 'ssim+l2', 'perceptual'])
    .default('ssim+l2')
    .describe(
      'What training minimises and the map shows; "ssim+l2" is 0.1 · (1 − SSIM) + 0.9 · (x − y)², "perceptual" ' +
        '|x − y| + 1 − SSIM + 0.1 · the squared difference of pretrained features.',
    ),
  ...backboneOptions,
  code: z.int().min(1).max(4096).default(16).describe('Numbers in the bottleneck; too many and it learns to copy.'),
  width: z.int().min(1).max(512).default(32).describe('Filters of the first layer of the strided network.'),
  epochs: z.int().min(1).max(100000).default(10).describe('Passes over the training images.'),
  batchSize: z.int().min(1).max(4096).default(64).describe('Images per training step.'),
  learningRate: z.number().positive().max(1).default(1e-3).describe("Adam's learning rate at the start."),
  weightDecay: z.number().min(0).max(1).default(1e-5).describe('L2 penalty added to the gradient.'),
  schedule: z.enum(['constant', 'cosine']).default('cosine').describe('Learning rate over the training.'),
  pooling,
});
type Config = z.infer<typeof config>;

/** Halvings until the map is at most 4 pixels wide. */
function depthOf([, height, width]: ImageShape): number {
  return Math.max(1, Math.min(5, Math.floor(Math.log2(Math.min(height, width) / 4)) + 1));
}

/** Strided 4×4 convolutions with batch norm, a dense code, and the mirror image. */
function strided({ code, width }: Config, net: nn.Scope, x: Value): Value {
  const channels = x.shape[1] as number;
  const depth = depthOf(x.shape.slice(1) as unknown as ImageShape);
  let h = padTo(x, 2 ** depth); // [N,C,H,W]
  for (let i = 0; i < depth; i++) {
    const at = net.at(`down${i}`);
    h = nn.conv(at, h, { filters: width << Math.min(i, 3), kernel: 4, stride: 2, padding: 1, bias: false });
    h = g.leakyRelu(nn.batchNorm(at.at('norm'), h)); // [N,width·2^i,H/2^(i+1),W/2^(i+1)]
  }
  const inner = h.shape.slice(1) as number[];
  const z = nn.dense(net.at('code'), g.flatten(h), code); // [N,code]
  h = nn.dense(
    net.at('decode'),
    z,
    inner.reduce((n, d) => n * d, 1),
    { bias: false },
  );
  h = g.reshape(h, [x.shape[0], ...inner]);
  h = g.leakyRelu(nn.batchNorm(net.at('decode').at('norm'), h));
  for (let i = depth - 1; i >= 0; i--) {
    const at = net.at(`up${i}`);
    const filters = i === 0 ? channels : width << Math.min(i - 1, 3);
    h = nn.convTranspose(at, h, { filters, kernel: 4, stride: 2, padding: 1, bias: i === 0 });
    if (i > 0) h = g.leakyRelu(nn.batchNorm(at.at('norm'), h));
  }
  return cropTo(g.sigmoid(h), x);
}

/** The net of seed 000 (28 × 28 there): values in [−1, 1], tanh at the end. */
function seed000(_config: Config, net: nn.Scope, image: Value): Value {
  const x = g.sub(g.mul(image, 2), 1);
  return g.mul(g.add(decodeSeed000(net, encodeSeed000(net, x), x), 1), 0.5);
}

/** The net of seed 001 (256 × 256 there); the image side must be a multiple of 4 and at least 16. */
function seed001(_config: Config, net: nn.Scope, image: Value): Value {
  const [channels, height, width] = image.shape.slice(1) as number[];
  const x = g.sub(g.mul(image, 2), 1); // Normalize(0.5, 0.5)
  const block = (name: string, h: Value, filters: number) =>
    g.relu(nn.batchNorm(net.at(name).at('norm'), nn.conv(net.at(name), h, { filters, kernel: 2, stride: 2 })));
  let h = block('conv1', x, 32); // [N,32,H/2,W/2]
  h = block('conv2', h, 64); // [N,64,H/4,W/4]
  h = g.flatten(g.maxPool(h, 4)); // [N,64·(H/16)·(W/16)]
  h = g.relu(nn.dense(net.at('fc1'), h, 256));
  h = nn.dense(net.at('fc2'), h, 128); // the code
  h = g.relu(nn.dense(net.at('fc3'), h, 256));
  const inner = [64, height / 4 - 1, width / 4 - 1];
  h = g.relu(nn.dense(net.at('fc4'), h, inner[0] * inner[1] * inner[2]));
  h = g.reshape(h, [x.shape[0], ...inner]); // [N,64,H/4−1,W/4−1]
  const up = nn.convTranspose(net.at('up1'), h, { filters: 32, kernel: 4, stride: 2 }); // [N,32,H/2,W/2]
  h = g.relu(nn.batchNorm(net.at('up1').at('norm'), up));
  h = nn.convTranspose(net.at('up2'), h, { filters: channels, kernel: 2, stride: 2 }); // [N,C,H,W]
  return g.mul(g.add(h, 1), 0.5);
}

/** Filters, kernel, stride of the first eight layers of the nine-layer autoencoder; padding 1 throughout. */
const cae: readonly (readonly [number, number, number])[] = [
  [32, 4, 2],
  [32, 4, 2],
  [32, 3, 1],
  [64, 4, 2],
  [64, 3, 1],
  [128, 4, 2],
  [64, 3, 1],
  [32, 3, 1],
];

/** The nine-layer convolutional autoencoder (128 × 128 there): the ninth layer covers what is left. */
function cae9({ code }: Config, net: nn.Scope, image: Value): Value {
  let h = padTo(image, 16);
  const channels = image.shape[1] as number;
  cae.forEach(([filters, kernel, stride], i) => {
    h = g.leakyRelu(nn.conv(net.at(`enc${i + 1}`), h, { filters, kernel, stride, padding: 1 }));
  });
  const inner = h.shape.slice(2) as number[]; // [H/16,W/16]
  h = nn.conv(net.at('enc9'), h, { filters: code, kernel: inner }); // [N,code,1,1]
  h = g.leakyRelu(nn.convTranspose(net.at('dec9'), h, { filters: 32, kernel: inner }));
  for (let i = cae.length - 1; i >= 0; i--) {
    const [, kernel, stride] = cae[i];
    const filters = i === 0 ? channels : cae[i - 1][0];
    h = nn.convTranspose(net.at(`dec${i + 1}`), h, { filters, kernel, stride, padding: 1 });
    if (i > 0) h = g.leakyRelu(h);
  }
  return cropTo(g.sigmoid(h), image);
}

function reconstruct(options: Config, net: nn.Scope, x: Value): Value {
  switch (options.network) {
    case 'strided':
      return strided(options, net, x);
    case 'seed-000':
      return seed000(options, net, x);
    case 'seed-001':
      return seed001(options, net, x);
    case 'cae-9':
      return cae9(options, net, x);
  }
}

/**
 * Share of SSIM in "ssim+l2": structure and brightness then weigh about the same on normal images, whose 1 − SSIM is
 * some ten times their squared error. Chosen on held-out normals against defects made from them.
 */
const SSIM_SHARE = 0.1;

/** γ: the share of features beside |x − y| and 1 − SSIM, which weigh 1. */
const FEATURE_SHARE = 0.1;

/** Mean over taps and channels of the squared difference of features, brought to the size of the images: `[N, 1, H, W]`. */
function featureErrors(options: Config, net: (group: string) => nn.Scope, x: Value, y: Value): Value {
  const [ofX, ofY] = [tapped(options, net, x), tapped(options, net, y)];
  const maps = ofX.map((f, i) => g.resizeBilinear(itemMap(g.square(g.sub(f, ofY[i]))), x.shape.slice(2)));
  return g.div(
    maps.reduce((a, b) => g.add(a, b)),
    maps.length,
  );
}

/** Per-pixel error `[N, C, H, W]` of the loss. */
function errorMap(options: Config, net: (group: string) => nn.Scope, x: Value, y: Value): Value {
  const { loss } = options;
  const absolute = () => g.abs(g.sub(x, y));
  const squared = () => g.square(g.sub(x, y));
  if (loss === 'l1') return absolute();
  if (loss === 'l2') return squared();
  const structure = g.sub(1, nn.ssimMap(x, y));
  if (loss === 'ssim') return structure;
  if (loss === 'ssim+l2') return g.add(g.mul(structure, SSIM_SHARE), g.mul(squared(), 1 - SSIM_SHARE));
  return g.add(g.add(absolute(), structure), g.mul(featureErrors(options, net, x, y), FEATURE_SHARE));
}

/** Training images below which batches are small, so that an epoch has some steps. */
const FEW = 1000;
/** Ten epochs of few images would be no training. */
const LEAST_STEPS = 300;

/**
 * Convolutional autoencoder: normal images pass a narrow code and are reconstructed; the reconstruction error is the
 * map (Bergmann et al. 2019, arXiv 1807.02011).
 * Images from 8 × 8 pixels. Scoring is one pass.
 */
export const autoencoder = defineModel({
  name: 'autoencoder',
  title: 'Convolutional autoencoder',
  idea: 'A network that draws normal images from a narrow code; the error of the drawing is the anomaly map.',
  paper: 'Bergmann et al. 2019, arXiv 1807.02011 (cae-9); seeds 000 and 001 of the founding documents.',
  learning: 'one-class',
  inputs: ['image'],
  learns: 'gradient',
  config,
  presets: {
    'seed-000': {
      network: 'seed-000',
      loss: 'l2',
      epochs: 15,
      batchSize: 32,
      learningRate: 1e-3,
      weightDecay: 1e-5,
      schedule: 'constant',
    },
    'seed-001': {
      network: 'seed-001',
      loss: 'l2',
      epochs: 5,
      batchSize: 128,
      learningRate: 1e-4,
      weightDecay: 1e-5,
      schedule: 'constant',
    },
    'cae-l2': {
      network: 'cae-9',
      loss: 'l2',
      code: 100,
      epochs: 200,
      batchSize: 128,
      learningRate: 2e-4,
      weightDecay: 1e-5,
      schedule: 'constant',
    },
    'cae-ssim': {
      network: 'cae-9',
      loss: 'ssim',
      code: 100,
      epochs: 200,
      batchSize: 128,
      learningRate: 2e-4,
      weightDecay: 1e-5,
      schedule: 'constant',
    },
  },
  defaults(shape, count) {
    const batchSize = count < FEW ? 16 : 64;
    const perEpoch = Math.max(1, Math.floor(count / batchSize));
    return { batchSize, epochs: Math.max(10, Math.ceil(LEAST_STEPS / perEpoch)), pooling: poolingFor(shape) };
  },
  tiny: { width: 4, code: 4, epochs: 2, batchSize: 16 },
  backbone: (options) => (options.loss === 'perceptual' ? choiceOf(options) : undefined),

  unsuitable(options, shape) {
    const [, height, width] = shape;
    const side = Math.min(height, width);
    if (options.network === 'seed-001' && (height % 4 !== 0 || width % 4 !== 0 || side < 16)) {
      return `network seed-001 needs image sides that are multiples of 4 and at least 16, got ${height} × ${width}.`;
    }
    if (side < 8) return `the autoencoder needs images of at least 8 × 8 pixels, got ${height} × ${width}.`;
    return options.loss === 'perceptual' ? tooSmall(options, shape) : undefined;
  },

  phases(options) {
    const { learningRate, weightDecay, epochs, batchSize } = options;
    return [
      {
        epochs,
        batchSize,
        phase: {
          name: 'fit',
          steps: [
            {
              name: 'fit',
              updates: ['autoencoder'],
              optimizer: nn.adam({ learningRate, weightDecay }),
              schedule: options.schedule === 'cosine' ? nn.cosineDecay() : nn.steady,
              loss: ({ net, x }) =>
                g.reduceMean(errorMap(options, net, x, reconstruct(options, net('autoencoder'), x))),
            },
          ],
        },
      },
    ];
  },

  pool: (options, map) => poolMap(options.pooling, map),

  score(options, net, x) {
    const reconstruction = reconstruct(options, net('autoencoder'), x); // [N,C,H,W]
    const map = itemMap(errorMap(options, net, x, reconstruction)); // [N,1,H,W]
    return { map, score: poolMap(options.pooling, map), reconstruction: g.clip(reconstruction, 0, 1) };
  },
});
