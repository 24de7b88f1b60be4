/** Any ONNX file as a backbone: its graph is cut at the taps, names of node outputs, and inlined into the detector. */
import { ConfigError } from '../core/errors.ts';
import { show } from '../core/shape.ts';
import { option, say } from '../core/text.ts';
import { input } from '../graph/leaf.ts';
import { importOnnx } from '../graph/onnx/import.ts';
import type { OnnxModel } from '../graph/onnx/messages.ts';
import type { Value } from '../graph/value.ts';
import { zerosInit } from '../nn/initializers.ts';
import { type Scope, Trace } from '../nn/scope.ts';
import { type Backbone, imagenet, type Tap } from './define.ts';

/** Side of the images on which channels and strides are read off. */
const SIDE = 224;

/**
 * A backbone of a decoded file, cut at `taps`, which must be grids of features. It is fed as most networks for ImageNet
 * are unless told otherwise.
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
  const grids = build(new Trace(false).group('backbone'), input('x', ['N', 3, SIDE, SIDE]));
  const found = grids.map(({ shape }, i): [string, Tap] => {
    if (shape.length !== 4) {
      throw new ConfigError(
        'no-grid',
        `A tap must be a grid of features [N,C,h,w], but ${taps[i]} of ${path} is ${show(shape)}. Choose an earlier one.`,
      );
    }
    return [taps[i], { channels: Number(shape[1]), stride: Math.round(SIDE / Number(shape[2])) }];
  });
  return {
    name: path,
    title: path,
    paper: 'A file of the user.',
    input: imagenet,
    taps: Object.fromEntries(found),
    usual: taps,
    network: (net, x) => build(net, x).map((value, i) => [taps[i], value] as const),
  };
}
