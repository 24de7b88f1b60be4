/**
 * Networks of Fence GAN (Ngo et al. 2019, arXiv 1904.01209, and its public code): the published ones for MNIST and
 * CIFAR-10, small strided ones for images of any size, and dense ones for rows, which the toy of two columns has too.
 * Kernels of stride 2 pad both sides alike.
 */
import * as g from '../../../graph/ops/index.ts';
import type { Value } from '../../../graph/value.ts';
import * as nn from '../../../nn/index.ts';
import type { ImageShape, ItemShape } from '../../define.ts';
import { byKind } from '../by-kind.ts';
import { cropTo, itemShapeOf } from '../shapes.ts';
import { stridedGenerator, stridedTrunk } from './dcgan.ts';
import { shrunk } from './sizes.ts';

export const fenceNetworks = ['strided', 'mnist', 'cifar10'] as const;

export interface FenceSizes {
  /** Layers for images; rows have their own. */
  readonly network: (typeof fenceNetworks)[number];
  /** Filters next to the image, of `strided`; hidden units of the generator for rows. */
  readonly width: number;
}

const biasInit = nn.zerosInit;
const small = { weightInit: nn.normalInit(0.02), biasInit };
const glorot = { weightInit: nn.glorotNormal, biasInit };

interface FenceNets {
  generator(net: nn.Scope, z: Value, shape: ItemShape, width: number): Value;
  /** `[N, F]`, from which one dense layer makes the logit. */
  features(net: nn.Scope, x: Value, width: number): Value;
  /** Initial values of that layer. */
  readonly last: nn.LayerOptions;
}

/** z + f(z), f with two hidden layers: noise that is moved to where it belongs. */
function moveRows(net: nn.Scope, z: Value, units: number): Value {
  const layer = (name: string, h: Value, out: number) => nn.dense(net.at(name), h, out, glorot);
  const h = g.relu(layer('fc2', g.relu(layer('fc1', z, units)), units));
  return g.add(z, layer('fc3', h, z.shape[1] as number));
}

function rowFeatures(net: nn.Scope, x: Value, units: number): Value {
  const layer = (name: string, h: Value) => g.relu(nn.dense(net.at(name), h, units, glorot));
  return layer('fc2', layer('fc1', x));
}

/** EGBAD's generator, but each rectifier before its norm. */
function mnistGenerator(net: nn.Scope, z: Value, shape: ImageShape): Value {
  const inner = [128, ...shrunk(shape, 2)];
  const dense = (name: string, h: Value, units: number) =>
    nn.batchNorm(net.at(name).at('norm'), g.relu(nn.dense(net.at(name), h, units, small)));
  let h = dense('fc2', dense('fc1', z, 1024), inner[0] * inner[1] * inner[2]);
  h = g.reshape(h, [z.shape[0], ...inner]); // [N,128,7,7]
  const up = { kernel: 4, stride: 2, padding: 1, ...small };
  h = g.relu(nn.convTranspose(net.at('up1'), h, { ...up, filters: 64 }));
  h = nn.batchNorm(net.at('up1').at('norm'), h); // [N,64,14,14]
  return cropTo(g.tanh(nn.convTranspose(net.at('up2'), h, { ...up, filters: shape[0] })), shape.slice(1));
}

/** Neither norm nor dropout. */
function mnistFeatures(net: nn.Scope, x: Value): Value {
  const down = { filters: 64, kernel: 4, stride: 2, padding: 1, ...small };
  let h = g.leakyRelu(nn.conv(net.at('conv1'), x, down), 0.1); // [N,64,14,14]
  h = g.leakyRelu(nn.conv(net.at('conv2'), h, down), 0.1); // [N,64,7,7]
  return g.leakyRelu(nn.dense(net.at('fc1'), g.flatten(h), 1024, small), 0.1);
}

function cifarGenerator(net: nn.Scope, z: Value, shape: ImageShape): Value {
  const inner = [256, ...shrunk(shape, 4)];
  let h = nn.dense(net.at('start'), z, inner[0] * inner[1] * inner[2], glorot);
  h = g.reshape(h, [z.shape[0], ...inner]); // [N,256,2,2]
  h = g.leakyRelu(nn.batchNorm(net.at('start').at('norm'), h));
  const up = { kernel: 5, stride: 2, padding: 2, outputPadding: 1, ...glorot };
  for (const [i, filters] of [128, 64, 32].entries()) {
    const at = net.at(`up${i + 1}`);
    h = g.leakyRelu(nn.batchNorm(at.at('norm'), nn.convTranspose(at, h, { ...up, filters }))); // 4, 8, 16 pixels
  }
  return cropTo(g.tanh(nn.convTranspose(net.at('up4'), h, { ...up, filters: shape[0] })), shape.slice(1));
}

function cifarFeatures(net: nn.Scope, x: Value): Value {
  let h = x;
  for (const [i, filters] of [32, 64, 128, 256].entries()) {
    const at = net.at(`down${i + 1}`);
    h = nn.conv(at, h, { filters, kernel: 5, stride: 2, padding: 2, ...glorot }); // 16, 8, 4, 2 pixels
    h = g.leakyRelu(i < 3 ? nn.batchNorm(at.at('norm'), h) : h);
  }
  return nn.dropout(net.at('dropout'), g.flatten(h), 0.2);
}

const strided: FenceNets = {
  generator: (net, z, shape: ImageShape, width) =>
    stridedGenerator(net, z, shape, { width, weightInit: small.weightInit }),
  // No norm: real and generated batches are seen in two updates.
  features: (net, x, width) => stridedTrunk(net, x, (_at, h) => h, { width, weightInit: nn.heNormal(0.2) }),
  last: small,
};

const images: Record<FenceSizes['network'], FenceNets> = {
  strided,
  mnist: { generator: mnistGenerator, features: mnistFeatures, last: small },
  cifar10: { generator: cifarGenerator, features: cifarFeatures, last: glorot },
};

const rows: FenceNets = {
  generator: (net, z, _shape, width) => moveRows(net, z, width),
  features: (net, x, width) => rowFeatures(net, x, Math.ceil(1.5 * width)),
  last: glorot,
};

const netsFor = (network: FenceSizes['network'], shape: ItemShape) =>
  byKind(shape, { image: images[network], table: rows });

/** Length of the latent vector of an item: of a row as many numbers as it has columns. */
export const latentOf = (latent: number, shape: ItemShape): number => byKind(shape, { image: latent, table: shape[0] });

/** G: `z → x`, images in [−1, 1]. */
export function generate({ network, width }: FenceSizes, net: nn.Scope, z: Value, shape: ItemShape): Value {
  return netsFor(network, shape).generator(net, z, shape, width);
}

/** D: one logit per item, `[N]`, large for what looks real. */
export function discriminate({ network, width }: FenceSizes, net: nn.Scope, x: Value): Value {
  const nets = netsFor(network, itemShapeOf(x));
  return g.reshape(nn.dense(net.at('logit'), nets.features(net, x, width), 1, nets.last), [x.shape[0]]);
}
