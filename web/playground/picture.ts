/** An image with its anomaly map over it, on a canvas. */
import type { ItemScore } from 'oddity/browser';

/** Where values lie on the scale, [0, 1]: from the threshold to `high`; NaN below. Without one from a quarter of `high`. */
function places(map: Float32Array, threshold: number | null, high: number): Float32Array {
  const low = threshold ?? high / 4;
  return map.map((v) => (v < low ? Number.NaN : Math.min(1, (v - low) / (high - low || 1))));
}

/** Draws a picture, the map in orange where it is high, and boxes around the regions. */
export function drawScore(
  canvas: HTMLCanvasElement,
  picture: CanvasImageSource,
  score: Pick<ItemScore, 'map' | 'mapShape' | 'size' | 'regions'>,
  options: { opacity: number; mapThreshold: number | null; high: number },
): void {
  const [height, width] = score.mapShape;
  const size = score.size ?? { height, width };
  canvas.width = size.width;
  canvas.height = size.height;
  const context = canvas.getContext('2d')!;
  context.drawImage(picture, 0, 0, size.width, size.height);
  const layer = new OffscreenCanvas(width, height);
  const pixels = new ImageData(width, height);
  for (const [p, t] of places(score.map, options.mapThreshold, options.high).entries()) {
    if (Number.isNaN(t)) continue;
    // From orange to light yellow: also in grey the hottest place is the brightest.
    pixels.data.set([230 + 25 * t, 95 + 150 * t, 20 + 100 * t, 255 * (0.4 + 0.6 * t) * options.opacity], 4 * p);
  }
  layer.getContext('2d')!.putImageData(pixels, 0, 0);
  context.drawImage(layer, 0, 0, size.width, size.height);
  const line = Math.max(1, size.width / 120);
  for (const { x, y, width: w, height: h } of score.regions ?? []) {
    context.lineWidth = 2 * line;
    context.strokeStyle = '#000';
    context.strokeRect(x, y, w, h);
    context.lineWidth = line;
    context.strokeStyle = '#fff';
    context.strokeRect(x, y, w, h);
  }
}

/** A picture in words, for those who do not see it. */
export function pictureText(name: string, verdict: string, score: string, regions: ItemScore['regions']): string {
  const [first] = regions ?? [];
  const where = first
    ? `, most at ${first.x} from the left and ${first.y} from the top, ${first.width} by ${first.height} pixels`
    : '';
  return `${name}: ${verdict}, score ${score}${where}`;
}
