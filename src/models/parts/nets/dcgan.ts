/**
 * Deep convolutional GANs (Radford et al. 2016, arXiv 1511.06434): generators of images in [−1, 1] from a latent vector,
 * and discriminators that end in one logit. Published nets by name, and one that fits its depth to the image. Rows of
 * tables get the dense nets for KDD99, whatever the name.
 */
import { ShapeError } from '../../../core/errors.ts';
import * as g from '../../../graph/ops/index.ts';
import type { Value } from '../../../graph/value.ts';
import * as nn from '../../../nn/index.ts';
import type { ImageShape, ItemShape } from '../../define.ts';
import { byKind } from '../by-kind.ts';
import { needsSide } from '../needs-side.ts';
import { cropTo, imageShapeOf, itemShapeOf } from '../shapes.ts';
import { discriminateRows, kddDiscriminator, kddGenerator, rowGenerator } from './rows.ts';
import { depthOf, filtersAt, shrunk } from './sizes.ts';
import type { Verdict } from './verdict.ts';

export type Norm = (scope: nn.Scope, x: Value) => Value;

export interface StridedOptions {
  /** Filters next to the image; they double with each halving, up to eightfold. */
  width: number;
  weightInit: nn.Initializer;
}

/** Dense, then transposed 4×4 convolutions that double the size, batch norm and ReLU between: `[N, Z] → [N, C, H, W]`. */
export function stridedGenerator(
  net: nn.Scope,
  z: Value,
  shape: ImageShape,
  { width, weightInit }: StridedOptions,
): Value {
  const depth = depthOf(shape);
  const inner = [filtersAt(width, depth - 1), ...shrunk(shape, depth)];
  let h = nn.dense(net.at('start'), z, inner[0] * inner[1] * inner[2], { bias: false, weightInit });
  h = g.reshape(h, [z.shape[0], ...inner]);
  h = g.relu(nn.batchNorm(net.at('start').at('norm'), h)); // [N,K,H/2^depth,W/2^depth]
  for (let i = depth - 1; i > 0; i--) {
    const at = net.at(`up${i}`);
    const filters = filtersAt(width, i - 1);
    h = nn.convTranspose(at, h, { filters, kernel: 4, stride: 2, padding: 1, bias: false, weightInit });
    h = g.relu(nn.batchNorm(at.at('norm'), h));
  }
  h = nn.convTranspose(net.at('up0'), h, { filters: shape[0], kernel: 4, stride: 2, padding: 1, weightInit });
  return cropTo(g.tanh(h), shape.slice(1));
}

/** 4×4 convolutions of stride 2 with leaky ReLU, a norm after each but the first: features `[N, K · h · w]`. */
export function stridedTrunk(net: nn.Scope, x: Value, norm: Norm, { width, weightInit }: StridedOptions): Value {
  let h = x;
  for (let i = 0; i < depthOf(imageShapeOf(x)); i++) {
    const at = net.at(`down${i}`);
    const filters = filtersAt(width, i);
    h = nn.conv(at, h, { filters, kernel: 4, stride: 2, padding: 1, bias: i === 0, weightInit });
    h = g.leakyRelu(i === 0 ? h : norm(at.at('norm'), h)); // [N,width·2^i,H/2^(i+1),W/2^(i+1)]
  }
  return g.flatten(h);
}

interface Gan {
  /** Items from latent vectors `[N, Z]`: images in [−1, 1]. */
  generator(net: nn.Scope, z: Value, shape: ItemShape, width: number): Value;
  /** The logit is `[N]`. */
  discriminator(net: nn.Scope, x: Value, options: Pick<GanOptions, 'width' | 'dropout'>): Verdict;
}

/** DCGAN's initial weights: N(0, 0.02²). */
const weightInit = nn.normalInit(0.02);

function withLogit(net: nn.Scope, features: Value): Verdict {
  return { features, logit: g.reshape(nn.dense(net.at('logit'), features, 1, { weightInit }), [features.shape[0]]) };
}

const strided: Gan = {
  generator: (net, z, shape: ImageShape, width) => stridedGenerator(net, z, shape, { width, weightInit }),
  discriminator: (net, x, { width }) => withLogit(net, stridedTrunk(net, x, nn.batchNorm, { width, weightInit })),
};

/** The DCGAN of LeeDoYup/AnoGAN-tf: four 5×5 layers, 64 to 512 filters; made for 64 × 64. */
const dcgan5: Gan = {
  generator(net, z, shape: ImageShape, width) {
    const inner = [8 * width, ...shrunk(shape, 4)];
    let h = g.reshape(nn.dense(net.at('start'), z, inner[0] * inner[1] * inner[2], { weightInit }), [
      z.shape[0],
      ...inner,
    ]);
    h = g.relu(nn.batchNorm(net.at('start').at('norm'), h));
    for (let i = 3; i >= 0; i--) {
      const at = net.at(`up${i}`);
      const filters = i > 0 ? width << (i - 1) : shape[0];
      h = nn.convTranspose(at, h, { filters, kernel: 5, stride: 2, padding: 2, outputPadding: 1, weightInit });
      if (i > 0) h = g.relu(nn.batchNorm(at.at('norm'), h));
    }
    return cropTo(g.tanh(h), shape.slice(1));
  },
  discriminator(net, x, { width }) {
    let h = x;
    for (let i = 0; i < 4; i++) {
      const at = net.at(`down${i}`);
      h = nn.conv(at, h, { filters: width << i, kernel: 5, stride: 2, padding: 2, weightInit });
      h = g.leakyRelu(i === 0 ? h : nn.batchNorm(at.at('norm'), h));
    }
    return withLogit(net, g.flatten(h));
  },
};

/** The MNIST nets of Zenati et al. 2018 (arXiv 1802.06222): their generator, and the discriminator of their AnoGAN. */
const zenati: Gan = {
  generator(net, z, shape: ImageShape) {
    const inner = [128, ...shrunk(shape, 2)];
    const block = (name: string, h: Value, units: number) =>
      g.relu(nn.batchNorm(net.at(name).at('norm'), nn.dense(net.at(name), h, units, { weightInit })));
    let h = block('fc2', block('fc1', z, 1024), inner[0] * inner[1] * inner[2]);
    h = g.reshape(h, [z.shape[0], ...inner]); // [N,128,7,7]
    const up = { kernel: 4, stride: 2, padding: 1, weightInit };
    h = nn.convTranspose(net.at('up1'), h, { ...up, filters: 64 });
    h = g.relu(nn.batchNorm(net.at('up1').at('norm'), h)); // [N,64,14,14]
    return cropTo(g.tanh(nn.convTranspose(net.at('up2'), h, { ...up, filters: shape[0] })), shape.slice(1));
  },
  discriminator(net, x) {
    const down = { filters: 64, kernel: 4, stride: 2, padding: 1, weightInit };
    let h = g.leakyRelu(nn.conv(net.at('conv1'), x, down), 0.1); // [N,64,14,14]
    h = g.leakyRelu(nn.batchNorm(net.at('conv2').at('norm'), nn.conv(net.at('conv2'), h, down)), 0.1);
    h = nn.dense(net.at('fc1'), g.flatten(h), 1024, { weightInit });
    return withLogit(net, g.leakyRelu(nn.batchNorm(net.at('fc1').at('norm'), h), 0.1));
  },
};

/** Filters, kernel and stride on the way from 1 × 1 to 256 × 256 and back: the DCGAN of the founding documents. */
const up256 = [
  [512, 8, 1],
  [256, 4, 4],
  [128, 2, 2],
  [64, 2, 2],
] as const;
const down256 = [
  [64, 6, 4, 1],
  [128, 4, 4, 0],
  [256, 4, 2, 1],
  [512, 4, 2, 1],
] as const;

const seed256: Gan = {
  generator(net, z, shape: ImageShape) {
    let h = g.reshape(z, [...z.shape, 1, 1]);
    for (const [i, [filters, kernel, stride]] of up256.entries()) {
      const at = net.at(`up${i + 1}`);
      h = nn.convTranspose(at, h, { filters, kernel, stride, weightInit });
      h = g.relu(nn.batchNorm(at.at('norm'), h)); // 8, 32, 64, 128 pixels
    }
    return g.tanh(nn.convTranspose(net.at('up5'), h, { filters: shape[0], kernel: 2, stride: 2, weightInit }));
  },
  discriminator(net, x) {
    let h = x;
    for (const [i, [filters, kernel, stride, padding]] of down256.entries()) {
      const at = net.at(`down${i + 1}`);
      h = nn.conv(at, h, { filters, kernel, stride, padding, weightInit }); // 64, 16, 8, 4 pixels
      h = g.leakyRelu(i === 0 ? h : nn.batchNorm(at.at('norm'), h));
    }
    return withLogit(net, g.flatten(h));
  },
};

const gans = { strided, 'dcgan-5': dcgan5, zenati, 'seed-256': seed256 } satisfies Record<string, Gan>;

export type GanNetwork = keyof typeof gans;
export const ganNetworks = Object.keys(gans) as [GanNetwork, ...GanNetwork[]];

/** The nets of Zenati et al. for KDD99. */
const rows: Gan = {
  generator: (net, z, [columns]) => rowGenerator(net, z, [...kddGenerator, columns]),
  discriminator(net, x, { dropout = kddDiscriminator.dropout }) {
    const { features, logit } = discriminateRows(net, x, { ...kddDiscriminator, dropout });
    return { features, logit: g.reshape(logit, [x.shape[0]]) };
  },
};

/** Which images the nets cannot take: a sentence, or undefined. */
export function unsuitableForGan(network: GanNetwork, shape: ItemShape): string | undefined {
  const [, height, width] = shape;
  if (network === 'seed-256' && shape.length === 3 && (height !== 256 || width !== 256))
    return `network seed-256 needs images of 256 × 256 pixels, got ${height} × ${width}.`;
  return needsSide('a GAN', 8, shape);
}

export interface GanOptions {
  readonly network: GanNetwork;
  /** Filters next to the image; `strided` and `dcgan-5` only. */
  readonly width: number;
  /** Share of each layer of the discriminator of rows that a training step leaves out; 0.2 as published unless given. */
  readonly dropout?: number;
}

const netsFor = (network: GanNetwork, shape: ItemShape) => byKind(shape, { image: gans[network], table: rows });

/** Images `[N, C, H, W]` in [−1, 1], or rows `[N, D]`, from latent vectors `[N, Z]`. */
export function generate({ network, width }: GanOptions, net: nn.Scope, z: Value, shape: ItemShape): Value {
  if (z.shape.length !== 2) throw new ShapeError('A generator needs latent vectors [N, Z].');
  return netsFor(network, shape).generator(net, z, shape, width);
}

/** The verdict on images `[N, C, H, W]` in [−1, 1], or on rows `[N, D]`. */
export function discriminate(options: GanOptions, net: nn.Scope, x: Value): Verdict {
  return netsFor(options.network, itemShapeOf(x)).discriminator(net, x, options);
}

/** The two losses of a GAN on logits `[N]`, the generator's in its non-saturating form (Goodfellow et al. 2014). */
export const discriminatorLoss = (real: Value, fake: Value, realTarget = 1) =>
  g.add(nn.bceWithLogits(real, realTarget), nn.bceWithLogits(fake, 0));
export const generatorLoss = (fake: Value) => nn.bceWithLogits(fake, 1);
