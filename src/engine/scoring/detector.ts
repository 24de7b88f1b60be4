/** A trained detector, ready to score: what a program that uses oddity as a library holds, in Node and in a page. */
import { Cancelled, DataError, ShapeError } from '../../core/errors.ts';
import { type ItemShape, itemSize } from '../../core/item-shape.ts';
import { float32, type Tensors } from '../../core/tensor.ts';
import type { Clip, RowObject, Series } from '../../data/pure.ts';
import {
  type AnyKind,
  checkUnitRange,
  findKind,
  type ImageInput,
  image,
  mapSize,
  type Places,
  type ReadItem,
  type Size,
  table,
} from '../../kinds/index.ts';
import { pValueOf } from '../../metrics/index.ts';
import type { Device, Runtime } from '../../runtime/runtime.ts';
import { type Decision, decide } from '../judging/calibrate.ts';
import type { Platform } from '../platform.ts';
import { type Artifact, type ArtifactInfo, runnableBytes } from './artifact.ts';
import { type ClipScore, type ScoreClipOptions, scoreClip } from './clip.ts';
import { valueRangeOf } from './image-reading.ts';
import { type ScoreSeriesOptions, type SeriesScore, scoreSeries } from './series.ts';
import { openSeriesStream, type SeriesStream, type SeriesStreamOptions } from './series-stream.ts';
import { scoreBatch } from './stream.ts';

/** What a detector gives for many items at once. */
export interface BatchScore {
  /** `[n]`, raw; larger is more anomalous. */
  readonly scores: Float32Array;
  /** `[n, H, W]` of images, `[n, D]` of rows. */
  readonly maps: Float32Array;
  /** The items as the model would have them, where it has such. */
  readonly reconstructions?: Float32Array;
  /** `[n, 5]`, `Scoring.nearest`, of models that keep places of training images. */
  readonly nearest?: Float32Array;
}

/** What a score means under the detector's threshold. */
export interface Judged {
  /** Raw; larger is more anomalous. */
  readonly score: number;
  /** Null when no normal items were held out. */
  readonly threshold: number | null;
  /** Score at or above the threshold; null without one. */
  readonly isAnomalous: boolean | null;
  /** What the threshold, with its review band, makes of the score; null without one. */
  readonly decision: Decision | null;
  /**
   * (1 + held-out normal items with a score at least as high) / (1 + all of them), (0, 1]: of a normal item it is at most α with a
   * probability of at most α, where the item comes from where these came from. Undefined when none were held out.
   */
  readonly pValue?: number;
}

/** What a detector says of one item. */
export interface ItemScore extends Judged, Places {
  /** `[H, W]` of an image at the size that the model takes, `[D]` of a row; larger is more anomalous. */
  readonly map: Float32Array;
  readonly mapShape: readonly number[];
  /** Of an image before it was brought to the size of the model. */
  readonly size?: Size;
  /** The item as the model took it, `shape` values: `[C, H, W]` in [0, 1], or the inputs of a row. */
  readonly values: Float32Array;
  readonly reconstruction?: Float32Array;
  /** The most anomalous place and the normal place that is most like it; of models that keep such places. */
  readonly nearest?: NearestPlace;
}

/** Two places in pixels of the map, from the top left, the second one of the training image `id`. */
export interface NearestPlace {
  readonly x: number;
  readonly y: number;
  readonly normal: { readonly id: string; readonly x: number; readonly y: number };
}

/** How a stream of items is scored. */
export interface ScoreEachOptions<Item> {
  /** Items of one call of the runtime; default 16 for lists, 1 for asynchronous streams, whose items should not wait. */
  batch?: number;
  /** Hears of items that cannot be scored, and goes on; without it the first one throws. */
  onError?: (error: unknown, item: Item, index: number) => void;
  signal?: AbortSignal;
}

/**
 * An open detector. `close` ends its worker; `await using` does so by itself.
 * @example await using detector = await loadDetector('runs/first'); const { score, decision } = await detector.scoreImage('part.png');
 */
export interface Detector extends AsyncDisposable {
  readonly device: Device;
  /** What an item is: `image`, `table`, `series`, `clip`. */
  readonly kind: string;
  /** Of one item: channels, height, width of an image; inputs of a row. */
  readonly shape: ItemShape;
  /** An item is anomalous when its score is >= this; null when no normal items were held out. */
  readonly threshold: number | null;
  /** Everything else that `model.json` says. */
  readonly info: ArtifactInfo;
  /**
   * Scores `n` items that are values already: images `[n, C, H, W]` in [0, 1], rows `[n, D]` encoded as `info.table` says.
   * Throws ShapeError for another number of values, DataError for values that cannot be; scores are finite or NaN. Rejects with Cancelled once
   * `signal` aborts. With `maps: false` none are computed, and `maps` is empty. With `transfer` the items may be handed over instead
   * of copied, as `Session.run` does: the array is empty afterwards.
   */
  score(
    items: Float32Array,
    n: number,
    options?: { signal?: AbortSignal; maps?: boolean; transfer?: boolean },
  ): Promise<BatchScore>;
  /**
   * Scores one image of any size: a path or URL, the bytes of a file, a Blob, ImageData, or `{data, width, height}`.
   * Throws ShapeError for a detector of another kind, DataError for what cannot be read.
   */
  scoreImage(image: ImageInput, options?: { signal?: AbortSignal }): Promise<ItemScore>;
  /** Scores one row, an object of columns as in training. Throws as `scoreImage`. */
  scoreRow(row: RowObject, options?: { signal?: AbortSignal }): Promise<ItemScore>;
  /**
   * Scores the steps of a series, whose values must be complete (`regular`), and joins those that reach the threshold into
   * alarms. Throws ShapeError for a detector of another kind, DataError `missing-channels`, `short-series`.
   */
  scoreSeries(series: Series, options?: ScoreSeriesOptions): Promise<SeriesScore>;
  /**
   * Starts on a series that comes point by point, with the scores and alarms of `scoreSeries`; the state can be saved. ShapeError
   * for a detector of another kind.
   */
  stream(options?: SeriesStreamOptions): SeriesStream;
  /**
   * Scores the frames of a clip that has the channels and the size of the detector, with alarms by its rule. Throws ShapeError for
   * a detector of another kind, DataError `short-clip`.
   */
  scoreClip(clip: Clip, options?: ScoreClipOptions): Promise<ClipScore>;
  /**
   * One item as the model takes it, without scoring it: an image as `scoreImage` takes it, or a row. Many of them go through `score`
   * at once, and `describe` says what was found of each. Throws as `scoreImage`.
   */
  read(item: ImageInput | RowObject): Promise<ReadItem>;
  /** What a batch says of its item `i`, which was read before. Throws DataError `no-score` where its score is NaN. */
  describe(item: ReadItem, batch: BatchScore, i: number): ItemScore;
  /** Scores items as they come, in their order: images as `scoreImage` takes them, rows as `scoreRow`. */
  scoreEach<Item extends ImageInput | RowObject>(
    items: Iterable<Item> | AsyncIterable<Item>,
    options?: ScoreEachOptions<Item>,
  ): AsyncGenerator<ItemScore & { readonly item: Item }>;
  /** What the threshold, with its review band, makes of a score; null without a threshold. Throws DataError for NaN. */
  decide(score: number): Decision | null;
  /** The conformal p-value of a score, as `Judged.pValue`. */
  pValue(score: number): number | undefined;
  /** The bytes of the artefact: `onnx`, `weights` where they lie outside, and what `model.json` says. */
  readonly artifact: Artifact;
  /** Writes `model.onnx` and `model.json` into a folder; `loadDetector` opens it. Node only. */
  save(folder: string): Promise<string>;
  close(): Promise<void>;
}

/** Calls of the runtime that are on their way at once. */
const AHEAD = 4;

/** Opens an artefact on a runtime, which the detector then owns. */
export async function openDetector(artifact: Artifact, runtime: Runtime, platform: Platform): Promise<Detector> {
  const { info } = artifact;
  const kind = findKind(info.kind);
  const area = mapSize(info.shape);
  const size = itemSize(info.shape);
  try {
    const session = await runtime.open(runnableBytes(artifact));
    const outputs = ['score', 'map', 'reconstruction', 'nearest'].filter((name) => info.outputs.includes(name));

    const score: Detector['score'] = async (items, n, { signal, maps: wantsMaps = true, transfer = false } = {}) => {
      if (!Number.isInteger(n) || n < 0 || items.length !== n * size) {
        const { items: what } = kind.words;
        throw new ShapeError(`${n} ${what} of ${info.shape.join('x')} need ${n * size} values, got ${items.length}.`);
      }
      checkValues(kind, items);
      const perItem: Record<string, number> = { score: 1, map: area, reconstruction: size, nearest: 5 };
      const fetch = wantsMaps ? outputs : outputs.filter((name) => name !== 'map');
      const all = Object.fromEntries(fetch.map((name) => [name, new Float32Array(n * perItem[name])]));
      const most = scoreBatch(info.shape);
      // A few calls are on their way at once, so that the session does not wait while the caller's thread is busy.
      const running: { at: number; out: Promise<Tensors> }[] = [];
      const take = async () => {
        const { at, out } = running.shift()!;
        const found = await out;
        for (const name of fetch) all[name].set(found[name].data as Float32Array, at * perItem[name]);
      };
      for (let at = 0; at < n; at += most) {
        const count = Math.min(most, n - at);
        const values = transfer && count === n ? items : items.slice(at * size, (at + count) * size);
        const batch = float32(values, [count, ...info.shape]);
        const out = session.run({ [info.input.name]: batch }, { fetch, transfer: true, signal });
        out.catch(() => {}); // heard when it is taken
        running.push({ at, out });
        if (running.length === AHEAD) await take();
      }
      while (running.length > 0) await take();
      const { score: scores, map: maps = new Float32Array(0), reconstruction: reconstructions, nearest } = all;
      keepFinite(scores);
      return { scores, maps, ...(reconstructions && { reconstructions }), ...(nearest && { nearest }) };
    };

    const context = {
      shape: info.shape,
      encoding: info.table,
      valueRange: valueRangeOf(info.image),
      readImage: platform.readImage,
      fitFile: platform.fitFile,
    };
    const describe: Detector['describe'] = (item, batch, i) => described(info, item, batch, i);
    const scoreRead: ScoreRead = async (read, signal) => {
      const values = new Float32Array(read.length * size);
      for (const [i, item] of read.entries()) values.set(item.values, i * size);
      const batch = await score(values, read.length, { signal });
      return read.map((item, i) => () => describe(item, batch, i));
    };
    const scoreOne = async (wanted: AnyKind, item: unknown, signal?: AbortSignal): Promise<ItemScore> => {
      if (wanted !== kind) {
        throw new ShapeError(`This detector takes ${kind.words.items}, got ${article(wanted.words.item)}.`);
      }
      const [one] = await scoreRead([await kind.read(item, context)], signal);
      return one();
    };

    const close = async () => {
      await Promise.all([runtime.close(), platform.close()]);
    };
    const detector: Detector = {
      device: runtime.device,
      kind: kind.name,
      shape: info.shape,
      threshold: info.threshold.value,
      info,
      artifact,
      score,
      scoreImage: (item, { signal } = {}) => scoreOne(image, item, signal),
      scoreRow: (row, { signal } = {}) => scoreOne(table, row, signal),
      scoreSeries: (series, options) => scoreSeries(detector, series, options),
      stream: (options) => openSeriesStream(detector, options),
      scoreClip: (clip, options) => scoreClip(detector, clip, options),
      read: (item) => kind.read(item, context),
      describe,
      scoreEach: (items, options = {}) => scoreEach(items, (item) => kind.read(item, context), scoreRead, options),
      decide: (value) => decide(info.threshold, value),
      pValue: (value) => pValueOf(info.normalScores, value),
      save: (folder) => platform.writeArtifact(folder, artifact),
      close,
      [Symbol.asyncDispose]: close,
    };
    return detector;
  } catch (error) {
    await runtime.close();
    throw error;
  }
}

/** Scores a batch at once. What is said of an item is asked for one by one: it throws DataError `no-score` for NaN. */
type ScoreRead = (read: readonly ReadItem[], signal?: AbortSignal) => Promise<(() => ItemScore)[]>;

/** Reads the next batch while the current one is scored. */
async function* scoreEach<Item>(
  items: Iterable<Item> | AsyncIterable<Item>,
  read: (item: Item) => Promise<ReadItem>,
  score: ScoreRead,
  { batch, onError, signal }: ScoreEachOptions<Item>,
): AsyncGenerator<ItemScore & { readonly item: Item }> {
  const most = batch ?? (Symbol.asyncIterator in items ? 1 : 16);
  const source = Symbol.asyncIterator in items ? items[Symbol.asyncIterator]() : items[Symbol.iterator]();
  let index = 0;
  const failed = (error: unknown, item: Item, at: number) => {
    if (!onError || error instanceof Cancelled) throw error;
    onError(error, item, at);
  };
  const next = async () => {
    const taken: { item: Item; at: number }[] = [];
    while (taken.length < most) {
      const { done, value } = await source.next();
      if (done) break;
      taken.push({ item: value, at: index++ });
    }
    const results = await Promise.allSettled(taken.map(({ item }) => read(item)));
    return taken.map((one, i) => ({ ...one, result: results[i] }));
  };
  try {
    let coming = next();
    for (;;) {
      if (signal?.aborted) throw new Cancelled();
      const found = await coming;
      if (found.length === 0) return;
      coming = next();
      coming.catch(() => {}); // heard when it is awaited
      const good = found.flatMap(({ item, at, result }) => {
        if (result.status === 'fulfilled') return [{ item, at, read: result.value }];
        failed(result.reason, item, at);
        return [];
      });
      const scored = await score(
        good.map((g) => g.read),
        signal,
      );
      for (const [i, { item, at }] of good.entries()) {
        let one: ItemScore;
        try {
          one = scored[i]();
        } catch (error) {
          failed(error, item, at);
          continue;
        }
        yield { ...one, item };
      }
    }
  } finally {
    await source.return?.();
  }
}

/** What a batch says of its item `i`. Throws DataError `no-score` for NaN. */
function described(info: ArtifactInfo, item: ReadItem, batch: BatchScore, i: number): ItemScore {
  const { scores, maps, reconstructions, nearest } = batch;
  const kind = findKind(info.kind);
  const [area, size] = [mapSize(info.shape), itemSize(info.shape)];
  const map = maps.slice(i * area, (i + 1) * area);
  return {
    ...judged(info, scores[i]),
    map,
    mapShape: kind.mapShape(info.shape),
    ...(item.size && { size: item.size }),
    values: item.values,
    ...kind.locate(map, {
      shape: info.shape,
      mapThreshold: info.mapThreshold?.value ?? null,
      size: item.size,
      encoding: info.table,
      cells: item.cells,
    }),
    ...(reconstructions && { reconstruction: reconstructions.slice(i * size, (i + 1) * size) }),
    ...(nearest && info.trainingItems && { nearest: placesOf(nearest, i, info.trainingItems) }),
  };
}

/** What a detector makes of a score. Throws DataError `no-score` for NaN. */
export function judged(info: Pick<ArtifactInfo, 'threshold' | 'normalScores'>, score: number): Judged {
  const { value } = info.threshold;
  return {
    score,
    threshold: value,
    isAnomalous: value === null ? null : score >= value,
    decision: decide(info.threshold, score),
    pValue: pValueOf(info.normalScores, score),
  };
}

/** What is too far off for float32 is as far off as float32 can say: JSON knows no infinity. NaN stays. */
function keepFinite(scores: Float32Array): void {
  for (const [i, score] of scores.entries())
    if (Math.abs(score) === Number.POSITIVE_INFINITY) scores[i] = Math.sign(score) * MOST;
}

/** The largest float32. */
const MOST = (2 - 2 ** -23) * 2 ** 127;

/** Throws DataError for values that no item has; NaN and infinities of rows included. */
function checkValues(kind: AnyKind, values: Float32Array): void {
  if (kind.input.range) {
    checkUnitRange(values);
    return;
  }
  const bad = values.findIndex((v) => !Number.isFinite(v));
  if (bad < 0) return;
  throw new DataError(
    'not-finite',
    `${kind.words.items} must have finite values, found ${values[bad]} at position ${bad}. Leave them out or fill them.`,
  );
}

/** The places of item `i` of a batch. */
function placesOf(nearest: Float32Array, i: number, items: readonly string[]): NearestPlace {
  const [y, x, item, normalY, normalX] = nearest.subarray(5 * i, 5 * i + 5);
  return { x, y, normal: { id: items[item], x: normalX, y: normalY } };
}

const article = (word: string) => `${/^[aeiou]/.test(word) ? 'an' : 'a'} ${word}`;
