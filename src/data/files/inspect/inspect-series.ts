/** Inspection of a set of series by name: its series, its channels, how its steps are seen. Node only. */

import { segmentsOf } from '../../../core/segments.ts';
import { libraryWords, write } from '../../../core/text.ts';
import type { Source } from '../../item.ts';
import { durationText, timeText } from '../../table/times.ts';
import { describeWindows } from '../datasets/series-files.ts';

/** A channel over all series. */
export interface ChannelFacts {
  readonly name: string;
  readonly range: readonly [number, number];
  readonly mean: number;
}

/** What a set of series holds. */
export interface SeriesInspection {
  readonly kind: 'series';
  readonly name: string;
  /** One sentence a series, and one on windows. */
  readonly explanation: string;
  readonly window: number;
  readonly channels: readonly ChannelFacts[];
  readonly series: readonly {
    readonly id: string;
    readonly steps: number;
    /** Steps for training, from the first on. */
    readonly train: number;
    /** Labelled segments, and their steps. */
    readonly segments: number;
    readonly anomalous: number;
  }[];
}

/** Looks at a loaded set; undefined where its items are no steps of values. */
export function inspectSeries(source: Source): SeriesInspection | undefined {
  if (!source.series || !source.channels) return undefined;
  const { spans, window } = source.series;
  const { names, values } = source.channels;
  const series = spans.map(({ id, first, steps, train }) => {
    const labels = Uint8Array.from({ length: steps }, (_, t) => source.items[first + t].class);
    const anomalous = labels.reduce((n, y) => n + y, 0);
    return { id, steps, train, segments: segmentsOf(labels).length, anomalous };
  });
  const lines = spans.map(({ times }, i) => {
    const { id, steps, train, segments, anomalous } = series[i];
    const length = times && times.length > 1 ? ` of ${durationText(times[1] - times[0])}` : '';
    const range = times ? `, ${timeText(times[0])} to ${timeText(times[steps - 1])}` : '';
    return `${id}: ${steps} steps${length}${range}; the first ${train} train; ${anomalous} steps in ${segments} ${segments === 1 ? 'segment' : 'segments'} are labelled anomalous.`;
  });
  return {
    kind: 'series',
    name: source.name,
    explanation: [...lines, write(describeWindows(source, false), libraryWords)].join('\n'),
    window,
    channels: names.map((name, c) => channelFacts(name, c, names.length, values)),
    series,
  };
}

function channelFacts(name: string, c: number, width: number, values: Float64Array): ChannelFacts {
  let [low, high, sum] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0];
  for (let i = c; i < values.length; i += width) {
    low = Math.min(low, values[i]);
    high = Math.max(high, values[i]);
    sum += values[i];
  }
  return { name, range: [low, high], mean: sum / (values.length / width) };
}
