/** Artefacts on disk: written whole, read and checked. Node only. */
import { stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { DataError, OddityError } from '../core/errors.ts';
import { action, say } from '../core/text.ts';
import { sha256 } from '../data/pure.ts';
import { type Artifact, type ArtifactInfo, checkInfo, strangeness } from '../engine/scoring/artifact.ts';
import { readIfThere, readJsonIfThere, writeAtomic, writeJson } from './files.ts';

/** The files of an artefact at a folder, or at a path that ends with `.onnx` or `.json`. */
export function artifactFiles(path: string): { onnx: string; json: string; folder: string } {
  if (!/\.(onnx|json)$/i.test(path))
    return { onnx: join(path, 'model.onnx'), json: join(path, 'model.json'), folder: path };
  const stem = path.replace(/\.(onnx|json)$/i, '');
  return { onnx: `${stem}.onnx`, json: `${stem}.json`, folder: dirname(path) };
}

/** Writes an artefact; `model.json` last, so that a pair is never believed before it is whole. */
export async function writeArtifact(path: string, { info, onnx, weights }: Artifact): Promise<string> {
  const files = artifactFiles(path);
  if (weights) await writeAtomic(join(files.folder, info.weights!.file), weights);
  await writeAtomic(files.onnx, onnx);
  await writeJson(files.json, info);
  return files.onnx;
}

/**
 * Reads an artefact from a run's folder, an artefact's folder or one of its two files, and checks it. Throws DataError
 * `missing-artefact`, `not-an-oddity-artefact` (an ONNX file of another kind) or `artefact-corrupt`.
 */
export async function readArtifact(path: string): Promise<Artifact> {
  const files = artifactFiles(path);
  const onnx = await readIfThere(files.onnx);
  if (!onnx) {
    const isFile = await stat(path).then(
      (s) => s.isFile(),
      () => undefined,
    );
    const found =
      isFile === undefined ? 'nothing is there' : isFile ? 'this is a file of another kind' : 'the folder has none';
    throw new DataError(
      'missing-artefact',
      `${path} must be a run's folder, an artefact's folder or its model.onnx; ${found}. Train first, or export a run.`,
    );
  }
  const info = await readInfo(files.json);
  if (!info || (await sha256(onnx)) !== info.sha256) {
    const other = strangeness(onnx);
    if (other) {
      throw new DataError(
        'not-an-oddity-artefact',
        say`${files.onnx} must be a model exported by oddity, found ${other}. Export one with ${action('export')}.`,
      );
    }
    throw info
      ? new DataError(
          'artefact-corrupt',
          `${files.onnx} is damaged: its sha256 is not the one in ${basename(files.json)}. Export the run again.`,
        )
      : new DataError(
          'missing-artefact',
          `${files.onnx} must have ${basename(files.json)} beside it, which holds its threshold. Export the run again.`,
        );
  }
  if (!info.weights) return { info, onnx };
  const place = join(files.folder, info.weights.file);
  const weights = await readIfThere(place);
  if (!weights || (await sha256(weights)) !== info.weights.sha256) {
    throw new DataError(
      'artefact-corrupt',
      `${place} must hold the weights of ${basename(files.onnx)}, ${weights ? 'found other bytes' : 'found nothing'}. ` +
        'Export the run again.',
    );
  }
  return { info, onnx, weights };
}

async function readInfo(path: string): Promise<ArtifactInfo | undefined> {
  let info: Partial<ArtifactInfo> | undefined;
  try {
    info = await readJsonIfThere(path);
  } catch (error) {
    if (!(error instanceof OddityError) || error.code !== 'corrupt') throw error;
    throw new DataError('artefact-corrupt', `${error.message} Export the run again.`);
  }
  return info && checkInfo(info, path);
}
