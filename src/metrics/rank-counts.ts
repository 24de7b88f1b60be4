/**
 * One pass over all thresholds: what every ranking metric of this folder is computed from. An item is called anomalous
 * when its score is greater than or equal to the threshold (scikit-learn's rule, everywhere in oddity).
 */
import { DataError, ShapeError } from '../core/errors.ts';

/** Counts at every distinct score, highest first. */
export interface RankCounts {
  /** The distinct scores, descending. */
  readonly thresholds: Float64Array;
  /** Anomalous items with a score >= the threshold. */
  readonly truePositives: Uint32Array;
  /** Normal items with a score >= the threshold. */
  readonly falsePositives: Uint32Array;
  /** All anomalous items, P. */
  readonly positives: number;
  /** All normal items, N. */
  readonly negatives: number;
}

/**
 * Why a ranking metric has no value for these scores, as a sentence, or null when it has one. Labels are 0 (normal) or
 * 1 (anomalous). Infinite scores are fine. `things` is what the sentence calls them. Throws ShapeError for lengths that
 * differ, DataError for other labels.
 */
export function undefinedReason(
  scores: ArrayLike<number>,
  labels: ArrayLike<number>,
  things: 'items' | 'steps' = 'items',
): string | null {
  if (scores.length !== labels.length) {
    throw new ShapeError(`Scores and labels must have the same length, got ${scores.length} and ${labels.length}.`);
  }
  let positives = 0;
  let notNumbers = 0;
  for (let i = 0; i < labels.length; i++) {
    if (labels[i] !== 0 && labels[i] !== 1) {
      throw new DataError('labels', `Labels must be 0 (normal) or 1 (anomalous), got ${labels[i]} at position ${i}.`);
    }
    positives += labels[i];
    if (Number.isNaN(scores[i])) notNumbers++;
  }
  if (labels.length === 0) return `There are no ${things}.`;
  if (notNumbers > 0) return `${notNumbers} of ${labels.length} scores are not a number.`;
  if (positives === 0) return `All ${labels.length} ${things} are normal; both kinds are needed.`;
  if (positives === labels.length) return `All ${labels.length} ${things} are anomalous; both kinds are needed.`;
  return null;
}

/** Counts at every distinct threshold, or null where `undefinedReason` gives a reason. O(n log n). */
export function rankCounts(scores: ArrayLike<number>, labels: ArrayLike<number>): RankCounts | null {
  if (undefinedReason(scores, labels) !== null) return null;
  let positives = 0;
  for (let i = 0; i < labels.length; i++) positives += labels[i];
  const negatives = labels.length - positives;

  // Typed arrays sort numbers natively: two sorts and a merge are several times faster than sorting indices.
  const anomalous = new Float64Array(positives);
  const normal = new Float64Array(negatives);
  for (let i = 0, a = 0, b = 0; i < labels.length; i++) {
    if (labels[i] === 1) anomalous[a++] = scores[i];
    else normal[b++] = scores[i];
  }
  anomalous.sort();
  normal.sort();

  const thresholds = new Float64Array(labels.length);
  const truePositives = new Uint32Array(labels.length);
  const falsePositives = new Uint32Array(labels.length);
  let count = 0;
  let a = positives - 1;
  let b = negatives - 1;
  while (a >= 0 || b >= 0) {
    const threshold = b < 0 || (a >= 0 && anomalous[a] >= normal[b]) ? anomalous[a] : normal[b];
    while (a >= 0 && anomalous[a] === threshold) a--;
    while (b >= 0 && normal[b] === threshold) b--;
    thresholds[count] = threshold;
    truePositives[count] = positives - 1 - a;
    falsePositives[count] = negatives - 1 - b;
    count++;
  }
  return {
    thresholds: thresholds.subarray(0, count),
    truePositives: truePositives.subarray(0, count),
    falsePositives: falsePositives.subarray(0, count),
    positives,
    negatives,
  };
}

/**
 * Counts of samples of the same items, for one sort: the result takes places of items, of which the first `normals` are
 * normal and all others anomalous, each as often as it was drawn, and gives what `rankCounts` would of their scores, in arrays
 * that are used again. Scores must be numbers.
 */
export function rankCounter(
  scores: ArrayLike<number>,
  labels: ArrayLike<number>,
): (chosen: Uint32Array, normals: number) => RankCounts {
  const { thresholds: levels } = rankCounts(scores, labels)!;
  // The place of each item's score among the distinct ones, by bisection: no sort of items is needed.
  const level = Uint32Array.from(scores, (score) => {
    let [low, high] = [0, levels.length - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (levels[middle] <= score) high = middle;
      else low = middle + 1;
    }
    return low;
  });
  const thresholds = new Float64Array(levels.length);
  const truePositives = new Uint32Array(levels.length);
  const falsePositives = new Uint32Array(levels.length);
  const [hits, alarms] = [new Uint32Array(levels.length), new Uint32Array(levels.length)];
  return (chosen, normals) => {
    hits.fill(0);
    alarms.fill(0);
    for (let i = 0; i < normals; i++) alarms[level[chosen[i]]]++;
    for (let i = normals; i < chosen.length; i++) hits[level[chosen[i]]]++;
    let [count, positives, negatives] = [0, 0, 0];
    for (let l = 0; l < levels.length; l++) {
      if (hits[l] + alarms[l] === 0) continue;
      positives += hits[l];
      negatives += alarms[l];
      thresholds[count] = levels[l];
      truePositives[count] = positives;
      falsePositives[count++] = negatives;
    }
    return {
      thresholds: thresholds.subarray(0, count),
      truePositives: truePositives.subarray(0, count),
      falsePositives: falsePositives.subarray(0, count),
      positives,
      negatives,
    };
  };
}
