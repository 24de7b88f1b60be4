/**
 * From decoded pixels to the pixels that a model takes: channels, antialiased size, planes. Pure arithmetic and the one
 * resize of oddity, the same in Node and in browsers, so that training, prediction and a page see the same pixels.
 * The filter is the triangle ("bilinear") with half-pixel centres, widened by the scale when the image shrinks, as in
 * Pillow, in PyTorch with `antialias=True` and in our own graphs (`graph/ops/resize.ts`).
 */
import { ShapeError } from '../core/errors.ts';
import { option, say } from '../core/text.ts';
import type { ValueRange } from './value-range.ts';

/** Decoded pixels: rows from the top left, the channels of a pixel side by side. */
export interface Pixels {
  readonly height: number;
  readonly width: number;
  /** 1 grey, 3 red, green and blue. */
  readonly channels: 1 | 3;
  /** `height · width · channels` values; bytes, 16 bits where the file has more than 8, or floats in [0, 1]. */
  readonly data: Uint8Array | Uint16Array | Float32Array;
  /** The floats are the numbers of a file, of any range: only a `ValueRange` makes them [0, 1]. */
  readonly isRaw?: boolean;
}

/** The largest value of a pixel: 255, 65535 or 1. */
export function whiteOf(data: Pixels['data']): number {
  if (data instanceof Float32Array) return 1;
  return data instanceof Uint16Array ? 65535 : 255;
}

/** A new array of the same kind of numbers. */
export function zerosLike(data: Pixels['data'], length: number): Pixels['data'] {
  if (data instanceof Float32Array) return new Float32Array(length);
  return data instanceof Uint16Array ? new Uint16Array(length) : new Uint8Array(length);
}

/** Weights of one axis: output o is the sum of `weights[k] · input[first[o] + k − start[o]]`, k from start[o]. */
interface Taps {
  readonly first: Int32Array;
  readonly start: Int32Array;
  readonly weights: Float64Array;
  /** The sum of the weights of each output before it was made 1. */
  readonly norm: Float64Array;
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
  const norm = new Float64Array(to);
  for (let o = 0; o < to; o++) {
    const centre = (o + 0.5) * scale - 0.5;
    const low = Math.max(0, Math.ceil(centre - support));
    const high = Math.min(from - 1, Math.floor(centre + support));
    const row = Array.from({ length: high - low + 1 }, (_, k) => 1 - Math.abs(low + k - centre) / support);
    const sum = row.reduce((a, b) => a + b, 0);
    first[o] = low;
    start[o + 1] = start[o] + row.length;
    norm[o] = sum;
    for (const w of row) weights.push(w / sum);
  }
  const taps = { first, start, weights: Float64Array.from(weights), norm };
  if (known.size >= 64) known.clear();
  known.set(key, taps);
  return taps;
}

/**
 * Resamples to `[height, width]`, channels side by side as they came, as real numbers on the scale of the input.
 * Pillow and PyTorch give the same within rounding to whole numbers.
 */
export function resample(image: Pixels, toHeight: number, toWidth: number): Float32Array {
  const { height, width, channels, data } = image;
  const isShrunk = data instanceof Uint8Array && height > toHeight && height <= MAX_SCALE * toHeight;
  const fillRow = isShrunk ? shrunkRows(image, toHeight) : weightedRows(image, toHeight);
  const taps = tapsOf(width, toWidth);
  const row = new Float32Array(width * channels);
  const out = new Float32Array(toHeight * toWidth * channels);
  for (let o = 0; o < toHeight; o++) {
    fillRow(row);
    resampleRow(row, channels, taps, out, o * toWidth * channels);
  }
  return out;
}

/** Makes the rows of the result, from the top, each still as wide as the input. */
type FillRow = (row: Float32Array) => void;

/** Rows as weighted sums, for any type and scale. */
function weightedRows({ height, width, channels, data }: Pixels, to: number): FillRow {
  const { first, start, weights } = tapsOf(height, to);
  const n = width * channels;
  let o = 0;
  return (row) => {
    row.fill(0);
    for (let k = start[o]; k < start[o + 1]; k++) {
      const weight = weights[k];
      const at = (first[o] + k - start[o]) * n;
      for (let x = 0; x < n; x++) row[x] += weight * data[at + x];
    }
    o++;
  };
}

/**
 * The same rows for bytes that shrink, four times as fast. The triangle is a straight line between two centres, so all
 * that the two outputs on either side need of the n rows between their centres is S = Σ v(k) and T = Σ (n − k) v(k):
 * with p = 1 + (f − c) / s, the weight of the first row f for the output below at the centre c,
 *     Σ (p + k / s) v(k) = (p + n / s) S − T / s      and, for the output above at c − s, whose weights are 1 − (p + k / s),
 *     Σ (1 − p − k / s) v(k) = (1 − p − n / s) S + T / s.
 */
function shrunkRows({ height, width, channels, data }: Pixels, to: number): FillRow {
  const n = width * channels;
  const scale = height / to;
  const { norm } = tapsOf(height, to);
  const begun = new Float32Array(n); // what the rows above its centre give to the next output
  let end = 0;

  /** Adds the rows between the centres of outputs o − 1 and o: to `row`, which is o − 1, and to `begun`, which is o. */
  function advance(o: number, row: Float32Array): void {
    const from = end;
    const centre = (o + 0.5) * scale - 0.5;
    end = o === to ? height : Math.min(height, Math.floor(centre) + 1);
    const edge = 1 + (from - centre) / scale + (end - from) / scale;
    const above = o > 0 ? 1 / norm[o - 1] : 0;
    const below = o < to ? 1 / norm[o] : 0;
    addRows(data as Uint8Array, from, end, row, begun, {
      plainAbove: above * (1 - edge),
      rampAbove: above / scale,
      plainBelow: below * edge,
      rampBelow: -below / scale,
    });
  }

  let o = 0;
  advance(0, new Float32Array(n));
  return (row) => advance(++o, row);
}

/** Weights of S and T in the output above and in the output below some rows. */
interface Shares {
  readonly plainAbove: number;
  readonly rampAbove: number;
  readonly plainBelow: number;
  readonly rampBelow: number;
}

/** Up to this scale the sums below stay within 32 bits: 255 · 4000² / 2 < 2³¹. */
const MAX_SCALE = 4000;
/** Rows whose sums fit into 16 bits: 255 · 20 · 21 / 2 < 2¹⁶. */
const PACKED_ROWS = 20;

/**
 * Finds S and T of each column over the rows [from, to), puts `begun` and their share above into `row`, and their share
 * below into `begun`. Two columns share a 32-bit number, 16 bits each, and the sum of the running sums is T: eight
 * columns cost two reads and sixteen additions a row. Written out, because this is where loading spends its time.
 */
function addRows(
  data: Uint8Array,
  from: number,
  to: number,
  row: Float32Array,
  begun: Float32Array,
  shares: Shares,
): void {
  const n = row.length;
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const { plainAbove, rampAbove, plainBelow, rampBelow } = shares;
  const whole = to - from <= PACKED_ROWS ? n - (n % 8) : 0;
  const last = to * n;
  for (let x = 0; x < whole; x += 8) {
    // s: sums, t: sums of sums; of the bytes 0 and 2, 1 and 3, 4 and 6, 5 and 7.
    let s0 = 0;
    let t0 = 0;
    let s1 = 0;
    let t1 = 0;
    let s4 = 0;
    let t4 = 0;
    let s5 = 0;
    let t5 = 0;
    for (let p = from * n + x; p < last; p += n) {
      const low = view.getInt32(p, true);
      const high = view.getInt32(p + 4, true);
      s0 = (s0 + (low & 0xff00ff)) | 0;
      t0 = (t0 + s0) | 0;
      s1 = (s1 + ((low >>> 8) & 0xff00ff)) | 0;
      t1 = (t1 + s1) | 0;
      s4 = (s4 + (high & 0xff00ff)) | 0;
      t4 = (t4 + s4) | 0;
      s5 = (s5 + ((high >>> 8) & 0xff00ff)) | 0;
      t5 = (t5 + s5) | 0;
    }
    row[x] = begun[x] + plainAbove * (s0 & 0xffff) + rampAbove * (t0 & 0xffff);
    row[x + 1] = begun[x + 1] + plainAbove * (s1 & 0xffff) + rampAbove * (t1 & 0xffff);
    row[x + 2] = begun[x + 2] + plainAbove * (s0 >>> 16) + rampAbove * (t0 >>> 16);
    row[x + 3] = begun[x + 3] + plainAbove * (s1 >>> 16) + rampAbove * (t1 >>> 16);
    row[x + 4] = begun[x + 4] + plainAbove * (s4 & 0xffff) + rampAbove * (t4 & 0xffff);
    row[x + 5] = begun[x + 5] + plainAbove * (s5 & 0xffff) + rampAbove * (t5 & 0xffff);
    row[x + 6] = begun[x + 6] + plainAbove * (s4 >>> 16) + rampAbove * (t4 >>> 16);
    row[x + 7] = begun[x + 7] + plainAbove * (s5 >>> 16) + rampAbove * (t5 >>> 16);
    begun[x] = plainBelow * (s0 & 0xffff) + rampBelow * (t0 & 0xffff);
    begun[x + 1] = plainBelow * (s1 & 0xffff) + rampBelow * (t1 & 0xffff);
    begun[x + 2] = plainBelow * (s0 >>> 16) + rampBelow * (t0 >>> 16);
    begun[x + 3] = plainBelow * (s1 >>> 16) + rampBelow * (t1 >>> 16);
    begun[x + 4] = plainBelow * (s4 & 0xffff) + rampBelow * (t4 & 0xffff);
    begun[x + 5] = plainBelow * (s5 & 0xffff) + rampBelow * (t5 & 0xffff);
    begun[x + 6] = plainBelow * (s4 >>> 16) + rampBelow * (t4 >>> 16);
    begun[x + 7] = plainBelow * (s5 >>> 16) + rampBelow * (t5 >>> 16);
  }
  // The columns that are left, and all of them where more rows lie between two outputs than can be packed.
  for (let x = whole; x < n; x++) {
    let s = 0;
    let t = 0;
    for (let p = from * n + x; p < last; p += n) {
      s += data[p];
      t += s;
    }
    row[x] = begun[x] + plainAbove * s + rampAbove * t;
    begun[x] = plainBelow * s + rampBelow * t;
  }
}

/** One row `[width, channels]` to `[to, channels]`, written at `at`. */
function resampleRow(row: Float32Array, channels: 1 | 3, taps: Taps, out: Float32Array, at: number): void {
  const { first, start, weights } = taps;
  for (let o = 0; o < first.length; o++) {
    const end = start[o + 1];
    let p = first[o] * channels;
    if (channels === 1) {
      let sum = 0;
      for (let k = start[o]; k < end; k++) sum += weights[k] * row[p++];
      out[at++] = sum;
      continue;
    }
    let r = 0;
    let g = 0;
    let b = 0;
    for (let k = start[o]; k < end; k++, p += 3) {
      const weight = weights[k];
      r += weight * row[p];
      g += weight * row[p + 1];
      b += weight * row[p + 2];
    }
    out[at++] = r;
    out[at++] = g;
    out[at++] = b;
  }
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
      say`Image files give 1 or 3 channels, but this model needs ${channels}. Train it with ${option('channels', 1)} or
        ${option('channels', 3)}.`,
    );
  }
  const { height, width, data } = image;
  const area = toHeight * toWidth;
  const values = height === toHeight && width === toWidth ? data : resample(image, toHeight, toWidth);
  const out = zerosLike(data, channels * area);
  const half = data instanceof Float32Array ? 0 : 0.5; // whole numbers are rounded
  for (let p = 0; p < area; p++) {
    if (image.channels === 1) {
      const v = values[p] + half;
      for (let c = 0; c < channels; c++) out[c * area + p] = v;
      continue;
    }
    const r = values[3 * p];
    const g = values[3 * p + 1];
    const b = values[3 * p + 2];
    if (channels === 1) out[p] = 0.299 * r + 0.587 * g + 0.114 * b + half;
    else {
      out[p] = r + half;
      out[area + p] = g + half;
      out[2 * area + p] = b + half;
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

/**
 * Writes values as numbers in [0, 1] at `at`: bytes and whole numbers of 16 bits as shares of white. With a range 16 bits
 * and floats are (v − low) / (high − low), from 0 to 1; bytes stay as they are.
 */
export function writeUnit(data: Pixels['data'], out: Float32Array, at: number, range?: ValueRange): void {
  if (range && !(data instanceof Uint8Array)) {
    const [low, high] = range;
    for (let i = 0; i < data.length; i++) out[at + i] = Math.min(1, Math.max(0, (data[i] - low) / (high - low)));
    return;
  }
  const white = whiteOf(data);
  for (let i = 0; i < data.length; i++) out[at + i] = data[i] / white;
}
