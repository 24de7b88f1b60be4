/**
 * The LeNet encoders and decoders of Deep SVDD (Ruff et al. 2018, section 4.2, and lukasruff/Deep-SVDD-PyTorch): 5×5
 * convolutions, batch norm, leaky ReLU and 2×2 pooling, no bias and no learnt scale anywhere, so that no layer can give
 * a constant whatever it sees. The nets for 28 × 28 and 32 × 32 are the published ones; the third fits its depth to the
 * image. Rows get dense layers under the same rule.
 */
import * as g from '../../../graph/ops/index.ts';
import type { Value } from '../../../graph/value.ts';
import * as nn from '../../../nn/index.ts';
import type { ImageShape, ItemShape } from '../../define.ts';
import { byKind } from '../by-kind.ts';
import { cropTo, imageShapeOf, itemShapeOf, padTo } from '../shapes.ts';
import { depthOf, shrunk, widthsOf } from './sizes.ts';

export type LeNet = 'lenet-28' | 'lenet-32' | 'lenet';

export interface LeNetOptions {
  network: LeNet;
  /** Numbers that the encoder gives; a multiple of 16 for the two published nets, whose decoders start from 4 × 4. */
  code: number;
}

/** Glorot's uniform weights with the gain of a leaky ReLU of slope 0.01, as published for the net for 32 × 32. */
const glorot: nn.Initializer = (shape, rng, fan) =>
  nn.glorotUniform(shape, rng, fan).map((w) => w * Math.sqrt(2 / (1 + 0.01 ** 2)));
/** Layers of a network as they begin: those of the published net for 28 × 28 as PyTorch's do by default. */
const plainOf = (network: LeNet) => ({
  bias: false,
  weightInit: network === 'lenet-28' ? nn.fanInUniform : glorot,
});
const aroundOf = (network: LeNet) => ({ ...plainOf(network), kernel: 5, padding: 2 });

const norm = (net: nn.Scope, x: Value) => nn.batchNorm(net.at('norm'), x, { affine: false, eps: 1e-4 });
const active = (net: nn.Scope, x: Value) => g.leakyRelu(norm(net, x), 0.01);

/** The largest of each 2×2 block: `[N, C, H, W] → [N, C, H/2, W/2]`, sides even. */
const halve = (x: Value): Value => g.maxPool(x, 2);

/** Filters of the encoder's layers, the first next to the image. */
export function filtersOf(network: LeNet, shape: ImageShape): number[] {
  if (network === 'lenet-28') return [8, 4];
  if (network === 'lenet-32') return [32, 64, 128];
  return widthsOf(16, depthOf(shape));
}

/** Maps from which the decoder that fits its depth starts; as many as that for 32 × 32. */
const STARTING = 8;

/** Widths of the dense layers between a row and its code. */
const rowWidths = (code: number) => [4 * code, 2 * code];

interface Coder {
  encode(options: LeNetOptions, net: nn.Scope, x: Value): Value;
  decode(options: LeNetOptions, net: nn.Scope, z: Value, shape: ItemShape): Value;
}

const plain = plainOf('lenet');
const dense = (net: nn.Scope, x: Value, widths: readonly number[]): Value =>
  widths.reduce((h, width, i) => g.leakyRelu(nn.dense(net.at(`fc${i + 1}`), h, width, plain), 0.01), x);

const rows: Coder = {
  encode: ({ code }, net, x) => nn.dense(net.at('code'), dense(net, x, rowWidths(code)), code, plain),
  decode: ({ code }, net, z, [columns]) =>
    nn.dense(net.at('row'), dense(net, z, rowWidths(code).reverse()), columns, plain),
};

const images: Coder = {
  encode({ network, code }, net, x) {
    const filters = filtersOf(network, imageShapeOf(x));
    const [plain, around] = [plainOf(network), aroundOf(network)];
    let h = padTo(x, 2 ** filters.length);
    filters.forEach((count, i) => {
      const at = net.at(`conv${i + 1}`);
      // The leaky ReLU rises everywhere, so the largest of a block may be taken before it: it has a quarter to do.
      h = g.leakyRelu(halve(norm(at, nn.conv(at, h, { ...around, filters: count }))), 0.01); // [N,K,H/2^(i+1),W/2^(i+1)]
    });
    return nn.dense(net.at('code'), g.flatten(h), code, plain);
  },

  decode({ network, code }, net, z, shape: ImageShape) {
    const filters = filtersOf(network, shape);
    const [plain, around] = [plainOf(network), aroundOf(network)];
    const up = (name: string, h: Value, count: number, padding = 2) => {
      const at = net.at(name);
      return g.upsampleNearest(active(at, nn.convTranspose(at, h, { ...around, filters: count, padding })), 2);
    };
    let h: Value;
    if (network === 'lenet-28') {
      h = g.upsampleNearest(g.leakyRelu(g.reshape(z, [z.shape[0], code / 16, 4, 4]), 0.01), 2); // [N,2,8,8]
      h = up('up2', h, filters[1]); // [N,4,16,16]
      h = up('up1', h, filters[0], 3); // [N,8,28,28]
    } else {
      const start = net.at('start');
      if (network === 'lenet-32') {
        h = g.reshape(active(start, z), [z.shape[0], code / 16, 4, 4]); // [N,8,4,4]
      } else {
        const inner = shrunk(shape, filters.length);
        h = nn.dense(start, z, STARTING * inner[0] * inner[1], plain);
        h = active(start, g.reshape(h, [z.shape[0], STARTING, ...inner]));
      }
      for (let i = filters.length - 1; i >= 0; i--) h = up(`up${i + 1}`, h, filters[i]);
    }
    h = nn.convTranspose(net.at('image'), h, { ...around, filters: shape[0] });
    return cropTo(g.sigmoid(h), shape.slice(1));
  },
};

const coderFor = (shape: ItemShape) => byKind(shape, { image: images, table: rows });

/** φ(x): images `[N, C, H, W]` or rows `[N, D]` → codes `[N, code]`, unbounded and without a bias. */
export function encode(options: LeNetOptions, net: nn.Scope, x: Value): Value {
  return coderFor(itemShapeOf(x)).encode(options, net, x);
}

/** The item of a code, `[N, ...shape]`: images in [0, 1], rows unbounded. Only training needs it. */
export function decode(options: LeNetOptions, net: nn.Scope, z: Value, shape: ItemShape): Value {
  return coderFor(shape).decode(options, net, z, shape);
}
