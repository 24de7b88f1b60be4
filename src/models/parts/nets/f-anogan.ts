/**
 * Networks of f-AnoGAN (Schlegl et al. 2019 and tSchlegl/f-AnoGAN): generator, critic and encoder. The published residual
 * nets (64 × 64 there) and small strided ones, both of which fit their depth to the image; for rows, which the paper has
 * not, dense ones without norm or dropout.
 */
import * as g from '../../../graph/ops/index.ts';
import type { Value } from '../../../graph/value.ts';
import * as nn from '../../../nn/index.ts';
import type { ImageShape, ItemShape } from '../../define.ts';
import { byKind } from '../by-kind.ts';
import { channelsOf, cropTo, imageShapeOf } from '../shapes.ts';
import { type Norm, stridedGenerator, stridedTrunk } from './dcgan.ts';
import { discriminateRows, kddDiscriminator, kddGenerator, rowEncoder, rowGenerator } from './rows.ts';
import { depthOf, filtersAt, shrunk } from './sizes.ts';

export interface FAnoganOptions {
  readonly network: 'strided' | 'residual';
  /** Filters next to the image. */
  readonly width: number;
  /** Length of the latent vector. */
  readonly latent: number;
  /** The encoder gives values between −range and range. */
  readonly latentRange: number;
}

export interface FAnoganNets {
  /** G: latent vectors `[N, Z]` → images `[N, C, H, W]` in [−1, 1], or rows `[N, D]`. */
  generate(options: FAnoganOptions, net: nn.Scope, z: Value, shape: ItemShape): Value;
  /** f: the features before the critic's last layer, of each item by itself, as the gradient penalty asks. */
  features(options: FAnoganOptions, net: nn.Scope, x: Value): Value;
  /** D: `[N]`, larger for items that look real. */
  criticize(options: FAnoganOptions, net: nn.Scope, x: Value): Value;
  /** E: images in [−1, 1], or rows → latent vectors `[N, Z]`. */
  encode(options: FAnoganOptions, net: nn.Scope, x: Value): Value;
}

/** What the public code calls He: U, of variance 4 / (fan_in + fan_out), twice that of Glorot. */
const he: nn.Initializer = (shape, rng, fan) => {
  const bound = Math.sqrt(12 / (fan.in + fan.out));
  return rng.uniforms(
    shape.reduce((n, d) => n * d, 1),
    -bound,
    bound,
  );
};

/** Batch norm of the residual nets as TensorFlow has it: running statistics that keep 99 %. */
const residualNorm: Norm = (net, x) => nn.batchNorm(net, x, { momentum: 0.01, eps: 1e-3 });

/** Doubles the size: batch norm, ReLU, upsampling, two 3×3 convolutions, and a shortcut around them. */
function residualUp(net: nn.Scope, x: Value, filters: number): Value {
  const conv = (name: string, h: Value, bias: boolean) =>
    nn.conv(net.at(name), h, { filters, kernel: 3, padding: 1, bias, weightInit: he });
  let h = g.upsampleNearest(g.relu(residualNorm(net.at('norm1'), x)), 2);
  h = g.relu(residualNorm(net.at('norm2'), conv('conv1', h, false)));
  const around = nn.conv(net.at('around'), x, { filters, kernel: 1, weightInit: nn.glorotUniform });
  return g.add(g.upsampleNearest(around, 2), conv('conv2', h, true));
}

/** Halves the size: norm, ReLU, 3×3 convolution, twice, mean pooling, and a shortcut around them. */
function residualDown(net: nn.Scope, x: Value, filters: number, norm: Norm): Value {
  const conv = (name: string, h: Value, filters: number, bias: boolean) =>
    nn.conv(net.at(name), h, { filters, kernel: 3, padding: 1, bias, weightInit: he });
  let h = conv('conv1', g.relu(norm(net.at('norm1'), x)), channelsOf(x), false);
  h = conv('conv2', g.relu(norm(net.at('norm2'), h)), filters, true);
  const around = { filters, kernel: 1, weightInit: nn.glorotUniform };
  return g.add(nn.conv(net.at('around'), g.averagePool(x, 2), around), g.averagePool(h, 2));
}

const strided = { weightInit: nn.heNormal(0.2) };
const glorot = { weightInit: nn.glorotUniform };

/** Layers that critic and encoder have in common: images in [−1, 1] → features `[N, F]`. */
function trunk({ network, width }: FAnoganOptions, net: nn.Scope, x: Value, norm: Norm): Value {
  if (network === 'strided') return stridedTrunk(net, x, norm, { width, ...strided });
  const shape = imageShapeOf(x);
  const depth = depthOf(shape);
  const [height, across] = shrunk(shape, depth).map((n) => n * 2 ** depth);
  let h = g.padAll(x, [0, 0, 0, 0], [0, 0, height - shape[1], across - shape[2]]);
  h = nn.conv(net.at('start'), h, { filters: width, kernel: 3, padding: 1, ...glorot });
  for (let i = 1; i <= depth; i++) h = residualDown(net.at(`down${i}`), h, filtersAt(width, i), norm); // [N,512,4,4] at last
  return g.flatten(h);
}

const images: FAnoganNets = {
  generate({ network, width }, net, z, shape: ImageShape) {
    if (network === 'strided') return stridedGenerator(net, z, shape, { width, ...strided });
    const depth = depthOf(shape);
    const inner = [filtersAt(width, depth), ...shrunk(shape, depth)];
    const start = nn.dense(net.at('start'), z, inner[0] * inner[1] * inner[2], glorot);
    let h = g.reshape(start, [z.shape[0], ...inner]); // [N,512,4,4]
    for (let i = depth - 1; i >= 0; i--) h = residualUp(net.at(`up${i}`), h, filtersAt(width, i)); // [N,64,64,64] at last
    h = g.relu(residualNorm(net.at('end').at('norm'), h));
    h = nn.conv(net.at('end'), h, { filters: shape[0], kernel: 3, padding: 1, weightInit: he });
    return cropTo(g.tanh(h), shape.slice(1));
  },

  features: (options, net, x) => trunk(options, net, x, (at, h) => nn.layerNorm(at, h)),
  criticize: (options, net, x) =>
    g.reshape(nn.dense(net.at('value'), images.features(options, net, x), 1, glorot), [x.shape[0]]),

  encode(options, net, x) {
    const norm: Norm = options.network === 'residual' ? residualNorm : (at, v) => nn.batchNorm(at, v);
    const h = trunk(options, net, x, norm);
    return g.mul(g.tanh(nn.dense(net.at('latent'), h, options.latent, glorot)), options.latentRange);
  },
};

const discriminateRow = (net: nn.Scope, x: Value) => discriminateRows(net, x, { ...kddDiscriminator, dropout: 0 });

const rows: FAnoganNets = {
  generate: (_options, net, z, [columns]) => rowGenerator(net, z, [...kddGenerator, columns]),
  features: (_options, net, x) => discriminateRow(net, x).features,
  criticize: (_options, net, x) => g.reshape(discriminateRow(net, x).logit, [x.shape[0]]),
  encode: ({ latent, latentRange }, net, x) =>
    g.mul(g.tanh(rowEncoder(net, x, [64, latent], kddDiscriminator.slope)), latentRange),
};

/** The networks for items of a shape. */
export const fAnoganNets = (shape: ItemShape): FAnoganNets => byKind(shape, { image: images, table: rows });
