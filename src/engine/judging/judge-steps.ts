/** Judges the steps of series in their order: each series by itself, since its segments and neighbours count. */
import type { AlarmRule } from '../../core/alarms.ts';
import { type ItemGiven, type Measured, type Metric, measureSeries, type SeriesGiven } from '../../metrics/index.ts';
import { ruleFor } from '../scoring/alarms.ts';
import type { Task } from '../task/task.ts';

/** The metrics of series on the test part, in their mean; undefined where the items are no steps. */
export function judgeSteps(
  task: Pick<Task, 'source' | 'split'>,
  { threshold, ...items }: ItemGiven,
  metrics: readonly Metric[],
  rule?: AlarmRule,
): Measured | undefined {
  const { series } = task.source;
  if (!series) return undefined;
  const how = { alarmRule: ruleFor(series.window, rule), ...(threshold !== undefined && { threshold }) };
  return measureSeries(
    testSeries(task, items).map(({ id: _, ...given }) => ({ ...given, ...how })),
    metrics,
  ).mean;
}

/** The series that have steps in the test part, with the scores and labels of these. */
export function testSeries(
  { source, split }: Pick<Task, 'source' | 'split'>,
  { scores, labels }: Pick<ItemGiven, 'scores' | 'labels'>,
): (Pick<SeriesGiven, 'window'> & {
  readonly id: string;
  readonly scores: Float64Array;
  readonly labels: Uint8Array;
})[] {
  const found: ReturnType<typeof testSeries> = [];
  let at = 0;
  for (const { id, first, steps, buffer } of source.series?.spans ?? []) {
    const from = at;
    while (at < split.test.length && split.test[at] < first + steps) at++;
    if (at === from) continue;
    const part = (list: ArrayLike<number>) => Array.prototype.slice.call(list, from, at) as number[];
    found.push({
      id,
      scores: Float64Array.from(part(scores)),
      labels: Uint8Array.from(part(labels)),
      ...(buffer !== undefined && { window: buffer }),
    });
  }
  return found;
}
