/**
 * A threshold for a wanted false-alarm rate, from scores of held-out normal items only: the split-conformal quantile
 * (Vovk et al. 2005, ch. 4). No anomaly is needed and no shape of the distribution is assumed.
 */
import { ConfigError, DataError } from '../core/errors.ts';
import { clopperPearson } from './interval.ts';

/** A threshold and how far it can be trusted. An item is anomalous when its score is >= `threshold`. */
export interface FalseAlarmThreshold {
  /** The threshold; null when there is no normal score at all. */
  readonly threshold: number | null;
  /** The rate that was asked for. */
  readonly wantedFalseAlarmRate: number;
  /** Number of held-out normal scores, n. */
  readonly normals: number;
  /** Share of these scores that reach the threshold; null when there are none. */
  readonly empiricalRate: number | null;
  /** Clopper–Pearson 95 % interval of the false-alarm rate, from the alarms among these n scores. */
  readonly interval: readonly [number, number];
  /** Why the rate is not guaranteed, as a sentence with what to do, or null when it is. */
  readonly reason: string | null;
}

/** The smallest float32 above `value`, so that the threshold survives float32 storage (beyond its range, the next double). */
function justAbove(value: number): number {
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

/**
 * The lowest threshold that keeps the wanted false-alarm rate α.
 *
 * Rule: with the n scores sorted upwards, s(1) <= … <= s(n), and k = ⌈(n + 1)(1 − α)⌉, the threshold is the smallest
 * float32 above s(k). Guarantee: when the held-out scores and a new normal score are exchangeable (the model has not
 * seen the held-out items), the new one alarms with probability at most α, averaged over held-out sets; ties only lower
 * it. For one given held-out set the true rate scatters: see `interval`. With fewer than 1/α − 1 scores no k exists;
 * then the threshold is just above the largest score and `reason` says so.
 *
 * @throws ConfigError for α outside (0, 1); DataError for scores that are not finite.
 */
export function thresholdForFalseAlarms(
  normalScores: ArrayLike<number>,
  wantedFalseAlarmRate: number,
): FalseAlarmThreshold {
  if (!(wantedFalseAlarmRate > 0 && wantedFalseAlarmRate < 1)) {
    throw new ConfigError(
      'false-alarm-rate',
      `The false-alarm rate must be above 0 and below 1, got ${wantedFalseAlarmRate}.`,
    );
  }
  const sorted = Float64Array.from(normalScores).sort();
  const n = sorted.length;
  const bad = sorted.findIndex((s) => !Number.isFinite(s));
  if (bad >= 0) {
    throw new DataError('scores', `Held-out normal scores must be finite, got ${sorted[bad]}. Check the model first.`);
  }
  if (n === 0) {
    return {
      threshold: null,
      wantedFalseAlarmRate,
      normals: 0,
      empiricalRate: null,
      interval: [0, 1],
      reason: 'There are no held-out normal scores. Hold out some normal items, or set a threshold by hand.',
    };
  }
  // The 1e-9 undoes rounding such as (99 + 1)(1 − 0.01) = 99.00000000000001.
  const k = Math.max(1, Math.ceil((n + 1) * (1 - wantedFalseAlarmRate) - 1e-9));
  const needed = Math.ceil(1 / wantedFalseAlarmRate - 1 - 1e-9);
  const threshold = justAbove(sorted[Math.min(k, n) - 1]);
  let alarms = 0;
  while (alarms < n && sorted[n - 1 - alarms] >= threshold) alarms++;
  return {
    threshold,
    wantedFalseAlarmRate,
    normals: n,
    empiricalRate: alarms / n,
    interval: clopperPearson(alarms, n),
    reason:
      k <= n
        ? null
        : `A false-alarm rate of ${wantedFalseAlarmRate} needs at least ${needed} held-out normal scores, got ${n}. ` +
          `The threshold is just above the largest of them; hold out more, or ask for a rate of ${ceilTo3(1 / (n + 1))} or more.`,
  };
}

/** Rounds up to three significant digits. */
function ceilTo3(x: number): number {
  const digit = 10 ** (Math.floor(Math.log10(x)) - 2);
  return Number((Math.ceil(x / digit - 1e-9) * digit).toPrecision(3));
}
