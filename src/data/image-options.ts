/** How image files become items of one shape: options that disks and pages share. */
import { ConfigError, factsOf } from '../core/errors.ts';
import { option, say } from '../core/text.ts';
import type { LayoutOptions } from './layout-words.ts';

/** Height and width, or those of the files: their medians in multiples of 32, at least 64 and at most `atMost`. */
export type ImageSize = readonly [height: number, width: number] | { readonly atMost: number };

/** How image files become items of one shape. */
export interface ImageOptions {
  /** Height and width that every image is resized to, without keeping its proportions; default 128 by 128. */
  readonly size?: ImageSize;
  /** Default 1 when every file is grey, else 3. */
  readonly channels?: 1 | 3;
  /** Pixels that a file may have; default 100 million. */
  readonly maxPixels?: number;
  /** Names of the folders of normal and anomalous images and of masks, where they are not the usual ones. */
  readonly folderNames?: LayoutOptions;
}

/** The size of images when none is asked for. */
export const DEFAULT_SIZE = [128, 128] as const;

/** Sides that make sense. */
const SIDES = { min: 4, max: 4096 };

/** Throws ConfigError `image-size` or `channels` for what no image can have. */
export function checkImageOptions({ size, channels, maxPixels }: ImageOptions): void {
  const isSide = (n: number) => Number.isInteger(n) && n >= SIDES.min && n <= SIDES.max;
  const sides = size && ('atMost' in size ? [size.atMost, size.atMost] : size);
  if (sides && !(sides.length === 2 && sides.every(isSide))) {
    const must = `height and width, integers from ${SIDES.min} to ${SIDES.max}`;
    throw new ConfigError(
      'image-size',
      say`${option('size')} must be ${must}, got ${sides.join('x')}.`,
      factsOf({ option: 'size', value: sides, must }),
    );
  }
  if (channels !== undefined && channels !== 1 && channels !== 3) {
    throw new ConfigError('channels', { option: 'channels', value: channels, must: '1 (grey) or 3 (colour)' });
  }
  if (maxPixels !== undefined && !(Number.isInteger(maxPixels) && maxPixels >= 1)) {
    throw new ConfigError('max-pixels', { option: 'maxPixels', value: maxPixels, must: 'an integer of at least 1' });
  }
}
