/** How well a predicted mask covers a true one: Dice and intersection over union, counted in pixels. */
import { ShapeError } from '../core/errors.ts';

/** Pixels inside each mask and inside both; 0 is outside, anything else inside. */
function areas(predicted: ArrayLike<number>, truth: ArrayLike<number>): { both: number; sum: number } {
  if (predicted.length !== truth.length) {
    throw new ShapeError(`Two masks must have the same size, got ${predicted.length} and ${truth.length} pixels.`);
  }
  let both = 0;
  let sum = 0;
  for (let i = 0; i < truth.length; i++) {
    if (predicted[i]) sum++;
    if (truth[i]) sum++;
    if (predicted[i] && truth[i]) both++;
  }
  return { both, sum };
}

/**
 * Dice = 2·|A ∩ B| / (|A| + |B|) = F1 of the pixels, in [0, 1]. Null when both masks are empty: there is nothing to
 * cover, and calling that 1 would reward pictures without a defect. Throws ShapeError for masks of different size.
 */
export function dice(predicted: ArrayLike<number>, truth: ArrayLike<number>): number | null {
  const { both, sum } = areas(predicted, truth);
  return sum === 0 ? null : (2 * both) / sum;
}

/** Intersection over union = |A ∩ B| / |A ∪ B|, in [0, 1]; null and throws as `dice`. */
export function iou(predicted: ArrayLike<number>, truth: ArrayLike<number>): number | null {
  const { both, sum } = areas(predicted, truth);
  return sum === 0 ? null : both / (sum - both);
}
