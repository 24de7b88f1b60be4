/** Bytes of a file of weights to the tensors of a backbone, checked against its network. Where bytes are from is the caller's. */
import { ConfigError, DataError } from '../core/errors.ts';
import { sameShape, show } from '../core/shape.ts';
import type { Tensors } from '../core/tensor.ts';
import { readNpz } from '../data/formats/npz.ts';
import { readSafetensors } from '../data/formats/safetensors.ts';
import { readTorch } from '../data/formats/torch.ts';
import { tensorsNeeded } from '../graph/onnx/import.ts';
import { decodeModel } from '../graph/onnx/read.ts';
import { type Backbone, checkTaps, tensorsOf } from './define.ts';
import { findBackbone, knowFile } from './index.ts';

/** A file of weights in memory. */
export interface WeightBytes {
  /** Its name or path: the ending says of which kind it is, and messages name it. */
  readonly file: string;
  readonly bytes: Uint8Array;
}

/** Below this float32 has only subnormal numbers, which make some processors ten times slower. */
const LEAST_NORMAL = 2 ** -126;

/** Tensors that files of weights carry and networks do not need. */
const counters = /num_batches_tracked$/;

/** The last letters of a name behind a dot, small: `.npz`. */
export const endingOf = (file: string): string => /\.[^./\\]*$/.exec(file)?.[0].toLowerCase() ?? '';

const nameOf = (file: string): string => file.split(/[\\/]/).at(-1)!;

/**
 * The tensors of a backbone from a file of PyTorch, NumPy or safetensors: all of its network, or all but its classifier
 * where the file has nothing of that.
 * @throws DataError `weights-mismatch` and what the readers of files throw; ConfigError `weights-kind` for a file of
 * another kind.
 */
export async function readWeights(backbone: Backbone, { file, bytes }: WeightBytes): Promise<Tensors> {
  const found = await tensorsIn(file, bytes);
  return checkWeights(backbone, backbone.adopt?.(found, file) ?? found, file);
}

/** The tensors of a file, of the kind that its ending says. */
async function tensorsIn(file: string, bytes: Uint8Array): Promise<Tensors> {
  const kind = endingOf(file);
  if (kind === '.safetensors') return readSafetensors(bytes, nameOf(file)).tensors;
  if (kind === '.npz') return readNpz(bytes, nameOf(file));
  if (kind === '.pth' || kind === '.pt') return readTorch(bytes, nameOf(file));
  throw new ConfigError('weights-kind', `Weights must be a .safetensors, .npz, .pth, .pt or .h5 file, got ${file}.`);
}

/**
 * The tensors that a network needs of those of a file, subnormal numbers set to 0.
 * @throws DataError `weights-mismatch` for tensors that are missing, too many or of another shape.
 */
export function checkWeights(backbone: Backbone, found: Tensors, file: string): Tensors {
  const [all, features] = [tensorsOf(backbone), tensorsOf(backbone, Object.keys(backbone.taps))];
  const needed = Object.keys(found).some((name) => all.has(name) && !features.has(name)) ? all : features;
  const wrong: string[] = [];
  for (const [name, shape] of needed) {
    const { shape: given } = found[name] ?? {};
    if (!given) wrong.push(`${name} is missing`);
    else if (!sameShape(given, shape)) wrong.push(`${name} has the shape ${show(given)} and not ${show(shape)}`);
  }
  const extra = Object.keys(found).filter((name) => !all.has(name) && !counters.test(name));
  wrong.push(...extra.map((name) => `${name} is not part of it`));
  if (wrong.length > 0) {
    const more = wrong.length > 3 ? `, and ${wrong.length - 3} more` : '';
    throw new DataError(
      'weights-mismatch',
      `${file} must hold the ${needed.size} tensors of ${backbone.title}, but ${wrong.slice(0, 3).join('; ')}${more}. ` +
        'It is the file of another network, or names its tensors in another way.',
    );
  }
  return Object.fromEntries([...needed.keys()].map((name) => [name, normal(found[name])]));
}

/** The same numbers with subnormal ones set to 0. */
function normal<T extends Tensors[string]>(tensor: T): T {
  const { data } = tensor;
  if (data instanceof Float32Array) {
    for (let i = 0; i < data.length; i++) if (data[i] !== 0 && Math.abs(data[i]) < LEAST_NORMAL) data[i] = 0;
  }
  return tensor;
}

/**
 * Those tensors of a whole network that it needs as far as the taps, the usual ones if none are named, and as far as its class
 * token.
 */
export function weightsUpTo(backbone: Backbone, taps: readonly string[], whole: Tensors): Tensors {
  const used = taps.length > 0 ? taps : backbone.usual;
  checkTaps(backbone, used);
  const needed = backbone.classToken === undefined ? used : [...used, 'class'];
  return Object.fromEntries([...tensorsOf(backbone, needed).keys()].map((tensor) => [tensor, whole[tensor]]));
}

/** Makes an ONNX file known as a backbone by its name, and gives the tensors that it needs as far as the taps. */
export function readOnnxBackbone({ file, bytes }: WeightBytes, taps: readonly string[]): Tensors {
  const model = decodeModel(bytes);
  knowFile(file, model);
  findBackbone(file, taps); // throws for taps that cannot be
  return tensorsNeeded(model, taps);
}
