/** Thresholds of series by how many false alarms they make a day, or in 1,000 steps: alarms are counted, after the rule, and not steps. */
import { ConfigError } from '../../core/errors.ts';
import { option, say } from '../../core/text.ts';
import type { SeriesSpan } from '../../data/pure.ts';
import { alarmRate, thresholdForAlarmRate } from '../../metrics/index.ts';
import type { SeriesReading } from '../scoring/artifact.ts';
import { describeThreshold, type NormalsOrigin, type ThresholdReport } from './calibrate.ts';

/** In what alarms are counted. */
export type AlarmUnit = 'day' | '1000 steps';

/** A wanted rate of false alarms. */
export interface WantedAlarms {
  readonly rate: number;
  readonly per: AlarmUnit;
}

/** How many false alarms a threshold makes on held-out normal steps. */
export interface AlarmRateReport {
  /** Null where the threshold was chosen by something else. */
  readonly wanted: number | null;
  readonly per: AlarmUnit;
  /** Alarms among them, after the rule. */
  readonly found: number;
  /** How many days, or thousands of steps, they are. */
  readonly units: number;
  /** Alarms a day, or in 1,000 steps, and its 95 % interval. */
  readonly rate: number;
  readonly interval: readonly [number, number];
}

const DAY = 86_400_000;

/** The wanted rate as options give it. ConfigError `alarm-rate` for two of them. */
export function wantedRate({ perDay, per1000 }: { perDay?: number; per1000?: number }): WantedAlarms {
  if ((perDay === undefined) === (per1000 === undefined))
    throw new ConfigError(
      'alarm-rate',
      'A rate of false alarms is either of a day or of 1,000 steps: give one of them.',
    );
  return perDay === undefined ? { rate: per1000!, per: '1000 steps' } : { rate: perDay, per: 'day' };
}

/** Scores of steps, by the numbers of their items, as stretches of neighbours: no stretch leaves a series or leaps over a step. */
export function stretchesOf(
  items: readonly number[],
  scores: ArrayLike<number>,
  spans: readonly Pick<SeriesSpan, 'first'>[],
): number[][] {
  const firsts = new Set(spans.map(({ first }) => first));
  const order = items.map((_, i) => i).sort((a, b) => items[a] - items[b]);
  const stretches: number[][] = [];
  for (const [k, i] of order.entries()) {
    const goesOn = k > 0 && items[i] === items[order[k - 1]] + 1 && !firsts.has(items[i]);
    if (!goesOn) stretches.push([]);
    stretches.at(-1)!.push(scores[i]);
  }
  return stretches;
}

/** How many steps the unit has. ConfigError `alarm-rate-times` for days where steps have no times. */
export function stepsOf(per: AlarmUnit, { step }: SeriesReading): number {
  if (per === '1000 steps') return 1000;
  if (step !== undefined) return DAY / step;
  throw new ConfigError(
    'alarm-rate-times',
    say`Alarms a day need times, but these steps are only counted. Ask for a number in 1,000 steps with ${option('alarmRate', { per1000: 1 })}.`,
  );
}

/**
 * The threshold for a wanted rate of false alarms. ConfigError `alarm-rate`, `alarm-rate-times`, and `not-a-series` for items that are
 * no steps, or of artefacts that keep no steps in their order.
 */
export function calibrateAlarms(
  { rate, per }: WantedAlarms,
  reading: SeriesReading | undefined,
  origin: NormalsOrigin = {},
): ThresholdReport {
  if (!reading?.normals)
    throw new ConfigError(
      'not-a-series',
      'A rate of alarms needs held-out steps of series in their order, which this model does not have. Train it on series, or choose a false-positive rate.',
    );
  const unit = stepsOf(per, reading);
  const { normals, alarms: rule = {} } = reading;
  const found = thresholdForAlarmRate(normals, Math.min(rate / unit, 0.999), rule);
  const chosenBy = `${rate} false alarm${rate === 1 ? '' : 's'} ${per === 'day' ? 'a day' : 'in 1,000 steps'} on held-out normals`;
  const kept = Object.fromEntries(Object.entries(origin).filter(([, value]) => value !== undefined));
  if (found.threshold === null)
    return {
      ...describeThreshold([], 0, { rule: chosenBy, sawTest: false, ...kept }),
      value: null,
      reason: found.reason,
    };
  const report = describeThreshold(normals.flat(), found.threshold, { rule: chosenBy, sawTest: false, ...kept });
  return withAlarms({ ...report, reason: found.reason ?? report.reason }, reading, { rate, per });
}

/** A threshold with how many false alarms it makes: a day where steps have times, else in 1,000 steps. */
export function withAlarms(report: ThresholdReport, reading: SeriesReading, wanted?: WantedAlarms): ThresholdReport {
  const { normals, alarms: rule = {}, step } = reading;
  if (!normals || report.alarms || report.value === null) return report;
  const per = wanted?.per ?? (step === undefined ? '1000 steps' : 'day');
  const unit = stepsOf(per, reading);
  const found = alarmRate(normals, report.value, rule);
  if (found.steps === 0) return report;
  const [low, high] = found.interval;
  return {
    ...report,
    alarms: {
      wanted: wanted?.rate ?? null,
      per,
      found: found.alarms,
      units: found.steps / unit,
      rate: found.rate! * unit,
      interval: [low * unit, high * unit],
    },
  };
}
