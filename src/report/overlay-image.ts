/**
 * An anomaly map over its image: the warmer a pixel, the more it covers the image, and a line runs around what reaches
 * the map threshold. Normal places stay as they are.
 */

import type { ImageShape } from '../core/item-shape.ts';
import { encodePng } from '../data/pure.ts';
import type { ArtifactInfo } from '../engine/scoring/artifact.ts';
import { type MapScale, mapColour, mapScale, placeOnScale } from './map-image.ts';

/** How much of the image the hottest colour covers. */
const COVER = 0.7;
const CONTOUR = [0, 255, 255] as const;
/** Smaller images are enlarged, pixel by pixel, to at least this side, so that the line can be told from the pixels. */
const SIDE = 224;

/** What an overlay shows; the image is `[C, H, W]` in [0, 1] with one or three channels, the map is `[H, W]`. */
export interface Overlay {
  readonly shape: readonly [number, number, number];
  readonly image: Float32Array;
  readonly map: Float32Array;
  readonly scale: MapScale;
  /** Where the line runs: around pixels >= this; no line where null. */
  readonly threshold: number | null;
}

/** The overlay of an image that a detector has scored, by the colours and the map threshold of the detector. */
export function overlayOf(
  { shape, mapScale: kept, mapThreshold }: Pick<ArtifactInfo, 'shape' | 'mapScale' | 'mapThreshold'>,
  image: Float32Array,
  map: Float32Array,
): Uint8Array {
  const threshold = mapThreshold?.value ?? null;
  return overlayPicture({ shape: shape as ImageShape, image, map, scale: kept ?? mapScale(map, threshold), threshold });
}

/** The bytes of a PNG of the image's size, or a whole multiple of it. */
export function overlayPicture({ shape, image, map, scale, threshold }: Overlay): Uint8Array {
  const [channels, height, width] = shape;
  const area = height * width;
  const zoom = Math.max(1, Math.ceil(SIDE / Math.max(height, width)));
  const isInside = (y: number, x: number) =>
    threshold !== null && y >= 0 && x >= 0 && y < height && x < width && map[y * width + x] >= threshold;
  const data = new Uint8Array(3 * area * zoom * zoom);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const p = y * width + x;
      const place = placeOnScale(map[p], scale);
      const cover = COVER * place;
      const rgb = mapColour(place).map((v, c) => {
        const pixel = 255 * Math.min(1, Math.max(0, image[(channels >= 3 ? c : 0) * area + p]));
        return Math.round((1 - cover) * pixel + cover * v);
      });
      // The line lies inside, on the sides where a pixel's neighbour is outside.
      const inside = isInside(y, x);
      const [top, bottom] = [inside && !isInside(y - 1, x), inside && !isInside(y + 1, x)];
      const [left, right] = [inside && !isInside(y, x - 1), inside && !isInside(y, x + 1)];
      for (let v = 0; v < zoom; v++) {
        for (let u = 0; u < zoom; u++) {
          const onLine =
            (top && v === 0) || (bottom && v === zoom - 1) || (left && u === 0) || (right && u === zoom - 1);
          data.set(onLine ? CONTOUR : rgb, 3 * ((y * zoom + v) * width * zoom + x * zoom + u));
        }
      }
    }
  }
  return encodePng({ height: height * zoom, width: width * zoom, channels: 3, data });
}
