/**
 * What a model sees of images: a region of interest, and tiles of large ones. Both go into the scoring graph of any
 * model, so that an exported file does the same by itself; training reads sources that look the same way.
 */
import { ConfigError, DataError } from '../core/errors.ts';
import { type ItemShape, isImage } from '../core/item-shape.ts';
import { float32 } from '../core/tensor.ts';
import {
  checkRegion,
  decodeImage,
  feather,
  fitMask,
  type Region,
  type Source,
  tileGrid,
  tileSource,
} from '../data/index.ts';
import { constant } from '../graph/leaf.ts';
import * as g from '../graph/ops/index.ts';
import type { Value } from '../graph/value.ts';
import type { AnyModel, ImageShape } from '../models/index.ts';
import { readIfThere } from './files.ts';
import { trainingItems } from './fit.ts';
import type { Task } from './task.ts';

/** A rectangle in pixels of the image as it is read, from the top left, or the path of a mask, white inside. */
export type RegionOption = Record<'x' | 'y' | 'width' | 'height', number> | string;

/** Tiles that a model takes instead of whole images. */
export interface Tiles {
  readonly height: number;
  readonly width: number;
  /** Share of a tile's side that neighbours have in common, at least; 0 … 0.9, default 0.25. */
  readonly overlap?: number;
}

/**
 * The pixels inside a region of images of a shape. Throws ConfigError `region` for a rectangle that reaches outside,
 * DataError for a mask that cannot be read, and as `checkRegion`.
 */
export async function readRegion(option: RegionOption, [, height, width]: ImageShape): Promise<Region> {
  if (typeof option === 'string') {
    const bytes = await readIfThere(option);
    if (!bytes) {
      throw new DataError(
        'no-region',
        `The region ${option} must be an image file that is white inside, and is not there.`,
      );
    }
    const region = fitMask(await decodeImage(bytes, option), height, width);
    checkRegion(region, height, width);
    return region;
  }
  const { x, y, width: w, height: h } = option;
  const isInside = (at: number, n: number, all: number) =>
    Number.isInteger(at) && Number.isInteger(n) && at >= 0 && n >= 1 && at + n <= all;
  if (!isInside(x, w, width) || !isInside(y, h, height)) {
    throw new ConfigError(
      'region',
      `A region must lie inside the images of ${height} x ${width} (height x width, as they are read), got x ${x}, y ${y}, width ${w}, ` +
        `height ${h}. Make it smaller, or read larger images with --size.`,
    );
  }
  return Uint8Array.from({ length: height * width }, (_, p) => {
    const [row, column] = [Math.floor(p / width), p % width];
    return column >= x && column < x + w && row >= y && row < y + h ? 1 : 0;
  });
}

/** Throws ConfigError where a model, or the shape of the items, cannot be tiled. */
export function checkTiles(tiles: Tiles, model: AnyModel, shape: ItemShape): void {
  const { height, width, overlap = 0.25 } = tiles;
  const refused = (message: string) => new ConfigError('tiles', message);
  if (!isImage(shape)) throw refused('Tiles are of images, and this data set holds none. Leave --tile out.');
  if (!(overlap >= 0 && overlap <= 0.9)) throw refused(`Tiles overlap by a share from 0 to 0.9, got ${overlap}.`);
  if (height < 1 || width < 1 || height > shape[1] || width > shape[2]) {
    throw refused(
      `Tiles must be of 1 x 1 to the size of the images, ${shape[1]} x ${shape[2]} as they are read, got ${height} x ${width}. ` +
        'Take smaller tiles, or read larger images with --size.',
    );
  }
  if (model.learning === 'supervised') {
    throw refused(
      `${model.name} learns from labels, and a tile of an anomalous image may be normal. Take a model that learns from ` +
        'normal images only, or leave --tile out.',
    );
  }
}

/** The model as it is scored: looking at a region, at tiles, or at both. */
export function seenBy(
  model: AnyModel,
  { region, tiles }: { region?: Region; tiles?: Tiles },
  shape: ItemShape,
): AnyModel {
  const tiled = tiles ? withTiles(model, tiles, shape as ImageShape) : model;
  return region ? withRegion(tiled, region, shape as ImageShape) : tiled;
}

/** Where a model's training items lie. */
export interface TrainingPart {
  readonly source: Source;
  readonly train: Uint32Array;
  /** 1 = anomalous, in the order of `train`. */
  readonly labels: Uint8Array;
}

/** What a model is trained on: the training items of a task, or their tiles. */
export async function trainingPart(
  model: AnyModel,
  { source, split }: Pick<Task, 'source' | 'split'>,
  tiles?: Tiles,
): Promise<TrainingPart> {
  const { train, labels } = trainingItems(model, split);
  if (!tiles) return { source, train, labels };
  const { height, width, overlap } = tiles;
  const cut = await tileSource(source, { tileHeight: height, tileWidth: width, overlap });
  const pieces = Uint32Array.from(Array.from(train).flatMap((image) => cut.tilesOf(image)));
  return { source: cut, train: pieces, labels: new Uint8Array(pieces.length) };
}

/**
 * The model, looking at a region only: its scoring graph makes pixels outside black before anything else, and its map is
 * 0 there. Score and map are then functions of the pixels inside. Train it on `regionSource`, which makes the same
 * pixels black. Throws as `checkRegion` does.
 */
export function withRegion(model: AnyModel, region: Region, shape: ImageShape): AnyModel {
  const [, height, width] = shape;
  checkRegion(region, height, width);
  const values = float32(
    Float32Array.from(region, (v) => (v > 0 ? 1 : 0)),
    [1, 1, height, width],
  );
  return {
    ...model,
    score(config, net, x) {
      const seen = constant(values);
      const scoring = model.score(config, net, g.mul(x, seen));
      return { ...scoring, map: g.mul(scoring.map, seen) };
    },
  };
}

/**
 * The model, looking at whole images tile by tile. The score is the largest of a tile: an image is as odd as its oddest
 * place. The map, and the reconstruction, is where tiles overlap their mean weighted by the distance to the border of
 * the tile, Σ w m / Σ w, as `joinTiles` does it. Train it on `tileSource`.
 */
export function withTiles(model: AnyModel, tiles: Tiles, [, height, width]: ImageShape): AnyModel {
  const { height: tileHeight, width: tileWidth, overlap } = tiles;
  const grid = tileGrid({ height, width, tileHeight, tileWidth, overlap });
  const [rows, columns] = [feather(tileHeight), feather(tileWidth)];
  const weights = Float32Array.from(
    { length: tileHeight * tileWidth },
    (_, p) => rows[Math.floor(p / tileWidth)] * columns[p % tileWidth],
  );
  const sums = new Float32Array(height * width);
  for (const { x, y } of grid.tiles)
    for (let p = 0; p < weights.length; p++)
      sums[(y + Math.floor(p / tileWidth)) * width + x + (p % tileWidth)] += weights[p];
  return {
    ...model,
    pool: undefined, // the largest score of a tile does not follow from the joined map
    score(config, net, image) {
      const weight = constant(float32(weights, [1, 1, tileHeight, tileWidth]));
      const sum = constant(float32(sums, [1, 1, height, width]));
      const parts = grid.tiles.map(({ x, y }) =>
        model.score(config, net, g.slice(image, { 2: [y, y + tileHeight], 3: [x, x + tileWidth] })),
      );
      const join = (planes: readonly Value[]) => {
        const placed = planes.map((plane, n) => {
          const { x, y } = grid.tiles[n];
          return g.padAll(g.mul(plane, weight), [0, 0, y, x], [0, 0, height - y - tileHeight, width - x - tileWidth]);
        });
        return g.div(
          placed.reduce((a, b) => g.add(a, b)),
          sum,
        );
      };
      const drawn = parts.flatMap(({ reconstruction }) => reconstruction ?? []);
      return {
        score: parts.map(({ score }) => score).reduce((a, b) => g.maximum(a, b)),
        map: join(parts.map(({ map }) => map)),
        ...(drawn.length > 0 && { reconstruction: join(drawn) }),
      };
    },
  };
}
