/**
 * What a model sees of items: a region of interest of images, tiles of large ones, windows of series as rows, single frames
 * of clips as images. All of it goes into the scoring graph of any model, so that an exported file does the same by itself;
 * training reads sources that look the same way.
 */
import type { ImageShape, ItemShape } from '../../core/item-shape.ts';
import { float32 } from '../../core/tensor.ts';
import { checkRegion, feather, type Region, stepsBefore, tileGrid } from '../../data/pure.ts';
import { constant } from '../../graph/leaf.ts';
import * as g from '../../graph/ops/index.ts';
import type { Value } from '../../graph/value.ts';
import { kindOf } from '../../kinds/index.ts';
import type { AnyModel } from '../../models/index.ts';
import { takesFramesForImages, takesWindowsForRows } from '../task/suitable.ts';
import type { Tiles } from '../task/view-options.ts';

/** The model as it is scored: looking at a region, at tiles, or at both, at windows as rows, or at frames as images. */
export function seenBy(
  model: AnyModel,
  { region, tiles }: { region?: Region; tiles?: Tiles },
  shape: ItemShape,
): AnyModel {
  if (takesWindowsForRows(model, kindOf(shape).name)) return withWindows(model);
  if (takesFramesForImages(model, kindOf(shape).name)) return withFrames(model);
  const tiled = tiles ? withTiles(model, tiles, shape as ImageShape) : model;
  return region ? withRegion(tiled, region, shape as ImageShape) : tiled;
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

/** A model of rows, looking at windows `[N, L, D]`: their values side by side are its row, and its map is laid out again. */
export function withWindows(model: AnyModel): AnyModel {
  return {
    ...model,
    score(config, net, x) {
      const { score, map, reconstruction } = model.score(config, net, g.flatten(x));
      return {
        score,
        map: g.reshape(map, x.shape),
        ...(reconstruction && { reconstruction: g.reshape(reconstruction, x.shape) }),
      };
    },
  };
}

/**
 * A model of images, looking at windows of clips `[N, L, C, H, W]`: at the frame that the window stands for. What it would have
 * in place of an item is a frame, so only of windows of one frame there is such a reconstruction. Images pass as they are.
 */
export function withFrames(model: AnyModel): AnyModel {
  return {
    ...model,
    score(config, net, x) {
      if (x.shape.length !== 5) return model.score(config, net, x);
      const [, length, ...frame] = x.shape as [unknown, number, ...number[]];
      const at = stepsBefore(length);
      const seen = g.reshape(g.slice(x, { 1: [at, at + 1] }), [x.shape[0], ...frame]);
      const { reconstruction, ...scoring } = model.score(config, net, seen);
      return {
        ...scoring,
        ...(reconstruction && length === 1 && { reconstruction: g.reshape(reconstruction, x.shape) }),
      };
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
