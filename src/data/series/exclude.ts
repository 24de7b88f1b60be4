/**
 * Stated intervals of a series, such as maintenance: nothing is learnt from their steps and nothing is said of them, nor of steps
 * whose window touches them. Times are read as those of series are. Left out: intervals by numbers of steps, and such that repeat.
 */
import { ConfigError, DataError } from '../../core/errors.ts';
import { readTime, timeFormOf, timeText } from '../table/times.ts';
import type { SeriesFacts, SeriesSpan } from './source.ts';
import { windowStart } from './windows.ts';

/** Steps from `from` to before `to`, milliseconds since 1970. */
export interface Interval {
  readonly from: number;
  readonly to: number;
}

/** Where texts of an interval come from, for sentences. */
export interface IntervalTexts {
  readonly from: string;
  readonly to: string;
  readonly place: string;
}

/**
 * Intervals from texts, of which day and month stand in one order: that in which all of them are times. ConfigError `exclude` for
 * texts that are no times, and for an interval that ends before it begins.
 */
export function readIntervals(texts: readonly IntervalTexts[]): Interval[] {
  const all = texts.flatMap(({ from, to }) => [from, to]);
  const form = timeFormOf(all);
  return texts.map(({ from, to, place }) => {
    const one = form ?? timeFormOf([from, to]);
    if (form === undefined || one === undefined)
      throw new ConfigError(
        'exclude',
        `${place}: an interval must be two times, as in 2014-01-01T00:00/2014-01-02, found ${JSON.stringify(`${from}/${to}`)}.`,
      );
    const interval = { from: readTime(from, form), to: readTime(to, form) };
    if (interval.from < interval.to) return interval;
    throw new ConfigError('exclude', `${place}: an interval must end after it begins, found ${from} to ${to}.`);
  });
}

/**
 * The steps `[T]` that lie in intervals, or see one of their steps through their window, as 1. Windows do not cross `border`, the
 * first step behind the training part. DataError `exclude` for a series without times.
 */
export function excludedSteps(
  { id, times, steps, border = 0 }: Pick<SeriesSpan, 'id' | 'times' | 'steps'> & { readonly border?: number },
  window: number,
  intervals: readonly Interval[],
): Uint8Array {
  if (!times)
    throw new DataError(
      'exclude',
      `${id} has no times, so intervals of time mean nothing in it. Leave the rows out of the file.`,
    );
  const inside = new Uint32Array(steps + 1);
  for (let t = 0; t < steps; t++)
    inside[t + 1] = inside[t] + Number(intervals.some(({ from, to }) => times[t] >= from && times[t] < to));
  const marks = new Uint8Array(steps);
  for (let t = 0; t < steps; t++) {
    const [from, to] = t < border ? [0, border] : [border, steps];
    const start = to - from < window ? from : windowStart(t, window, from, to);
    marks[t] = Number(inside[Math.min(to, start + window)] > inside[start]);
  }
  return marks;
}

/** What is said of intervals in which no step lies. */
export function unmatched(
  intervals: readonly Interval[],
  series: readonly Pick<SeriesSpan, 'times'>[],
): string | undefined {
  const lone = intervals.filter(
    ({ from, to }) => !series.some(({ times }) => times?.some((time) => time >= from && time < to)),
  );
  if (lone.length === 0) return undefined;
  const known = series.flatMap(({ times }) => (times && times.length > 0 ? [times[0], times[times.length - 1]] : []));
  const shown = lone.slice(0, 3).map(({ from, to }) => `${timeText(from)} to ${timeText(to)}`);
  return `${lone.length} of ${intervals.length} intervals to leave out hold no step (${shown.join('; ')}${lone.length > 3 ? '; …' : ''}): the steps run from ${timeText(Math.min(...known))} to ${timeText(Math.max(...known))}.`;
}

/** The facts of series with their excluded steps. */
export const withExcluded = (facts: SeriesFacts, intervals: readonly Interval[]): SeriesFacts => ({
  ...facts,
  spans: facts.spans.map((span) => ({
    ...span,
    excluded: excludedSteps({ ...span, border: span.train }, facts.window, intervals),
  })),
});
