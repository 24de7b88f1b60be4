/** How well a predicted mask covers a true one: Dice and intersection over union, counted in pixels. */
import { ShapeError } from '../core/errors.ts';

/** Dice and intersection over union of the pooled pixels of many maps, map by map; null as `dice`. */
export function pooledOverlap(threshold: number): {
  /** Adds a map, predicted where it is >= the threshold, and its mask. Throws ShapeError for other lengths. */
  add(map: Float32Array, mask: Uint8Array): void;
  result(): { dice: number | null; iou: number | null };
} {
  let both = 0;
  let sum = 0;
  return {
    add(map, mask) {
      const found = areas(
        Uint8Array.from(map, (v) => (v >= threshold ? 1 : 0)),
        mask,
      );
      both += found.both;
      sum += found.sum;
    },
    result: () => (sum === 0 ? { dice: null, iou: null } : { dice: (2 * both) / sum, iou: both / (sum - both) }),
  };
}

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
