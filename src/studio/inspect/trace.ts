/** The part of a series around one of its steps: values, what was expected, scores, labels, alarms. */
import { alarmsOf } from '../../core/alarms.ts';
import { ruleOf } from '../../engine/scoring/alarms.ts';
import { scoreSeries } from '../../engine/scoring/series.ts';
import type { Trace } from './answers.ts';
import type { OpenRun } from './open-runs.ts';

/** Steps on either side. */
const AROUND = 240;

export async function traceOf(run: OpenRun, index: number): Promise<Trace> {
  const { detector, info, task, test } = run;
  const { source, split } = task;
  const { spans, window } = source.series!;
  const { names: channels, values } = source.channels!;
  const item = split.test[index];
  const span = spans.find(({ first, steps }) => item >= first && item < first + steps)!;
  const step = item - span.first;
  const width = channels.length;
  const [begin, end] = [Math.max(0, step - AROUND), Math.min(span.steps, step + AROUND + 1)];
  const shownSteps = Array.from({ length: end - begin }, (_, t) => begin + t);
  const places = new Map(Array.from(split.test, (one, place) => [one, place]));
  const own = new Float32Array(span.steps).fill(Number.NaN);
  for (let t = 0; t < span.steps; t++) {
    const place = places.get(span.first + t);
    if (place !== undefined) own[t] = test.scores[place];
  }
  // Windows at the ends of what is scored see less: some steps more on either side are scored, and left out.
  const from = Math.max(0, begin - window);
  const part = values.subarray((span.first + from) * width, (span.first + Math.min(span.steps, end + window)) * width);
  const { lower, upper } = info.series?.margins
    ? await scoreSeries(detector, { id: span.id, channels, values: part })
    : {};
  const byChannel = (all: ArrayLike<number>, first: number) =>
    channels.map((_, c) => shownSteps.map((t) => finite(all[(t - first) * width + c])));
  return {
    ...{ series: span.id, channels, first: begin, step, total: span.steps },
    ...(span.times && { times: shownSteps.map((t) => span.times![t]) }),
    values: byChannel(values.subarray(span.first * width), 0),
    ...(lower && upper && { lower: byChannel(lower, from), upper: byChannel(upper, from) }),
    scores: shownSteps.map((t) => finite(own[t])),
    labels: shownSteps.map((t) => (source.items[span.first + t].class === 0 ? 0 : 1)),
    places: shownSteps.map((t) => places.get(span.first + t) ?? null),
    alarms: alarmsOf(own, detector.threshold, ruleOf(info))
      .filter((alarm) => alarm.end > begin && alarm.start < end)
      .map(({ start, end: last }) => ({ start, end: last })),
  };
}

const finite = (value: number): number | null => (Number.isFinite(value) ? value : null);
