/** Which part of images a model looks at, as a user says it: a region of interest, and tiles of large images. */
import { ConfigError } from '../../core/errors.ts';
import { type ItemShape, isImage } from '../../core/item-shape.ts';
import type { AnyModel } from '../../models/index.ts';

/** A rectangle in pixels of the image as it is read, from the top left, or the path of a mask, white inside. */
export type RegionOption = Record<'x' | 'y' | 'width' | 'height', number> | string;

/** Tiles that a model takes instead of whole images. */
export interface Tiles {
  readonly height: number;
  readonly width: number;
  /** Share of a tile's side that neighbours have in common, at least; 0 … 0.9, default 0.25. */
  readonly overlap?: number;
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
