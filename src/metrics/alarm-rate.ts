/**
 * Thresholds for a wanted rate of false alarms of series: what is counted are alarms, after the rule that joins steps, in
 * stretches of normal steps, and not steps. Alarms are taken to come as a Poisson process: the interval of their rate is the exact one
 * of Garwood (Biometrika 28, 1936). Left out: rates that change with the hour.
 */
import { type AlarmRule, alarmsOf } from '../core/alarms.ts';
import { ConfigError } from '../core/errors.ts';
import { justAbove, mustBeFinite } from './threshold.ts';

/** Scores of normal steps in their order, stretch by stretch; alarms never span two stretches. */
export type Stretches = readonly ArrayLike<number>[];

/** A threshold for a rate of alarms. */
export interface AlarmThreshold {
  /** Null where there are no normal steps. */
  readonly threshold: number | null;
  /** Alarms among the normal steps. */
  readonly alarms: number;
  /** How many steps there are. */
  readonly steps: number;
  /** Alarms a step. */
  readonly rate: number | null;
  /** 95 % interval of the rate. */
  readonly interval: readonly [number, number];
  /** Why the wanted rate is not promised, or null. */
  readonly reason: string | null;
}

/** Alarms at a threshold in all stretches. O(steps). */
export function countAlarms(stretches: Stretches, threshold: number, rule: AlarmRule): number {
  return stretches.reduce((n, scores) => n + alarmsOf(scores, threshold, rule).length, 0);
}

/** What a threshold does on normal steps. */
export function alarmRate(stretches: Stretches, threshold: number | null, rule: AlarmRule): AlarmThreshold {
  const steps = stretches.reduce((n, { length }) => n + length, 0);
  const alarms = threshold === null ? 0 : countAlarms(stretches, threshold, rule);
  const [low, high] = poissonInterval(alarms);
  return {
    threshold,
    alarms,
    steps,
    rate: steps > 0 ? alarms / steps : null,
    interval: steps > 0 ? [low / steps, high / steps] : [0, Number.POSITIVE_INFINITY],
    reason: null,
  };
}

/**
 * The lowest threshold of which one alarm more than it makes is still within the wanted rate: with T steps and a rate of r alarms a
 * step it makes at most ⌊r T⌋ − 1 of them, as the split-conformal rule keeps one item back. With r T below 1 it lies just above all
 * scores, and `reason` says so. It is searched from above, where a lower threshold makes more alarms.
 * @throws ConfigError for a rate that is not positive; DataError for scores that are not finite.
 */
export function thresholdForAlarmRate(stretches: Stretches, wanted: number, rule: AlarmRule): AlarmThreshold {
  if (!(wanted > 0 && wanted < 1))
    throw new ConfigError('alarm-rate', `The rate of alarms must be above 0 and below 1 a step, got ${wanted}.`);
  for (const scores of stretches) mustBeFinite(scores, 'Held-out normal scores');
  const steps = stretches.reduce((n, { length }) => n + length, 0);
  if (steps === 0) {
    const reason = 'There are no held-out normal steps. Hold out some, or set a threshold by hand.';
    return { ...alarmRate(stretches, null, rule), reason };
  }
  const all = new Float64Array(steps);
  let at = 0;
  for (const scores of stretches) {
    all.set(Float64Array.from(scores), at);
    at += scores.length;
  }
  const levels = Float64Array.from(new Set(all)).sort().reverse();
  const most = Math.floor(wanted * steps + 1e-9) - 1;
  const above = (k: number) => justAbove(levels[k]);
  const isWithin = (k: number) => countAlarms(stretches, above(k), rule) <= Math.max(0, most);
  // Level k is the largest that is not reached; the first is within any rate.
  let [low, step] = [0, 1];
  while (low + step < levels.length && isWithin(low + step)) {
    low += step;
    step *= 2;
  }
  let high = Math.min(levels.length, low + step);
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (isWithin(middle)) low = middle;
    else high = middle;
  }
  const found = alarmRate(stretches, above(most < 0 ? 0 : low), rule);
  if (most >= 0) return found;
  const reason = `The rate needs at least ${Math.ceil(1 / wanted)} held-out normal steps, got ${steps}. The threshold is just above all of their scores; hold out more, or ask for a higher rate.`;
  return { ...found, reason };
}

/** 95 % interval of the mean of a Poisson count (Garwood 1936), by bisection. */
export function poissonInterval(count: number): readonly [number, number] {
  const low = count === 0 ? 0 : solve((mean) => 1 - atMost(count - 1, mean), 0.025);
  return [low, solve((mean) => -atMost(count, mean), -0.025)];
}

/** The probability of at most `count` where the mean is `mean`. */
function atMost(count: number, mean: number): number {
  let [term, sum] = [-mean, Math.exp(-mean)];
  for (let k = 1; k <= count; k++) {
    term += Math.log(mean / k);
    sum += Math.exp(term);
  }
  return Math.min(1, sum);
}

/** Where a function that rises reaches a value. */
function solve(rising: (mean: number) => number, value: number): number {
  let [low, high] = [1e-12, 10];
  while (rising(high) < value) high *= 2;
  for (let i = 0; i < 100; i++) {
    const middle = (low + high) / 2;
    if (rising(middle) < value) low = middle;
    else high = middle;
  }
  return high;
}
