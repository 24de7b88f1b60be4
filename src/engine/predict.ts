/** Scores image files with a trained detector. A file that cannot be read is listed; the others go on. */
import { basename, join } from 'node:path';
import { Cancelled, RuntimeUnavailable } from '../core/errors.ts';
import { type Listener, silent } from '../core/events.ts';
import { type Decoder, openDecoder, writeUnit } from '../data/index.ts';
import { type MapScale, mapPicture, mapScale } from '../report/map-image.ts';
import type { Device } from '../runtime/index.ts';
import { type Detector, loadDetector } from './detector.ts';
import { makeFolder, writeAtomic } from './files.ts';
import { codeOf } from './run.ts';

export interface PredictOptions {
  /** A run's folder, an artefact's folder or its `model.onnx`. */
  run: string;
  /** Paths of image files; each is fitted to the size and channels that the model takes. */
  images: readonly string[];
  device?: Device | 'auto';
  /** A folder for one PNG per image: image, reconstruction and map. */
  maps?: string;
  /** Pixels that a file may have; default 100 million. */
  maxPixels?: number;
  onEvent?: Listener;
  signal?: AbortSignal;
}

/** What a detector says of one image. */
export interface Prediction {
  readonly path: string;
  /** Raw; larger is more anomalous. */
  readonly score: number;
  /** Null when the run held no normal items out. */
  readonly threshold: number | null;
  /** Score at or above the threshold; null without one. */
  readonly isAnomalous: boolean | null;
  /** Share of held-out normal items with a larger score. */
  readonly exceededBy?: number;
  /** The PNG that was written. */
  readonly map?: string;
}

export interface PredictResult {
  readonly predictions: readonly Prediction[];
  /** Files that could not be read. */
  readonly failed: readonly { path: string; code: string; message: string }[];
}

/** Images held in memory at a time. */
const BATCH = 16;

/** Scores image files, in their order. Throws as `loadDetector` does, and RuntimeUnavailable without the decoder. */
export async function predict(options: PredictOptions): Promise<PredictResult> {
  const { images, maps: folder, onEvent = silent, signal } = options;
  if (folder !== undefined) await makeFolder(folder);
  const detector = await loadDetector(options.run, { device: options.device, onEvent });
  const decoder = openDecoder();
  try {
    const { shape } = detector;
    const read = (at: number) => readBatch(decoder, images.slice(at, at + BATCH), detector, options.maxPixels);
    const values = shape.reduce((n, d) => n * d, 1);
    const predictions: Prediction[] = [];
    const failed: { path: string; code: string; message: string }[] = [];
    const taken = new Set<string>();
    let next = read(0);
    for (let at = 0; at < images.length; at += BATCH) {
      if (signal?.aborted) throw new Cancelled();
      const { good, bad } = await next;
      failed.push(...bad);
      next = read(at + BATCH); // while this batch is scored
      next.catch(() => {}); // heard when it is awaited
      const batch = new Float32Array(good.length * values);
      for (const [i, { pixels }] of good.entries()) batch.set(pixels, i * values);
      const scored = await detector.score(batch, good.length, { signal });
      for (const [i, { path, pixels }] of good.entries()) {
        const score = scored.scores[i];
        const { threshold } = detector;
        const map =
          folder === undefined ? undefined : await drawOne(detector, folder, taken, { path, pixels, i, scored });
        predictions.push({
          path,
          score,
          threshold,
          isAnomalous: threshold === null ? null : score >= threshold,
          exceededBy: detector.exceededBy(score),
          ...(map && { map }),
        });
      }
      const done = Math.min(images.length, at + BATCH);
      onEvent({ type: 'progress', task: 'predict', done, total: images.length, unit: 'image' });
    }
    return { predictions, failed };
  } finally {
    await Promise.all([detector.close(), decoder.close()]);
  }
}

/** Decodes some files at once; those that cannot be read are returned with their reason. Throws without the decoder. */
async function readBatch(
  decoder: Decoder,
  paths: readonly string[],
  { shape }: Pick<Detector, 'shape'>,
  maxPixels?: number,
): Promise<{ good: { path: string; pixels: Float32Array }[]; bad: PredictResult['failed'] }> {
  const read = async (path: string) => {
    const { data } = await decoder.decode({ path, as: 'image', shape, maxPixels });
    const pixels = new Float32Array(data.length);
    writeUnit(data, pixels, 0);
    return { path, pixels };
  };
  const results = await Promise.allSettled(paths.map(read));
  const good: { path: string; pixels: Float32Array }[] = [];
  const bad: PredictResult['failed'][number][] = [];
  for (const [i, result] of results.entries()) {
    if (result.status === 'fulfilled') good.push(result.value);
    else if (result.reason instanceof RuntimeUnavailable) throw result.reason;
    else bad.push({ path: paths[i], ...codeOf(result.reason) });
  }
  return { good, bad };
}

async function drawOne(
  { shape, info, threshold }: Detector,
  folder: string,
  taken: Set<string>,
  one: { path: string; pixels: Float32Array; i: number; scored: Awaited<ReturnType<Detector['score']>> },
): Promise<string> {
  const { path, pixels, i, scored } = one;
  const area = shape[1] * shape[2];
  const map = scored.maps.subarray(i * area, (i + 1) * area);
  // The run's own scale, so that pictures of different calls compare.
  const scale: MapScale = info.mapScale ?? mapScale(map, threshold);
  const reconstruction = scored.reconstructions?.subarray(i * pixels.length, (i + 1) * pixels.length);
  const stem = basename(path).replace(/\.[^.]*$/, '');
  let name = `${stem}.png`;
  for (let k = 2; taken.has(name); k++) name = `${stem}-${k}.png`;
  taken.add(name);
  const to = join(folder, name);
  await writeAtomic(to, mapPicture({ shape, image: pixels, reconstruction, map, scale }));
  return to;
}
