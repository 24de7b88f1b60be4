/**
 * A U-Net of convolution blocks (Ronneberger et al. 2015): at each level a block, then half the size; on the way back
 * twice the size, the map of the same level beside it, and a block again. What a block, a step down and a step up are
 * is the model's.
 */
import * as g from '../../../graph/ops/index.ts';
import type { Value } from '../../../graph/value.ts';
import * as nn from '../../../nn/index.ts';

export interface UnetParts {
  /** Filters of each level, the first at the image's size. */
  readonly widths: readonly number[];
  /** Put the maps of the way down beside those of the way up; without, it is an autoencoder. */
  readonly skips: boolean;
  block(net: nn.Scope, x: Value, filters: number): Value;
  /** What becomes of the smallest maps before the way up; nothing by default. */
  middle?(net: nn.Scope, x: Value): Value;
  /** Half the size. */
  down(x: Value): Value;
  /** Twice the size. */
  up(net: nn.Scope, x: Value, filters: number): Value;
}

/** `[N, C, H, W] → [N, widths[0], H, W]`; both sides must be multiples of 2 to the number of levels less one. */
export function convUnet(net: nn.Scope, x: Value, { widths, skips, block, down, up, middle }: UnetParts): Value {
  const maps: Value[] = [];
  let h = x;
  widths.forEach((filters, i) => {
    h = block(net.at(`down${i}`), i === 0 ? h : down(h), filters);
    maps.push(h); // [N,K,H/2^i,W/2^i]
  });
  if (middle) h = middle(net.at('middle'), h);
  for (let i = widths.length - 2; i >= 0; i--) {
    const at = net.at(`up${i}`);
    h = up(at, h, widths[i]);
    h = block(at, skips ? g.concat([maps[i], h], 1) : h, widths[i]);
  }
  return h;
}

/** Convolution, batch norm, ReLU. */
function convolve(net: nn.Scope, x: Value, filters: number): Value {
  return g.relu(nn.batchNorm(net.at('norm'), nn.conv(net, x, { filters, kernel: 3, padding: 1, bias: false })));
}

/** Blocks of two 3×3 convolutions with batch norm and ReLU, means of 2×2 down, nearest pixels and a convolution up. */
export const plainParts: Pick<UnetParts, 'block' | 'down' | 'up'> = {
  block: (net, x, filters) => ['a', 'b'].reduce((h, name) => convolve(net.at(name), h, filters), x),
  down: (x) => g.averagePool(x, 2),
  up: (net, x, filters) => convolve(net.at('up'), g.upsampleNearest(x, 2), filters),
};
