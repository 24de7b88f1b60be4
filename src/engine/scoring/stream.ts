/** Streams items through a scoring session: the next batch is read while the current one runs. */
import { Cancelled, InternalError } from '../../core/errors.ts';
import { type Listener, silent } from '../../core/events.ts';
import { isClip, itemSize } from '../../core/item-shape.ts';
import type { Tensors } from '../../core/tensor.ts';
import { gatherBatch, type Source, stepsBefore } from '../../data/pure.ts';
import { kindOf, mapSize } from '../../kinds/index.ts';
import type { Session } from '../../runtime/index.ts';
import { smoothed } from './smoothing.ts';

/** Values of one input batch at most: 4 MiB, since networks make many channels of each. */
const BATCH_VALUES = 2 ** 20;

export interface ScoreOptions {
  onEvent?: Listener;
  signal?: AbortSignal;
  /** Standard deviation, in steps, of the Gaussian that smooths scores along each series or clip; default none. */
  smoothing?: number;
  /** What is fed for some items; the items themselves unless given. */
  feed?: (items: Uint32Array) => Promise<Tensors>;
  /** What progress events are about; default `score`. */
  task?: string;
  /** Takes the maps of a batch, one after the other, whose first item is number `at`; without it none are fetched. */
  onMaps?: (maps: Float32Array, at: number, count: number) => void | Promise<void>;
  /** The same of reconstructions, which the session must have as an output. */
  onReconstructions?: (reconstructions: Float32Array, at: number, count: number) => void;
}

/** Items per call, from the size of one. The same items in the same order always make the same batches. */
export function scoreBatch(shape: readonly number[]): number {
  return Math.max(1, Math.min(kindOf(shape).batch, Math.floor(BATCH_VALUES / itemSize(shape))));
}

/**
 * Scores of the items at `indices`, in their order; larger is more anomalous. Maps are handed on, never kept, and never
 * smoothed.
 */
export async function scoreItems(
  session: Session,
  source: Source,
  indices: ArrayLike<number>,
  options: ScoreOptions = {},
): Promise<Float32Array> {
  const { onMaps, onReconstructions, smoothing } = options;
  const scores = new Float32Array(indices.length);
  const fetch = ['score', ...(onMaps ? ['map'] : []), ...(onReconstructions ? ['reconstruction'] : [])];
  for await (const { at, out } of scoreBatches(session, source, indices, fetch, options)) {
    scores.set(out.score.data as Float32Array, at);
    await onMaps?.(out.map.data as Float32Array, at, out.score.data.length);
    onReconstructions?.(out.reconstruction.data as Float32Array, at, out.score.data.length);
  }
  if (smoothing && source.series) return smoothed(scores, indices, source.series.spans, smoothing);
  return scores;
}

/**
 * Score, map and, where there are such, reconstruction and nearest place of a few items, all held in memory; of windows of clips
 * the frames that they stand for.
 */
export async function scoreWithMaps(
  session: Session,
  source: Source,
  indices: ArrayLike<number>,
  options: ScoreOptions = {},
): Promise<{
  images: Float32Array;
  scores: Float32Array;
  maps: Float32Array;
  reconstructions?: Float32Array;
  /** Five numbers an item, as `Scoring.nearest` has them. */
  nearest?: Float32Array;
}> {
  const [values, area] = [itemSize(source.shape), mapSize(source.shape)];
  const images = new Float32Array(indices.length * values);
  await source.read(indices, images);
  const scores = new Float32Array(indices.length);
  const maps = new Float32Array(indices.length * area);
  const drawn = session.outputs.includes('reconstruction');
  const reconstructions = drawn ? new Float32Array(indices.length * values) : undefined;
  const nearest = session.outputs.includes('nearest') ? new Float32Array(indices.length * 5) : undefined;
  const fetch = ['score', 'map', ...(drawn ? ['reconstruction'] : []), ...(nearest ? ['nearest'] : [])];
  for await (const { at, out } of scoreBatches(session, source, indices, fetch, options)) {
    scores.set(out.score.data as Float32Array, at);
    maps.set(out.map.data as Float32Array, at * area);
    reconstructions?.set(out.reconstruction.data as Float32Array, at * values);
    nearest?.set(out.nearest.data as Float32Array, at * 5);
  }
  return {
    images: picturesOf(images, source.shape),
    ...{ scores, maps, nearest },
    reconstructions: reconstructions && picturesOf(reconstructions, source.shape),
  };
}

/** Of windows of clips the frames that they stand for, `[n, C, H, W]`; other items as they are. */
export function picturesOf(values: Float32Array, shape: readonly number[]): Float32Array {
  if (!isClip(shape)) return values;
  const [length, ...frame] = shape;
  const size = itemSize(frame);
  const pictures = new Float32Array(values.length / length);
  for (let k = 0; k * size < pictures.length; k++) {
    const at = (k * length + stepsBefore(length)) * size;
    pictures.set(values.subarray(at, at + size), k * size);
  }
  return pictures;
}

async function* scoreBatches(
  session: Session,
  source: Source,
  indices: ArrayLike<number>,
  fetch: readonly string[],
  { onEvent = silent, signal, feed, task = 'score' }: ScoreOptions,
): AsyncGenerator<{ at: number; out: Tensors }> {
  const size = scoreBatch(source.shape);
  const { name } = kindOf(source.shape).input;
  const members = Uint32Array.from(indices);
  const begin = performance.now();
  const fed = feed ?? (async (items: Uint32Array) => ({ [name]: await gatherBatch(source, items) }));
  const read = (at: number): Promise<Tensors> | undefined => {
    if (at >= members.length) return undefined;
    const batch = fed(members.subarray(at, Math.min(members.length, at + size)));
    batch.catch(() => {}); // heard when it is awaited
    return batch;
  };
  let next = read(0);
  for (let at = 0; at < members.length; at += size) {
    if (signal?.aborted) throw new Cancelled();
    const batch = await next!;
    const running = session.run(batch, { fetch, transfer: true, signal });
    running.catch(() => {});
    next = read(at + size);
    const out = await running;
    const done = Math.min(members.length, at + size);
    if (out.score.data.length !== done - at)
      throw new InternalError('the scoring graph gave another number of scores.');
    yield { at, out };
    const rate = done / Math.max(1e-3, (performance.now() - begin) / 1000);
    onEvent({ type: 'progress', task, done, total: members.length, unit: 'item', rate });
  }
}
