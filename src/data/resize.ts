/**
 * From decoded pixels to the pixels that a model takes: channels, antialiased size, planes. Pure arithmetic and the one
 * resize of oddity, the same in Node and in browsers, so that training, prediction and a page see the same pixels.
 * The filter is the triangle ("bilinear") with half-pixel centres, widened by the scale when the image shrinks, as in
 * Pillow, in PyTorch with `antialias=True` and in our own graphs (`graph/ops/resize.ts`).
 */
import { ShapeError } from '../core/errors.ts';

/** Decoded pixels: rows from the top left, the channels of a pixel side by side. */
export interface Pixels {
  readonly height: number;
  readonly width: number;
  /** 1 grey, 3 red, green and blue. */
  readonly channels: 1 | 3;
  /** `height · width · channels` values; bytes, or 16 bits where the file has more than 8. */
  readonly data: Uint8Array | Uint16Array;
}

/** The largest value of a pixel: 255 or 65535. */
export function whiteOf(data: Uint8Array | Uint16Array): number {
  return data instanceof Uint16Array ? 65535 : 255;
}

/** Weights of one axis: output o is the sum of `weights[k] · input[first[o] + k − start[o]]`, k from start[o]. */
interface Taps {
  readonly first: Int32Array;
  readonly start: Int32Array;
  readonly weights: Float64Array;
}

/** Axes that were asked for lately: the images of a set mostly share one size. */
const known = new Map<string, Taps>();

function tapsOf(from: number, to: number): Taps {
  const key = `${from} ${to}`;
  const found = known.get(key);
  if (found) return found;
  const scale = from / to;
  const support = Math.max(1, scale);
  const first = new Int32Array(to);
  const start = new Int32Array(to + 1);
  const weights: number[] = [];
  for (let o = 0; o < to; o++) {
    const centre = (o + 0.5) * scale - 0.5;
    const low = Math.max(0, Math.ceil(centre - support));
    const high = Math.min(from - 1, Math.floor(centre + support));
    const row = Array.from({ length: high - low + 1 }, (_, k) => 1 - Math.abs(low + k - centre) / support);
    const sum = row.reduce((a, b) => a + b, 0);
    first[o] = low;
    start[o + 1] = start[o] + row.length;
    for (const w of row) weights.push(w / sum);
  }
  const taps = { first, start, weights: Float64Array.from(weights) };
  if (known.size >= 64) known.clear();
  known.set(key, taps);
  return taps;
}

/**
 * Resamples to `[height, width]`, channels side by side as they came, as real numbers on the scale of the input.
 * The result differs from Pillow's and PyTorch's by less than one step of a byte.
 */
export function resample({ height, width, channels, data }: Pixels, toHeight: number, toWidth: number): Float32Array {
  const wide = width === toWidth ? data : resampleRows(data, height, width, channels, toWidth);
  return height === toHeight ? Float32Array.from(wide) : resampleColumns(wide, height, toWidth * channels, toHeight);
}

/** `[height, width, channels]` to `[height, to, channels]`. */
function resampleRows(data: Pixels['data'], height: number, width: number, channels: 1 | 3, to: number): Float32Array {
  const { first, start, weights } = tapsOf(width, to);
  const out = new Float32Array(height * to * channels);
  let at = 0;
  for (let y = 0; y < height; y++) {
    const row = y * width * channels;
    for (let o = 0; o < to; o++) {
      const end = start[o + 1];
      let p = row + first[o] * channels;
      if (channels === 1) {
        let sum = 0;
        for (let k = start[o]; k < end; k++) sum += weights[k] * data[p++];
        out[at++] = sum;
      } else {
        let [r, g, b] = [0, 0, 0];
        for (let k = start[o]; k < end; k++, p += 3) {
          const w = weights[k];
          r += w * data[p];
          g += w * data[p + 1];
          b += w * data[p + 2];
        }
        out[at++] = r;
        out[at++] = g;
        out[at++] = b;
      }
    }
  }
  return out;
}

/** `[height, n]` to `[to, n]`. */
function resampleColumns(data: ArrayLike<number>, height: number, n: number, to: number): Float32Array {
  const { first, start, weights } = tapsOf(height, to);
  const out = new Float32Array(to * n);
  for (let o = 0; o < to; o++) {
    const at = o * n;
    for (let k = start[o]; k < start[o + 1]; k++) {
      const w = weights[k];
      const row = (first[o] + k - start[o]) * n;
      for (let x = 0; x < n; x++) out[at + x] += w * data[row + x];
    }
  }
  return out;
}

/**
 * The image as planes `[C, H, W]` of whole numbers with the depth of its file, so that what is kept in memory is what
 * is read anew. Grey becomes colour by repeating it, colour becomes grey by the weights of Rec. 601. The shape is
 * reached by stretching.
 * @throws ShapeError unless C is 1 or 3.
 */
export function fitImage(
  image: Pixels,
  [channels, toHeight, toWidth]: readonly [number, number, number],
): Pixels['data'] {
  if (channels !== 1 && channels !== 3) {
    throw new ShapeError(
      `Image files give 1 or 3 channels, this model needs ${channels}. Train it with --channels 1 or 3.`,
    );
  }
  const { height, width, data } = image;
  const area = toHeight * toWidth;
  const values = height === toHeight && width === toWidth ? data : resample(image, toHeight, toWidth);
  const out = data instanceof Uint16Array ? new Uint16Array(channels * area) : new Uint8Array(channels * area);
  for (let p = 0; p < area; p++) {
    if (image.channels === 1) {
      const v = values[p] + 0.5;
      for (let c = 0; c < channels; c++) out[c * area + p] = v;
      continue;
    }
    const [r, g, b] = [values[3 * p], values[3 * p + 1], values[3 * p + 2]];
    if (channels === 1) out[p] = 0.299 * r + 0.587 * g + 0.114 * b + 0.5;
    else {
      out[p] = r + 0.5;
      out[area + p] = g + 0.5;
      out[2 * area + p] = b + 0.5;
    }
  }
  return out;
}

/**
 * A mask as `[H, W]` of 0 and 1. A pixel of the file is anomalous when any of its channels is above half of white; in a
 * file that nowhere gets there (numbered defects, as VisA has them) when it is above 0. A pixel of the result is
 * anomalous when any anomalous pixel falls into it: a small defect never disappears.
 */
export function fitMask({ height, width, channels, data }: Pixels, toHeight: number, toWidth: number): Uint8Array {
  const half = whiteOf(data) / 2;
  const limit = data.some((v) => v > half) ? half : 0;
  const out = new Uint8Array(toHeight * toWidth);
  const row = edges(height, toHeight);
  const column = edges(width, toWidth);
  for (let y = 0, p = 0; y < height; y++) {
    for (let x = 0; x < width; x++, p += channels) {
      if (!(data[p] > limit || (channels === 3 && (data[p + 1] > limit || data[p + 2] > limit)))) continue;
      for (let v = row.from[y]; v <= row.to[y]; v++) {
        for (let u = column.from[x]; u <= column.to[x]; u++) out[v * toWidth + u] = 1;
      }
    }
  }
  return out;
}

/** First and last output pixel of every input pixel: the one that holds its centre, or all whose centres it holds. */
function edges(from: number, to: number): { from: Int32Array; to: Int32Array } {
  const first = new Int32Array(from);
  const last = new Int32Array(from);
  for (let i = 0; i < from; i++) {
    const middle = Math.min(to - 1, Math.floor(((i + 0.5) * to) / from));
    first[i] = Math.min(middle, Math.ceil((i * to) / from - 0.5));
    last[i] = Math.max(middle, Math.ceil(((i + 1) * to) / from - 0.5) - 1);
  }
  return { from: first, to: last };
}

/** Writes whole numbers as numbers in [0, 1] at `at`. */
export function writeUnit(data: Pixels['data'], out: Float32Array, at: number): void {
  const white = whiteOf(data);
  for (let i = 0; i < data.length; i++) out[at + i] = data[i] / white;
}
