/**
 * Scores image files, or the rows of files, with a trained detector. A file or row that cannot be read is listed; the
 * others go on.
 */
import type { AlarmRule, EndedAlarm } from '../core/alarms.ts';
import { Cancelled, ConfigError, DataError, OddityError, RuntimeUnavailable } from '../core/errors.ts';
import { type Listener, silent, warning } from '../core/events.ts';
import { type ImageShape, isImage } from '../core/item-shape.ts';
import { option, optionList, say } from '../core/text.ts';
import { openRows, openSeries, pagePaths, unmatched } from '../data/index.ts';
import type { Decision, ThresholdReport } from '../engine/judging/calibrate.ts';
import { ruleOf } from '../engine/scoring/alarms.ts';
import { type Detector, judged, type NearestPlace } from '../engine/scoring/detector.ts';
import { bandAt } from '../engine/scoring/expected.ts';
import { type RowFacts, rowRemarks } from '../engine/scoring/rows.ts';
import { scoreSeries } from '../engine/scoring/series.ts';
import type { ColumnShare, ImageRegion, Size } from '../kinds/index.ts';
import { mapScale } from '../report/map-image.ts';
import type { Device } from '../runtime/index.ts';
import { closed } from './closing.ts';
import { loadDetector } from './detector.ts';
import { checkRate, decidedByRate, type FoundByRate } from './discoveries.ts';
import { intervalsOf } from './exclude.ts';
import { makeFolder } from './files.ts';
import { type StoredError, stored } from './folder.ts';
import { checkMapFormat, type MapFormat, MapWriter } from './map-files.ts';
import { predictClips } from './predict-clips.ts';
import { noScore, scoreRows } from './score-rows.ts';

/** Options of `predict`. */
export interface PredictOptions {
  /** A run's folder, an artefact's folder or its `model.onnx`. */
  run: string;
  /**
   * Paths of image files, each fitted to the size and channels that the model takes; of a file with several pages each page
   * is an image, `stack.tif:2`. Or paths of files of rows (CSV, Parquet, ARFF …) where the model was trained on a table or on
   * series; of clips (folders of images, files of several pages, videos) where it was trained on clips.
   */
  images: readonly string[];
  device?: Device | 'auto';
  /** A folder for the maps. */
  maps?: string;
  /** Which files of each map; default `picture`. */
  mapFormats?: readonly MapFormat[];
  /** Pixels that a file may have; default 100 million. */
  maxPixels?: number;
  /** How steps of series become alarms; default the rule of the run. */
  alarms?: AlarmRule;
  /**
   * Decide by a false discovery rate over all that is scored instead of by the threshold, (0, 1): the expected share of normal items
   * among those called anomalous is at most this (Benjamini and Hochberg). Images and rows only.
   */
  fdr?: number;
  /** Intervals of series that are not judged, as in training. */
  exclude?: readonly string[];
  onEvent?: Listener;
  signal?: AbortSignal;
}

/** What a detector says of one image or row. */
export interface Prediction {
  readonly path: string;
  /** Line of the row in its file, or its number from 1 where the file is no text; absent for images. */
  readonly line?: number;
  /** Of a frame, its number in the clip from 1; absent for other kinds. */
  readonly frame?: number;
  /** Of a frame, seconds since the first; absent where the clip has no rate. */
  readonly seconds?: number;
  /** Of a step, ISO 8601; absent where the file has no times, and for other kinds. */
  readonly time?: string;
  /** Raw; larger is more anomalous. */
  readonly score: number;
  /** Null when the run held no normal items out. */
  readonly threshold: number | null;
  /** Score at or above the threshold; null without one. */
  readonly isAnomalous: boolean | null;
  /** What the threshold, with its review band, makes of the score; null without one. */
  readonly decision: Decision | null;
  /** (1 + held-out normal items with a score at least as high) / (1 + all of them); absent when none were held out. */
  readonly pValue?: number;
  /** Of a step, what the detector expects of each channel, by its name; absent where it expects nothing, and for other kinds. */
  readonly expected?: Readonly<Record<string, number>>;
  /** The ends of the margins around it; absent where the detector has none. */
  readonly lower?: Readonly<Record<string, number>>;
  readonly upper?: Readonly<Record<string, number>>;
  /** Size of the image file, upright; absent for rows. */
  readonly imageSize?: Size;
  /** The columns of a row with the largest values of the map, summed over their inputs; absent for images. */
  readonly columns?: readonly ColumnShare[];
  /** What touches and reaches the map threshold, the highest peak first. Empty where there is no map threshold. */
  readonly regions: readonly ImageRegion[];
  /** Its oddest place, and the place of a training image that is most like it; of models that keep such places. */
  readonly nearest?: NearestPlace;
  /** The files that were written of the map. */
  readonly maps?: Partial<Record<MapFormat, string>>;
}

/** An alarm of a file, by the rule of the detector. Steps are counted from 0, after gaps were filled. */
export interface PredictedAlarm extends EndedAlarm {
  readonly path: string;
  /** Lines of the first and the last step in the file, or their numbers from 1. */
  readonly lines: readonly [first: number, last: number];
  /** Times of the first and the last step, ISO 8601; absent where the file has none. */
  readonly times?: readonly [first: string, last: string];
  /** How many steps it has. */
  readonly steps: number;
  /** The highest score, its step, and the line and time of that step. */
  readonly peak: EndedAlarm['peak'] & { readonly line: number; readonly time?: string };
}

/** An alarm of a clip, by the rule of the detector. Steps are frames, counted from 0. */
export interface FrameAlarm extends EndedAlarm {
  readonly path: string;
  /** The first and the last frame, from 1. */
  readonly frames: readonly [first: number, last: number];
  /** Seconds of both since the first frame of the clip; absent where it has no rate. */
  readonly seconds?: readonly [first: number, last: number];
  /** The highest score, its step, and the number of that frame from 1. */
  readonly peak: EndedAlarm['peak'] & { readonly frame: number; readonly seconds?: number };
  /** Where that frame reaches the map threshold, in pixels of the map, the highest peak first. */
  readonly regions: readonly ImageRegion[];
  /** The files that were written of its map. */
  readonly maps?: Partial<Record<MapFormat, string>>;
}

/** What `predict` makes of files: predictions in their order, and files that failed. */
export interface PredictResult {
  /** The threshold of the detector; `sawTest` means that the test part of its data chose it. */
  readonly threshold: ThresholdReport;
  /** Where pixels of maps stand out; null in a model without held-out normals. */
  readonly mapThreshold: number | null;
  /** Size of the maps of images, which is what the model takes; absent for rows. */
  readonly mapSize?: Size;
  readonly predictions: readonly Prediction[];
  /** Of series, in the order of the files and in theirs; absent for other kinds. */
  readonly alarms?: readonly PredictedAlarm[];
  /** The rule that made them; absent for other kinds. */
  readonly alarmRule?: Required<AlarmRule>;
  /** Of clips, in the order of the files and in theirs; absent for other kinds. */
  readonly frameAlarms?: readonly FrameAlarm[];
  /** What the false discovery rate made of the predictions; absent where none was asked for. */
  readonly discoveries?: FoundByRate;
  /** Files that could not be read. */
  readonly failed: readonly (StoredError & { readonly path: string })[];
}

/** Scores files, in their order. Throws as `loadDetector` does, and RuntimeUnavailable without the decoder of images. */
export async function predict(options: PredictOptions): Promise<PredictResult> {
  (options.mapFormats ?? []).forEach(checkMapFormat);
  const { run, device, maxPixels, onEvent, signal } = options;
  const detector = await loadDetector(run, { device, maxPixels, onEvent, signal });
  try {
    const given = Object.entries({ alarms: options.alarms, exclude: options.exclude }).filter(([, value]) => value);
    if (detector.kind !== 'series' && given.length > 0)
      throw new ConfigError(
        'not-a-series',
        say`Alarms are of series, but ${run} takes other items. Leave ${optionList(given.map(([name]) => name))} out.`,
      );
    checkRate(detector, options);
    if (detector.kind === 'series') return await predictSeries(detector, options);
    if (detector.kind === 'clip') return await predictClips(detector, options);
    const found = isImage(detector.shape)
      ? await predictImages(detector, options)
      : await predictRows(detector, options);
    return options.fdr === undefined ? found : decidedByRate(found, options.fdr, onEvent);
  } finally {
    await closed(detector, signal);
  }
}

async function predictImages(detector: Detector, options: PredictOptions): Promise<PredictResult> {
  const { maps: folder, mapFormats = ['picture'], onEvent = silent, signal } = options;
  const images = options.images.flatMap(pagePaths);
  if (folder !== undefined) await makeFolder(folder);
  const { info } = detector;
  const shape = detector.shape as ImageShape;
  const [, height, width] = shape;
  const mapThreshold = info.mapThreshold?.value ?? null;
  const writer = folder === undefined ? undefined : new MapWriter(folder, mapFormats);
  const predictions: Prediction[] = [];
  const failed: PredictResult['failed'][number][] = [];
  const told = () =>
    onEvent({
      type: 'progress',
      task: 'predict',
      done: predictions.length + failed.length,
      total: images.length,
      unit: 'image',
    });
  const onError = (error: unknown, path: string) => {
    if (error instanceof RuntimeUnavailable) throw error;
    failed.push({ path, ...stored(error) });
    told();
  };
  for await (const { item: path, map, mapShape: _, values, size, reconstruction, ...said } of detector.scoreEach(
    images,
    {
      onError,
      signal,
    },
  )) {
    // The run's own scale, so that pictures of different calls compare.
    const scale = info.mapScale ?? mapScale(map, mapThreshold);
    const maps = await writer?.write({ path, shape, image: values, reconstruction, map, scale, mapThreshold });
    predictions.push({ path, ...said, regions: said.regions ?? [], imageSize: size, ...(maps && { maps }) });
    told();
  }
  if (writer?.remark) onEvent({ type: 'log', level: 'info', message: writer.remark });
  return { threshold: info.threshold, mapThreshold, mapSize: { height, width }, predictions, failed };
}

/** Scores the steps of files, each file a series by itself. */
async function predictSeries(detector: Detector, options: PredictOptions): Promise<PredictResult> {
  const { images: paths, maps, onEvent = silent, signal } = options;
  const { info } = detector;
  const channels = info.table?.columns.map(({ name }) => name) ?? [];
  if (maps !== undefined)
    throw new ConfigError('no-maps', say`Steps of series have no map files. Leave ${option('maps')} out.`);
  const predictions: Prediction[] = [];
  const alarms: PredictedAlarm[] = [];
  const exclude = options.exclude && (await intervalsOf(options.exclude));
  const failed: PredictResult['failed'][number][] = [];
  for (const path of paths) {
    if (signal?.aborted) throw new Cancelled();
    try {
      const { series, remarks } = await openSeries(path, info.table);
      for (const { code, message } of remarks) onEvent(warning(code, message));
      const remark = exclude && unmatched(exclude, [series]);
      if (remark) onEvent({ type: 'warning', code: 'exclude-unmatched', message: `${path}: ${remark}` });
      const found = await scoreSeries(detector, series, { alarms: options.alarms, exclude, signal, onEvent });
      const lineOf = (t: number) => series.rows?.[t] || t + 1;
      const timeOf = (t: number) => series.times && new Date(series.times[t]).toISOString();
      for (const [t, score] of found.scores.entries()) {
        if (series.rows?.[t] === 0 || found.excluded?.[t]) continue; // it was filled in, or is left out
        const line = lineOf(t);
        if (Number.isNaN(score)) failed.push({ path: `${path}:${line}`, ...noScore(`${path} (line ${line})`) });
        else {
          const time = timeOf(t);
          const about = { ...(time !== undefined && { time }), ...judged(info, score), ...bandAt(found, channels, t) };
          predictions.push({ path, line, ...about, regions: [] });
        }
      }
      for (const { start, end, peak, ...about } of found.alarms) {
        const [times, peakTime] = [[timeOf(start), timeOf(end - 1)], timeOf(peak.step)];
        alarms.push({
          path,
          start,
          end,
          lines: [lineOf(start), lineOf(end - 1)],
          ...(times[0] !== undefined && { times: times as [string, string] }),
          steps: end - start,
          peak: { ...peak, line: lineOf(peak.step), ...(peakTime !== undefined && { time: peakTime }) },
          ...about,
        });
      }
    } catch (error) {
      if (!(error instanceof OddityError) || error.name !== 'DataError') throw error;
      failed.push({ path, ...stored(error) });
    }
  }
  const alarmRule = ruleOf(info, options.alarms);
  return { threshold: info.threshold, mapThreshold: null, predictions, alarms, alarmRule, failed };
}

/** Scores the rows of files, each encoded as in training. */
async function predictRows(detector: Detector, options: PredictOptions): Promise<PredictResult> {
  const { images: paths, maps, onEvent = silent, signal } = options;
  const { info } = detector;
  if (!info.table)
    throw new DataError('artefact-corrupt', `${options.run} lacks the names of its columns. Train again.`);
  if (maps !== undefined)
    throw new ConfigError('no-maps', say`Rows of a table have no map files. Leave ${option('maps')} out.`);
  const predictions: Prediction[] = [];
  const failed: PredictResult['failed'][number][] = [];
  for (const [n, path] of paths.entries()) {
    if (signal?.aborted) throw new Cancelled();
    try {
      const pending = scoreRows(detector, path, await openRows(path), { signal });
      tellRemarks(path, pending.facts, onEvent);
      const found = await pending.finish();
      for (const one of found.predictions) predictions.push(one);
      for (const one of found.failed) failed.push(one);
    } catch (error) {
      if (!(error instanceof OddityError) || error.name !== 'DataError') throw error;
      failed.push({ path, ...stored(error) });
    }
    onEvent({ type: 'progress', task: 'predict', done: n + 1, total: paths.length, unit: 'file' });
  }
  return { threshold: info.threshold, mapThreshold: info.mapThreshold?.value ?? null, predictions, failed };
}

/** Says what was seen of the rows of a file. */
export function tellRemarks(path: string, facts: RowFacts, onEvent: Listener): void {
  for (const { code, message } of rowRemarks(facts)) {
    const text = `${path}: ${message}`;
    onEvent(code === 'unknown-columns' ? { type: 'log', level: 'info', message: text } : warning(code, text));
  }
}
