/**
 * Large images as tiles of the size that a model takes: where the tiles lie, cutting them, putting maps together again,
 * and a source of tiles to train on. A model never knows of tiles.
 */
import { ShapeError } from '../../core/errors.ts';
import { sha256 } from '../hash.ts';
import type { Source } from '../item.ts';

/** Tiles of one image. */
export interface TileGrid {
  /** Of the image. */
  readonly height: number;
  readonly width: number;
  readonly tileHeight: number;
  readonly tileWidth: number;
  /** First pixels of the tiles, row by row; together they cover the image and none reaches outside. */
  readonly tiles: readonly { readonly x: number; readonly y: number }[];
}

export interface TileOptions {
  /** Of the image, in pixels. */
  readonly height: number;
  readonly width: number;
  readonly tileHeight: number;
  readonly tileWidth: number;
  /** Share of a tile's side that neighbours have in common, at least; 0 … 0.9, default 0.25. */
  readonly overlap?: number;
}

/** Lays the fewest tiles evenly. Throws ShapeError when the image is smaller than a tile. */
export function tileGrid({ height, width, tileHeight, tileWidth, overlap = 0.25 }: TileOptions): TileGrid {
  if (!(overlap >= 0 && overlap <= 0.9)) {
    throw new ShapeError(`The overlap of tiles must be from 0 to 0.9 of their side, got ${overlap}.`);
  }
  if (!(tileHeight >= 1 && tileWidth >= 1 && height >= tileHeight && width >= tileWidth)) {
    throw new ShapeError(
      `An image of ${height}x${width} must be at least as large as its tiles of ${tileHeight}x${tileWidth}. ` +
        'Use smaller tiles, or resize the image.',
    );
  }
  const places = (side: number, tile: number): number[] => {
    const step = Math.max(1, tile - Math.ceil(overlap * tile));
    const n = Math.ceil((side - tile) / step) + 1;
    return Array.from({ length: n }, (_, i) => (n === 1 ? 0 : Math.floor((i * (side - tile)) / (n - 1))));
  };
  const columns = places(width, tileWidth);
  const tiles = places(height, tileHeight).flatMap((y) => columns.map((x) => ({ x, y })));
  return { height, width, tileHeight, tileWidth, tiles };
}

/** Copies tile number `n` of some planes, `[C, H, W]` to `[C, h, w]`. */
export function cutTile<T extends Float32Array | Uint8Array>(planes: T, grid: TileGrid, n: number): T {
  const { height, width, tileHeight, tileWidth, tiles } = grid;
  const channels = planes.length / (height * width);
  if (!Number.isInteger(channels)) {
    throw new ShapeError(`Planes of ${height}x${width} must be whole, got ${planes.length} values.`);
  }
  const { x, y } = tiles[n];
  const out = new (planes.constructor as new (length: number) => T)(channels * tileHeight * tileWidth);
  for (let row = 0; row < channels * tileHeight; row++) {
    const [c, r] = [Math.floor(row / tileHeight), row % tileHeight];
    const from = (c * height + y + r) * width + x;
    out.set(planes.subarray(from, from + tileWidth), row * tileWidth);
  }
  return out;
}

/** Weights of the pixels along a side of a tile: each by its distance to the border. */
export function feather(side: number): Float32Array {
  return Float32Array.from({ length: side }, (_, i) => Math.min(i + 1, side - i));
}

/**
 * One map of the whole image, `[H, W]`, from those of its tiles, `[T, h, w]`: where tiles overlap a weighted mean.
 * `average` weighs all pixels alike; `feather` (default) weighs a pixel by its distance to the border of its tile, which
 * hides seams and trusts a model least where it saw least.
 */
export function joinTiles(maps: Float32Array, grid: TileGrid, join: 'feather' | 'average' = 'feather'): Float32Array {
  const { height, width, tileHeight, tileWidth, tiles } = grid;
  const area = tileHeight * tileWidth;
  if (maps.length !== tiles.length * area) {
    throw new ShapeError(
      `${tiles.length} maps of ${tileHeight}x${tileWidth} need ${tiles.length * area} values, got ${maps.length}.`,
    );
  }
  const weigh = (side: number) => (join === 'average' ? new Float32Array(side).fill(1) : feather(side));
  const [rows, columns] = [weigh(tileHeight), weigh(tileWidth)];
  const sum = new Float32Array(height * width);
  const weight = new Float32Array(height * width);
  for (const [n, tile] of tiles.entries()) {
    for (let y = 0; y < tileHeight; y++) {
      const to = (tile.y + y) * width + tile.x;
      const from = n * area + y * tileWidth;
      for (let x = 0; x < tileWidth; x++) {
        const w = rows[y] * columns[x];
        sum[to + x] += w * maps[from + x];
        weight[to + x] += w;
      }
    }
  }
  return sum.map((v, i) => v / weight[i]);
}

/** A source of tiles: item `i` of the whole source becomes the items `tilesOf(i)`. */
export interface TileSource extends Source {
  readonly grid: TileGrid;
  /** Item numbers of the tiles of an image of the whole source, in the grid's order. */
  tilesOf(image: number): number[];
}

/**
 * The images of a source as tiles, to train any model on: tile `n` of the item `id` is `id#n`. A tile has the class of
 * its image, also where its own pixels are normal; so take it for training and for thresholds, and judge whole images.
 */
export async function tileSource(
  source: Source,
  options: Pick<TileOptions, 'tileHeight' | 'tileWidth' | 'overlap'>,
): Promise<TileSource> {
  const [channels, height, width] = source.shape;
  const grid = tileGrid({ ...options, height, width });
  const { tileHeight, tileWidth, tiles } = grid;
  const each = tiles.length;

  /** Reads every image once for a run of tiles of it. */
  async function copy<T extends Float32Array | Uint8Array>(
    indices: ArrayLike<number>,
    out: T,
    whole: T,
    read: (image: number[], into: T) => Promise<void>,
  ): Promise<void> {
    const size = (whole.length / (height * width)) * tileHeight * tileWidth;
    if (out.length !== indices.length * size) {
      throw new ShapeError(`${indices.length} tiles need ${indices.length * size} values, got ${out.length}.`);
    }
    let held = -1;
    for (let i = 0; i < indices.length; i++) {
      const image = Math.floor(indices[i] / each);
      if (image !== held) await read([image], whole);
      held = image;
      out.set(cutTile(whole, grid, indices[i] % each), i * size);
    }
  }

  const { readMasks, hasMask, hash } = source;
  return {
    ...source,
    shape: [channels, tileHeight, tileWidth],
    items: source.items.flatMap((item) => tiles.map((_, n) => ({ ...item, id: `${item.id}#${n}` }))),
    hash: await sha256(JSON.stringify({ hash, tileHeight, tileWidth, tiles })),
    grid,
    tilesOf: (image) => Array.from({ length: each }, (_, n) => image * each + n),
    read: (indices, out) =>
      copy(indices, out, new Float32Array(channels * height * width), (image, into) => source.read(image, into)),
    ...(hasMask && { hasMask: (tile: number) => hasMask.call(source, Math.floor(tile / each)) }),
    ...(readMasks && {
      readMasks: (indices: ArrayLike<number>, out: Uint8Array) =>
        copy(indices, out, new Uint8Array(height * width), (image, into) => readMasks.call(source, image, into)),
    }),
  };
}
