/** Which part of images a model looks at, as a user says it: a region of interest, and tiles of large images. */
import { ConfigError, factsOf } from '../../core/errors.ts';
import { type ItemShape, isImage } from '../../core/item-shape.ts';
import { option, type Said, say } from '../../core/text.ts';
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
  const refused = (said: Said) => new ConfigError('tiles', said, factsOf({ option: 'tiles', value: tiles }));
  if (!isImage(shape))
    throw refused(say`Tiles apply to images only, but this data set has none. Leave ${option('tiles')} out.`);
  if (!(overlap >= 0 && overlap <= 0.9)) {
    throw new ConfigError('tiles', { option: 'tiles.overlap', value: overlap, must: 'a number from 0 to 0.9' });
  }
  if (height < 1 || width < 1 || height > shape[1] || width > shape[2]) {
    throw refused(
      say`Tiles must be between 1 x 1 and the size of the images, ${shape[1]} x ${shape[2]} as they are read, got
        ${height} x ${width}. Use smaller tiles, or read larger images with ${option('size')}.`,
    );
  }
  if (model.learning === 'supervised') {
    throw refused(
      say`${model.name} learns from labels, but a tile of an anomalous image may be normal. Choose a model that learns
        from normal images only, or leave ${option('tiles')} out.`,
    );
  }
}
