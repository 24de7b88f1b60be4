/** Connected regions of a mask or of a map above a threshold: pixels that touch along a side or a corner (8-connected). */
import { ShapeError } from '../core/errors.ts';

/** One connected region; coordinates in pixels from the top left. */
export interface Region {
  /** Left edge of the box. */
  readonly x: number;
  /** Top edge of the box. */
  readonly y: number;
  readonly width: number;
  readonly height: number;
  /** Number of pixels, at least 1. */
  readonly area: number;
  /** Mean position of its pixels; pixel (0, 0) has its centre at (0, 0). */
  readonly centre: { readonly x: number; readonly y: number };
  /** The largest value of the map inside; only where a map was given. */
  readonly peak?: number;
  /** The pixel of `peak`, of equal ones the first in reading order. */
  readonly peakAt?: { readonly x: number; readonly y: number };
}

/** The regions of one picture. */
export interface Regions {
  /** `[height · width]`: 0 outside, else 1 + the position in `regions`. */
  readonly label: Int32Array;
  /** In reading order of their first pixels. */
  readonly regions: readonly Region[];
}

/** Throws ShapeError unless `values` has height · width entries. */
export function mustCover(what: string, values: ArrayLike<number>, height: number, width: number): void {
  if (values.length === height * width) return;
  throw new ShapeError(
    `${what} of height ${height} and width ${width} must have ${height * width} values, got ${values.length}.`,
  );
}

/**
 * The connected regions of a mask: 0 is outside, anything else inside. With a map of the same size each region also
 * tells its peak. O(pixels). Throws ShapeError for lengths that differ from height · width.
 */
export function connectedRegions(
  mask: ArrayLike<number>,
  height: number,
  width: number,
  map?: ArrayLike<number>,
): Regions {
  mustCover('A mask', mask, height, width);
  if (map) mustCover('A map', map, height, width);
  const label = new Int32Array(height * width);
  const stack: number[] = [];
  const regions: Region[] = [];
  for (let start = 0; start < mask.length; start++) {
    if (!mask[start] || label[start] !== 0) continue;
    const name = regions.length + 1;
    let [left, right, bottom] = [width, 0, 0];
    let [area, sumX, sumY, peakIndex] = [0, 0, 0, start];
    label[start] = name;
    stack.push(start);
    while (stack.length > 0) {
      const i = stack.pop()!;
      const y = Math.floor(i / width);
      const x = i - y * width;
      area++;
      sumX += x;
      sumY += y;
      if (x < left) left = x;
      if (x > right) right = x;
      if (y > bottom) bottom = y;
      if (map && (map[i] > map[peakIndex] || (map[i] === map[peakIndex] && i < peakIndex))) peakIndex = i;
      for (let v = Math.max(0, y - 1); v <= Math.min(height - 1, y + 1); v++) {
        for (let u = Math.max(0, x - 1); u <= Math.min(width - 1, x + 1); u++) {
          const near = v * width + u;
          if (!mask[near] || label[near] !== 0) continue;
          label[near] = name;
          stack.push(near);
        }
      }
    }
    const top = Math.floor(start / width); // the first pixel in reading order lies in the top row
    regions.push({
      x: left,
      y: top,
      width: right - left + 1,
      height: bottom - top + 1,
      area,
      centre: { x: sumX / area, y: sumY / area },
      ...(map && { peak: map[peakIndex], peakAt: { x: peakIndex % width, y: Math.floor(peakIndex / width) } }),
    });
  }
  return { label, regions };
}

/** The regions where a map is >= `threshold`, with their peaks. NaN is outside. Throws as `connectedRegions`. */
export function regionsAbove(map: ArrayLike<number>, threshold: number, height: number, width: number): Regions {
  const inside = new Uint8Array(map.length);
  for (let i = 0; i < map.length; i++) inside[i] = map[i] >= threshold ? 1 : 0;
  return connectedRegions(inside, height, width, map);
}
