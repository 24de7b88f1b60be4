/** The commonest reasons why a model cannot take items: images that are too small, networks of images for rows. */
import type { ItemShape } from '../define.ts';

/** A sentence where a side of an image has less than `least` pixels; undefined for other shapes. */
export function needsSide(who: string, least: number, shape: ItemShape): string | undefined {
  if (shape.length !== 3) return undefined;
  const [, height, width] = shape;
  if (Math.min(height, width) >= least) return undefined;
  return `${who} needs images of at least ${least} × ${least} pixels, got ${height} × ${width}.`;
}

/** A sentence where an option, as "network residual", is about images and the items are rows; undefined for images. */
export function needsImages(option: string, shape: ItemShape): string | undefined {
  if (shape.length === 3) return undefined;
  return `${option} has layers for images only, and rows have networks of their own. Leave the option or the preset out.`;
}
