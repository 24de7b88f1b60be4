/** Options and graphs that models on pretrained features share. */
import * as z from 'zod';
import {
  type Backbone,
  checkTaps,
  classToken,
  features,
  findBackbone,
  isKerasFile,
  isOnnxFile,
  preparations,
} from '../../backbones/index.ts';
import * as g from '../../graph/ops/index.ts';
import type { Value } from '../../graph/value.ts';
import type { Scope } from '../../nn/scope.ts';
import type { BackboneChoice, ItemShape } from '../define.ts';
import { sidesOf } from './shapes.ts';

/** The options by which a pretrained network is chosen. */
export const backboneOptions = {
  backbone: z
    .string()
    .default('oddity')
    .describe(
      'The pretrained network whose features are compared; see the guide for the names; or the path of an ONNX file.',
    ),
  weights: z
    .string()
    .default('')
    .describe('A file of its weights (.safetensors, .npz, .pth, .h5 of Keras) instead of the known one.'),
  taps: z
    .string()
    .default('')
    .describe('Places in the network whose features are joined, separated by commas; the usual ones if empty.'),
  preparation: z
    .enum(['own', 'imagenet', 'signed', 'unit', 'bytes', 'caffe'])
    .default('own')
    .describe(
      'How images are fed to it: its own way (of an ONNX file: imagenet; of .h5 weights: caffe), in [-1, 1], [0, 1], 0 to 255, or as Caffe does.',
    ),
};

export interface BackboneOptions {
  readonly backbone: string;
  readonly weights: string;
  readonly taps: string;
  readonly preparation: string;
}

/** The taps that an option names; none if it is empty. */
const listed = (taps: string): string[] => (taps === '' ? [] : taps.split(',').map((tap) => tap.trim()));

export const choiceOf = ({ backbone, weights, taps }: BackboneOptions): BackboneChoice => ({
  name: backbone,
  taps: listed(taps),
  ...(weights && { weights }),
});

/**
 * How images are fed: as the option says. A network's own way follows from the file of its weights where Keras wrote it: its
 * VGG networks were trained on images as Caffe has them (BGR, 0 to 255, less their mean).
 */
const preparationOf = ({ preparation, weights }: BackboneOptions): string =>
  preparation === 'own' && isKerasFile(weights) ? 'caffe' : preparation;

/** The backbone and the taps that options name. Throws ConfigError for names that are not there. */
export function tapsOf(options: BackboneOptions): { backbone: Backbone; taps: string[] } {
  const { backbone: name, taps } = options;
  const wanted = listed(taps);
  const backbone = findBackbone(name, wanted);
  const used = wanted.length > 0 ? wanted : [...backbone.usual];
  checkTaps(backbone, used);
  return { backbone: { ...backbone, input: preparations[preparationOf(options)] ?? backbone.input }, taps: used };
}

/** Strides of the grids of a pyramid of features; of residual networks their first three stages. */
const pyramid = [4, 8, 16];

/**
 * The options with three taps where none are named: the last of each of these strides, where the backbone has all of them;
 * others as they are.
 */
export function stagesOf<T extends BackboneOptions>(options: T): T {
  if (options.taps !== '' || isOnnxFile(options.backbone)) return options;
  const taps = Object.entries(findBackbone(options.backbone).taps);
  const stages = pyramid.map((stride) => taps.findLast(([name, tap]) => tap.stride === stride && !/^pool/.test(name)));
  return stages.every((stage) => stage !== undefined)
    ? { ...options, taps: stages.map(([name]) => name).join() }
    : options;
}

/** A sentence for images whose coarsest grid would be a single place or none. */
export function tooSmall(options: BackboneOptions, shape: ItemShape): string | undefined {
  const { backbone, taps } = tapsOf(options);
  const least = 2 * Math.max(...taps.map((tap) => backbone.taps[tap].stride));
  const [, height, width] = shape;
  if (Math.min(height, width) >= least) return undefined;
  return `${backbone.name} at ${taps.join(' and ')} needs image sides of at least ${least}, got ${height} × ${width}.`;
}

/** Features at the taps of images in [0, 1], the finest grid first wanted. */
export function tapped(options: BackboneOptions, net: (group: string) => Scope, x: Value): Value[] {
  const { backbone, taps } = tapsOf(options);
  return features(backbone, net('backbone').frozen(), x, taps);
}

/**
 * One descriptor `[N, C]` of each whole image in [0, 1]: the class token of a backbone that has one, else the mean over the
 * places of the deepest tap, that of the largest stride, of several the one that is named last.
 */
export function wholeImage(options: BackboneOptions, net: (group: string) => Scope, x: Value): Value {
  const { backbone, taps } = tapsOf(options);
  const deepest = taps.reduce((a, b) => (backbone.taps[b].stride >= backbone.taps[a].stride ? b : a));
  const scope = net('backbone').frozen();
  const token = classToken(backbone, scope, x);
  if (token) return token;
  const [grid] = features(backbone, scope, x, [deepest]);
  return g.reduceMean(grid, { axes: [2, 3] });
}

/** Grids of features joined along the channels, brought to the size of the largest: `[N, C, h, w]`. */
export function joined(grids: readonly Value[], resize: 'bilinear' | 'nearest' = 'bilinear'): Value {
  const size = [...grids].map(sidesOf).sort((a, b) => b[0] * b[1] - a[0] * a[1])[0];
  return g.concat(
    grids.map((x) => (resize === 'bilinear' ? g.resizeBilinear(x, size) : nearest(x, size))),
    1,
  );
}

/** The nearest place of a grid for each place of another, as PyTorch chooses it: ⌊i · from / to⌋. */
function nearest(x: Value, size: readonly [number, number]): Value {
  return sidesOf(x).reduce((y, from, axis) => {
    const to = size[axis];
    if (from === to) return y;
    const places = Array.from({ length: to }, (_, i) => Math.floor((i * from) / to));
    return g.gather(y, places, axis + 2);
  }, x);
}

/** A grid as one row per place: `[N, C, h, w] → [N, h·w, C]`. */
export function asRows(x: Value): Value {
  const [height, width] = sidesOf(x);
  return g.transpose(g.reshape(x, [x.shape[0], x.shape[1], height * width]), [0, 2, 1]);
}
