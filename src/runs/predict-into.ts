/**
 * `predict` for inputs of any size: images and rows are read, scored and written a part at a time, so that memory does not grow
 * with them, and a process that ends early is gone on with. The files are the same whether one process writes them, several
 * times stopped, or several processes write shards of them. Node only.
 */
import { Cancelled, ConfigError } from '../core/errors.ts';
import { type Listener, silent } from '../core/events.ts';
import { isImage } from '../core/item-shape.ts';
import type { Shard } from '../core/shard.ts';
import { option, say } from '../core/text.ts';
import { sha256 } from '../data/index.ts';
import type { ThresholdReport } from '../engine/judging/calibrate.ts';
import type { Detector } from '../engine/scoring/detector.ts';
import type { Size } from '../kinds/index.ts';
import type { Device } from '../runtime/index.ts';
import { closed } from './closing.ts';
import { loadDetector } from './detector.ts';
import { makeFolder } from './files.ts';
import { lockFolder } from './lock.ts';
import type { Prediction } from './predict.ts';
import { imageParts, type PartedInput, rowParts } from './predict-parts.ts';
import { type FileFacts, type PredictedCounts, PredictedFiles } from './predicted-files.ts';
import type { ScoredItems } from './score-rows.ts';
import { readShard, writeShard } from './shards.ts';
import { oddityVersion } from './versions.ts';

/** Options of `predictInto`. */
export interface PredictIntoOptions {
  /** A run's folder, an artefact's folder or its `model.onnx`, of a detector of images or of tables. */
  run: string;
  /** Image files, folders and patterns, or files of rows. */
  items?: readonly string[];
  /** A text file with a path of an image or of a file of rows on each line, instead of `items`. */
  list?: string;
  /** The folder for `predictions.csv`, `regions.csv` of images, and `failed.csv` where something could not be scored. */
  out: string;
  /** Score this part only, to be put together with the others by `mergeShards`. */
  shard?: Shard;
  /** How many predictions with the highest scores are returned; default 20. */
  top?: number;
  device?: Device | 'auto';
  /** Pixels that an image file may have; default 100 million. */
  maxPixels?: number;
  onEvent?: Listener;
  signal?: AbortSignal;
}

/** What `predictInto` did. */
export interface PredictedInto extends PredictedCounts {
  readonly threshold: ThresholdReport;
  readonly mapThreshold: number | null;
  readonly mapSize?: Size;
  /** By name, in `out`. */
  readonly files: Readonly<Record<string, FileFacts>>;
  /** Those with the highest scores, the highest first. */
  readonly top: readonly Prediction[];
  /** All predictions and failures, where they are few and this call made all of them. */
  readonly all?: ScoredItems;
  /** Parts of the input that an earlier call had done. */
  readonly resumed: number;
  readonly shard?: Shard;
}

/** Predictions that are returned as they are. */
const FEW = 10_000;
const TOP = 20;

/**
 * Scores images or rows into files. Repeated after it was stopped or killed, it goes on where it was; a shard that is done is
 * kept as it is.
 * @throws as `loadDetector` and `listImages`; ConfigError `not-parted` for a detector of series or clips; DataError `run-locked`;
 * Cancelled.
 */
export async function predictInto(options: PredictIntoOptions): Promise<PredictedInto> {
  const { run, out, device, maxPixels, onEvent, signal } = options;
  const detector = await loadDetector(run, { device, maxPixels, onEvent, signal });
  try {
    if (detector.kind !== 'image' && detector.kind !== 'table') {
      throw new ConfigError(
        'not-parted',
        say`Only images and rows are scored in parts, but ${run} takes ${detector.kind === 'clip' ? 'clips' : 'series'}, whose scores depend
          on what is beside them. Leave ${option('shard')} out.`,
      );
    }
    await makeFolder(out);
    const lock = await lockFolder(out);
    try {
      return await predictLocked(detector, options, () => lock.check());
    } finally {
      await lock.release();
    }
  } finally {
    await closed(detector, signal);
  }
}

async function predictLocked(
  detector: Detector,
  options: PredictIntoOptions,
  check: () => void,
): Promise<PredictedInto> {
  const { out, shard, onEvent = silent, signal, top: most = TOP } = options;
  const { info } = detector;
  const ofRows = detector.kind === 'table';
  const input = ofRows ? await rowParts(detector, options) : await imageParts(detector, options);
  const plan = await planOf(detector, input);
  const facts = {
    threshold: info.threshold,
    mapThreshold: info.mapThreshold?.value ?? null,
    ...(isImage(info.shape) && { mapSize: { height: info.shape[1], width: info.shape[2] } }),
    ...(shard && { shard }),
  };
  if (shard) {
    const before = await readShard(out);
    if (before?.plan === plan && before.isDone && before.index === shard.index && before.count === shard.count) {
      onEvent({ type: 'log', level: 'info', message: `${out} is already finished; there is nothing to resume.` });
      const { counts, files } = before.about as { counts: PredictedCounts; files: PredictedInto['files'] };
      return { ...facts, ...counts, files, top: [], resumed: input.total };
    }
    await writeShard(out, { of: 'predict', ...shard, plan, isDone: false, about: {} });
  }
  const [from, to] = rangeOf(input.total, shard);
  const files = await PredictedFiles.open(out, plan, ofRows);
  try {
    const resumed = files.progress.parts;
    if (resumed > 0)
      onEvent({ type: 'log', level: 'info', message: `Resuming: ${resumed} of ${to - from} parts are done.` });
    const tell = progressOf(input, { from: from + resumed, to, onEvent });
    let few: { predictions: Prediction[]; failed: ScoredItems['failed'][number][] } | undefined =
      resumed === 0 ? { predictions: [], failed: [] } : undefined;
    for await (const found of input.score(from + resumed, to)) {
      check();
      await files.add(found, highest(files.progress.top, found.predictions, most));
      few?.predictions.push(...found.predictions);
      few?.failed.push(...found.failed);
      if (few && few.predictions.length + few.failed.length > FEW) few = undefined;
      tell();
      if (signal?.aborted) throw new Cancelled();
    }
    const { counts, top } = files.progress;
    const written = await files.finish();
    if (shard)
      await writeShard(out, { of: 'predict', ...shard, plan, isDone: true, about: { counts, ofRows, files: written } });
    return { ...facts, ...counts, files: written, top, ...(few && { all: few }), resumed };
  } catch (error) {
    // What another process writes to is left to it.
    await (error instanceof Cancelled ? files.keep() : files.close()).catch(() => {});
    throw error;
  }
}

/** Identifies what the whole would hold: the same for all its shards. */
async function planOf({ artifact, device }: Detector, { hash }: PartedInput): Promise<string> {
  const { info, onnx, weights } = artifact;
  const model = await Promise.all([sha256(onnx), weights ? sha256(weights) : '', sha256(JSON.stringify(info))]);
  return sha256(JSON.stringify({ oddity: oddityVersion(), model, device, input: hash }));
}

/** The parts of a shard, which lie side by side. */
export function rangeOf(total: number, { index, count }: Shard = { index: 1, count: 1 }): [from: number, to: number] {
  return [Math.floor(((index - 1) * total) / count), Math.floor((index * total) / count)];
}

/** The predictions with the highest scores, of those before and new ones; of equal ones the first. */
function highest(before: readonly Prediction[], now: readonly Prediction[], most: number): readonly Prediction[] {
  const least = before.length < most ? Number.NEGATIVE_INFINITY : before[before.length - 1].score;
  const better = now.filter(({ score }) => score > least);
  if (better.length === 0) return before;
  return [...before, ...better].sort((a, b) => b.score - a.score).slice(0, most);
}

/** Says how many items are done, with the rate of this call. */
function progressOf(
  { itemsBefore, unit }: PartedInput,
  { from, to, onEvent }: { from: number; to: number; onEvent: Listener },
): () => void {
  const begin = performance.now();
  const total = itemsBefore(to) - itemsBefore(0);
  let at = from;
  return () => {
    at++;
    const rate = (itemsBefore(at) - itemsBefore(from)) / Math.max(1e-3, (performance.now() - begin) / 1000);
    onEvent({ type: 'progress', task: 'predict', done: itemsBefore(at), total, unit, rate });
  };
}
