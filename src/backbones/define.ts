/**
 * Pretrained feature extractors. A backbone is data (where its weights come from, how its input is prepared, what its
 * taps are) and one function that builds the network and gives the taps in their order. Its tensors keep the names
 * of the weight file, so that a file can be checked against the network and loaded as it is.
 */
import { ShapeError, unknownName } from '../core/errors.ts';
import { sizeOf } from '../core/shape.ts';
import { float32, type Tensors } from '../core/tensor.ts';
import { constant, input } from '../graph/leaf.ts';
import * as g from '../graph/ops/index.ts';
import type { Value } from '../graph/value.ts';
import { type Scope, Trace } from '../nn/scope.ts';
import type { KerasLayer } from './keras.ts';

/** A file of weights that is known. */
export interface WeightFile {
  /** Path below the data root, or below the package where it comes with it. */
  readonly file: string;
  readonly inPackage?: boolean;
  /** Where it can be fetched; absent where the file is not published as it is. */
  readonly url?: string;
  readonly sha256: string;
  /** Where the numbers are from. */
  readonly source: string;
  /** SPDX name. */
  readonly licence: string;
}

/** How images in [0, 1] become the network's input: (value · scale − mean) / std per channel. */
export interface Preparation {
  readonly order: 'rgb' | 'bgr';
  readonly scale: number;
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/** A place in a network whose activations are features. */
export interface Tap {
  readonly channels: number;
  /** Pixels of the input per place of the grid. */
  readonly stride: number;
}

export interface Backbone {
  /** What users type. */
  readonly name: string;
  readonly title: string;
  readonly paper: string;
  readonly input: Preparation;
  /** From the input on. */
  readonly taps: Readonly<Record<string, Tap>>;
  /** What models use unless told otherwise: a fine grid and a coarse one. */
  readonly usual: readonly string[];
  /** Absent where users bring their own file. */
  readonly weights?: WeightFile;
  /** Layers by the names that they have in files of Keras, for networks that are published there. */
  readonly keras?: ReadonlyMap<string, KerasLayer>;
  /** Numbers of the class token, a descriptor of the whole image; absent where the network has none. */
  readonly classToken?: number;
  /** Where a file of its weights is to be had, for networks whose weights are not fetched, and under which licence. */
  readonly brought?: { readonly from: string; readonly licence: string };
  /**
   * The tensors of a file under the names of this network, for networks that are published under several.
   * @throws DataError `weights-mismatch`, naming the file, where it is that of another.
   */
  adopt?(found: Tensors, file: string): Tensors;
  /**
   * Builds the network on a prepared input `[N, 3, H, W]`; gives taps, and at last `logits` `[N, classes]` where it classifies
   * or `class` `[N, C]` where it has a class token. Layers that only a tap needs are a function, which is called where the
   * tap is wanted.
   */
  network(net: Scope, x: Value): Iterable<readonly [tap: string, features: Value | (() => Value)]>;
}

/** The preparation of most networks that were trained on ImageNet with PyTorch. */
export const imagenet: Preparation = {
  order: 'rgb',
  scale: 1,
  mean: [0.485, 0.456, 0.406],
  std: [0.229, 0.224, 0.225],
};

/** Preparations by name, for files whose own is not known. */
export const preparations: Readonly<Record<string, Preparation>> = {
  imagenet,
  signed: { order: 'rgb', scale: 1, mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] },
  unit: { order: 'rgb', scale: 1, mean: [0, 0, 0], std: [1, 1, 1] },
  bytes: { order: 'rgb', scale: 255, mean: [0, 0, 0], std: [1, 1, 1] },
  caffe: { order: 'bgr', scale: 255, mean: [103.939, 116.779, 123.68], std: [1, 1, 1] },
};

/** Images `[N, 1 or 3, H, W]` in [0, 1] as a network takes them, `[N, 3, H, W]`. */
export function prepare({ order, scale, mean, std }: Preparation, image: Value): Value {
  const channels = image.shape[1];
  if (channels !== 1 && channels !== 3)
    throw new ShapeError(`A backbone takes images of 1 or 3 channels, got ${channels}.`);
  const planes = channels === 1 ? [image, image, image] : order === 'bgr' ? g.split(image, [1, 1, 1], 1).reverse() : [];
  const x = planes.length > 0 ? g.concat(planes, 1) : image;
  const perChannel = (values: readonly number[]) => constant(float32(values, [1, 3, 1, 1]));
  return g.add(g.mul(x, perChannel(std.map((s) => scale / s))), perChannel(mean.map((m, i) => -m / std[i])));
}

/** Features that are at hand, by tap; undefined where they are not. */
export type AtHand = (backbone: Backbone, tap: string) => Value | undefined;
const atHand = new WeakMap<Value, AtHand>();

/** From now on `features` of this very image are the given ones where there are such: for whoever computes them once for several graphs. */
export function provideFeatures(image: Value, found: AtHand): void {
  atHand.set(image, found);
}

/**
 * Features of images in [0, 1] at taps, each `[N, C, h, w]`; nothing behind the last of them is built. Throws
 * ConfigError for a tap that the backbone has not.
 */
export function features(backbone: Backbone, net: Scope, image: Value, taps: readonly string[]): Value[] {
  checkTaps(backbone, taps);
  const given = taps.flatMap((tap) => atHand.get(image)?.(backbone, tap) ?? []);
  if (given.length === taps.length) return given;
  const found = tapped(backbone, net, prepare(backbone.input, image), taps);
  return taps.map((tap) => found.get(tap)!);
}

/** Throws ConfigError for a tap that the backbone has not. */
export function checkTaps({ taps }: Backbone, wanted: readonly string[]): void {
  for (const tap of wanted) if (!(tap in taps)) throw unknownName('tap', tap, Object.keys(taps));
}

/** Class scores `[N, classes]` before the softmax, of a prepared input; undefined for a network without classes. */
export function logits(backbone: Backbone, net: Scope, x: Value): Value | undefined {
  return tapped(backbone, net, x, ['logits']).get('logits');
}

/** The class token `[N, C]` of images in [0, 1]; undefined for a network without one. */
export function classToken(backbone: Backbone, net: Scope, image: Value): Value | undefined {
  if (backbone.classToken === undefined) return undefined;
  return tapped(backbone, net, prepare(backbone.input, image), ['class']).get('class');
}

function tapped(backbone: Backbone, net: Scope, x: Value, wanted: readonly string[]): Map<string, Value> {
  const found = new Map<string, Value>();
  for (const [tap, value] of backbone.network(net, x)) {
    if (wanted.includes(tap)) found.set(tap, typeof value === 'function' ? value() : value);
    if (wanted.every((name) => found.has(name))) break;
  }
  return found;
}

/** Names and shapes of the tensors that a network needs as far as its taps, or all of it. */
export function tensorsOf(backbone: Backbone, taps?: readonly string[], size = 224): Map<string, readonly number[]> {
  const trace = new Trace(false);
  const group = 'backbone';
  tapped(
    backbone,
    trace.group(group),
    input('x', ['N', 3, size, size]),
    taps ?? [...Object.keys(backbone.taps), 'logits'],
  );
  const specs = [...trace.parameters.values(), ...trace.buffers.values()];
  return new Map(specs.map(({ spec }) => [spec.name.slice(group.length + 1), spec.shape]));
}

/** How many numbers a network has, running statistics of batch norms not counted. */
export function parameterCount(backbone: Backbone): number {
  return [...tensorsOf(backbone)]
    .filter(([name]) => !/running_(mean|var)$/.test(name))
    .reduce((n, [, shape]) => n + sizeOf(shape), 0);
}
