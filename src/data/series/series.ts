/**
 * A series as files give it: values of some channels, step after step, perhaps with times and labels. `regular.ts` makes its
 * steps even, `source.ts` makes items of it.
 */
import { DataError } from '../../core/errors.ts';

export interface Series {
  /** Unique among the series of a data set: the name of its file. */
  readonly id: string;
  /** D names. */
  readonly channels: readonly string[];
  /** `[T, D]`, step after step; NaN where a value is missing. */
  readonly values: Float64Array;
  /** Milliseconds since 1970, one a step, ascending; absent where steps are only counted. */
  readonly times?: Float64Array;
  /** `[T]`, 1 = anomalous; absent where nothing is known of them. */
  readonly labels?: Uint8Array;
  /** The first steps that are for training, 0 to T, where the data say it. */
  readonly train?: number;
  /** Where each step stands in its file: its line, or its number from 1; 0 for steps that were filled in. */
  readonly rows?: Uint32Array;
}

/** T. */
export const stepsOf = ({ values, channels }: Pick<Series, 'values' | 'channels'>): number =>
  values.length / channels.length;

/** Throws DataError `series` unless lengths agree, labels are 0 or 1, times go on, and all series have the same channels. */
export function checkSeries(series: readonly Series[], name: string): void {
  if (series.length === 0) throw new DataError('series', `${name} must hold at least one series, but has none.`);
  const [first] = series;
  for (const one of series) {
    const steps = stepsOf(one);
    const fault =
      one.channels.length === 0
        ? 'must have at least one channel'
        : one.channels.join('\n') !== first.channels.join('\n')
          ? `must have the channels of ${first.id} (${first.channels.slice(0, 6).join(', ')}), but has ${one.channels.slice(0, 6).join(', ')}`
          : !Number.isInteger(steps) || steps === 0
            ? `must have steps of ${one.channels.length} values each, but has ${one.values.length} values`
            : faultOfSteps(one, steps);
    if (fault) throw new DataError('series', `The series ${one.id} of ${name} ${fault}.`);
  }
}

function faultOfSteps({ times, labels, rows, train }: Series, steps: number): string | undefined {
  for (const [what, list] of Object.entries({ times, labels, rows })) {
    if (list && list.length !== steps) return `has ${steps} steps, but ${list.length} ${what}`;
  }
  const back = times?.findIndex((time, t) => t > 0 && !(time > times[t - 1])) ?? -1;
  if (back >= 0) return `must have times that go on, but that of step ${back + 1} does not`;
  const odd = labels?.findIndex((label) => label > 1) ?? -1;
  if (odd >= 0) return `must have labels 0 and 1, but step ${odd + 1} has ${labels![odd]}`;
  if (train !== undefined && !(train >= 0 && train <= steps))
    return `has ${steps} steps, of which ${train} cannot be for training`;
  return undefined;
}
