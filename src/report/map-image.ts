/**
 * Anomaly maps as pictures: the image, what the model would have drawn, and the map, side by side. One colour scale for
 * all pictures of a run, with a threshold in its middle: what lies below is cold, what reaches it is warm.
 */
import { encodePng } from '../data/pure.ts';
import type { MapScale } from '../engine/scoring/artifact.ts';

export type { MapScale };

/**
 * Colours below and above the middle, at equal steps: from black to slate blue, then from rust over orange to pale yellow.
 * Lightness rises all the way, and the two hues are told apart with every kind of colour-blindness. The step between
 * them is meant: a pixel just below the threshold must not look warm.
 */
const colours = {
  cold: [
    [8, 10, 22],
    [20, 30, 58],
    [34, 52, 94],
    [52, 76, 128],
  ],
  warm: [
    [196, 74, 36],
    [228, 106, 22],
    [247, 150, 26],
    [251, 203, 76],
    [253, 250, 184],
  ],
} as const;

/** Panels of smaller images are enlarged, pixel by pixel, to at least this side. */
const PANEL = 112;
const GAP = 4;

/** The scale of some maps: from their smallest to their largest value. */
export function mapScale(maps: Float32Array, threshold: number | null): MapScale {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const v of maps) {
    if (v < low) low = v;
    if (v > high) high = v;
  }
  if (!(low < high)) [low, high] = Number.isFinite(low) ? [low, low + 1] : [0, 1];
  return { low, threshold, high };
}

/**
 * Where a value lies on a scale, in [0, 1]; the threshold is at one half. Below it places go with the square root: most
 * pixels of most maps lie far below, and would all be black.
 */
export function placeOnScale(value: number, { low, threshold, high }: MapScale): number {
  const clamp = (t: number) => Math.min(1, Math.max(0, t));
  if (threshold === null || !(threshold > low && threshold < high)) return clamp((value - low) / (high - low));
  return value < threshold
    ? Math.sqrt(clamp((value - low) / (threshold - low))) / 2
    : 0.5 + clamp((value - threshold) / (high - threshold)) / 2;
}

/** The value at a place t in [0, 1] of a scale: the inverse of `placeOnScale` inside it. */
export function valueOnScale(t: number, { low, threshold, high }: MapScale): number {
  if (threshold === null || !(threshold > low && threshold < high)) return low + t * (high - low);
  return t < 0.5 ? low + (2 * t) ** 2 * (threshold - low) : threshold + (2 * t - 1) * (high - threshold);
}

/** What one picture shows; images are `[C, H, W]` in [0, 1] with one or three channels, the map is `[H, W]`. */
export interface MapPicture {
  readonly shape: readonly [number, number, number];
  readonly image: Float32Array;
  readonly reconstruction?: Float32Array;
  readonly map: Float32Array;
  readonly scale: MapScale;
}

/** The bytes of a PNG: image | reconstruction (where there is one) | map. */
export function mapPicture({ shape, image, reconstruction, map, scale }: MapPicture): Uint8Array {
  const [channels, height, width] = shape;
  const area = height * width;
  const grey = (pixels: Float32Array) => (p: number) =>
    [0, 1, 2].map((c) => 255 * Math.min(1, Math.max(0, pixels[(channels >= 3 ? c : 0) * area + p])));
  const panels = [
    grey(image),
    ...(reconstruction ? [grey(reconstruction)] : []),
    (p: number) => mapColour(placeOnScale(map[p], scale)),
  ];
  const zoom = Math.max(1, Math.ceil(PANEL / Math.max(height, width)));
  const total = panels.length * width * zoom + (panels.length - 1) * GAP;
  const data = new Uint8Array(3 * total * height * zoom).fill(255);
  panels.forEach((panel, i) => {
    const left = i * (width * zoom + GAP);
    for (let p = 0; p < area; p++) {
      const rgb = panel(p).map(Math.round);
      const [y, x] = [Math.floor(p / width) * zoom, left + (p % width) * zoom];
      for (let dy = 0; dy < zoom; dy++)
        for (let dx = 0; dx < zoom; dx++) data.set(rgb, 3 * ((y + dy) * total + x + dx));
    }
  });
  return encodePng({ height: height * zoom, width: total, channels: 3, data });
}

/** Red, green and blue, 0 … 255, at a place t in [0, 1] of any scale, interpolated within its half. */
export function mapColour(t: number): number[] {
  const half = t < 0.5 ? colours.cold : colours.warm;
  const at = (t < 0.5 ? 2 * t : 2 * t - 1) * (half.length - 1);
  const i = Math.min(half.length - 2, Math.floor(at));
  return half[i].map((low, c) => low + (at - i) * (half[i + 1][c] - low));
}
