/**
 * Computes metrics of time series: each series by itself, with its work shared, and their mean over the series that have a
 * value. Steps of different series are never pooled: their scores have no common scale.
 */

import { type AlarmRule, alarmsOf } from '../core/alarms.ts';
import { type Segment, segmentsOf } from '../core/segments.ts';
import type { Metric, NoValue, SeriesInputs, SeriesMetric, SeriesNeed } from './define.ts';
import { gather, type Measured, nothing, type Outcome, type Values } from './measure.ts';
import { type RankCounts, rankCounts, undefinedReason } from './rank-counts.ts';
import { metrics as known, type LevelValues } from './registry.ts';

/** What is known of one series; metrics that need what is left out do not apply. */
export interface SeriesGiven {
  /** `[T]`, raw, larger = more anomalous. */
  readonly scores: ArrayLike<number>;
  /** `[T]`, 1 = anomalous. */
  readonly labels: ArrayLike<number>;
  /** The largest buffer about a segment, in steps. */
  readonly window?: number;
  /** Threshold of scores; null where one was looked for and there is none. */
  readonly threshold?: number | null;
  /** How steps become alarms, for metrics of alarms; without it each step at or above the threshold is one. */
  readonly alarmRule?: AlarmRule;
  /** The first steps, in which no alarm counts. */
  readonly probation?: number;
}

/** Metrics of several series. */
export interface MeasuredSeries<Own = Values> {
  /** One by one, in their order. */
  readonly each: readonly Measured<Own>[];
  /** Means over the series that have a value; null, with the reason of the first, where none has. */
  readonly mean: Measured<Own>;
  /** Over how many series each mean is taken. */
  readonly counts: Readonly<Record<string, number>>;
}

const isSeriesMetric = (metric: Metric): metric is SeriesMetric => metric.level === 'series';

/**
 * The metrics of series among those given – all of the registry unless others are – by name. Throws as `undefinedReason`,
 * and as the metrics do for a window that is none.
 */
export function measureSeries(series: readonly SeriesGiven[]): MeasuredSeries<LevelValues<'series'>>;
export function measureSeries(series: readonly SeriesGiven[], metrics: readonly Metric[]): MeasuredSeries;
export function measureSeries(series: readonly SeriesGiven[], metrics: readonly Metric[] = known): MeasuredSeries {
  const own = metrics.filter(isSeriesMetric);
  const each = series.map((given) => measureOne(given, own));
  const counts: Record<string, number> = {};
  const means = own.map(({ name }): readonly [string, Outcome] => {
    const values = each.map((one) => one.values[name]).filter((value) => value !== undefined);
    const numbers = values.filter((value) => value !== null);
    if (values.length === 0) return [name, undefined];
    counts[name] = numbers.length;
    if (numbers.length > 0) return [name, numbers.reduce((sum, value) => sum + value, 0) / numbers.length];
    return [name, { reason: each.map((one) => one.reasons[name]).find((reason) => reason !== undefined)! }];
  });
  return { each, mean: gather(means), counts };
}

function measureOne(given: SeriesGiven, metrics: readonly SeriesMetric[]): Measured {
  const reason = undefinedReason(given.scores, given.labels, 'steps');
  const inputs = inputsOf(given);
  const unmet = (need: SeriesNeed): NoValue | undefined | null => {
    if (need === 'both-labels') return reason === null ? null : { reason };
    if (given[need] === null) return { reason: 'There is no threshold.' };
    return given[need] === undefined ? undefined : null;
  };
  return gather(
    metrics.map((metric) => {
      const found = (metric.needs ?? []).map(unmet).filter((outcome) => outcome !== null);
      if (found.includes(undefined)) return [metric.name, undefined];
      return [metric.name, found.length > 0 ? found[0] : (metric.compute(inputs) ?? nothing)];
    }),
  );
}

/** What metrics of one series are computed from; shared work is done when the first metric asks for it. */
function inputsOf(given: SeriesGiven): SeriesInputs<SeriesNeed> {
  let ranks: RankCounts | null | undefined;
  let segments: readonly Segment[] | undefined;
  let alarms: Uint8Array | undefined;
  const made = new Map<unknown, unknown>();
  const inputs = {
    ...given,
    get ranks() {
      ranks ??= rankCounts(given.scores, given.labels);
      return ranks;
    },
    get segments() {
      segments ??= segmentsOf(given.labels);
      return segments;
    },
    get alarms() {
      alarms ??= alarmSteps(given);
      return alarms;
    },
    shared<T>(work: (series: SeriesInputs<SeriesNeed>) => T): T {
      if (!made.has(work)) made.set(work, work(inputs as SeriesInputs<SeriesNeed>));
      return made.get(work) as T;
    },
  };
  return inputs as SeriesInputs<SeriesNeed>; // each metric reads what its needs promise, and these are checked before
}

/** 1 for the steps inside an alarm. */
function alarmSteps({ scores, threshold = null, alarmRule }: SeriesGiven): Uint8Array {
  const marks = new Uint8Array(scores.length);
  for (const { start, end } of alarmsOf(scores, threshold, alarmRule)) marks.fill(1, start, end);
  return marks;
}
