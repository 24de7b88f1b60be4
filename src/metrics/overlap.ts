/** How well a predicted mask covers a true one: Dice and intersection over union, counted in pixels. */
import { ShapeError } from '../core/errors.ts';
import { defineMetric, type MapAccumulator, type MapContext, type NoValue } from './define.ts';

/** Pixels of two masks, of one image or pooled over many. */
export interface Overlap {
  /** Pixels inside both, |A ∩ B|. */
  readonly both: number;
  /** Pixels inside each, |A| + |B|. */
  readonly sum: number;
}

/**
 * The overlap of masks and of the pixels whose value reaches the threshold, pooled over maps. Normal pixels whose
 * `counted` is 0 are left out.
 */
export function pooledOverlap({ threshold }: MapContext): MapAccumulator<Overlap> {
  let both = 0;
  let sum = 0;
  return {
    add({ map, mask, counted }) {
      mustMatch(map, mask);
      for (let i = 0; i < mask.length; i++) {
        const isInside = mask[i] !== 0;
        const isFound = map[i] >= threshold && (isInside || counted?.[i] !== 0);
        if (isFound) sum++;
        if (isInside) sum++;
        if (isFound && isInside) both++;
      }
    },
    result: () => ({ both, sum }),
  };
}

function mustMatch(predicted: ArrayLike<number>, truth: ArrayLike<number>): void {
  if (predicted.length === truth.length) return;
  throw new ShapeError(`Two masks must have the same size, got ${predicted.length} and ${truth.length} pixels.`);
}

/** Pixels inside each mask and inside both; 0 is outside, anything else inside. */
function overlapOf(predicted: ArrayLike<number>, truth: ArrayLike<number>): Overlap {
  mustMatch(predicted, truth);
  let both = 0;
  let sum = 0;
  for (let i = 0; i < truth.length; i++) {
    if (predicted[i]) sum++;
    if (truth[i]) sum++;
    if (predicted[i] && truth[i]) both++;
  }
  return { both, sum };
}

const diceOf = ({ both, sum }: Overlap) => (2 * both) / sum;
const iouOf = ({ both, sum }: Overlap) => both / (sum - both);

/**
 * Dice = 2·|A ∩ B| / (|A| + |B|) = F1 of the pixels, in [0, 1]. Null when both masks are empty: there is nothing to
 * cover, and calling that 1 would reward images without a defect. Throws ShapeError for masks of different size.
 */
export function dice(predicted: ArrayLike<number>, truth: ArrayLike<number>): number | null {
  const overlap = overlapOf(predicted, truth);
  return overlap.sum === 0 ? null : diceOf(overlap);
}

/** Intersection over union = |A ∩ B| / |A ∪ B|, in [0, 1]; null and throws as `dice`. */
export function iou(predicted: ArrayLike<number>, truth: ArrayLike<number>): number | null {
  const overlap = overlapOf(predicted, truth);
  return overlap.sum === 0 ? null : iouOf(overlap);
}

const shared = {
  level: 'map',
  range: [0, 1],
  better: 'higher',
  needs: ['threshold'],
  accumulator: pooledOverlap,
} as const;
const unlessEmpty = (overlap: Overlap, value: (overlap: Overlap) => number): number | NoValue =>
  overlap.sum === 0
    ? { reason: 'No pixel is anomalous, neither of the masks nor at the map threshold.' }
    : value(overlap);

/** Dice of the pooled pixels at the threshold of maps. */
export const mapDice = defineMetric({
  ...shared,
  name: 'dice',
  title: 'Dice at the map threshold',
  short: 'Dice',
  meaning: 'of the pixels at the map threshold and those of the ground truth: 2 · both / (one + other)',
  compute: (overlap) => unlessEmpty(overlap, diceOf),
});

/** Intersection over union of the pooled pixels at the threshold of maps. */
export const mapIou = defineMetric({
  ...shared,
  name: 'iou',
  title: 'IoU at the map threshold',
  short: 'IoU',
  meaning: 'of the same pixels: both / either',
  compute: (overlap) => unlessEmpty(overlap, iouOf),
});
