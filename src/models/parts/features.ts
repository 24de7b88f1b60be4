/** Options and graphs that models on pretrained features share. */
import { z } from 'zod';
import { type Backbone, checkTaps, features, findBackbone } from '../../backbones/index.ts';
import * as g from '../../graph/ops/index.ts';
import type { Value } from '../../graph/value.ts';
import type { Scope } from '../../nn/scope.ts';
import type { BackboneChoice, ImageShape, ItemShape } from '../define.ts';

/** The options by which a pretrained network is chosen. */
export const backboneOptions = {
  backbone: z
    .string()
    .default('oddity')
    .describe('The pretrained network whose features are compared; see "oddity models" for the names.'),
  weights: z
    .string()
    .default('')
    .describe('A file of its weights (.safetensors, .npz, .pth) instead of the known one.'),
  taps: z
    .string()
    .default('')
    .describe('Places in the network whose features are joined, separated by commas; the usual ones if empty.'),
};

export interface BackboneOptions {
  readonly backbone: string;
  readonly weights: string;
  readonly taps: string;
}

export const choiceOf = ({ backbone, weights }: BackboneOptions): BackboneChoice => ({
  name: backbone,
  ...(weights && { weights }),
});

/** The backbone and the taps that options name. Throws ConfigError for names that are not there. */
export function tapsOf({ backbone: name, taps: listed }: BackboneOptions): { backbone: Backbone; taps: string[] } {
  const backbone = findBackbone(name);
  const taps = listed === '' ? [...backbone.usual] : listed.split(',').map((tap) => tap.trim());
  checkTaps(backbone, taps);
  return { backbone, taps };
}

/** A sentence for images whose coarsest grid would be a single place or none. */
export function tooSmall(options: BackboneOptions, shape: ItemShape): string | undefined {
  const { backbone, taps } = tapsOf(options);
  const least = 2 * Math.max(...taps.map((tap) => backbone.taps[tap].stride));
  const [, height, width] = shape as ImageShape;
  if (Math.min(height, width) >= least) return undefined;
  return `${backbone.name} at ${taps.join(' and ')} needs image sides of at least ${least}, got ${height} × ${width}.`;
}

/** Features at the taps of images in [0, 1], the finest grid first wanted. */
export function tapped(options: BackboneOptions, net: (group: string) => Scope, x: Value): Value[] {
  const { backbone, taps } = tapsOf(options);
  return features(backbone, net('backbone').frozen(), x, taps);
}

/** Height and width of a grid of features. */
export const gridOf = (x: Value): [number, number] => [Number(x.shape[2]), Number(x.shape[3])];

/** Grids of features joined along the channels, brought to the size of the largest: `[N, C, h, w]`. */
export function joined(grids: readonly Value[], resize: 'bilinear' | 'nearest' = 'bilinear'): Value {
  const size = [...grids].map(gridOf).sort((a, b) => b[0] * b[1] - a[0] * a[1])[0];
  return g.concat(
    grids.map((x) => (resize === 'bilinear' ? g.resizeBilinear(x, size) : nearest(x, size))),
    1,
  );
}

/** The nearest place of a grid for each place of another, as PyTorch chooses it: ⌊i · from / to⌋. */
function nearest(x: Value, size: readonly [number, number]): Value {
  return gridOf(x).reduce((y, from, axis) => {
    const to = size[axis];
    if (from === to) return y;
    const places = Array.from({ length: to }, (_, i) => Math.floor((i * from) / to));
    return g.gather(y, places, axis + 2);
  }, x);
}

/** A grid as one row per place: `[N, C, h, w] → [N, h·w, C]`. */
export function asRows(x: Value): Value {
  const [height, width] = gridOf(x);
  return g.transpose(g.reshape(x, [x.shape[0], x.shape[1], height * width]), [0, 2, 1]);
}
