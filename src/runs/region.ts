/** A region of interest read from what a user names: a rectangle, or a mask in a file. Node only. */
import { ConfigError, DataError } from '../core/errors.ts';
import type { ImageShape } from '../core/item-shape.ts';
import { checkRegion, decodeImage, fitMask, type Region } from '../data/index.ts';
import type { RegionOption } from '../engine/task/view-options.ts';
import { readIfThere } from './files.ts';

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
