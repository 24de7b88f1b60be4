/** Judges the steps of series in their order: each series by itself, since its segments and neighbours count. */
import type { AlarmRule } from '../../core/alarms.ts';
import { type ItemGiven, type Measured, type Metric, measureSeries, type SeriesGiven } from '../../metrics/index.ts';
import { ruleFor } from '../scoring/alarms.ts';
import type { Task } from '../task/task.ts';

/** The metrics of series on the test part, in their mean; undefined where the items are no steps. */
export function judgeSteps(
  { source, split }: Pick<Task, 'source' | 'split'>,
  { scores, labels, threshold }: ItemGiven,
  metrics: readonly Metric[],
  rule?: AlarmRule,
): Measured | undefined {
  if (!source.series) return undefined;
  const given: SeriesGiven[] = [];
  const alarmRule = ruleFor(source.series.window, rule);
  let at = 0;
  for (const { first, steps, buffer } of source.series.spans) {
    const from = at;
    while (at < split.test.length && split.test[at] < first + steps) at++;
    if (at === from) continue;
    const part = (list: ArrayLike<number>) => Array.prototype.slice.call(list, from, at) as number[];
    given.push({
      scores: Float64Array.from(part(scores)),
      labels: Uint8Array.from(part(labels)),
      ...(buffer !== undefined && { window: buffer }),
      alarmRule,
      ...(threshold !== undefined && { threshold }),
    });
  }
  return measureSeries(given, metrics).mean;
}
