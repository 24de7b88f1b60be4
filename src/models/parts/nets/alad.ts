/**
 * Networks of ALAD (Zenati et al. 2018, arXiv 1812.02288, and its public code): encoder, generator and the discriminators
 * of pairs (x, z), (x, x′) and (z, z′). Images of 32 × 32 × 3 with `width` 128 have the published parameter counts, other
 * sizes as many halvings as leave at most 4 pixels; rows have the networks for KDD or Arrhythmia.
 */
import * as g from '../../../graph/ops/index.ts';
import type { Value } from '../../../graph/value.ts';
import * as nn from '../../../nn/index.ts';
import type { ItemShape } from '../../define.ts';
import { byKind } from '../by-kind.ts';
import { sidesOf, toSigned } from '../shapes.ts';
import { discriminateRows, rowEncoder, rowGenerator, rowLayer, type rowOutputs } from './rows.ts';
import { filtersAt, halvingsBelow } from './sizes.ts';
import type { Verdict } from './verdict.ts';

/** Sizes of the networks. */
export interface AladSizes {
  /** Numbers of the code. */
  readonly latent: number;
  /** Filters of the first convolutions. */
  readonly width: number;
  /** Units of the wide dense layer of D_xz for images. */
  readonly units: number;
  /** Spectral norm in encoder and discriminators but for their last layers, for images. */
  readonly spectral: boolean;
  /** How D_xx sees two images: stacked in channels, or one below the other. */
  readonly pairs: 'channels' | 'height';
  /** Networks for tables. */
  readonly rows: keyof typeof rowWidths;
  /** What the generator of rows gives. */
  readonly drawn: (typeof rowOutputs)[number];
}

export interface AladNets {
  /** What the networks see of a batch: images in [−1, 1] at sides that halve evenly. */
  prepare(items: Value): Value;
  /** E: `x → z`, `[N, latent]`. */
  encode(sizes: AladSizes, net: nn.Scope, x: Value): Value;
  /** G: `z → x` of one item's shape, images in [−1, 1]. */
  generate(sizes: AladSizes, net: nn.Scope, z: Value, shape: ItemShape): Value;
  /** D_xz: the logit `[N, 1]` of pairs (x, z). */
  discriminateXz(sizes: AladSizes, net: nn.Scope, x: Value, z: Value): Value;
  /** D_xx of pairs (x, x′); its features are those of the layer below the logit. */
  discriminateXx(sizes: AladSizes, net: nn.Scope, x: Value, other: Value): Verdict;
  /** D_zz: the logit `[N, 1]` of pairs of codes (z, z′). */
  discriminateZz(sizes: AladSizes, net: nn.Scope, z: Value, other: Value): Value;
}

const SLOPE = 0.2;
/** Dense discriminators of pairs of rows or codes. */
const pairLayers = { slope: SLOPE, dropout: 0.2 };
const leaky = (x: Value) => g.leakyRelu(x, SLOPE);
const image = { weightInit: nn.normalInit(0.01), biasInit: nn.zerosInit };

/** Halvings that leave at most 4 pixels, at least 1. */
const halvings = (sides: readonly number[]): number => Math.max(1, halvingsBelow(Math.max(...sides), 4));

/** Filters after each halving: 128, 256, then 512. */
const filtersOf = (width: number, halving: number) => filtersAt(width, halving, 2);

const images: AladNets = {
  prepare: (items) => toSigned(items, 2 ** halvings(sidesOf(items))),

  encode({ latent, width, spectral }, net, x) {
    let h = x;
    for (let i = 0; i < halvings(sidesOf(x)); i++) {
      const at = net.at(`conv${i + 1}`);
      h = nn.conv(at, h, { ...image, filters: filtersOf(width, i), kernel: 4, stride: 2, padding: 1, spectral });
      h = leaky(nn.batchNorm(at.at('norm'), h));
    }
    return g.flatten(nn.conv(net.at('code'), h, { ...image, filters: latent, kernel: sidesOf(h) }));
  },

  generate({ latent, width }, net, z, [channels, ...sides]) {
    const count = halvings(sides);
    const inner = sides.map((side) => side >> count);
    let h = g.reshape(z, [z.shape[0], latent, 1, 1]);
    for (let i = count; i >= 0; i--) {
      const at = net.at(`up${i}`);
      const size = i === count ? { kernel: inner } : { kernel: 4, stride: 2, padding: 1 };
      h = nn.convTranspose(at, h, { ...image, ...size, filters: i === 0 ? channels : filtersOf(width, i - 1) });
      if (i > 0) h = g.relu(nn.batchNorm(at.at('norm'), h));
    }
    return g.tanh(h);
  },

  discriminateXz({ width, units, spectral }, net, x, z) {
    let h = x;
    for (let i = 0; i < halvings(sidesOf(x)); i++) {
      const at = net.at(`conv${i + 1}`);
      h = nn.conv(at, h, { ...image, filters: filtersOf(width, i), kernel: 4, stride: 2, padding: 1, spectral });
      h = leaky(i > 0 ? nn.batchNorm(at.at('norm'), h) : h);
    }
    const layer = (name: string, input: Value, count: number) =>
      nn.dropout(net.at(name), leaky(nn.dense(net.at(name), input, count, { ...image, spectral })), 0.2);
    const hz = layer('code2', layer('code1', z, Math.ceil(units / 2)), Math.ceil(units / 2));
    return nn.dense(net.at('logit'), layer('joint', g.concat([g.flatten(h), hz], 1), units), 1, image);
  },

  discriminateXx({ width, spectral, pairs }, net, x, other) {
    let h = g.concat([x, other], pairs === 'channels' ? 1 : 2);
    for (const i of [0, 1]) {
      const at = net.at(`conv${i + 1}`);
      const filters = Math.ceil(width / 2) << i;
      h = leaky(nn.conv(at, h, { ...image, filters, kernel: 5, stride: 2, padding: 2, spectral }));
      if (i === 0) h = nn.dropout(at, h, 0.2);
    }
    const features = g.flatten(h);
    return { features, logit: nn.dense(net.at('logit'), nn.dropout(net.at('conv2'), features, 0.2), 1, image) };
  },

  discriminateZz: ({ spectral }, net, z, other) =>
    discriminateRows(net, g.concat([z, other], 1), { ...pairLayers, widths: [64, 32], layer: { ...image, spectral } })
      .logit,
};

/** Widths of the row networks; x and z layers of D_xz have 128 units. */
const rowWidths = {
  kdd: { encoder: [64], generator: [64, 128], joint: 128, xx: [128], zz: [32] },
  arrhythmia: { encoder: [256, 128], generator: [128, 256], joint: 256, xx: [256, 128], zz: [64, 32] },
} as const;

const rows: AladNets = {
  prepare: (items) => items,
  encode: (sizes, net, x) => rowEncoder(net, x, [...rowWidths[sizes.rows].encoder, sizes.latent], SLOPE),
  generate: (sizes, net, z, [columns]) =>
    rowGenerator(net, z, [...rowWidths[sizes.rows].generator, columns], sizes.drawn),

  discriminateXz(sizes, net, x, z) {
    const layer = (name: string, h: Value, count: number) => nn.dense(net.at(name), h, count, rowLayer);
    const hx = leaky(nn.batchNorm(net.at('row').at('norm'), layer('row', x, 128)));
    const hz = nn.dropout(net.at('code'), leaky(layer('code', z, 128)), 0.5);
    const joint = leaky(layer('joint', g.concat([hx, hz], 1), rowWidths[sizes.rows].joint));
    return layer('logit', nn.dropout(net.at('joint'), joint, 0.5), 1);
  },

  discriminateXx: (sizes, net, x, other) =>
    discriminateRows(net, g.concat([x, other], 1), { ...pairLayers, widths: rowWidths[sizes.rows].xx }),
  discriminateZz: (sizes, net, z, other) =>
    discriminateRows(net, g.concat([z, other], 1), { ...pairLayers, widths: rowWidths[sizes.rows].zz }).logit,
};

/** The networks for items of a shape. */
export const aladNets = (shape: ItemShape): AladNets => byKind(shape, { image: images, table: rows });
