/**
 * Clips as a Source. An item is a frame, seen through the window of frames around it, `[L, C, H, W]`. Which window that is
 * follows the same rule as for the steps of series (`series/source.ts`): windows are moved inside at either end, and never
 * cross the border of the training part or of a clip. Masks are those of the frame itself, and so are labels.
 */
import { DataError, ShapeError } from '../../core/errors.ts';
import type { ImageShape } from '../../core/item-shape.ts';
import { sha256 } from '../hash.ts';
import type { Source, SourceItem } from '../item.ts';
import { writeUnit } from '../resize.ts';
import { type SeriesFacts, type SeriesSpan, windowStartOfItem } from '../series/source.ts';
import { type Clip, checkClips } from './clip.ts';
import { type FrameStore, frameStore } from './frame-store.ts';

export interface ClipSourceOptions extends Pick<Source, 'name' | 'title' | 'licence'> {
  readonly clips: readonly Clip[];
  /** Channels, height and width of every frame. */
  readonly shape: ImageShape;
  /** The first is that of normal frames; default `normal` and `anomalous`. */
  readonly classes?: readonly string[];
  /** L, the frames of a window; default 2, the fewest that show motion. */
  readonly window?: number;
  /** Whose wish `window` is; default `given`. */
  readonly windowFrom?: SeriesFacts['windowFrom'];
  /** Bytes of decoded frames to keep; what does not fit is decoded whenever it is read. Default 1 GiB. */
  readonly cacheBytes?: number;
  /** Ends what decodes the frames. */
  readonly close?: () => Promise<void>;
}

/** Frames of a window where neither a user nor a model says how many. */
const USUAL_WINDOW = 2;

/** Wraps clips as a Source. Throws DataError `clips`, and `short-clip` for a part that is shorter than a window. */
export async function clipSource(options: ClipSourceOptions): Promise<Source> {
  const { name, clips, shape, classes = ['normal', 'anomalous'], cacheBytes = 2 ** 30 } = options;
  checkClips(clips, classes.length, name);
  const spans: SeriesSpan[] = [];
  const items: SourceItem[] = [];
  for (const { id, frames, train, labels, rate } of clips) {
    spans.push({ id, first: items.length, steps: frames, train, ...(rate !== undefined && { rate }) });
    for (let t = 0; t < frames; t++)
      items.push({ id: `${id}:${t + 1}`, class: labels?.[t] ?? 0, part: t < train ? 'train' : 'test' });
  }
  const labels = Uint8Array.from(items, (item) => item.class);
  const parts = clips.map(({ id, frames, train, content }) => [id, frames, train, content]);
  const content = await sha256(JSON.stringify([shape, classes, parts, await sha256(labels)]));
  const store = frameStore(
    shape.reduce((n, d) => n * d, 1),
    cacheBytes,
  );
  const { window = USUAL_WINDOW, windowFrom = options.window === undefined ? 'usual' : 'given' } = options;
  return seen({ ...options, classes, items, spans, content, store }, window, windowFrom);
}

interface Held extends ClipSourceOptions {
  readonly classes: readonly string[];
  readonly items: readonly SourceItem[];
  readonly spans: readonly SeriesSpan[];
  readonly content: string;
  readonly store: FrameStore;
}

async function seen(held: Held, window: number, windowFrom: SeriesFacts['windowFrom']): Promise<Source> {
  const { name, title, licence, clips, shape, classes, items, spans, content, store, close } = held;
  const [channels, height, width] = shape;
  const [size, area] = [channels * height * width, height * width];
  checkLengths(name, spans, window);
  const facts: SeriesFacts = { window, windowFrom, spans };
  const starts = windowStartOfItem(facts, items.length);
  const clipOf = Uint32Array.from(spans.flatMap(({ steps }, c) => new Array<number>(steps).fill(c)));
  const requireItem = (index: number) => {
    if (!(index >= 0 && index < items.length))
      throw new ShapeError(`${name}: item numbers must be in 0 … ${items.length - 1}, got ${index}.`);
  };
  const requireLength = (length: number, count: number, perItem: number) => {
    if (length !== count * perItem)
      throw new ShapeError(`${name}: ${count} windows need ${count * perItem} values, got ${length}.`);
  };
  return {
    ...{ name, kind: 'clip', title, licence, classes, normalClass: 0, items, series: facts },
    shape: [window, ...shape],
    hash: await sha256(JSON.stringify([content, window])),
    async read(indices, out) {
      requireLength(out.length, indices.length, window * size);
      for (let k = 0; k < indices.length; k++) {
        requireItem(indices[k]);
        const c = clipOf[indices[k]];
        const start = starts[indices[k]] - spans[c].first;
        for (let t = start; t < start + window; ) {
          const { bytes, from, to } = await store(clips[c], t);
          const end = Math.min(to, start + window);
          writeUnit(bytes.subarray((t - from) * size, (end - from) * size), out, (k * window + t - start) * size);
          t = end;
        }
      }
    },
    ...(clips.some(({ readMasks }) => readMasks) && {
      async readMasks(indices: ArrayLike<number>, out: Uint8Array) {
        requireLength(out.length, indices.length, area);
        out.fill(0);
        for (let k = 0; k < indices.length; k++) {
          requireItem(indices[k]);
          const c = clipOf[indices[k]];
          const t = indices[k] - spans[c].first;
          const mask = await clips[c].readMasks?.(t, t + 1);
          if (mask) out.set(mask, k * area);
        }
      },
      hasMask: (index: number) => clips[clipOf[index]].readMasks !== undefined,
    }),
    seenThrough: (other, from) => seen(held, other, from),
    ...(close && { close }),
  };
}

function checkLengths(name: string, spans: readonly SeriesSpan[], window: number): void {
  for (const { id, steps, train } of spans) {
    for (const [what, count] of [
      ['training part', train],
      ['part that is judged', steps - train],
    ] as const) {
      if (count === 0 || count >= window) continue;
      const frames = count === 1 ? '1 frame' : `${count} frames`;
      throw new DataError(
        'short-clip',
        `The ${what} of the clip ${id} (${name}) must be at least one window of ${window} frames long, but has ${frames}. ` +
          'Leave the clip out, or add the frames that follow.',
      );
    }
  }
}
