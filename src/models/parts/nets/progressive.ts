/**
 * Networks of progressive GANs at their full size (Karras et al. 2018, arXiv 1710.10196, table 2): nearest upsampling or
 * mean pooling between pairs of 3×3 convolutions, weights scaled at run time (equalised learning rate, section 4.1),
 * pixel norm in the generator, one map of the batch's deviation in critic and encoder. Nothing grows: the 1×1 layers
 * that only smaller sizes need are absent. Images are in [−1, 1]; the generator ends without an activation.
 */
import * as g from '../../../graph/ops/index.ts';
import type { Value } from '../../../graph/value.ts';
import * as nn from '../../../nn/index.ts';
import type { ImageShape } from '../../define.ts';
import { channelsOf, cropTo, imageShapeOf } from '../shapes.ts';
import { depthOf, shrunk } from './sizes.ts';

export interface ProgressiveSizes {
  /** Filters next to the image; they double with each halving. */
  readonly width: number;
  /** Filters at most. */
  readonly most: number;
}

const filtersAt = ({ width, most }: ProgressiveSizes, level: number) => Math.min(most, width * 2 ** level);

/** Weights begin as N(0, 1) and count gain / √fan_in: Adam then moves all layers at the same rate. */
function scaled(net: nn.Scope, shape: readonly number[], fanIn: number, gain: number): Value {
  return g.mul(net.parameter('weight', shape, nn.normalInit(1)), gain / Math.sqrt(fanIn));
}

function conv(net: nn.Scope, x: Value, filters: number, kernel: 1 | 3, gain = Math.SQRT2): Value {
  const channels = channelsOf(x);
  const weight = scaled(net, [filters, channels, kernel, kernel], channels * kernel ** 2, gain);
  const bias = net.parameter('bias', [filters], nn.zerosInit);
  return g.conv(x, weight, { padding: (kernel - 1) / 2, bias });
}

function dense(net: nn.Scope, x: Value, units: number, gain: number): Value {
  const inputs = channelsOf(x);
  const y = g.matMul(x, scaled(net, [inputs, units], inputs, gain));
  return g.add(y, net.parameter('bias', [units], nn.zerosInit));
}

/** G: latent vectors `[N, Z]`, of unit mean square → images `[N, C, H, W]`. */
export function progressiveGenerator(net: nn.Scope, z: Value, shape: ImageShape, sizes: ProgressiveSizes): Value {
  const depth = depthOf(shape);
  const inner = [filtersAt(sizes, depth), ...shrunk(shape, depth)];
  const [filters, area] = [inner[0], inner[1] * inner[2]];
  const active = (h: Value) => nn.pixelNorm(g.leakyRelu(h));
  const inputs = channelsOf(z);
  // The gain is that of the public code, a quarter of the usual one.
  const start = g.matMul(z, scaled(net.at('start'), [inputs, filters * area], inputs, Math.SQRT2 / 4));
  const bias = net.at('start').parameter('bias', [filters], nn.zerosInit);
  let h = active(g.add(g.reshape(start, [z.shape[0], ...inner]), g.reshape(bias, [1, filters, 1, 1]))); // [N,512,4,4]
  h = active(conv(net.at('conv'), h, filters, 3));
  for (let i = depth - 1; i >= 0; i--) {
    const at = net.at(`up${i}`);
    h = active(conv(at.at('conv1'), g.upsampleNearest(h, 2), filtersAt(sizes, i), 3));
    h = active(conv(at.at('conv2'), h, filtersAt(sizes, i), 3));
  }
  return cropTo(conv(net.at('image'), h, shape[0], 1, 1), shape.slice(1));
}

/** Layers of critic and encoder down to 4 to 7 pixels: `[N, C, H, W] → [N, 512, 4, 4]`, each item by itself. */
export function progressiveTrunk(net: nn.Scope, x: Value, sizes: ProgressiveSizes): Value {
  const shape = imageShapeOf(x);
  const depth = depthOf(shape);
  const [height, across] = shrunk(shape, depth).map((n) => n * 2 ** depth);
  let h = g.padAll(x, [0, 0, 0, 0], [0, 0, height - shape[1], across - shape[2]]);
  h = g.leakyRelu(conv(net.at('image'), h, filtersAt(sizes, 0), 1));
  for (let i = 0; i < depth; i++) {
    const at = net.at(`down${i}`);
    h = g.leakyRelu(conv(at.at('conv1'), h, filtersAt(sizes, i), 3));
    h = g.averagePool(g.leakyRelu(conv(at.at('conv2'), h, filtersAt(sizes, i + 1), 3)), 2);
  }
  return h;
}

/**
 * One more map: the deviation over the batch, mean over all channels and pixels (section 3). Training moves a running
 * value of it, and scoring uses that: an item's score must not depend on the items beside it.
 */
function withDeviation(net: nn.Scope, x: Value): Value {
  const running = net.buffer('running_deviation', [1], nn.zerosInit);
  let deviation = running;
  if (net.training) {
    const centred = g.sub(x, g.reduceMean(x, { axes: [0], keep: true }));
    const now = g.reduceMean(g.sqrt(g.add(g.reduceMean(g.square(centred), { axes: [0] }), 1e-8)));
    net.update('running_deviation', g.add(g.mul(running, 0.9), g.mul(now, 0.1)));
    deviation = now;
  }
  const empty = g.mul(g.slice(x, { 1: [0, 1] }), 0);
  return g.concat([x, g.add(empty, deviation)], 1);
}

/** The critic's last layers: `[N, 512, 4, 4] → [N]`. */
export function progressiveValue(net: nn.Scope, features: Value): Value {
  const filters = channelsOf(features);
  const h = g.leakyRelu(conv(net.at('conv'), withDeviation(net, features), filters, 3));
  const wide = g.leakyRelu(dense(net.at('wide'), g.flatten(h), filters, Math.SQRT2));
  return g.reshape(dense(net.at('value'), wide, 1, 1), [features.shape[0]]);
}

/** The encoder's last layers: `[N, 512, 4, 4] → [N, Z]`. */
export function progressiveCode(net: nn.Scope, features: Value, latent: number): Value {
  const h = g.leakyRelu(conv(net.at('conv'), withDeviation(net, features), channelsOf(features), 3));
  return dense(net.at('code'), g.flatten(h), latent, 1);
}
