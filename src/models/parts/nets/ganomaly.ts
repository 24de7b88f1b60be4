/**
 * Networks of GANomaly (Akcay et al. 2018, arXiv 1805.06725), and what Skip-GANomaly has from it: an image in a frame that
 * makes every halving whole, and convolutions as in DCGAN. Rows have the dense nets for KDD99.
 */
import * as g from '../../../graph/ops/index.ts';
import type { Value } from '../../../graph/value.ts';
import * as nn from '../../../nn/index.ts';
import type { ItemShape } from '../../define.ts';
import { byKind } from '../by-kind.ts';
import { channelsOf, sidesOf, signed, unsigned } from '../shapes.ts';
import { discriminateRows, kddDiscriminator, kddGenerator, rowEncoder, rowGenerator } from './rows.ts';
import { filtersAt, halvingsBelow } from './sizes.ts';
import type { Verdict } from './verdict.ts';

/** A layer that halves or doubles its image, begun as in DCGAN: kernels N(0, 0.02²). */
export const kernels = { weightInit: nn.normalInit(0.02), bias: false };
export const halving = { kernel: 4, stride: 2, padding: 1, ...kernels };

/** Batch norm with scales that begin as N(1, 0.02²). */
export function norm(at: nn.Scope, h: Value): Value {
  return nn.batchNorm(at.at('norm'), h, { scaleInit: nn.normalInit(0.02, 1) });
}

/** Halvings that leave the shorter side three to five pixels; the same for an image and its canvas. */
export const canvasDepth = (image: Value): number => Math.max(1, halvingsBelow(Math.min(...sidesOf(image)), 5));

/** Rows and columns of frame that make every halving whole: `[top, left]` and `[bottom, right]`. */
function frameOf(image: Value): [number[], number[]] {
  const step = 2 ** canvasDepth(image);
  const missing = sidesOf(image).map((n) => Math.ceil(n / step) * step - n);
  return [missing.map((n) => n >> 1), missing.map((n) => n - (n >> 1))];
}

/** The image in [−1, 1] within a black frame: 28 × 28 becomes 32 × 32. */
export function toCanvas(image: Value): Value {
  const [before, after] = frameOf(image);
  return signed(g.padAll(image, [0, 0, ...before], [0, 0, ...after]));
}

/** The part of a canvas where the image lies. */
export function withoutFrame(canvas: Value, image: Value): Value {
  const [[top, left]] = frameOf(image);
  const [height, width] = sidesOf(image);
  return g.slice(canvas, { 2: [top, top + height], 3: [left, left + width] });
}

/** A generated canvas as an image: [0, 1], without the frame. */
export function fromCanvas(canvas: Value, image: Value): Value {
  return unsigned(withoutFrame(canvas, image));
}

/** The convolutions that encoders and discriminators begin with: `[N,C,32,32] → [N,256,4,4]`. */
export function trunk(width: number, net: nn.Scope, x: Value): Value {
  let h = x;
  for (let i = 0; i < canvasDepth(x); i++) {
    const at = net.at(`down${i}`);
    h = nn.conv(at, h, { filters: filtersAt(width, i), ...halving });
    h = g.leakyRelu(i === 0 ? h : norm(at, h)); // [N,width·2^i,H/2^(i+1),W/2^(i+1)]
  }
  return h;
}

/** Trunk and a convolution over all that is left: `[N,C,H,W] → [N,filters,1,1]`. */
export function encodeCanvas(width: number, filters: number, net: nn.Scope, x: Value): Value {
  const h = trunk(width, net, x);
  return nn.conv(net.at('code'), h, { filters, kernel: sidesOf(h), ...kernels });
}

/** Sizes of the networks. */
export interface GanomalySizes {
  /** Filters of the first convolution. */
  readonly width: number;
  /** Numbers of the code. */
  readonly code: number;
}

export interface GanomalyNets {
  /** What the networks see of a batch: images on their canvas. */
  prepare(items: Value): Value;
  /** What the decoder gives as items, images in [0, 1]. */
  restore(x: Value, items: Value): Value;
  /** The code of an item: `[N, code, 1, 1]` of an image, `[N, code]` of a row. */
  encode(sizes: GanomalySizes, net: nn.Scope, x: Value): Value;
  /** The item of a code; an image in [−1, 1] on its canvas. */
  decode(sizes: GanomalySizes, net: nn.Scope, code: Value, like: Value): Value;
  /** D: features `[N, 256, 4, 4]` and logit `[N, 1, 1, 1]` of images; `[N, 128]` and `[N, 1]` of rows. */
  discriminate(sizes: GanomalySizes, net: nn.Scope, x: Value): Verdict;
}

const images: GanomalyNets = {
  prepare: toCanvas,
  restore: fromCanvas,
  encode: ({ width, code }, net, x) => encodeCanvas(width, code, net, x),

  decode({ width }, net, code, like) {
    const depth = canvasDepth(like);
    const first = net.at('code');
    const inner = sidesOf(like).map((side) => side / 2 ** depth);
    let h = nn.convTranspose(first, code, { filters: filtersAt(width, depth - 1), kernel: inner, ...kernels });
    h = g.relu(norm(first, h)); // [N,256,4,4]
    for (let i = depth - 2; i >= 0; i--) {
      const at = net.at(`up${i + 1}`);
      h = g.relu(norm(at, nn.convTranspose(at, h, { filters: filtersAt(width, i), ...halving })));
    }
    return g.tanh(nn.convTranspose(net.at('up0'), h, { filters: channelsOf(like), ...halving }));
  },

  discriminate({ width }, net, x) {
    const features = trunk(width, net, x);
    return {
      features,
      logit: nn.conv(net.at('logit'), features, { filters: 1, kernel: sidesOf(features), ...kernels }),
    };
  },
};

/** Slope of the leaky rectifiers of rows. */
const SLOPE = 0.2;

const rows: GanomalyNets = {
  prepare: (items) => items,
  restore: (x) => x,
  encode: ({ code }, net, x) => rowEncoder(net, x, [64, code], SLOPE),
  decode: (_sizes, net, code, like) => rowGenerator(net, code, [...kddGenerator, channelsOf(like)]),
  discriminate: (_sizes, net, x) => discriminateRows(net, x, { ...kddDiscriminator, slope: SLOPE, dropout: 0 }),
};

/** The networks for items of a shape. */
export const ganomalyNets = (shape: ItemShape): GanomalyNets => byKind(shape, { image: images, table: rows });
