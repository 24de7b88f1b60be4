/**
 * Dense networks for rows `[N, D]`. Widths for KDD99 are those of the public code of Zenati et al. 2018
 * (arXiv 1802.06222): its generator, and the discriminator of its AnoGAN, serve every GAN here that takes tables.
 */
import * as g from '../../../graph/ops/index.ts';
import type { Value } from '../../../graph/value.ts';
import * as nn from '../../../nn/index.ts';
import { epochsFor } from '../fitting/epochs.ts';
import type { Verdict } from './verdict.ts';

/** Initial weights of dense layers of rows. */
export const rowLayer = { weightInit: nn.glorotUniform, biasInit: nn.zerosInit };

/** Dense layers with leaky rectifiers between them: `[N, D] → [N, last width]`. */
export function rowEncoder(net: nn.Scope, x: Value, widths: readonly number[], slope: number): Value {
  return widths.reduce((h, width, i) => {
    const y = nn.dense(net.at(`fc${i + 1}`), h, width, rowLayer);
    return i < widths.length - 1 ? g.leakyRelu(y, slope) : y;
  }, x);
}

/** What the last layer of a generator gives: any number, or one in [0, 1] as min-max scaling has them. */
export const rowOutputs = ['linear', 'sigmoid'] as const;

/** Dense layers with rectifiers between them: `[N, latent] → [N, last width]`. */
export function rowGenerator(
  net: nn.Scope,
  z: Value,
  widths: readonly number[],
  output: (typeof rowOutputs)[number] = 'linear',
): Value {
  const x = rowEncoder(net, z, widths, 0);
  return output === 'sigmoid' ? g.sigmoid(x) : x;
}

/** What a discriminator of rows is made of. */
export interface RowDiscriminator {
  readonly widths: readonly number[];
  /** Slope of the leaky rectifiers. */
  readonly slope: number;
  /** Share of each layer's numbers that a training step leaves out. */
  readonly dropout: number;
  readonly layer?: nn.LayerOptions;
}

/** Dense layers with leaky rectifiers and dropout; features are those of the last one, the logit is `[N, 1]`. */
export function discriminateRows(
  net: nn.Scope,
  x: Value,
  { widths, slope, dropout, layer = rowLayer }: RowDiscriminator,
): Verdict {
  let [h, features] = [x, x];
  for (const [i, width] of widths.entries()) {
    const at = net.at(`fc${i + 1}`);
    features = g.leakyRelu(nn.dense(at, h, width, layer), slope);
    h = nn.dropout(at, features, dropout);
  }
  return { features, logit: nn.dense(net.at('logit'), h, 1, { ...layer, spectral: false }) };
}

/** Hidden widths of the generator for KDD99. */
export const kddGenerator = [64, 128];

/** The discriminator of AnoGAN for KDD99; features are its last layer of 128. */
export const kddDiscriminator: RowDiscriminator = { widths: [256, 128, 128], slope: 0.1, dropout: 0.2 };

/** A code's length for rows of D numbers: the power of two next to D / 4, as 32 of 121 and 64 of 274 are published. */
export function rowLatent([inputs]: readonly number[]): number {
  return 2 ** Math.max(1, Math.round(Math.log2(inputs / 4)));
}

/** Training of row networks: batches of an eighth of the rows, 16 to 64, and about 3,000 steps. Ours. */
export function rowTraining(count: number): { batchSize: number; epochs: number } {
  const batchSize = Math.max(16, Math.min(64, 2 ** Math.floor(Math.log2(Math.max(1, count / 8)))));
  return { batchSize, epochs: epochsFor(3000, batchSize, count) };
}

/**
 * Discriminators twice as fast as the others, rates that fall to 0 and a short average, for ALAD. Ours, found on held-out
 * normal rows of KDD99 and defects made from them: with equal and constant rates codes and reconstructions drift, and the
 * average of their weights reconstructs nothing; with slow discriminators they diverge, since nothing bounds a linear
 * output.
 */
export const rowPace = { learningRate: 3e-4, pace: 2, schedule: 'cosine', average: 0.99 } as const;
