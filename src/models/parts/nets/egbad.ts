/**
 * Networks of EGBAD (Zenati et al. 2018, arXiv 1802.06222, and its public code): encoder, generator and the joint
 * discriminator of pairs (x, z), for images in [−1, 1] and for rows `[N, D]`. Images of 28 × 28 × 1 with `width` 64,
 * `units` 1024 and a code of 200 give the published MNIST networks, rows of 121 with a code of 32 those for KDD;
 * other sizes get as many halvings as leave at most 8 pixels. Even kernels of stride 2 pad both sides alike.
 */
import * as g from '../../../graph/ops/index.ts';
import type { Value } from '../../../graph/value.ts';
import * as nn from '../../../nn/index.ts';
import type { ItemShape } from '../../define.ts';
import { byKind } from '../by-kind.ts';
import { sidesOf, toSigned } from '../shapes.ts';
import { kddGenerator, rowEncoder, rowGenerator, rowLayer } from './rows.ts';
import { filtersAt, halvingsBelow } from './sizes.ts';
import type { Verdict } from './verdict.ts';

/** Sizes of the networks. */
export interface EgbadSizes {
  /** Numbers of the code. */
  readonly latent: number;
  /** Filters of the discriminator's first convolution. */
  readonly width: number;
  /** Units of the wide dense layers; the discriminator's layer for codes has half as many. */
  readonly units: number;
}

/** Slope of the leaky rectifiers. */
const SLOPE = 0.1;

const image = { weightInit: nn.normalInit(0.02), biasInit: nn.zerosInit };
const leaky = (x: Value) => g.leakyRelu(x, SLOPE);

/** Halvings of encoder, generator and discriminator. */
const halvings = (height: number, width: number): number => Math.max(2, halvingsBelow(Math.max(height, width), 8));

/** Filters after each halving of encoder and generator: 64, 128, then 256. */
const filtersOf = (width: number, halving: number) => filtersAt(width, halving, 2);

export interface EgbadNets {
  /** What the networks see of a batch: images in [−1, 1] at sides that halve evenly. */
  prepare(items: Value): Value;
  /** E: `x → z`, `[N, latent]`. */
  encode(sizes: EgbadSizes, net: nn.Scope, x: Value): Value;
  /** G: `z → x` of one item's shape, images in [−1, 1]. */
  generate(sizes: EgbadSizes, net: nn.Scope, z: Value, shape: ItemShape): Value;
  /** D of pairs (x, z): features `[N, units]` and logit `[N, 1]`. */
  discriminate(sizes: EgbadSizes, net: nn.Scope, x: Value, z: Value): Verdict;
}

const images: EgbadNets = {
  prepare: (items) => toSigned(items, 2 ** halvings(...sidesOf(items))),

  encode({ latent, width }, net, x) {
    let h = leaky(nn.conv(net.at('conv1'), x, { ...image, filters: Math.ceil(width / 2), kernel: 3, padding: 1 }));
    for (let i = 0; i < halvings(...sidesOf(x)); i++) {
      const at = net.at(`conv${i + 2}`);
      h = nn.conv(at, h, { ...image, filters: filtersOf(width, i), kernel: 3, stride: 2, padding: 1 });
      h = leaky(nn.batchNorm(at.at('norm'), h));
    }
    return nn.dense(net.at('code'), g.flatten(h), latent, image);
  },

  generate({ width, units }, net, z, [channels, height, across]) {
    const count = halvings(height, across);
    const inner = [filtersOf(width, count - 1), height >> count, across >> count];
    let h = g.relu(nn.batchNorm(net.at('fc1').at('norm'), nn.dense(net.at('fc1'), z, units, image)));
    h = nn.dense(net.at('fc2'), h, inner[0] * inner[1] * inner[2], image);
    h = g.relu(nn.batchNorm(net.at('fc2').at('norm'), h));
    h = g.reshape(h, [z.shape[0], ...inner]);
    for (let i = count - 1; i >= 0; i--) {
      const at = net.at(`up${i}`);
      const filters = i === 0 ? channels : filtersOf(width, i - 1);
      h = nn.convTranspose(at, h, { ...image, filters, kernel: 4, stride: 2, padding: 1 });
      if (i > 0) h = g.relu(nn.batchNorm(at.at('norm'), h));
    }
    return g.tanh(h);
  },

  discriminate({ width, units }, net, x, z) {
    let h = x;
    for (let i = 0; i < halvings(...sidesOf(x)); i++) {
      const at = net.at(`conv${i + 1}`);
      const filters = filtersOf(width, Math.max(0, i - 1)); // 64, 64, 128, 256
      h = nn.conv(at, h, { ...image, filters, kernel: 4, stride: 2, padding: 1 });
      if (i > 0) h = nn.batchNorm(at.at('norm'), h);
      h = nn.dropout(at, leaky(h), 0.5);
    }
    const code = net.at('code');
    const hz = nn.dropout(code, leaky(nn.dense(code, z, Math.ceil(units / 2), image)), 0.5);
    const joint = net.at('joint');
    const features = leaky(nn.dense(joint, g.concat([g.flatten(h), hz], 1), units, image));
    return { features, logit: nn.dense(net.at('logit'), nn.dropout(joint, features, 0.5), 1, image) };
  },
};

const rows: EgbadNets = {
  prepare: (items) => items,
  encode: ({ latent }, net, x) => rowEncoder(net, x, [64, latent], SLOPE),
  generate: (_sizes, net, z, [columns]) => rowGenerator(net, z, [...kddGenerator, columns]),
  discriminate(_sizes, net, x, z) {
    const layer = (name: string, h: Value) => leaky(nn.dense(net.at(name), h, 128, rowLayer));
    const hx = nn.dropout(net.at('row'), layer('row', x), 0.2);
    const hz = nn.dropout(net.at('code'), layer('code', z), 0.2);
    const features = layer('joint', g.concat([hx, hz], 1));
    return { features, logit: nn.dense(net.at('logit'), nn.dropout(net.at('joint'), features, 0.2), 1, rowLayer) };
  },
};

/** The networks for items of a shape. */
export const egbadNets = (shape: ItemShape): EgbadNets => byKind(shape, { image: images, table: rows });
