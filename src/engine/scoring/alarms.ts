/** What is said of the alarms of a detector of series: the rule that it makes them by, how severe they are and which channels made them. */
import {
  type AlarmChannel,
  type AlarmRule,
  type AlarmSpan,
  type EndedAlarm,
  type FullRule,
  fullRule,
  severityOf,
} from '../../core/alarms.ts';
import type { SeriesFacts, TableEncoding } from '../../data/pure.ts';
import { series as kind } from '../../kinds/index.ts';
import type { ArtifactInfo, SeriesReading } from './artifact.ts';

/** The rule for windows of so many steps: alarms at most a window apart are one, unless it says otherwise. ConfigError `option-range`. */
export const ruleFor = (window: number, given: AlarmRule = {}): FullRule =>
  fullRule({ ...given, gap: given.gap ?? window });

/** The rule of a detector, where it is not given. */
export function ruleOf({ shape, series }: Pick<ArtifactInfo, 'shape' | 'series'>, given: AlarmRule = {}): FullRule {
  const wanted = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  return ruleFor(shape[0], { ...series?.alarms, ...wanted });
}

/** The median of ascending normal scores; undefined where there are none. */
export const medianOf = (normalScores: readonly number[]): number | undefined => normalScores[normalScores.length >> 1];

/** What severity follows from. */
export interface ScoreScale {
  readonly threshold: { readonly value: number | null };
  /** Of held-out normals, ascending. */
  readonly normalScores: readonly number[];
}

/** How severe a peak is; nothing where it cannot be said. */
export function severityIn({ threshold, normalScores }: ScoreScale, peak: number) {
  const median = medianOf(normalScores);
  if (threshold.value === null || median === undefined) return {};
  return severityOf(peak, { threshold: threshold.value, median }) ?? {};
}

/** What each channel adds to the score `[D]`, from the map `[L, D]` of a window. */
export function partsOf(map: Float32Array, width: number): Float64Array {
  const parts = new Float64Array(width);
  for (let i = 0; i < map.length; i++) parts[i % width] += map[i];
  return parts;
}

/** Inputs `[D]` of a step, in the units of the channels. */
export function inOwnUnits(inputs: ArrayLike<number>, { columns }: TableEncoding): Float64Array {
  return Float64Array.from(columns, (column, c) =>
    column.kind === 'numeric' ? inputs[c] * column.scale + column.offset : Number.NaN,
  );
}

/** What `model.json` says of series: the length of their steps, where they have times, and the rule of alarms. */
export function seriesReading({ spans, window }: SeriesFacts, rule?: AlarmRule): SeriesReading {
  const times = spans.find((span) => span.times && span.steps > 1)?.times;
  return { ...(times && { step: times[1] - times[0] }), alarms: ruleFor(window, rule) };
}

/** Channels with less of the score than this are not named. */
const LEAST_SHARE = 0.01;

/** What is known of a step. */
export interface SeenStep {
  /** What each channel adds to its score `[D]`. */
  readonly parts: ArrayLike<number>;
  readonly encoding: TableEncoding | undefined;
  /** Its values, in their own units. */
  readonly actual: ArrayLike<number>;
  /** What the detector has in their place, in their own units. */
  readonly expected?: ArrayLike<number>;
}

/** The channels that stand out at a step, the first most. */
export function channelsAt({ parts, encoding, actual, expected }: SeenStep): AlarmChannel[] {
  if (!encoding) return [];
  const names = encoding.columns.map(({ name }) => name);
  const { columns = [] } = kind.locate(Float32Array.from(parts), {
    shape: [1, parts.length],
    mapThreshold: null,
    encoding,
  });
  return columns
    .filter(({ share }) => share > LEAST_SHARE)
    .map(({ name, share, usual }) => {
      const c = names.indexOf(name);
      const wanted = expected?.[c] ?? Number.NaN;
      return {
        name,
        share,
        actual: rounded(actual[c]),
        ...(typeof usual?.[0] === 'number' && { usual: usual as readonly [number, number] }),
        ...(!Number.isNaN(wanted) && { expected: rounded(wanted) }),
      };
    });
}

const rounded = (value: number) => Number(value.toPrecision(6));

/** An alarm with what is said of its peak. */
export function alarmWith(
  span: AlarmSpan & { readonly end: number },
  info: ScoreScale,
  channels: readonly AlarmChannel[],
): EndedAlarm {
  return { ...span, ...severityIn(info, span.peak.score), channels };
}
