/**
 * Chooses between detectors of a whole series, for each series anew and without labels, from their scores and the series.
 * MMPAD and Sub-PCA fail on different series: the better one of each series has a far higher mean than either.
 *
 * Chosen on 704 series of two seeds: generated ones of seven families with eight kinds of anomalies, and such anomalies planted
 * into SKAB's normal file and the training parts of SMD (src/bench/series). No series of NAB, UCR or TSB-AD took part; that
 * the peak of MMPAD decides first was a hint from ten files of TSB-AD, whose limit (4) was not kept. The branches were found on
 * the first seed, the limits are the middle of the plateau of mean VUS-PR over a grid of 504. Mean VUS-PR there, in brackets on
 * 352 series of a new seed:
 *
 *     MMPAD .425 (.438), Sub-PCA .426 (.442), POLY .382 (.403), point score .397 (.418), spectral residual .327 (.321)
 *     MMPAD where its peak is above 4, else Sub-PCA .509 (.509); the larger robust peak of the two .498 (.507)
 *     mean rank of the two .404 (.439), of all five .428 (.460)
 *     the rule below .527 (.528); the better of the two for each series .559 (.568), the best of the five .632 (.642)
 *
 * Looked at and left out: the larger kurtosis of the two (.517 on the first seed), ridge regressions of VUS-PR on 1 to 22 figures
 * of the scores (.50 to .54, families held out), the largest of two ranks (.455), and a choice by the height of the
 * autocorrelation (.487) or by how well windows repeat (.510). The bench `series-choice` repeats the table.
 */
import { windowLength } from '../../../data/series/window-length.ts';
import { type CandidateName, candidates } from './candidates.ts';
import { mmpadLength } from './mmpad.ts';
import { medianOf, NORMAL_MAD } from './point-score.ts';
import { meanRanks } from './ranks.ts';

/** The constants of the rule. */
export interface ChoiceLimits {
  /** MMPAD is taken where its highest score lies more than this above its median, in robust standard deviations. */
  readonly shape: number;
  /** Else spectral residual, where the excess kurtosis of the changes from step to step is more than this. */
  readonly points: number;
  /** Else Sub-PCA, where its highest score lies at least this above its mean, in standard deviations. */
  readonly peak: number;
}

export const choiceLimits: ChoiceLimits = { shape: 5, points: 50, peak: 3.25 };

/** What is ranked together where no detector stands out. */
const together = ['poly', 'spectral-residual', 'point'] as const satisfies readonly CandidateName[];

/** What was chosen for a series, and why. */
export interface Choice {
  /** A detector, or `ranks`: the mean of the ranks of several. */
  readonly chosen: CandidateName | 'ranks';
  /** `[T]`, larger = more anomalous; in the units of what was chosen. */
  readonly scores: Float64Array;
  /** One sentence with the figures that decided. */
  readonly reason: string;
}

export interface ChooseOptions {
  /** Steps of a period and of a window, default `windowLength(values)`. */
  readonly period?: number;
  /** Takes the mean rank of all detectors instead of one of them. Default false: on the series of the choice it was worse. */
  readonly combine?: boolean;
  /** Default `choiceLimits`. */
  readonly limits?: ChoiceLimits;
  /** Gives scores of detectors that are known already. */
  readonly scoresOf?: (name: CandidateName) => Float64Array;
}

/**
 * Scores of a series `[T]` by the detector that suits it. Detectors run only as far as they are needed; MMPAD, whose cost grows
 * with T², always runs, except where the series is shorter than two of its windows. DataError where the series is shorter than a
 * window, or a value is not finite.
 */
export function choose(values: Float64Array, options: ChooseOptions = {}): Choice {
  const { period = windowLength(values), combine = false } = options;
  const scoresOf = options.scoresOf ?? ((name) => candidates[name].score(values, period));
  const hasShapes = values.length >= 2 * mmpadLength(period);
  if (combine) {
    const names = (Object.keys(candidates) as CandidateName[]).filter((name) => name !== 'mmpad' || hasShapes);
    return {
      chosen: 'ranks',
      scores: meanRanks(...names.map(scoresOf)),
      reason: `Mean rank of ${titles(names)}, as asked.`,
    };
  }
  const { shape, points, peak } = options.limits ?? choiceLimits;
  const shapes = hasShapes ? scoresOf('mmpad') : undefined;
  const stands = shapes && robustPeak(shapes);
  if (shapes && stands! > shape) {
    const reason = `MMPAD: its highest score lies ${say(stands!)} robust deviations above its median (more than ${shape}), so some shapes are unlike all others.`;
    return { chosen: 'mmpad', scores: shapes, reason };
  }
  const noShape = shapes
    ? `no shape stands out (MMPAD's highest score lies ${say(stands!)} robust deviations above its median, not more than ${shape})`
    : `the series is too short for MMPAD (${values.length} steps, fewer than ${2 * mmpadLength(period)})`;
  const tails = changeKurtosis(values);
  if (tails > points) {
    const reason = `Spectral residual: ${noShape}, and the changes from step to step have an excess kurtosis of ${say(tails)} (more than ${points}), so there are isolated jumps.`;
    return { chosen: 'spectral-residual', scores: scoresOf('spectral-residual'), reason };
  }
  const windows = scoresOf('sub-pca');
  const height = peakHeight(windows);
  if (height >= peak) {
    const reason = `Sub-PCA: ${noShape}, and its own highest score lies ${say(height)} standard deviations above its mean (at least ${peak}).`;
    return { chosen: 'sub-pca', scores: windows, reason };
  }
  const reason = `Mean rank of ${titles(together)}: ${noShape}, and neither does a window for Sub-PCA (${say(height)} standard deviations above its mean, less than ${peak}).`;
  return { chosen: 'ranks', scores: meanRanks(...together.map(scoresOf)), reason };
}

/** (largest − median) / (1.4826 · median absolute deviation); infinite where more than half of the scores are equal, 0 where all are. */
export function robustPeak(scores: Float64Array): number {
  const middle = medianOf(scores);
  const above = scores.reduce((a, b) => Math.max(a, b)) - middle;
  return above === 0 ? 0 : above / (NORMAL_MAD * medianOf(scores.map((score) => Math.abs(score - middle))));
}

/** (largest − mean) / standard deviation; 0 where all scores are equal. */
export function peakHeight(scores: Float64Array): number {
  const { mean, variance } = moments(scores);
  return variance > 0 ? (scores.reduce((a, b) => Math.max(a, b)) - mean) / Math.sqrt(variance) : 0;
}

/** Excess kurtosis of the first differences of a series `[T]`; 0 where they are all equal. */
export function changeKurtosis(values: Float64Array): number {
  const changes = values.subarray(1).map((value, t) => value - values[t]);
  const { variance, fourth } = moments(changes);
  return variance > 0 ? fourth / variance ** 2 - 3 : 0;
}

function moments(values: Float64Array) {
  const n = values.length;
  let [mean, variance, fourth] = [0, 0, 0];
  for (const value of values) mean += value / n;
  for (const value of values) {
    const square = (value - mean) ** 2;
    variance += square / n;
    fourth += square ** 2 / n;
  }
  return { mean, variance, fourth };
}

/** Beyond a thousand a figure says no more than that the spread is next to nothing. */
const say = (value: number) => (value < 1000 ? value.toFixed(1) : 'over a thousand');

function titles(names: readonly CandidateName[]): string {
  const list = names.map((name) => candidates[name].title);
  return `${list.slice(0, -1).join(', ')} and ${list.at(-1)}`;
}
