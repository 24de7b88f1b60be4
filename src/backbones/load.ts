/** Weights of backbones from disk, from the package or from where they are published. Node only. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ConfigError, DataError } from '../core/errors.ts';
import { type Listener, silent } from '../core/events.ts';
import type { Tensors } from '../core/tensor.ts';
import { option, say } from '../core/text.ts';
import { download } from '../data/files/download.ts';
import { readHdf5 } from '../data/files/hdf5.ts';
import { readInput } from '../data/files/read-input.ts';
import { sha256 } from '../data/hash.ts';
import { type Backbone, checkTaps } from './define.ts';
import { findBackbone, isKerasFile, isOnnxFile } from './index.ts';
import { fromKeras, otherLayers } from './keras.ts';
import { checkWeights, endingOf, readOnnxBackbone, readWeights, type WeightBytes, weightsUpTo } from './weights.ts';

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

/**
 * Tensors of the backbone of a name as far as the taps, the usual ones if none are named; the path of an ONNX file is
 * such a name. The whole file is checked all the same.
 */
export async function loadBackbone(name: string, taps: readonly string[], options: LoadWeights): Promise<Tensors> {
  if (!isOnnxFile(name)) {
    const backbone = findBackbone(name);
    if (taps.length > 0) checkTaps(backbone, taps);
    return weightsUpTo(backbone, taps, await loadWeights(backbone, options));
  }
  if (options.path) {
    throw new ConfigError(
      'weights',
      say`${name} holds its own weights, got "${options.path}". Leave the option ${option('config.weights')} out.`,
    );
  }
  return readOnnxBackbone({ file: name, bytes: await readInput(name, 'weights-missing') }, taps);
}

/** True where the known file of a backbone's weights is on this machine: in the package, or below the data root. */
export const hasWeights = ({ weights }: Backbone, root: string): boolean =>
  weights !== undefined && (weights.inPackage === true || existsSync(join(root, weights.file)));

/**
 * The tensors of a backbone by the names of its file: all of its network, or all but its classifier where the file has
 * nothing of that.
 * @throws DataError `weights-missing`, `checksum`, `weights-mismatch` (tensors that are missing, too many or of another
 * shape), and what the readers of files throw; ConfigError `weights-kind` for a file of another kind.
 */
export async function loadWeights(backbone: Backbone, options: LoadWeights): Promise<Tensors> {
  const file = await weightFile(backbone, options);
  if (!isKerasFile(file.file)) return readWeights(backbone, file);
  if (backbone.keras && endingOf(file.file) !== '.keras') {
    const found = await readHdf5(file.file);
    const other = otherLayers(found, backbone.keras);
    if (other.length > 0) {
      throw new DataError(
        'weights-mismatch',
        say`${file.file} must hold the layers of ${backbone.title}, but has ${other.slice(0, 3).join(', ')}, which are not
          its own: it is the file of another network. Choose that network with ${option('config.backbone')}, or the right file.`,
      );
    }
    return checkWeights(backbone, fromKeras(found, backbone.keras), file.file);
  }
  throw new ConfigError(
    'weights-kind',
    `Keras files are read for vgg16 and vgg19, as .h5 only; got ${file.file} for ${backbone.title}. Save its weights as ` +
      '.safetensors or .npz.',
  );
}

async function weightFile(backbone: Backbone, options: LoadWeights): Promise<WeightBytes> {
  const { path, root, onEvent = silent, signal } = options;
  const { name, title, weights, brought } = backbone;
  if (path) {
    if (brought) {
      const message = `${path} is read as ${title}, whose weights are under the licence ${brought.licence}.`;
      onEvent({ type: 'log', level: 'info', message });
    }
    return { file: path, bytes: await readInput(path, 'weights-missing') };
  }
  if (!weights) {
    throw new ConfigError(
      'weights-needed',
      say`${title} comes without weights. Name a file of them${brought ? ` (${brought.from}; licence: ${brought.licence})` : ', with the tensor names of torchvision,'} with
        ${option('config.weights', '<file>')}.`,
    );
  }
  const known = weights.inPackage
    ? fileURLToPath(new URL(`../../${weights.file}`, import.meta.url))
    : join(root, weights.file);
  let bytes = await readInput(known, 'weights-missing').catch(() => undefined);
  if (!bytes && weights.url && options.download !== false) {
    onEvent({ type: 'log', level: 'info', message: `The weights of ${title} are not on this machine; fetching them.` });
    await download({ url: weights.url, to: known, sha256: weights.sha256, onEvent, signal });
    bytes = await readInput(known, 'weights-missing');
  }
  if (!bytes) {
    throw new DataError(
      'weights-missing',
      `The weights of ${name} must be in ${known}, but are not. Put the file there (${weights.source}), or choose ` +
        'another backbone.',
    );
  }
  const sum = await sha256(bytes);
  if (sum !== weights.sha256) {
    throw new DataError(
      'checksum',
      say`${known} must have the sha256 ${weights.sha256}, found ${sum}. Fetch it again, or name it with
        ${option('config.weights', '<file>')} to use it as it is.`,
    );
  }
  return { file: known, bytes };
}
