/**
 * Watches a folder or a camera, whose images are scored once, in the order of their times, or a log that grows. The results go to a
 * journal, a CSV file and sinks. Killed at any moment and started again it goes on where it was. Node only.
 */
import { stat } from 'node:fs/promises';
import { dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { ConfigError, errorData, RuntimeUnavailable, ShapeError } from '../core/errors.ts';
import { type Listener, silent } from '../core/events.ts';
import { isImage } from '../core/item-shape.ts';
import { option, optionList, say } from '../core/text.ts';
import { cameraAddress, isImageName } from '../data/index.ts';
import type { Detector } from '../engine/scoring/detector.ts';
import { kindOfArtifact } from '../runs/artifact.ts';
import { type DetectorOptions, loadDetector } from '../runs/detector.ts';
import { makeFolder } from '../runs/files.ts';
import type { StreamedStep } from '../runs/stream.ts';
import type { Device } from '../runtime/index.ts';
import type { WatchRecord } from './journal.ts';
import { drawOverlay, Results, type ScaleOf, type WatchSummary } from './results.ts';
import { type SettledFile, SettledFiles } from './settled-files.ts';
import { commandSink } from './sinks/command.ts';
import { folderSink } from './sinks/folder.ts';
import { mqttSink } from './sinks/mqtt.ts';
import type { Sink } from './sinks/sink.ts';
import { webhookSink } from './sinks/webhook.ts';
import { watchCamera } from './watch-camera.ts';
import { watchRows } from './watch-rows.ts';
import { watchSeries } from './watch-series.ts';

/** Options of `watch`. */
export interface WatchOptions {
  /** A run's folder, an artefact's folder or its `model.onnx`, of images, of rows or of series. */
  run: string;
  /**
   * The folder that is watched, with those inside; for a run of rows or of series a CSV file that grows. Or else `camera`.
   */
  folder?: string;
  /**
   * A camera in place of a folder, read through the program ffmpeg: an address of rtsp, http and others of that kind, `/dev/video0`, or
   * the path of a video.
   */
  camera?: string;
  /** Frames of a camera that are scored in a second, above 0 and at most 120; default 1. */
  fps?: number;
  /** Milliseconds before a lost camera is connected again, twice as many each time up to a minute; default 1000. */
  reconnect?: number;
  /** Where `results.ndjson`, `results.csv`, overlays and frames go; a folder of its own. */
  out: string;
  /** Write the map over each image that is anomalous. */
  overlays?: boolean;
  /** The colours of these pictures, where they are not those of the run: to compare pictures of several runs. */
  scaleOf?: ScaleOf;
  /** A folder into which anomalous images are copied. */
  anomalies?: string;
  /** An address to which anomalous results are posted. */
  webhook?: string;
  /** Signs what is posted. */
  secret?: string;
  /** Broker and topic: `mqtt://localhost:1883/line/anomalies`. */
  mqtt?: string;
  /**
   * A program that is run for each anomalous result, with its arguments. It reads the result as JSON from standard input; no shell is
   * between. It ends with 0, with 75 to be tried again, or is given up.
   */
  onAnomaly?: string;
  /** Give sinks every result, not the anomalous ones alone. */
  all?: boolean;
  /** Give sinks that are new to `out` what was found before, too; default from now on. */
  earlier?: boolean;
  /** Milliseconds without a change after which a file is whole; default 500. */
  settle?: number;
  /** Milliseconds between two looks; default 500. */
  interval?: number;
  /** Milliseconds after which a result that a sink does not take is given up; default one hour. */
  giveUp?: number;
  /** Score what is there and end, with the sinks served. */
  once?: boolean;
  device?: Device | 'auto';
  threads?: number;
  /** Hears each result when it is in the journal. */
  onResult?: (record: WatchRecord) => void;
  /** Of a log, hears each step or row once it was scored, also those of which no result is made; what was read since the last saved state comes again after a kill. */
  onStep?: (step: StreamedStep) => void;
  onEvent?: Listener;
  signal?: AbortSignal;
}

/** Files of one call of the detector, after which the journal is written. */
const BATCH = 16;
const MOST_FPS = 120;

/**
 * Watches until `signal` aborts, with `once` until what is there is scored, and a video to its end.
 * @throws ConfigError for options; ShapeError for a detector of clips; RuntimeUnavailable `no-ffmpeg` for a camera without
 * that program; those of opening a detector and of writing.
 */
export async function watch(options: WatchOptions): Promise<WatchSummary> {
  const { run, folder, camera, out, device, threads, fps = 1, onEvent = silent } = options;
  const { signal = new AbortController().signal } = options;
  checkPlaces(options);
  if (!(fps > 0 && fps <= MOST_FPS)) {
    throw new ConfigError('option-range', {
      option: 'fps',
      value: fps,
      must: `a number above 0 and at most ${MOST_FPS}`,
    });
  }
  const address = camera === undefined ? undefined : await cameraAddress(camera);
  const kind = await kindOfArtifact(run);
  const isLog = kind === 'series' || kind === 'table';
  if (isLog) await checkFitsLog(options, logWords[kind]);
  else await checkFitsImages(options);
  const sinks = await sinksOf(options);
  let [detector, results]: [Detector | undefined, Results | undefined] = [undefined, undefined];
  try {
    if (kind !== 'series') detector = await openFor(run, { device, threads, onEvent, signal });
    await makeFolder(out);
    const source = isLog ? dirname(folder!) : (folder ?? out);
    results = await Results.open(sinks, { ...options, folder: source });
    let missed: number | undefined;
    if (!detector) await watchSeries(results, { ...options, file: folder! }, signal);
    else if (kind === 'table') await watchRows(detector, results, { ...options, file: folder! }, signal);
    else if (address) missed = await watchCamera(detector, results, address, { ...options, fps }, signal);
    else await watchFolder(detector, results, { ...options, folder: folder! }, signal);
    await results.finish(signal);
    return { ...results.summary, ...(missed !== undefined && { missed }) };
  } finally {
    await results?.close();
    await Promise.all(sinks.map((sink) => sink.close?.()));
    await detector?.close();
  }
}

async function openFor(run: string, options: DetectorOptions): Promise<Detector> {
  const detector = await loadDetector(run, options);
  if (detector.kind === 'table' || isImage(detector.shape)) return detector;
  await detector.close();
  throw new ShapeError(`Images and logs are watched, but ${run} takes ${detector.kind} items.`);
}

/** What a log holds. */
const logWords = { series: 'steps of series', table: 'rows' } as const;

const isFolderAt = async (path: string | undefined) =>
  path === undefined ? undefined : (await stat(path).catch(() => undefined))?.isDirectory();

async function checkFitsImages({ run, folder }: WatchOptions): Promise<void> {
  if ((await isFolderAt(folder)) !== false) return;
  throw new ConfigError('watch-what', `${run} takes images, so a folder is watched, but ${folder} is a file.`);
}

/** Refuses what is no log, and what only images have. */
async function checkFitsLog({ run, folder, camera, anomalies, overlays }: WatchOptions, items: string): Promise<void> {
  const isFolder = await isFolderAt(folder);
  if (camera !== undefined || isFolder) {
    const found = camera === undefined ? say`${folder!} is a folder` : say`${option('camera')} was given`;
    throw new ConfigError('watch-what', say`${run} takes ${items}, so a log that grows is watched, but ${found}.`);
  }
  const given = Object.entries({ anomalies, overlays }).flatMap(([name, value]) => (value ? [name] : []));
  if (given.length > 0) {
    throw new ConfigError(
      'watch-what',
      say`${run} takes ${items}, which have no images. Leave ${optionList(given)} out.`,
    );
  }
}

/** Refuses places that do not go together. */
function checkPlaces({ folder, camera, out, anomalies, once }: WatchOptions): void {
  if ((folder === undefined) === (camera === undefined)) {
    throw new ConfigError(
      'watch-what',
      say`Either a folder or ${option('camera')} is watched, got ${folder === undefined ? 'neither' : 'both'}.`,
    );
  }
  if (camera !== undefined && once) {
    throw new ConfigError('watch-what', say`${option('once')} is for folders; a video ends by itself. Leave it out.`);
  }
  for (const [name, place] of [
    ['out', out],
    ['anomalies', anomalies],
  ] as const) {
    // What is written there would be scored, and make more of it.
    if (place === undefined || folder === undefined || !isInside(place, folder)) continue;
    throw new ConfigError(
      'watch-itself',
      say`${option(name)} must lie outside of the folder that is watched, but ${place} is in ${folder}. Choose another place.`,
    );
  }
}

const isInside = (path: string, folder: string): boolean => {
  const way = relative(resolve(folder), resolve(path));
  return way === '' || !(isAbsolute(way) || way.split(sep)[0] === '..');
};

async function sinksOf({ anomalies, webhook, secret, mqtt, onAnomaly }: WatchOptions): Promise<Sink[]> {
  return [
    ...(anomalies === undefined ? [] : [folderSink(anomalies)]),
    ...(webhook === undefined ? [] : [webhookSink(webhook, secret)]),
    ...(mqtt === undefined ? [] : [await mqttSink(mqtt)]),
    ...(onAnomaly === undefined ? [] : [await commandSink(onAnomaly)]),
  ];
}

/** Looks at a folder again and again. */
async function watchFolder(
  detector: Detector,
  results: Results,
  options: WatchOptions & { readonly folder: string },
  signal: AbortSignal,
): Promise<void> {
  const { folder, interval = 500, settle = 500, once, onEvent = silent } = options;
  const done = new Map(results.held().map(({ path, stamp }) => [path, stamp]));
  const files = new SettledFiles(folder, {
    settle,
    isWanted: (name) => isImageName(name) && !name.startsWith('.'),
    isKnown: ({ path, stamp }) => done.get(path) === stamp,
  });
  let isGone = false;
  for (let looks = 0; !signal.aborted; looks++) {
    results.check();
    const found = await files.look();
    if (!found !== isGone) {
      isGone = !found;
      const message = isGone ? `${folder} is not there. It is waited for.` : `${folder} is there again.`;
      if (isGone || looks > 0) onEvent({ type: 'warning', code: isGone ? 'folder-gone' : 'folder-back', message });
    }
    for (let at = 0; at < (found?.length ?? 0) && !signal.aborted; at += BATCH) {
      const batch = found!.slice(at, at + BATCH);
      await results.add(await scored(detector, batch, options));
      for (const { path, stamp } of batch) done.set(path, stamp);
      results.deliver(signal);
    }
    if (looks === 0) results.deliver(signal); // what a run before this one did not deliver
    if (once && looks > 0 && found?.length === 0) break;
    await pause(interval, undefined, { signal }).catch(() => {});
  }
}

/** Results of files, in their order. */
async function scored(
  detector: Detector,
  files: readonly SettledFile[],
  { folder, out, overlays, scaleOf }: WatchOptions & { readonly folder: string },
): Promise<WatchRecord[]> {
  const stampOf = new Map(files.map((file) => [join(folder, file.path), file]));
  const records: WatchRecord[] = [];
  const about = (item: string) => {
    const { path, stamp } = stampOf.get(item)!;
    return { id: `${path}@${stamp}`, path, stamp, time: new Date().toISOString() };
  };
  const onError = (error: unknown, item: string) => {
    if (error instanceof RuntimeUnavailable) throw error;
    const { code, message } = errorData(error);
    records.push({ ...about(item), error: { code, message } });
  };
  for await (const { item, ...found } of detector.scoreEach([...stampOf.keys()], { onError, batch: BATCH })) {
    const { score, threshold, isAnomalous, decision, pValue, regions } = found;
    const record = { ...about(item), score, threshold, isAnomalous, decision, pValue, regions };
    const place = { out, path: record.path, scaleOf };
    const overlay = overlays && isAnomalous ? await drawOverlay(detector, place, found) : undefined;
    records.push({ ...record, ...(overlay !== undefined && { overlay }) });
  }
  return files.map(({ path }) => records.find((record) => record.path === path)!);
}
