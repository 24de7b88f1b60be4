/** Detectors of a page from files and to files: the same `model.onnx` and `model.json` that Node writes. */
import { DataError } from '../core/errors.ts';
import { type Artifact, type ArtifactInfo, checkInfo, joinArtifact } from '../engine/scoring/artifact.ts';
import { type Detector, type ItemScore, openDetector } from '../engine/scoring/detector.ts';
import { fetchIfThere, readPageFile } from './bytes.ts';
import { asInput, type PageImage } from './drawn.ts';
import { type PageOptions, pagePlatform } from './platform.ts';

/**
 * Where a detector is: the URL of its folder or of its `model.onnx`, with `model.json` beside it; the files that a user
 * chose; or its files by their names, as `detectorFiles` gives them.
 */
export type DetectorFiles = string | URL | Iterable<File> | Readonly<Record<string, Uint8Array | Blob>>;

/** A detector whose `scoreImage` takes canvases, frames of videos and other pictures of a page, too. */
export interface PageDetector extends Omit<Detector, 'scoreImage'> {
  scoreImage(image: PageImage, options?: { signal?: AbortSignal }): Promise<ItemScore>;
}

/** The same detector for pictures of a page. */
export function withPictures(detector: Detector): PageDetector {
  return {
    ...detector,
    scoreImage: async (image, options) => detector.scoreImage(await asInput(image), options),
  };
}

/** Finds a file of a detector; undefined where there is none. */
type Find = (ending: string) => Promise<{ name: string; bytes: Uint8Array } | undefined>;

/**
 * Opens a detector. Throws DataError when a file is missing, damaged or of another kind, RuntimeUnavailable for a device
 * that is not there.
 * @example const detector = await loadDetector('/detectors/parts/'); const { decision } = await detector.scoreImage(blob);
 */
export async function loadDetector(files: DetectorFiles, options: PageOptions = {}): Promise<PageDetector> {
  const { device = 'auto', threads, ...rest } = options;
  const where = typeof files === 'string' || files instanceof URL ? `at ${files}` : 'among the files';
  const artifact = await readArtifact(finderOf(files), where);
  const platform = pagePlatform(rest);
  return withPictures(await openDetector(artifact, await platform.openRuntime(device, { threads }), platform));
}

/** The files of a detector by their names, to be offered as downloads, sent or kept; `loadDetector` opens them. */
export function detectorFiles({
  artifact: { info, onnx, weights },
}: Pick<Detector, 'artifact'>): Record<string, Uint8Array> {
  return {
    'model.onnx': onnx,
    'model.json': new TextEncoder().encode(`${JSON.stringify(info, null, 2)}\n`),
    ...(weights && { [info.weights!.file]: weights }),
  };
}

/** `where` is where a file is missed. */
async function readArtifact(find: Find, where: string): Promise<Artifact> {
  const [onnx, json] = [await find('.onnx'), await find('.json')];
  if (!onnx) {
    throw new DataError(
      'missing-artefact',
      `There must be a model.onnx ${where}, and there is none. Save or export the detector again.`,
    );
  }
  const names = { onnx: onnx.name, json: json?.name ?? 'model.json' };
  const readWeights = async (file: string) => (await find(file))?.bytes;
  return joinArtifact(names, onnx.bytes, json && readInfo(json), readWeights);
}

function readInfo({ name, bytes }: { name: string; bytes: Uint8Array }): ArtifactInfo {
  try {
    return checkInfo(JSON.parse(new TextDecoder().decode(bytes)), name);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new DataError('artefact-corrupt', `${name} must be JSON, but is not: it is damaged. Export the run again.`);
  }
}

function finderOf(files: DetectorFiles): Find {
  if (typeof files === 'string' || files instanceof URL) return finderAt(String(files));
  const named = Symbol.iterator in files ? [...files].map((file) => [file.name, file] as const) : Object.entries(files);
  return async (ending) => {
    const found = named.find(([name]) => name.endsWith(ending));
    return found && { name: found[0], bytes: (await readPageFile(found[1], found[0])).bytes };
  };
}

/** Files beside each other at a URL; that of the weights is named by `model.json`. */
function finderAt(url: string): Find {
  const isFile = /\.(onnx|json)$/i.test(url);
  const stem = isFile ? url.replace(/\.(onnx|json)$/i, '') : `${url.replace(/\/?$/, '/')}model`;
  return async (ending) => {
    const name = ending.startsWith('.') ? stem + ending : stem.replace(/[^/]*$/, ending);
    const bytes = await fetchIfThere(name);
    return bytes && { name, bytes };
  };
}
