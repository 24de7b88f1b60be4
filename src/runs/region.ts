/** A region of interest read from what a user names: a rectangle, or a mask in a file. Node only. */
import { ConfigError, DataError, factsOf } from '../core/errors.ts';
import type { ImageShape } from '../core/item-shape.ts';
import { option, say } from '../core/text.ts';
import { checkRegion, decodeImage, fitMask, type Region } from '../data/index.ts';
import type { RegionOption } from '../engine/task/view-options.ts';
import { readIfThere } from './files.ts';

/**
 * The pixels inside a region of images of a shape. Throws ConfigError `region` for a rectangle that reaches outside,
 * DataError for a mask that cannot be read, and as `checkRegion`.
 */
export async function readRegion(region: RegionOption, [, height, width]: ImageShape): Promise<Region> {
  if (typeof region === 'string') {
    const bytes = await readIfThere(region);
    if (!bytes) {
      throw new DataError(
        'no-region',
        `There is no file ${region}. A region must be an image file that is white inside.`,
      );
    }
    const mask = fitMask(await decodeImage(bytes, region, undefined, 'black'), height, width);
    checkRegion(mask, height, width);
    return mask;
  }
  const { x, y, width: w, height: h } = region;
  const isInside = (at: number, n: number, all: number) =>
    Number.isInteger(at) && Number.isInteger(n) && at >= 0 && n >= 1 && at + n <= all;
  if (!isInside(x, w, width) || !isInside(y, h, height)) {
    throw new ConfigError(
      'region',
      say`A region must lie inside the images of ${height} x ${width} (height x width, as they are read), got x ${x}, y
        ${y}, width ${w}, height ${h}. Make it smaller, or read larger images with ${option('size')}.`,
      factsOf({ option: 'region', value: region }),
    );
  }
  return Uint8Array.from({ length: height * width }, (_, p) => {
    const [row, column] = [Math.floor(p / width), p % width];
    return column >= x && column < x + w && row >= y && row < y + h ? 1 : 0;
  });
}
