/** All backbones, by name. */
import { unknownName } from '../core/errors.ts';
import type { OnnxModel } from '../graph/onnx/messages.ts';
import type { Backbone } from './define.ts';
import { mobilenet_v1_025, mobilenet_v2 } from './mobilenet.ts';
import { oddity } from './oddity.ts';
import { oddity_v0 } from './oddity-v0.ts';
import { onnxBackbone } from './onnx.ts';
import { resnet18, resnet34, resnet50, wide_resnet50_2 } from './resnet.ts';
import { resnet50_v2 } from './resnet-v2.ts';
import { squeezenet1_1 } from './squeezenet.ts';
import { vgg16, vgg19 } from './vgg.ts';
import { visionTransformers } from './vit.ts';

export * from './define.ts';
export { type Convolve, normed, oddity, oddityNetwork, oddityTaps } from './oddity.ts';

/** The one that comes with the package, then small ones first; vision transformers behind. */
export const backbones: readonly Backbone[] = [
  oddity,
  mobilenet_v1_025,
  squeezenet1_1,
  mobilenet_v2,
  resnet18,
  resnet34,
  resnet50_v2,
  resnet50,
  wide_resnet50_2,
  vgg16,
  vgg19,
  ...visionTransformers,
];

/** ONNX files that were read in this process, by their paths. */
const files = new Map<string, OnnxModel>();

/** Backbones of a program's own, by name. */
const own = new Map<string, Backbone>();

/** Makes a backbone known in this process by its name, as a small one that tests build. */
export function knowBackbone(backbone: Backbone): void {
  own.set(backbone.name, backbone);
}

/** True for the path of an ONNX file. */
export const isOnnxFile = (name: string): boolean => /\.onnx$/i.test(name);

/** True for the path of a file that Keras wrote. */
export const isKerasFile = (name: string): boolean => /\.(h5|hdf5|keras)$/i.test(name);

/** Makes an ONNX file known as a backbone by its path; `loadBackbone` does so once it has read it. */
export function knowFile(path: string, model: OnnxModel): void {
  files.set(path, model);
}

/** The name of the backbone whose tensors a run has: what is called `oddity` has changed since version 0.1.0. */
export const nameByTensors = (name: string, tensors: Readonly<Record<string, unknown>>): string =>
  name === oddity.name && 'backbone.stage1.down.weight' in tensors ? oddity_v0.name : name;

/**
 * The backbone of a name, or of the path of an ONNX file that was read before, which has the `taps` that are wanted of it.
 * Throws ConfigError, offering the nearest name.
 */
export function findBackbone(name: string, taps: readonly string[] = []): Backbone {
  const file = files.get(name);
  if (file) return onnxBackbone(name, file, taps);
  const found = own.get(name) ?? [...backbones, oddity_v0].find((b) => b.name === name);
  if (found) return found;
  throw unknownName(
    'backbone',
    name,
    backbones.map((b) => b.name),
  );
}
