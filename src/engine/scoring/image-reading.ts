/** How image files become the input of a detector, as `model.json` says it: enough to do the same without oddity. */
import type { ValueRange } from '../../data/pure.ts';

export interface ImageReading {
  /** Transparent pixels are laid over this colour: v · a + background · (1 − a). */
  readonly background: 'white';
  /**
   * Colour becomes grey by these weights of red, green and blue; grey becomes colour by repeating it. After the resize, in
   * the order of `steps`.
   */
  readonly grey: readonly [number, number, number];
  /** To `shape`: a triangle filter ("bilinear") with half-pixel centres, widened by the scale where the image shrinks. */
  readonly resize: {
    readonly filter: 'triangle';
    readonly antialias: true;
    readonly centres: 'half-pixel';
    /** Height and width are scaled each by its own factor. */
    readonly fit: 'stretch';
  };
  /** After the resize whole numbers are rounded to whole numbers, before they become [0, 1]. */
  readonly rounding: 'nearest';
  /** Values that become 0 and 1, by the samples of a file; what lies outside is 0 or 1. */
  readonly range: { readonly bits8: ValueRange; readonly bits16: ValueRange; readonly floats: ValueRange };
  readonly steps: readonly string[];
}

/** `valueRange` is that of images with more than 8 bits, where it is not the usual one. */
export function imageReading(valueRange?: ValueRange): ImageReading {
  return {
    background: 'white',
    grey: [0.299, 0.587, 0.114],
    resize: { filter: 'triangle', antialias: true, centres: 'half-pixel', fit: 'stretch' },
    rounding: 'nearest',
    range: { bits8: [0, 255], bits16: valueRange ?? [0, 65_535], floats: valueRange ?? [0, 1] },
    steps: ['turn as EXIF says', 'background', 'resize', 'grey', 'rounding', 'range', 'planes [C, H, W]'],
  };
}

/** The range of values that images with more than 8 bits are read by; undefined where each has its usual one. */
export function valueRangeOf(reading: ImageReading | undefined): ValueRange | undefined {
  if (!reading) return undefined;
  const { bits16, floats } = reading.range;
  return bits16[0] === floats[0] && bits16[1] === floats[1] ? bits16 : undefined;
}
