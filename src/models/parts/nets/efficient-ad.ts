/**
 * Networks of EfficientAD (Batzner et al., WACV 2024, arXiv 2303.14535): the student, a patch description network, and the
 * autoencoder. They are the published ones at a student `width` of 128 and an autoencoder width of 64.
 */
import * as g from '../../../graph/ops/index.ts';
import type { Value } from '../../../graph/value.ts';
import * as nn from '../../../nn/index.ts';
import { sidesOf } from '../shapes.ts';

const DROPOUT = 0.2;
/** Places on each side that a student without padding does not see. */
export const BORDER = 4;

export interface StudentOptions {
  readonly network: keyof typeof layers;
  /** Filters of the first layer of "small", to which all others are in proportion. */
  readonly width: number;
  readonly padding: boolean;
}

/** Initial weights of layers before a ReLU: in few steps they get further than with PyTorch's default. */
const begin = { weightInit: nn.heNormal() };

/** Layers of the student before its last: filters in units of `width`, kernel, padding, and whether a pool follows. */
const layers = {
  small: [
    [1, 4, 3, true],
    [2, 4, 3, true],
    [2, 3, 1, false],
  ],
  medium: [
    [2, 4, 3, true],
    [4, 4, 3, true],
    [4, 1, 0, false],
    [4, 3, 1, false],
  ],
} as const;

/** The student, a patch description network: a prepared image `[N, 3, H, W] → [N, outputs, h, w]`, h about H / 4. */
export function patchNetwork(
  { network, width, padding }: StudentOptions,
  net: nn.Scope,
  x: Value,
  outputs: number,
): Value {
  let y = x;
  for (const [i, [times, kernel, pad, pool]] of layers[network].entries()) {
    y = g.relu(
      nn.conv(net.at(`conv${i}`), y, { filters: times * width, kernel, padding: padding ? pad : 0, ...begin }),
    );
    if (pool) y = g.averagePool(y, 2, { padding: padding ? 1 : 0 });
  }
  y = nn.conv(net.at('features'), y, { filters: outputs, kernel: 4 });
  return network === 'small' ? y : nn.conv(net.at('last'), g.relu(y), { filters: outputs, kernel: 1 });
}

/** Side of the student's grid: of 256 pixels 64, without padding 56. */
export function gridSide(side: number, padding: boolean): number {
  const inner = Math.floor((Math.floor((side - 3) / 2) - 3) / 2) - 2 - 3;
  return padding ? inner + 2 * BORDER : inner;
}

/** Sides to which the autoencoder's decoder enlarges before its six convolutions: of 256 pixels 3, 8, 15, 32, 63, 127. */
export const decoderSides = (side: number): number[] =>
  [side / 64 - 1, side / 32, side / 16 - 1, side / 8, side / 4 - 1, side / 2 - 1].map((n) =>
    Math.max(1, Math.floor(n)),
  );

/** The autoencoder: a prepared image `[N, 3, H, W]` through `[N, width, 1, 1]` to features `[N, outputs, h, w]`. */
export function autoencode(
  width: number,
  net: nn.Scope,
  x: Value,
  { outputs, grid }: { outputs: number; grid: readonly number[] },
): Value {
  const sides = sidesOf(x);
  const halvings = Math.min(5, Math.floor(Math.log2(Math.min(...sides))) - 1);
  let y = x;
  for (let i = 0; i < halvings; i++) {
    const filters = i < 2 ? width >> 1 : width;
    y = g.relu(nn.conv(net.at(`down${i}`), y, { filters, kernel: 4, stride: 2, padding: 1, ...begin }));
  }
  y = nn.conv(net.at('code'), y, { filters: width, kernel: sidesOf(y) });
  const [heights, widths] = sides.map(decoderSides);
  for (const [i, height] of heights.entries()) {
    const at = net.at(`up${i}`);
    const larger = g.resizeBilinear(y, [height, widths[i]]);
    y = nn.dropout(at, g.relu(nn.conv(at, larger, { filters: width, kernel: 4, padding: 2, ...begin })), DROPOUT);
  }
  y = g.relu(nn.conv(net.at('smooth'), g.resizeBilinear(y, grid), { filters: width, kernel: 3, padding: 1, ...begin }));
  return nn.conv(net.at('features'), y, { filters: outputs, kernel: 3, padding: 1 });
}
