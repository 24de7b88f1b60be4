/**
 * The range of values that deep images use. Cameras with 10 or 12 bits write files of 16, floats have any range at all: a
 * model would see such images nearly black. What the training images use is measured, and becomes 0 to 1.
 */
import type { Pixels } from './resize.ts';

/** Values that become 0 and 1; what lies outside becomes 0 or 1. */
export type ValueRange = readonly [low: number, high: number];

/** What some images use. */
export interface UsedValues {
  readonly low: number;
  readonly high: number;
  /** Without the lowest and the highest 0.01 %, such as dead and hot pixels. */
  readonly usual: ValueRange;
  /** Values are whole numbers from 0 to 65535. */
  readonly is16Bit: boolean;
}

/** Share of the values at either end that a range need not hold. */
const RARE = 1e-4;
/** Values that are taken of each image of floats. */
const SAMPLED = 65_536;
const WHITE_16 = 65_535;

/** Collects what images use; bytes have no range of their own and are passed over. */
export class UsedValuesMeter {
  private readonly counts = new Float64Array(WHITE_16 + 1);
  private readonly samples: Float32Array[] = [];
  private low = Number.POSITIVE_INFINITY;
  private high = Number.NEGATIVE_INFINITY;
  private counted = 0;

  /** Adds the values of one image. */
  add(data: Pixels['data']): void {
    if (data instanceof Uint8Array) return;
    for (let i = 0; i < data.length; i++) {
      const v = data[i];
      if (v < this.low) this.low = v;
      if (v > this.high) this.high = v;
    }
    if (data instanceof Uint16Array) {
      for (let i = 0; i < data.length; i++) this.counts[data[i]]++;
      this.counted += data.length;
      return;
    }
    const step = Math.max(1, data.length / SAMPLED);
    const sample = Float32Array.from({ length: Math.floor(data.length / step) }, (_, i) => data[Math.floor(i * step)]);
    this.samples.push(sample);
  }

  /** What was used; undefined when nothing was added. Of 16 bits beside floats only the floats count. */
  get used(): UsedValues | undefined {
    const { low, high } = this;
    if (this.samples.length > 0) return { low, high, usual: ends(this.samples), is16Bit: false };
    if (this.counted === 0) return undefined;
    const skipped = Math.floor(this.counted * RARE);
    const firstAbove = (from: number, step: 1 | -1) => {
      let at = from;
      for (let n = this.counts[at]; n <= skipped; n += this.counts[at]) at += step;
      return at;
    };
    return { low, high, usual: [firstAbove(0, 1), firstAbove(WHITE_16, -1)], is16Bit: true };
  }
}

/** The values between which all but the rarest of some arrays lie. */
function ends(arrays: readonly Float32Array[]): ValueRange {
  const all = new Float32Array(arrays.reduce((n, { length }) => n + length, 0));
  let at = 0;
  for (const array of arrays) {
    all.set(array, at);
    at += array.length;
  }
  all.sort();
  const skipped = Math.floor(all.length * RARE);
  return [all[skipped], all[all.length - 1 - skipped]];
}

/** Images that use this share of a range are not nearly black. */
const ENOUGH = 0.25;

/**
 * The range to read images by. From 0 to the largest number of as many bits as they use, or to 1 for fractions: so a
 * defect may be brighter than anything in training. Where the images use less than a quarter of that – they begin far
 * above 0, or below it – their own range and half of it on either side. Undefined for 16 bits that are used to the full.
 */
export function rangeFor({ usual: [low, high], is16Bit }: UsedValues): ValueRange | undefined {
  const span = high - low;
  const top = high <= 1 && !is16Bit ? 1 : 2 ** Math.max(1, Math.ceil(Math.log2(high + 1))) - 1;
  if (low >= 0 && span >= ENOUGH * top) return is16Bit && top === WHITE_16 ? undefined : [0, top];
  const half = span > 0 ? span / 2 : Math.max(Math.abs(low) / 2, 1e-3);
  const [from, to] = is16Bit ? [Math.floor(low - half), Math.ceil(high + half)] : [low - half, high + half];
  return [low >= 0 ? Math.max(0, from) : from, is16Bit ? Math.min(WHITE_16, to) : to];
}

/** `0 to 1023`, in at most five digits. */
export const sayRange = ([low, high]: ValueRange): string =>
  [low, high].map((v) => Number(v.toPrecision(5))).join(' to ');

/** `values from 0 to 1020, 1.6 % of what 16 bits hold`, without the rarest. */
export function sayUse({ usual, is16Bit }: UsedValues): string {
  const share = (100 * (usual[1] - usual[0])) / WHITE_16;
  return `values from ${sayRange(usual)}${is16Bit ? `, ${Number(share.toPrecision(2))} % of what 16 bits hold` : ''}`;
}
