/** Weights of backbones from disk, from the package or from where they are published. Node only. */
import { readFile } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ConfigError, DataError } from '../core/errors.ts';
import { type Listener, silent } from '../core/events.ts';
import { sameShape, show } from '../core/shape.ts';
import type { Tensors } from '../core/tensor.ts';
import { download } from '../data/files/download.ts';
import { readHdf5 } from '../data/files/hdf5.ts';
import { readNpz } from '../data/formats/npz.ts';
import { readSafetensors } from '../data/formats/safetensors.ts';
import { readTorch } from '../data/formats/torch.ts';
import { sha256 } from '../data/hash.ts';
import { tensorsNeeded } from '../graph/onnx/import.ts';
import { decodeModel } from '../graph/onnx/read.ts';
import { type Backbone, checkTaps, tensorsOf } from './define.ts';
import { findBackbone, isOnnxFile, knowFile } from './index.ts';
import { fromKeras } from './keras.ts';

export interface LoadWeights {
  /** A file of the user instead of the one that is known. */
  readonly path?: string;
  /** The data root, where files of weights lie. */
  readonly root: string;
  /** Fetch a file that is not there; default true. */
  readonly download?: boolean;
  readonly onEvent?: Listener;
  readonly signal?: AbortSignal;
}

/** Below this float32 has only subnormal numbers, which make some processors ten times slower. */
const LEAST_NORMAL = 2 ** -126;

/** Tensors that files of weights carry and networks do not need. */
const counters = /num_batches_tracked$/;

/**
 * Tensors of the backbone of a name as far as the taps, the usual ones if none are named; the path of an ONNX file is
 * such a name. The whole file is checked all the same.
 */
export async function loadBackbone(name: string, taps: readonly string[], options: LoadWeights): Promise<Tensors> {
  if (!isOnnxFile(name)) {
    const backbone = findBackbone(name);
    const used = taps.length > 0 ? taps : backbone.usual;
    checkTaps(backbone, used);
    const whole = await loadWeights(backbone, options);
    return Object.fromEntries([...tensorsOf(backbone, used).keys()].map((tensor) => [tensor, whole[tensor]]));
  }
  if (options.path) {
    throw new ConfigError(
      'weights',
      `${name} carries its weights, got weights=${options.path}. Leave the weights out.`,
    );
  }
  const model = decodeModel(await read(name));
  knowFile(name, model);
  findBackbone(name, taps); // throws for taps that cannot be
  return tensorsNeeded(model, taps);
}

/**
 * The tensors of a backbone by the names of its file: all of its network, or all but its classifier where the file has
 * nothing of that.
 * @throws DataError `weights-missing`, `checksum`, `weights-mismatch` (tensors that are missing, too many or of another
 * shape), and what the readers of files throw; ConfigError `weights-kind` for a file of another kind.
 */
export async function loadWeights(backbone: Backbone, options: LoadWeights): Promise<Tensors> {
  const { path, bytes } = await weightFile(backbone, options);
  const found = await readTensors(bytes, path, backbone);
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
      `${path} must hold the ${needed.size} tensors of ${backbone.title}, but ${wrong.slice(0, 3).join('; ')}${more}. ` +
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

async function weightFile(backbone: Backbone, options: LoadWeights): Promise<{ path: string; bytes: Uint8Array }> {
  const { path, root, onEvent = silent, signal } = options;
  const { name, title, weights } = backbone;
  if (path) return { path, bytes: await read(path) };
  if (!weights) {
    throw new ConfigError(
      'weights-needed',
      `${title} comes without weights: name a file of them, with the tensor names of torchvision, by --set weights=<file>.`,
    );
  }
  const known = weights.inPackage
    ? fileURLToPath(new URL(`../../${weights.file}`, import.meta.url))
    : join(root, weights.file);
  let bytes = await readFile(known).catch(() => undefined);
  if (!bytes && weights.url && options.download !== false) {
    onEvent({ type: 'log', level: 'info', message: `The weights of ${title} are not on this machine; fetching them.` });
    await download({ url: weights.url, to: known, sha256: weights.sha256, onEvent, signal });
    bytes = await readFile(known);
  }
  if (!bytes) {
    throw new DataError(
      'weights-missing',
      `The weights of ${name} must be in ${known} and are not. Put the file there (${weights.source}), or choose another backbone.`,
    );
  }
  const sum = await sha256(bytes);
  if (sum !== weights.sha256) {
    throw new DataError(
      'checksum',
      `${known} must have the sha256 ${weights.sha256}, found ${sum}. Fetch it again, or name it by --set weights=<file> to use it as it is.`,
    );
  }
  return { path: known, bytes };
}

async function read(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (error) {
    throw new DataError(
      'weights-missing',
      `${path} cannot be read: ${(error as Error).message}. Name a file of weights.`,
    );
  }
}

async function readTensors(bytes: Uint8Array, path: string, { title, keras }: Backbone): Promise<Tensors> {
  const kind = extname(path).toLowerCase();
  if (kind === '.safetensors') return readSafetensors(bytes, basename(path)).tensors;
  if (kind === '.npz') return readNpz(bytes, basename(path));
  if (kind === '.pth' || kind === '.pt') return readTorch(bytes, basename(path));
  if (['.h5', '.hdf5', '.keras'].includes(kind)) {
    if (keras && kind !== '.keras') return fromKeras(await readHdf5(path), keras);
    throw new ConfigError(
      'weights-kind',
      `Files of Keras are read for vgg16 and vgg19 where they are .h5, got ${path} for ${title}. Save its weights as .safetensors or .npz.`,
    );
  }
  throw new ConfigError('weights-kind', `Weights must be a .safetensors, .npz, .pth, .pt or .h5 file, got ${path}.`);
}
