/** Artefacts on disk: written whole, read and checked. Node only. */
import { stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { DataError, OddityError } from '../core/errors.ts';
import { type Artifact, type ArtifactInfo, checkInfo, joinArtifact } from '../engine/scoring/artifact.ts';
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
  const names = { onnx: files.onnx, json: basename(files.json) };
  return joinArtifact(names, onnx, await readInfo(files.json), (file) => readIfThere(join(files.folder, file)));
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
