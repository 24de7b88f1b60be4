/**
 * Decisions as the papers on tables make them: the items with the highest scores, as many as the share of anomalies
 * that the protocol states, count as found (DAGMM, ICLR 2018). The share is that of the test part, which nobody knows
 * beforehand: an oracle. Precision, recall and F1 then say one and the same, how many of those are right.
 */
import { ConfigError } from '../core/errors.ts';
import { defineMetric, type ItemInputs } from './define.ts';
import { type RankCounts, rankCounts } from './rank-counts.ts';

/** What flagging a share of all items gives. */
export interface TopShare {
  /** Items with a score >= this are flagged: the quantile 1 − share of all scores, linearly interpolated as in NumPy. */
  readonly threshold: number;
  /** Flagged items; more than the share asks for where scores tie at the threshold. */
  readonly flagged: number;
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
}

/**
 * Flags the `share` of items with the highest scores (label 1 = anomalous). Null where a kind of item is missing. Throws
 * ConfigError `share` unless it is above 0 and below 1, and as `undefinedReason`.
 */
export function topShare(scores: ArrayLike<number>, labels: ArrayLike<number>, share: number): TopShare | null {
  if (!(share > 0 && share < 1)) {
    throw new ConfigError('share', `The share of flagged items must be above 0 and below 1, got ${share}.`);
  }
  const counts = rankCounts(scores, labels);
  return counts && topShareOf(counts, share);
}

/** As `topShare`, from counts made before. */
function topShareOf(counts: RankCounts, share: number): TopShare {
  const { thresholds, truePositives, falsePositives, positives, negatives } = counts;
  const all = positives + negatives;
  const reaching = (k: number) => truePositives[k] + falsePositives[k];
  /** The score at a place of the ascending order, from 0: the first distinct score that more than `all − 1 − place` reach. */
  const scoreAt = (place: number) => {
    let k = 0;
    while (reaching(k) <= all - 1 - place) k++;
    return thresholds[k];
  };
  const at = (1 - share) * (all - 1);
  const below = Math.floor(at);
  const [low, high] = [scoreAt(below), scoreAt(Math.min(below + 1, all - 1))];
  // In halves, since the difference of two scores can be too large for a number; rounding must not pass the upper one.
  const half = (high / 2 - low / 2) * (at - below);
  const threshold = Math.min(low + half + half, high);
  let last = 0;
  while (last + 1 < thresholds.length && !(thresholds[last + 1] < threshold)) last++;
  const [hits, flagged] = [truePositives[last], reaching(last)];
  return {
    threshold,
    flagged,
    precision: hits / flagged,
    recall: hits / positives,
    f1: (2 * hits) / (flagged + positives),
  };
}

const shared = {
  level: 'item',
  range: [0, 1],
  better: 'higher',
  chance: 'prevalence',
  isOrdinal: true,
  needs: ['both-labels', 'share'],
} as const;
const found = ({ ranks, share }: ItemInputs<'both-labels' | 'share'>) => topShareOf(ranks, share);

/** Precision of the flagged items. */
export const itemPrecision = defineMetric({
  ...shared,
  name: 'precision',
  title: 'precision at the share',
  short: 'P',
  meaning: 'of the items with the highest scores, as many as the protocol states; an oracle',
  compute: (items) => found(items).precision,
});

/** Recall of the flagged items. */
export const itemRecall = defineMetric({
  ...shared,
  name: 'recall',
  title: 'recall at the share',
  short: 'R',
  meaning: 'the same items, as a share of all anomalies',
  compute: (items) => found(items).recall,
});

/** F1 of the flagged items. */
export const itemF1 = defineMetric({
  ...shared,
  name: 'f1',
  title: 'F1 at the share',
  short: 'F1',
  meaning: 'of the two above; comparable only with the same protocol',
  compute: (items) => found(items).f1,
});
