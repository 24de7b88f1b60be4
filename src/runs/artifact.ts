/** Artefacts on disk: written whole, read and checked. Node only. */
import { statSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { ConfigError, DataError } from '../core/errors.ts';
import { parseStored } from '../core/stored.ts';
import { option, say } from '../core/text.ts';
import { type Artifact, type ArtifactInfo, checkInfo, isOwnModel, joinArtifact } from '../engine/scoring/artifact.ts';
import { artifactSchema } from '../engine/scoring/artifact-schema.ts';
import { readIfThere, readJsonIfThere, writeAtomic, writeJson } from './files.ts';

/** The files of an artefact at a folder, or at a path that ends with `.onnx` or `.json` and is no folder. */
export function artifactFiles(path: string): { onnx: string; json: string; folder: string } {
  if (!/\.(onnx|json)$/i.test(path) || statSync(path, { throwIfNoEntry: false })?.isDirectory())
    return { onnx: join(path, 'model.onnx'), json: join(path, 'model.json'), folder: path };
  const stem = path.replace(/\.(onnx|json)$/i, '');
  return { onnx: `${stem}.onnx`, json: `${stem}.json`, folder: dirname(path) };
}

/**
 * Writes an artefact; `model.json` last, so that a pair is never believed before it is whole. Throws ConfigError `strange-files`
 * where a model that is none of oddity's would be replaced.
 */
export async function writeArtifact(path: string, { info, onnx, weights }: Artifact): Promise<string> {
  const files = artifactFiles(path);
  await checkReplaceable(files);
  if (weights) await writeAtomic(join(files.folder, info.weights!.file), weights);
  await writeAtomic(files.onnx, onnx);
  await writeJson(files.json, info);
  return files.onnx;
}

/** An artefact is replaced by another one, and nothing else is. */
async function checkReplaceable({ onnx, json }: ReturnType<typeof artifactFiles>): Promise<void> {
  const before = await readJsonIfThere<{ format?: unknown }>(json).catch(() => ({ format: undefined }));
  const isOwn = typeof before?.format === 'string' && before.format.startsWith('oddity-artefact-');
  // Whoever was killed while writing has left a model without its description.
  const model = before ? undefined : await readIfThere(onnx);
  if (isOwn || (!before && (!model || isOwnModel(model)))) return;
  throw new ConfigError(
    'strange-files',
    say`${before ? json : onnx} must not exist or be a model that oddity exported, but is another file. Move it away, or
      choose another place with ${option('out')}.`,
  );
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

/** The description of an artefact, without its graph, whose bytes are not looked at; undefined where there is none. Throws DataError `artefact-corrupt`. */
export const readArtifactInfo = (path: string): Promise<ArtifactInfo | undefined> => readInfo(artifactFiles(path).json);

/** What the items of an artefact are, by its description alone; undefined where there is none. */
export async function kindOfArtifact(path: string): Promise<string | undefined> {
  return (await readArtifactInfo(path))?.kind;
}

async function readInfo(path: string): Promise<ArtifactInfo | undefined> {
  const info = await readJsonIfThere(path, 'artefact-corrupt');
  return info && checkInfo(info, path, (value, refuse) => parseStored(artifactSchema, value, refuse));
}
