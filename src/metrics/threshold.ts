/**
 * Thresholds that need no anomaly: for a wanted false-alarm rate, from scores of held-out normal items only – the
 * split-conformal quantile (Vovk et al. 2005, ch. 4), which assumes no shape of the distribution – and by hand.
 */
import { ConfigError, DataError } from '../core/errors.ts';
import { clopperPearson } from './interval.ts';
import { forecastRate } from './rate-forecast.ts';

/** A threshold and where it comes from. An item is anomalous when its score is >= `threshold`. */
export interface Threshold {
  /** The threshold; null when the scores do not suffice for any, and `reason` then says why. */
  readonly threshold: number | null;
  /** The rule that chose it. */
  readonly rule: 'false-alarm-rate' | 'miss-rate' | 'f-beta' | 'cost' | 'value';
  /** What it was chosen from, as a phrase: "99 held-out normal scores". */
  readonly basedOn: string;
  /** Labels of anomalies took part: what it does to these very items is better than what it will do to others. */
  readonly sawLabels: boolean;
  /** What keeps it from being what was wished, as a sentence with what to do, or null. */
  readonly reason: string | null;
}

/** How the scores came about. */
export interface ThresholdOrigin {
  /** Scores were made by detectors that saw fewer items than the one they stand for. Default false. */
  readonly isCrossFitted?: boolean;
  /**
   * So many neighbouring scores move together, as those of overlapping windows do, and count as one where it is said how far
   * the threshold can be trusted. Default 1.
   */
  readonly together?: number;
}

/** A threshold for a wanted false-alarm rate, and how far it can be trusted. */
export interface FalseAlarmThreshold extends Threshold {
  /** The rate that was asked for. */
  readonly wantedFalseAlarmRate: number;
  /** Number of held-out normal scores, n. */
  readonly normals: number;
  /** Share of these scores that reach the threshold; null when there are none. */
  readonly empiricalRate: number | null;
  /** Clopper–Pearson 95 % interval of the false-alarm rate, from the alarms among these n scores. */
  readonly interval: readonly [number, number];
  /** 90 % prediction interval: the share of 1,000 new normal items that reach it, see `forecastRate`. */
  readonly rateInterval: readonly [number, number];
}

/** "1 held-out normal score", "2 held-out normal scores". */
const scoresInWords = (n: number, kind: string) => `${n} ${kind} score${n === 1 ? '' : 's'}`;

/** The smallest float32 above `value`, so that the threshold survives float32 storage (beyond its range, the next double). */
export function justAbove(value: number): number {
  const bits = new DataView(new ArrayBuffer(8));
  let single = Math.fround(value);
  if (Number.isFinite(single)) {
    if (single > value) return single;
    if (single === 0) single = 0; // −0 becomes 0
    bits.setFloat32(0, single);
    bits.setInt32(0, bits.getInt32(0) + (single < 0 ? -1 : 1));
    if (Number.isFinite(bits.getFloat32(0))) return bits.getFloat32(0);
  }
  if (!Number.isFinite(value)) return value;
  bits.setFloat64(0, value);
  bits.setBigInt64(0, bits.getBigInt64(0) + (value < 0 ? -1n : 1n));
  return bits.getFloat64(0);
}

/** The largest float32 that is not above `value`: whatever reaches `value` reaches it too. */
export function atOrBelow(value: number): number {
  const single = Math.fround(value);
  if (single <= value) return single;
  return Number.isFinite(single) ? -justAbove(-single) : value;
}

/** Throws DataError `scores` unless all scores are finite. */
export function mustBeFinite(scores: ArrayLike<number>, what: string): void {
  for (let i = 0; i < scores.length; i++) {
    if (!Number.isFinite(scores[i])) {
      throw new DataError('scores', `${what} must be finite, got ${scores[i]}. Check the model first.`);
    }
  }
}

/** A threshold that a person gives. Throws ConfigError for a value that is not finite. */
export function thresholdByValue(value: number, sawLabels = false): Threshold {
  if (!Number.isFinite(value))
    throw new ConfigError('threshold', `The threshold must be a finite number, got ${value}.`);
  return { threshold: value, rule: 'value', basedOn: 'a value given by hand', sawLabels, reason: null };
}

/**
 * The lowest threshold that keeps the wanted false-alarm rate α.
 *
 * Rule: with the n scores sorted upwards, s(1) <= … <= s(n), and k = ⌈(n + 1)(1 − α)⌉, the threshold is the smallest
 * float32 above s(k). Guarantee: when the held-out scores and a new normal score are exchangeable (the model has not
 * seen the held-out items), the new one alarms with probability at most α, averaged over held-out sets; ties only lower
 * it. For one given held-out set the true rate scatters: see `rateInterval`. With fewer than 1/α − 1 scores no k exists;
 * then the threshold is just above the largest score and `reason` says so.
 *
 * `isCrossFitted` says that scores were made by detectors that saw fewer items than the one they stand for, whose rate is then
 * rather lower than counted: the interval has no low end.
 * @throws ConfigError for α outside (0, 1); DataError for scores that are not finite.
 */
export function thresholdForFalseAlarms(
  normalScores: ArrayLike<number>,
  wantedFalseAlarmRate: number,
  { isCrossFitted = false, together = 1 }: ThresholdOrigin = {},
): FalseAlarmThreshold {
  if (!(wantedFalseAlarmRate > 0 && wantedFalseAlarmRate < 1)) {
    throw new ConfigError(
      'false-alarm-rate',
      `The false-positive rate (share of false alarms) must be above 0 and below 1, got ${wantedFalseAlarmRate}.`,
    );
  }
  const sorted = Float64Array.from(normalScores).sort();
  const n = sorted.length;
  mustBeFinite(sorted, 'Held-out normal scores');
  const origin = {
    rule: 'false-alarm-rate',
    basedOn: scoresInWords(n, 'held-out normal'),
    sawLabels: false,
  } as const;
  if (n === 0) {
    return {
      ...origin,
      threshold: null,
      wantedFalseAlarmRate,
      normals: 0,
      empiricalRate: null,
      interval: [0, 1],
      rateInterval: forecastRate(0, { above: 0 }),
      reason: 'There are no held-out normal scores. Hold out some normal items, or set a threshold by hand.',
    };
  }
  // The 1e-9 undoes rounding such as (99 + 1)(1 − 0.01) = 99.00000000000001.
  const k = Math.max(1, Math.ceil((n + 1) * (1 - wantedFalseAlarmRate) - 1e-9));
  const needed = Math.ceil(1 / wantedFalseAlarmRate - 1 - 1e-9);
  const threshold = justAbove(sorted[Math.min(k, n) - 1]);
  let alarms = 0;
  while (alarms < n && sorted[n - 1 - alarms] >= threshold) alarms++;
  const [groups, ofGroups] = [independent(n, together), (count: number) => Math.ceil(count / together)];
  return {
    ...origin,
    threshold,
    wantedFalseAlarmRate,
    normals: n,
    empiricalRate: alarms / n,
    interval: clopperPearson(Math.min(groups, ofGroups(alarms)), groups),
    // Without ties n − min(k, n) scores lie above.
    rateInterval: forecastRate(
      groups,
      ofThreshold(isCrossFitted ? 0 : ofGroups(alarms), Math.min(groups - 1, ofGroups(n - Math.min(k, n)))),
    ),
    reason:
      k <= n
        ? groups < needed
          ? `The ${n} held-out normal scores are worth ${groups}, since ${together} neighbouring ones move together, and a false-positive rate (false alarms) of ${wantedFalseAlarmRate} needs ${needed}: the rate of new ones may be far from it. Hold out more.`
          : null
        : `A false-positive rate (false alarms) of ${wantedFalseAlarmRate} needs at least ${needed} held-out normal scores, got ${n}. ` +
          `The threshold is just above the largest of them; hold out more, or ask for a rate of ${ceilTo3(1 / (n + 1))} or more.`,
  };
}

/** So many scores that tell something of their own, of n of which `together` neighbours move together; at least 1. */
export const independent = (n: number, together: number): number => Math.max(1, Math.floor(n / together));

/** What the rate above an order statistic follows from: where its value is tied, the low end from the fewer that alarm. */
const ofThreshold = (alarms: number, above: number) => (alarms === above ? { above } : { above, least: alarms });

/** Rounds up to three significant digits. */
export function ceilTo3(x: number): number {
  const digit = 10 ** (Math.floor(Math.log10(x)) - 2);
  return Number((Math.ceil(x / digit - 1e-9) * digit).toPrecision(3));
}
