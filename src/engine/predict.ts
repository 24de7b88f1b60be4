/** Scores image files with a trained detector. A file that cannot be read is listed; the others go on. */
import { Cancelled, RuntimeUnavailable } from '../core/errors.ts';
import { type Listener, silent } from '../core/events.ts';
import { type Decoder, openDecoder, writeUnit } from '../data/index.ts';
import { type Region, regionsAbove } from '../metrics/index.ts';
import { mapScale } from '../report/map-image.ts';
import type { Device } from '../runtime/index.ts';
import type { Decision, ThresholdReport } from './calibrate.ts';
import { type Detector, loadDetector } from './detector.ts';
import { makeFolder } from './files.ts';
import { checkMapFormat, type MapFormat, MapWriter } from './map-files.ts';
import { codeOf } from './run.ts';

export interface PredictOptions {
  /** A run's folder, an artefact's folder or its `model.onnx`. */
  run: string;
  /** Paths of image files; each is fitted to the size and channels that the model takes. */
  images: readonly string[];
  device?: Device | 'auto';
  /** A folder for the maps. */
  maps?: string;
  /** Which files of each map; default `picture`. */
  mapFormats?: readonly MapFormat[];
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
  /** What the threshold, with its review band, makes of the score; null without one. */
  readonly decision: Decision | null;
  /** Share of held-out normal items with a larger score. */
  readonly exceededBy?: number;
  /** Size of the image file, upright. */
  readonly imageSize: Size;
  /** What touches and reaches the map threshold, the highest peak first. Empty where there is no map threshold. */
  readonly regions: readonly ImageRegion[];
  /** The files that were written of the map. */
  readonly maps?: Partial<Record<MapFormat, string>>;
}

/**
 * A region in pixels of the image file: its box from the top left and its area, both scaled up or down from the map, and
 * the largest value of the map inside.
 */
export type ImageRegion = Pick<Region, 'x' | 'y' | 'width' | 'height' | 'area'> & { readonly peak: number };

export interface Size {
  readonly height: number;
  readonly width: number;
}

export interface PredictResult {
  /** The threshold of the detector; `sawTest` means that the test part of its data chose it. */
  readonly threshold: ThresholdReport;
  /** Where pixels of maps stand out; null in a model without held-out normals. */
  readonly mapThreshold: number | null;
  /** Size of the maps, which is what the model takes. */
  readonly mapSize: Size;
  readonly predictions: readonly Prediction[];
  /** Files that could not be read. */
  readonly failed: readonly { path: string; code: string; message: string }[];
}

/** Images held in memory at a time. */
const BATCH = 16;

/** Scores image files, in their order. Throws as `loadDetector` does, and RuntimeUnavailable without the decoder. */
export async function predict(options: PredictOptions): Promise<PredictResult> {
  const { images, maps: folder, mapFormats = ['picture'], onEvent = silent, signal } = options;
  mapFormats.forEach(checkMapFormat);
  if (folder !== undefined) await makeFolder(folder);
  const detector = await loadDetector(options.run, { device: options.device, onEvent });
  const decoder = openDecoder();
  try {
    const { shape, info } = detector;
    const [, height, width] = shape;
    const mapThreshold = info.mapThreshold?.value ?? null;
    const writer = folder === undefined ? undefined : new MapWriter(folder, mapFormats);
    const read = (at: number) => readBatch(decoder, images.slice(at, at + BATCH), detector, options.maxPixels);
    const values = shape.reduce((n, d) => n * d, 1);
    const predictions: Prediction[] = [];
    const failed: { path: string; code: string; message: string }[] = [];
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
      for (const [i, { path, pixels, size }] of good.entries()) {
        const score = scored.scores[i];
        const { threshold } = detector;
        const map = scored.maps.subarray(i * height * width, (i + 1) * height * width);
        const reconstruction = scored.reconstructions?.subarray(i * values, (i + 1) * values);
        // The run's own scale, so that pictures of different calls compare.
        const scale = info.mapScale ?? mapScale(map, mapThreshold);
        const maps = await writer?.write({ path, shape, image: pixels, reconstruction, map, scale, mapThreshold });
        predictions.push({
          path,
          score,
          threshold,
          isAnomalous: threshold === null ? null : score >= threshold,
          decision: detector.decide(score),
          exceededBy: detector.exceededBy(score),
          imageSize: size,
          regions: mapThreshold === null ? [] : regionsOf(map, mapThreshold, { height, width }, size),
          ...(maps && { maps }),
        });
      }
      const done = Math.min(images.length, at + BATCH);
      onEvent({ type: 'progress', task: 'predict', done, total: images.length, unit: 'image' });
    }
    return { threshold: info.threshold, mapThreshold, mapSize: { height, width }, predictions, failed };
  } finally {
    await Promise.all([detector.close(), decoder.close()]);
  }
}

/** A decoded image: `[C, H, W]` as the model takes it, and the size of its file. */
interface ReadImage {
  readonly path: string;
  readonly pixels: Float32Array;
  readonly size: Size;
}

/** Decodes some files at once; those that cannot be read are returned with their reason. Throws without the decoder. */
async function readBatch(
  decoder: Decoder,
  paths: readonly string[],
  { shape }: Pick<Detector, 'shape'>,
  maxPixels?: number,
): Promise<{ good: ReadImage[]; bad: PredictResult['failed'] }> {
  const read = async (path: string): Promise<ReadImage> => {
    const { data, height, width } = await decoder.decode({ path, as: 'image', shape, maxPixels });
    const pixels = new Float32Array(data.length);
    writeUnit(data, pixels, 0);
    return { path, pixels, size: { height, width } };
  };
  const results = await Promise.allSettled(paths.map(read));
  const good: ReadImage[] = [];
  const bad: PredictResult['failed'][number][] = [];
  for (const [i, result] of results.entries()) {
    if (result.status === 'fulfilled') good.push(result.value);
    else if (result.reason instanceof RuntimeUnavailable) throw result.reason;
    else bad.push({ path: paths[i], ...codeOf(result.reason) });
  }
  return { good, bad };
}

function regionsOf(map: Float32Array, threshold: number, mapSize: Size, imageSize: Size): ImageRegion[] {
  const [across, down] = [imageSize.width / mapSize.width, imageSize.height / mapSize.height];
  return regionsAbove(map, threshold, mapSize.height, mapSize.width)
    .regions.map((r) => {
      const [x, y] = [Math.floor(r.x * across), Math.floor(r.y * down)];
      return {
        x,
        y,
        width: Math.ceil((r.x + r.width) * across) - x,
        height: Math.ceil((r.y + r.height) * down) - y,
        area: Math.round(r.area * across * down),
        peak: r.peak!,
      };
    })
    .sort((a, b) => b.peak - a.peak);
}
