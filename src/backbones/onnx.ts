/**
 * Any ONNX file as a backbone: its graph is cut at the taps, names of node outputs, and inlined into the detector. Taps are
 * grids of features, or tokens of a vision transformer, whose patches become a grid.
 */
import { ConfigError } from '../core/errors.ts';
import { concrete, show } from '../core/shape.ts';
import { option, say } from '../core/text.ts';
import { input } from '../graph/leaf.ts';
import { importOnnx } from '../graph/onnx/import.ts';
import type { OnnxModel } from '../graph/onnx/messages.ts';
import * as g from '../graph/ops/index.ts';
import type { Value } from '../graph/value.ts';
import { zerosInit } from '../nn/initializers.ts';
import { type Scope, Trace } from '../nn/scope.ts';
import { type Backbone, imagenet, type Tap } from './define.ts';

/** Side of the images on which channels and strides are read off, where a file takes any. */
const SIDE = 224;
/** Tokens that may stand before those of patches. */
const MOST_BEFORE = 16;

/** A tap as it is found, and how many tokens stand before its patches; undefined for a grid. */
interface Found extends Tap {
  readonly before?: number;
}

/** Height and width that a file wants; undefined where it takes any. */
function sidesWanted({ graph }: OnnxModel): [number, number] | undefined {
  const weights = new Set(graph.initializers.map(({ name }) => name));
  const [, , height, width] =
    graph.inputs.find(({ name, shape }) => !weights.has(name) && shape?.length === 4)?.shape ?? [];
  return typeof height === 'number' && typeof width === 'number' ? [height, width] : undefined;
}

/** Sides of patches: the strides of the convolutions of a file. */
function patchesOf({ graph }: OnnxModel): number[] {
  const convolutions = graph.nodes.filter(({ op }) => op === 'Conv');
  return convolutions.flatMap(({ attributes: { strides } }) => (strides && 'ints' in strides ? [strides.ints[0]] : []));
}

/** Tokens `[N, T, C]` as patches behind few others; undefined where no patch explains their number. */
function tokensOf(
  [, count, channels]: readonly number[],
  [height, width]: readonly [number, number],
  patches: readonly number[],
): Found | undefined {
  for (const stride of patches) {
    const before = count - (height / stride) * (width / stride);
    if (Number.isInteger(before) && before >= 0 && before <= MOST_BEFORE) return { channels, stride, before };
  }
  return undefined;
}

/**
 * A backbone of a decoded file, cut at `taps`. It is fed as most networks for ImageNet are unless told otherwise. A vision
 * transformer gets images of the size that its file names, or of the nearest multiple of its patch; its class token is the
 * first of the last tap.
 * @throws ConfigError `taps-needed`, `unknown-tap`, `no-grid`; and what `importOnnx` throws.
 */
export function onnxBackbone(path: string, model: OnnxModel, taps: readonly string[]): Backbone {
  if (taps.length === 0) {
    const last = model.graph.nodes.slice(-8).map((node) => node.outputs[0]);
    throw new ConfigError(
      'taps-needed',
      say`${path} does not tell where its features are. Name outputs of its nodes with
        ${option('config.taps', '<name>,<name>')}. The last are ${last.join(', ')}.`,
    );
  }
  const build = (net: Scope, x: Value) =>
    importOnnx(model, x, taps, (name, shape) => net.parameter(name, shape, zerosInit));
  const wanted = sidesWanted(model);
  const sides = wanted ?? [SIDE, SIDE];
  const shapes = build(new Trace(false).group('backbone'), input('x', ['N', 3, ...sides]));
  const found = shapes.map(({ shape }, i): Found => {
    if (shape.length === 4) return { channels: Number(shape[1]), stride: Math.round(sides[0] / Number(shape[2])) };
    const tokens = shape.length === 3 ? tokensOf(shape.map(Number), sides, patchesOf(model)) : undefined;
    if (tokens) return tokens;
    throw new ConfigError(
      'no-grid',
      `A tap must be a grid of features [N,C,h,w] or the tokens of patches [N,T,C], but ${taps[i]} of ${path} is ` +
        `${show(shape)}. Choose an earlier one.`,
    );
  });
  const last = found[found.length - 1];
  const hasClass = (last.before ?? 0) > 0;
  const tokens = found.find(({ before }) => before !== undefined);
  /** The sides that an image is resampled to. */
  const fitting = (x: Value): readonly number[] => {
    const own = concrete(x.shape.slice(2), path);
    if (!tokens) return own;
    return wanted ?? own.map((side) => Math.max(1, Math.round(side / tokens.stride)) * tokens.stride);
  };
  return {
    name: path,
    title: path,
    paper: 'A file of the user.',
    input: imagenet,
    taps: Object.fromEntries(found.map(({ channels, stride }, i) => [taps[i], { channels, stride }])),
    usual: taps,
    ...(hasClass && { classToken: last.channels }),
    *network(net, image) {
      const size = fitting(image);
      const values = build(net, tokens ? g.resizeBilinear(image, size) : image);
      for (const [i, value] of values.entries()) yield [taps[i], asGrid(value, found[i], size)];
      if (hasClass) yield ['class', g.pick(values[values.length - 1], 1, 0)];
    },
  };
}

/** Tokens of patches as a grid `[N, C, h, w]`; a grid as it is. */
function asGrid(x: Value, { channels, stride, before }: Found, sides: readonly number[]): Value {
  if (before === undefined) return x;
  const [height, width] = sides.map((side) => side / stride);
  const patches = g.slice(x, { 1: [before, before + height * width] });
  return g.reshape(g.transpose(patches, [0, 2, 1]), [x.shape[0], channels, height, width]);
}
