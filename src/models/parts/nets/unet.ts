/**
 * The U-Net of pix2pix (Isola et al. 2017, arXiv 1611.07004): halvings down, doublings up, and at each level the map of
 * the way down beside that of the way up.
 */
import * as g from '../../../graph/ops/index.ts';
import type { Value } from '../../../graph/value.ts';
import * as nn from '../../../nn/index.ts';
import { channelsOf } from '../shapes.ts';
import { halving, norm } from './ganomaly.ts';
import { filtersAt } from './sizes.ts';

export interface UnetOptions {
  /** Filters of the first level; each next one doubles them, up to eight times. */
  width: number;
  /** Levels; both sides of the image must be multiples of 2^depth. */
  depth: number;
}

/** An image from an image of the same shape, `[N,C,H,W]` in [−1, 1]. */
export function unet(net: nn.Scope, x: Value, { width, depth }: UnetOptions): Value {
  const maps: Value[] = [];
  let h = x;
  for (let i = 0; i < depth; i++) {
    const at = net.at(`down${i}`);
    h = nn.conv(at, i === 0 ? h : g.leakyRelu(h), { filters: filtersAt(width, i), ...halving });
    if (i > 0 && i < depth - 1) h = norm(at, h); // neither the outermost nor the innermost
    maps.push(h); // [N,width·2^i,H/2^(i+1),W/2^(i+1)]
  }
  for (let i = depth - 1; i > 0; i--) {
    const at = net.at(`up${i}`);
    h = norm(at, nn.convTranspose(at, g.relu(h), { filters: filtersAt(width, i - 1), ...halving }));
    h = g.concat([maps[i - 1], h], 1); // [N,2·width·2^(i-1),H/2^i,W/2^i]
  }
  const outermost = { ...halving, filters: channelsOf(x), bias: true, biasInit: nn.zerosInit };
  return g.tanh(nn.convTranspose(net.at('up0'), g.relu(h), outermost));
}
