/** The commonest reason why a model cannot take images: they are too small. */
import type { ItemShape } from '../define.ts';

/** A sentence where a side of an image has less than `least` pixels; undefined for other shapes. */
export function needsSide(who: string, least: number, shape: ItemShape): string | undefined {
  if (shape.length !== 3) return undefined;
  const [, height, width] = shape;
  if (Math.min(height, width) >= least) return undefined;
  return `${who} needs images of at least ${least} × ${least} pixels, got ${height} × ${width}.`;
}
