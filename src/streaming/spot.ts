/**
 * SPOT and DSPOT (Siffer, Fouque, Termier, Largouët, KDD 2017): a threshold that a share q of the scores passes, from the tail of
 * the scores so far. The first scores set a high level t, their .98 quantile; what passes t is fitted by a generalised Pareto
 * distribution, and z = t + (σ/γ)((q n / N)^(−γ) − 1), N of n scores above t. A score above z is an alarm and is not learnt, one
 * between t and z renews the fit. DSPOT does so with the score less the mean of the last normal scores. Ours: the fit takes the
 * last 1,000 excesses only, so that state and cost have bounds. Left out: the lower tail.
 *
 * That alarms are not learnt keeps anomalies out of the tail, and cuts off the largest normal scores too. So more than the wanted
 * share alarms, measured on independent normal and exponential scores: for a rate of 1e-4 three to thirty times as many after
 * 1,000 scores of calibration, three to seven times after 5,000; for 1e-3 two to four times.
 */
import * as z from 'zod';
import { defineStreamThreshold, type ThresholdLearner } from './define.ts';
import { fitParetoTail, tailQuantile } from './pareto-tail.ts';

/** Excesses that are kept for the fit. */
const MOST_EXCESSES = 1000;

const shared = {
  rate: z.number().positive().max(0.1).default(1e-4).describe('q, share of normal scores above the threshold.'),
  calibration: z.int().min(20).max(10_000_000).default(1000).describe('First scores, from which the level is taken.'),
  level: z.number().min(0.5).max(0.999).default(0.98).describe('Quantile of the first scores that is the level t.'),
};

/** The quantile of sorted values with linear interpolation. */
export function quantileOf(sorted: Float64Array, share: number): number {
  const at = share * (sorted.length - 1);
  const below = Math.floor(at);
  const above = Math.min(sorted.length - 1, below + 1);
  return sorted[below] + (at - below) * (sorted[above] - sorted[below]);
}

interface Settings {
  readonly rate: number;
  readonly calibration: number;
  readonly level: number;
  /** Normal scores whose mean is taken off; 0 for none. */
  readonly depth: number;
}

function learner({ rate, calibration, level, depth }: Settings): ThresholdLearner {
  /** The first scores, less the drift. */
  const first = new Float64Array(calibration);
  const excesses = new Float64Array(MOST_EXCESSES);
  const recent = new Float64Array(depth);
  /** Scores of the drift seen (up to `depth`), of the calibration, excesses kept, place of the next excess, of the next recent. */
  const counters = new Int32Array(5);
  /** The level t, the threshold z (both less the drift), scores n, excesses N. */
  const numbers = new Float64Array(4);

  const renew = () => {
    const [t, , n, count] = numbers;
    // The level is at or above the threshold where fewer scores pass it than are wanted.
    const share = Math.min(1, (rate * n) / count);
    numbers[1] = counters[2] === 0 ? t : t + tailQuantile(fitParetoTail(excesses.slice(0, counters[2])), share);
  };

  const addExcess = (value: number) => {
    excesses[counters[3]] = value;
    counters[3] = (counters[3] + 1) % MOST_EXCESSES;
    counters[2] = Math.min(MOST_EXCESSES, counters[2] + 1);
    numbers[3] += 1;
  };

  const calibrate = (value: number) => {
    first[counters[1]] = value;
    counters[1] += 1;
    if (counters[1] < calibration) return;
    numbers[0] = quantileOf(first.slice().sort(), level);
    numbers[2] = calibration;
    for (const one of first) if (one > numbers[0]) addExcess(one - numbers[0]);
    first.fill(0);
    renew();
  };

  const drift = (): number => {
    let sum = 0;
    for (let i = 0; i < depth; i++) sum += recent[i] / depth;
    return sum;
  };

  const learnDrift = (score: number) => {
    if (depth === 0) return;
    recent[counters[4]] = score;
    counters[4] = (counters[4] + 1) % depth;
    counters[0] = Math.min(depth, counters[0] + 1);
  };

  return {
    arrays: { counters, numbers, first, excesses, recent },
    push(score) {
      if (counters[0] < depth) {
        learnDrift(score);
        return { threshold: null, exceeds: false };
      }
      const base = drift();
      const value = score - base;
      if (counters[1] < calibration) {
        calibrate(value);
        learnDrift(score);
        return { threshold: null, exceeds: false };
      }
      const threshold = base + numbers[1];
      if (value > numbers[1]) return { threshold, exceeds: true };
      numbers[2] += 1;
      if (value > numbers[0]) {
        addExcess(value - numbers[0]);
        renew();
      }
      learnDrift(score);
      return { threshold, exceeds: false };
    },
  };
}

/** SPOT: for scores whose distribution stays. No threshold during the calibration. */
export const spot = defineStreamThreshold({
  name: 'spot',
  title: 'SPOT',
  summary: 'A threshold from the tail of the scores so far, for a wanted share of alarms.',
  config: z.strictObject(shared),
  learn: (config) => learner({ ...config, depth: 0 }),
});

/** DSPOT: for scores whose level drifts. */
export const dspot = defineStreamThreshold({
  name: 'dspot',
  title: 'DSPOT',
  summary: 'SPOT on what scores differ from the mean of the last normal ones, for scores that drift.',
  config: z.strictObject({
    ...shared,
    depth: z
      .int()
      .min(1)
      .max(1_000_000)
      .default(20)
      .describe('d, last normal scores whose mean is the level of today.'),
  }),
  learn: learner,
});
