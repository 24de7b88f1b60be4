/**
 * Thresholds chosen from labelled items. They need anomalies like those to come, and items of their own: on the items
 * that chose it a threshold looks better than it is. Whoever shows one says so (`sawLabels`).
 */
import { ConfigError } from '../core/errors.ts';
import { type OperatingPoint, operatingPoint } from './operating-point.ts';
import { type RankCounts, rankCounts, undefinedReason } from './rank-counts.ts';
import { atOrBelow, ceilTo3, justAbove, mustBeFinite, type Threshold } from './threshold.ts';

/** A threshold from labels, and what it does to the very items that chose it. */
export interface LabelledThreshold extends Threshold {
  readonly sawLabels: true;
  /** Confusion matrix and rates on the items that chose it: optimistic. Null when there is no threshold. */
  readonly onThese: OperatingPoint | null;
}

/** A threshold for a wanted miss rate. */
export interface MissRateThreshold extends LabelledThreshold {
  readonly wantedMissRate: number;
}

/** A threshold with the best F-beta. */
export interface FBetaThreshold extends LabelledThreshold {
  readonly beta: number;
  /** F-beta at the threshold, (0, 1]; null when there is no threshold. */
  readonly fBeta: number | null;
}

/** What errors cost, in any one unit. */
export interface Costs {
  /** Cost of an alarm on a normal item, >= 0. */
  readonly falseAlarm: number;
  /** Cost of an anomaly without alarm, >= 0. */
  readonly miss: number;
  /** Share of anomalous items where the detector will work, in (0, 1); that of the given items when left out. */
  readonly prevalence?: number;
}

/** A threshold with the least expected cost. */
export interface CostThreshold extends LabelledThreshold {
  /** What was reckoned with; the prevalence is null when it was left out and there are no items. */
  readonly costs: { readonly falseAlarm: number; readonly miss: number; readonly prevalence: number | null };
  /** Expected cost per item: at the threshold, and without a detector. Null when there is no threshold. */
  readonly expectedCost: {
    readonly here: number;
    readonly alwaysAlarming: number;
    readonly neverAlarming: number;
  } | null;
}

/** Counts the kinds, checks the scores and says in words what is there. */
function labelledItems(scores: ArrayLike<number>, labels: ArrayLike<number>) {
  const reason = undefinedReason(scores, labels);
  mustBeFinite(scores, 'Scores with labels');
  let anomalies = 0;
  for (let i = 0; i < labels.length; i++) anomalies += labels[i];
  const normals = labels.length - anomalies;
  const plural = labels.length === 1 ? '' : 's';
  return { reason, anomalies, basedOn: `${normals} normal and ${anomalies} anomalous score${plural} with labels` };
}

/**
 * The highest threshold that keeps the wanted miss rate β.
 *
 * Rule: with the P anomalous scores sorted upwards and k = ⌊(P + 1)·β⌋, the threshold is s(k) (as float32). Guarantee:
 * when these anomalies and a new one are exchangeable, the new one is missed with probability at most β, as in
 * `thresholdForFalseAlarms` mirrored. With fewer than 1/β − 1 anomalies no k exists; then the threshold is the lowest
 * anomalous score and `reason` says so. Normal items play no part, and there may be none.
 *
 * @throws ConfigError for β outside (0, 1); DataError for scores that are not finite; as `undefinedReason`.
 */
export function thresholdForMissRate(
  scores: ArrayLike<number>,
  labels: ArrayLike<number>,
  wantedMissRate: number,
): MissRateThreshold {
  if (!(wantedMissRate > 0 && wantedMissRate < 1)) {
    throw new ConfigError('miss-rate', `The miss rate must be above 0 and below 1, got ${wantedMissRate}.`);
  }
  const { anomalies: n, basedOn } = labelledItems(scores, labels);
  const origin = { rule: 'miss-rate', basedOn, sawLabels: true, wantedMissRate } as const;
  if (n === 0) {
    const reason = 'There are no anomalous scores. Label some anomalies, or choose by false-positive rate.';
    return { ...origin, threshold: null, onThese: null, reason };
  }
  const anomalous = Float64Array.from(scores)
    .filter((_, i) => labels[i] === 1)
    .sort();
  // The 1e-9 undoes rounding such as (99 + 1)·0.07 = 7.000000000000001 or 6.999999999999999.
  const k = Math.floor((n + 1) * wantedMissRate + 1e-9);
  const threshold = atOrBelow(anomalous[Math.max(1, k) - 1]);
  const needed = Math.ceil(1 / wantedMissRate - 1 - 1e-9);
  return {
    ...origin,
    threshold,
    onThese: operatingPoint(scores, labels, threshold),
    reason:
      k >= 1
        ? null
        : `A miss rate of ${wantedMissRate} needs at least ${needed} anomalous scores, got ${n}. The threshold is the ` +
          `lowest of them; label more anomalies, or ask for a rate of ${ceilTo3(1 / (n + 1))} or more.`,
  };
}

/** The threshold index with the largest value; of equal ones the lowest threshold. */
function best({ thresholds }: RankCounts, value: (k: number) => number): { k: number; value: number } {
  let found = { k: -1, value: Number.NEGATIVE_INFINITY };
  for (let k = 0; k < thresholds.length; k++) {
    const here = value(k);
    if (here >= found.value) found = { k, value: here };
  }
  return found;
}

/**
 * The threshold with the largest F_β = (1 + β²)·TP / ((1 + β²)·TP + β²·FN + FP): recall counts β times as much as
 * precision. Of equal ones the lowest. The result depends on the share of anomalies among the given items.
 * @throws ConfigError for β that is not above 0; DataError for scores that are not finite; as `undefinedReason`.
 */
export function thresholdForFBeta(scores: ArrayLike<number>, labels: ArrayLike<number>, beta = 1): FBetaThreshold {
  if (!(beta > 0 && Number.isFinite(beta))) {
    throw new ConfigError('beta', `The beta of F-beta must be a number above 0, got ${beta}.`);
  }
  const { reason, basedOn } = labelledItems(scores, labels);
  const origin = { rule: 'f-beta', basedOn, sawLabels: true, beta } as const;
  const counts = rankCounts(scores, labels);
  if (!counts) return { ...origin, threshold: null, fBeta: null, onThese: null, reason };
  const { thresholds, truePositives, falsePositives, positives } = counts;
  // With FN = P − TP the denominator is TP + FP + β²·P.
  const square = beta * beta;
  const { k, value } = best(
    counts,
    (i) => ((1 + square) * truePositives[i]) / (truePositives[i] + falsePositives[i] + square * positives),
  );
  const threshold = atOrBelow(thresholds[k]);
  return { ...origin, threshold, fBeta: value, onThese: operatingPoint(scores, labels, threshold), reason: null };
}

/**
 * The threshold with the least expected cost per item, π·c_miss·(miss rate) + (1 − π)·c_false·(false-alarm rate), π the
 * prevalence where the detector will work. Of equal ones the lowest. Where never alarming is cheapest the threshold
 * lies just above all scores, and `reason` says so.
 * @throws ConfigError for costs below 0, both 0, or a prevalence outside (0, 1); DataError for scores that are not
 * finite; as `undefinedReason`.
 */
export function thresholdForCost(scores: ArrayLike<number>, labels: ArrayLike<number>, costs: Costs): CostThreshold {
  const { falseAlarm, miss } = costs;
  if (!(falseAlarm >= 0 && miss >= 0 && falseAlarm + miss > 0 && Number.isFinite(falseAlarm + miss))) {
    throw new ConfigError(
      'costs',
      `The costs of a false alarm and of a miss must be at least 0 and not both 0, got ${falseAlarm} and ${miss}.`,
    );
  }
  const { reason, anomalies, basedOn } = labelledItems(scores, labels);
  const prevalence = costs.prevalence ?? (labels.length === 0 ? null : anomalies / labels.length);
  if (costs.prevalence !== undefined && !(costs.prevalence > 0 && costs.prevalence < 1)) {
    throw new ConfigError('prevalence', `The prevalence must be above 0 and below 1, got ${costs.prevalence}.`);
  }
  const origin = { rule: 'cost', basedOn, sawLabels: true, costs: { falseAlarm, miss, prevalence } } as const;
  const counts = rankCounts(scores, labels);
  if (!counts || prevalence === null) {
    return { ...origin, threshold: null, expectedCost: null, onThese: null, reason };
  }
  const { thresholds, truePositives, falsePositives, positives, negatives } = counts;
  const neverAlarming = prevalence * miss;
  const alwaysAlarming = (1 - prevalence) * falseAlarm;
  const cost = (k: number) =>
    neverAlarming * (1 - truePositives[k] / positives) + alwaysAlarming * (falsePositives[k] / negatives);
  const { k, value } = best(counts, (i) => -cost(i));
  const isWorthIt = -value <= neverAlarming;
  const threshold = isWorthIt ? atOrBelow(thresholds[k]) : justAbove(thresholds[0]);
  return {
    ...origin,
    threshold,
    expectedCost: { here: isWorthIt ? -value : neverAlarming, alwaysAlarming, neverAlarming },
    onThese: operatingPoint(scores, labels, threshold),
    reason: isWorthIt
      ? null
      : 'At these costs never alarming is cheaper than any threshold; it lies just above all scores. Check costs and prevalence.',
  };
}
