/** Scoring images that are larger than what a detector takes, tile by tile. */
import { ShapeError } from '../core/errors.ts';
import { isImage } from '../core/item-shape.ts';
import { cutTile, joinTiles, tileGrid } from '../data/transforms/index.ts';
import type { Detector } from '../engine/scoring/detector.ts';

/** Options of `scoreTiled`; sizes in pixels. */
export interface TiledOptions {
  /** Of the image, in pixels; at least those of the detector. */
  readonly height: number;
  readonly width: number;
  /** Share of a tile's side that neighbours have in common; default 0.25. */
  readonly overlap?: number;
  /** How maps are put together where tiles overlap; default `feather`. */
  readonly join?: 'feather' | 'average';
  readonly signal?: AbortSignal;
}

/** What a detector says of a large image. */
export interface TiledScore {
  /** The largest score of a tile: an image is as odd as its oddest place. */
  readonly score: number;
  /** `[H, W]`. */
  readonly map: Float32Array;
  /** Score and first pixel of each tile. */
  readonly tiles: readonly { readonly x: number; readonly y: number; readonly score: number }[];
}

/**
 * Scores one image `[C, H, W]` in [0, 1]. The detector should be trained on tiles (`tileSource`); its threshold is then
 * that of a tile, and an image of T tiles exceeds it more often: set a threshold of its own from scores of this function
 * for whole normal images.
 */
export async function scoreTiled(
  detector: Pick<Detector, 'shape' | 'score'>,
  image: Float32Array,
  options: TiledOptions,
): Promise<TiledScore> {
  const { height, width, overlap, join, signal } = options;
  if (!isImage(detector.shape)) throw new ShapeError('Tiles apply to images only; this detector takes rows.');
  const [channels, tileHeight, tileWidth] = detector.shape;
  if (image.length !== channels * height * width) {
    throw new ShapeError(
      `An image of ${channels}x${height}x${width} needs ${channels * height * width} values, got ${image.length}.`,
    );
  }
  const grid = tileGrid({ height, width, tileHeight, tileWidth, overlap });
  const size = channels * tileHeight * tileWidth;
  const pixels = new Float32Array(grid.tiles.length * size);
  for (const n of grid.tiles.keys()) pixels.set(cutTile(image, grid, n), n * size);
  const { scores, maps } = await detector.score(pixels, grid.tiles.length, { signal });
  return {
    score: scores.reduce((most, s) => Math.max(most, s), Number.NEGATIVE_INFINITY),
    map: joinTiles(maps, grid, join),
    tiles: grid.tiles.map((tile, n) => ({ ...tile, score: scores[n] })),
  };
}
