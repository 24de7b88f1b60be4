/**
 * Scores image files, or the rows of files, with a trained detector. A file or row that cannot be read is listed; the
 * others go on.
 */
import { Cancelled, ConfigError, DataError, OddityError, RuntimeUnavailable } from '../core/errors.ts';
import { type Listener, silent } from '../core/events.ts';
import { type ImageShape, isImage } from '../core/item-shape.ts';
import {
  columnTotals,
  type Decoder,
  encodedWidth,
  encodeRows,
  openDecoder,
  openRows,
  writeUnit,
} from '../data/index.ts';
import type { Decision, ThresholdReport } from '../engine/judging/calibrate.ts';
import { type Region, regionsAbove } from '../metrics/index.ts';
import { mapScale } from '../report/map-image.ts';
import type { Device } from '../runtime/index.ts';
import { type Detector, loadDetector } from './detector.ts';
import { makeFolder } from './files.ts';
import { codeOf } from './folder.ts';
import { checkMapFormat, type MapFormat, MapWriter } from './map-files.ts';

export interface PredictOptions {
  /** A run's folder, an artefact's folder or its `model.onnx`. */
  run: string;
  /**
   * Paths of image files, each fitted to the size and channels that the model takes; of files of rows (CSV, Parquet, ARFF …) where
   * the model was trained on a table.
   */
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

/** What a detector says of one image or row. */
export interface Prediction {
  readonly path: string;
  /** Line of the row in its file, or its number from 1 where the file is no text; absent for images. */
  readonly line?: number;
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
  /** Size of the image file, upright; absent for rows. */
  readonly imageSize?: Size;
  /** The columns of a row with the largest values of the map, summed over their inputs; absent for images. */
  readonly columns?: readonly { readonly name: string; readonly value: number }[];
  /** What touches and reaches the map threshold, the highest peak first. Empty where there is no map threshold. */
  readonly regions: readonly ImageRegion[];
  /** Its oddest place, and the place of a training image that is most like it; of models that keep such places. */
  readonly nearest?: NearestPlace;
  /** The files that were written of the map. */
  readonly maps?: Partial<Record<MapFormat, string>>;
}

/**
 * A region in pixels of the image file: its box from the top left and its area, both scaled up or down from the map, and
 * the largest value of the map inside.
 */
export type ImageRegion = Pick<Region, 'x' | 'y' | 'width' | 'height' | 'area'> & { readonly peak: number };

/** Two places in pixels of the map, from the top left, the second one of the training image `id`. */
export interface NearestPlace {
  readonly x: number;
  readonly y: number;
  readonly normal: { readonly id: string; readonly x: number; readonly y: number };
}

export interface Size {
  readonly height: number;
  readonly width: number;
}

export interface PredictResult {
  /** The threshold of the detector; `sawTest` means that the test part of its data chose it. */
  readonly threshold: ThresholdReport;
  /** Where pixels of maps stand out; null in a model without held-out normals. */
  readonly mapThreshold: number | null;
  /** Size of the maps of images, which is what the model takes; absent for rows. */
  readonly mapSize?: Size;
  readonly predictions: readonly Prediction[];
  /** Files that could not be read. */
  readonly failed: readonly { path: string; code: string; message: string }[];
}

/** Images held in memory at a time. */
const BATCH = 16;

/** Scores files, in their order. Throws as `loadDetector` does, and RuntimeUnavailable without the decoder of images. */
export async function predict(options: PredictOptions): Promise<PredictResult> {
  (options.mapFormats ?? []).forEach(checkMapFormat);
  const detector = await loadDetector(options.run, { device: options.device, onEvent: options.onEvent });
  try {
    return isImage(detector.shape) ? await predictImages(detector, options) : await predictRows(detector, options);
  } finally {
    await detector.close();
  }
}

async function predictImages(detector: Detector, options: PredictOptions): Promise<PredictResult> {
  const { images, maps: folder, mapFormats = ['picture'], onEvent = silent, signal } = options;
  if (folder !== undefined) await makeFolder(folder);
  const decoder = openDecoder();
  try {
    const { info } = detector;
    const shape = detector.shape as ImageShape;
    const [, height, width] = shape;
    const mapThreshold = info.mapThreshold?.value ?? null;
    const writer = folder === undefined ? undefined : new MapWriter(folder, mapFormats);
    const read = (at: number) => readBatch(decoder, images.slice(at, at + BATCH), shape, options.maxPixels);
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
        const map = scored.maps.subarray(i * height * width, (i + 1) * height * width);
        const reconstruction = scored.reconstructions?.subarray(i * values, (i + 1) * values);
        // The run's own scale, so that pictures of different calls compare.
        const scale = info.mapScale ?? mapScale(map, mapThreshold);
        const maps = await writer?.write({ path, shape, image: pixels, reconstruction, map, scale, mapThreshold });
        predictions.push({
          path,
          ...judged(detector, scored.scores[i]),
          imageSize: size,
          regions: mapThreshold === null ? [] : regionsOf(map, mapThreshold, { height, width }, size),
          ...(scored.nearest && info.trainingItems && { nearest: placesOf(scored.nearest, i, info.trainingItems) }),
          ...(maps && { maps }),
        });
      }
      const done = Math.min(images.length, at + BATCH);
      onEvent({ type: 'progress', task: 'predict', done, total: images.length, unit: 'image' });
    }
    return { threshold: info.threshold, mapThreshold, mapSize: { height, width }, predictions, failed };
  } finally {
    await decoder.close();
  }
}

/** What a detector makes of a score. */
function judged(detector: Detector, score: number) {
  const { threshold } = detector;
  return {
    score,
    threshold,
    isAnomalous: threshold === null ? null : score >= threshold,
    decision: detector.decide(score),
    exceededBy: detector.exceededBy(score),
  };
}

/** Columns of a row that are told. */
const COLUMNS = 3;

/** Scores the rows of files, each encoded as in training. */
async function predictRows(detector: Detector, options: PredictOptions): Promise<PredictResult> {
  const { images: paths, maps, onEvent = silent, signal } = options;
  const { info } = detector;
  if (!info.table) throw new DataError('artefact-corrupt', `${options.run} says nothing of its columns. Train again.`);
  if (maps !== undefined) throw new ConfigError('no-maps', 'Rows of a table have no map files. Leave --maps out.');
  const width = encodedWidth(info.table);
  const predictions: Prediction[] = [];
  const failed: PredictResult['failed'][number][] = [];
  for (const [n, path] of paths.entries()) {
    if (signal?.aborted) throw new Cancelled();
    try {
      const rows = await openRows(path);
      const { inputs, broken, missing, unseen, passedOver } = encodeRows(rows, info.table);
      const warn = (code: string, message: string) =>
        onEvent({ type: 'warning', code, message: `${path}: ${message}` });
      if (missing > 0) warn('missing-values', `${missing} missing numbers take the median of the training rows.`);
      for (const [name, texts] of unseen) {
        const some = `${texts.slice(0, 8).join(', ')}${texts.length > 8 ? ` and ${texts.length - 8} more` : ''}`;
        warn(
          'unseen-texts',
          `${name} has texts that training did not see (${some}): they are none of those it did see.`,
        );
      }
      if (passedOver.length > 0) {
        const some = `${passedOver.slice(0, 8).join(', ')}${passedOver.length > 8 ? ` and ${passedOver.length - 8} more` : ''}`;
        onEvent({
          type: 'log',
          level: 'info',
          message: `${path}: passed over, because training did not use them: ${some}.`,
        });
      }
      const { scores, maps } = await detector.score(inputs, rows.rows, { signal });
      for (const [r, line] of rows.numbers.entries()) {
        const fault = broken.get(r);
        if (fault !== undefined) {
          failed.push({
            path: `${path}:${line}`,
            code: 'csv-rows',
            message: `${path} (${rows.place} ${line}): ${fault}.`,
          });
          continue;
        }
        const totals = columnTotals(info.table, maps.subarray(r * width, (r + 1) * width));
        const columns = totals.sort((a, b) => b.value - a.value).slice(0, COLUMNS);
        predictions.push({ path, line, ...judged(detector, scores[r]), columns, regions: [] });
      }
    } catch (error) {
      if (!(error instanceof OddityError) || error.name !== 'DataError') throw error;
      failed.push({ path, ...codeOf(error) });
    }
    onEvent({ type: 'progress', task: 'predict', done: n + 1, total: paths.length, unit: 'file' });
  }
  return { threshold: info.threshold, mapThreshold: info.mapThreshold?.value ?? null, predictions, failed };
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
  shape: ImageShape,
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

/** The places of image `i` of a batch. */
function placesOf(nearest: Float32Array, i: number, items: readonly string[]): NearestPlace {
  const [y, x, item, normalY, normalX] = nearest.subarray(5 * i, 5 * i + 5);
  return { x, y, normal: { id: items[item], x: normalX, y: normalY } };
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
