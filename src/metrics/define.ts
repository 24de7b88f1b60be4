/**
 * What a metric is: one value that holds its name, its words, its range, what it needs and how it is computed. Reports,
 * tables, CSV files, pages and comparisons walk a list of such values (`registry.ts`), so that a new metric, or a user's
 * own, is one `defineMetric` and nothing else.
 */
import { ConfigError } from '../core/errors.ts';
import type { Segment } from '../core/segments.ts';
import type { OverlapCurve } from './per-region-overlap.ts';
import type { RankCounts } from './rank-counts.ts';

/**
 * What a metric judges: whole items (images, rows) by their scores, anomaly maps against masks, or the points of time
 * series.
 */
export type MetricLevel = 'item' | 'map' | 'series';

/** A metric without its computation: plain data, which a report can carry. */
export interface MetricDescription<Name extends string = string, Level extends MetricLevel = MetricLevel> {
  /** Its key in JSON, in camel case and unique within its level: `auroc` of level `item` is `metrics.item.auroc`. */
  readonly name: Name;
  readonly level: Level;
  /** What tables call it: `AUROC`. Where two levels share a title, tables put the word of the level in front. */
  readonly title: string;
  /** The head of a narrow column; default `title`. */
  readonly short?: string;
  /** What it tells, in one phrase that begins in lower case and has no full stop. */
  readonly meaning: string;
  /** The least and the largest possible value. */
  readonly range: readonly [least: number, largest: number];
  /** Which values are better; `neither` for a fact about the items, such as the prevalence. */
  readonly better: 'higher' | 'lower' | 'neither';
  /** What scores drawn at random get in the long run; left out where there is no simple answer. */
  readonly chance?: number | 'prevalence';
  /** Shown where there is room for few: lists of runs, classes of anomalies, the top of a page. Default false. */
  readonly isHeadline?: boolean;
  /** Shown where there is room for all: files, and behind a click on the page. Default false. */
  readonly isDetail?: boolean;
}

/** Why a metric has no value for what it was given, as a sentence. */
export interface NoValue {
  readonly reason: string;
}

/**
 * What a metric of items may need besides scores and labels. `both-labels`: normal and anomalous items, and scores that
 * are numbers. `share`: the share of anomalies that the protocol states. `heldOut`: which items are of classes that
 * training was kept from. `clips`: which clip each frame is of. `threshold`: the threshold of scores. Where a need is not met
 * the metric has no value, and where it does not apply – the protocol states no share – reports leave the metric out.
 */
export type ItemNeed = 'both-labels' | 'share' | 'heldOut' | 'clips' | 'threshold';

/** Scores and labels of N items, and what its needs promise to a metric. */
export type ItemInputs<Need extends ItemNeed = never> = {
  /** `[N]`, raw, larger = more anomalous. */
  readonly scores: ArrayLike<number>;
  /** `[N]`, 1 = anomalous, 0 = normal. */
  readonly labels: ArrayLike<number>;
} & ('both-labels' extends Need
  ? {
      /** Counts at each distinct score, made by one sort that all metrics share. */
      readonly ranks: RankCounts;
    }
  : unknown) &
  ('share' extends Need
    ? {
        /** Share of anomalous items that the protocol states, in (0, 1). */
        readonly share: number;
      }
    : unknown) &
  ('heldOut' extends Need
    ? {
        /** `[N]`, 1 for items of classes that training was kept from. */
        readonly heldOut: ArrayLike<number>;
      }
    : unknown) &
  ('clips' extends Need
    ? {
        /** `[N]`, the number of the clip that each frame is of. */
        readonly clips: ArrayLike<number>;
      }
    : unknown) &
  ('threshold' extends Need
    ? {
        /** Items with a score >= this are called anomalous. */
        readonly threshold: number;
      }
    : unknown);

/** A metric of item scores. */
export interface ItemMetric<Name extends string = string, Need extends ItemNeed = ItemNeed>
  extends MetricDescription<Name, 'item'> {
  readonly needs?: readonly Need[];
  /** Only the order of the scores counts: any strictly increasing map of them leaves the value as it is. Default false. */
  readonly isOrdinal?: boolean;
  /** Reports give a bootstrap interval over the items, and comparisons a paired one. Default false. */
  readonly interval?: boolean;
  /** The value, or why there is none. Must not change what it is given. */
  compute(items: ItemInputs<Need>): number | NoValue;
}

/** One anomaly map and its ground truth, both height · width; sizes may differ from map to map. */
export interface MapInput {
  /** Raw scores, larger = more anomalous. */
  readonly map: Float32Array;
  /** 0 = normal, anything else anomalous. */
  readonly mask: Uint8Array;
  readonly height: number;
  readonly width: number;
  /** Normal pixels where it is 0 are left out; all count where it is absent. */
  readonly counted?: Uint8Array;
}

/** Takes maps one by one, in any order, and keeps as little of them as it can. */
export interface MapAccumulator<State> {
  /** Adds a map. Nothing that is given is kept or changed. Throws ShapeError for lengths that differ. */
  add(input: MapInput): void;
  /** What the maps so far come to; more may be added afterwards. */
  result(): State;
}

/** What a metric of maps may need besides maps and masks: the threshold of maps. */
export type MapNeed = 'threshold';

/** What an accumulator is begun with. */
export interface MapContext {
  /** Pixels with a value >= this are called anomalous; NaN for metrics that do not need it. */
  readonly threshold: number;
}

/** A metric of anomaly maps against masks. */
export interface MapMetric<Name extends string = string, Need extends MapNeed = MapNeed, State = unknown>
  extends MetricDescription<Name, 'map'> {
  readonly needs?: readonly Need[];
  /** As for items: only the order of the pixels counts. Default false. */
  readonly isOrdinal?: boolean;
  /** Begins to gather maps. Metrics that name the same function share one accumulator, so that its work is done once. */
  readonly accumulator: (context: MapContext) => MapAccumulator<State>;
  /** May have no value even for maps of both kinds, where they have too few pixels. Default false. */
  readonly needsManyPixels?: boolean;
  /** The value from what was gathered, or why there is none. */
  compute(state: State): number | NoValue;
  /** Where the value is a mean over maps: what each has, in the order in which they were added; NaN for those with none. */
  perMap?(state: State): Float64Array;
  /** Where the value is the area under a curve: the curve. */
  curve?(state: State): OverlapCurve | null;
  /** A sentence that should be read beside the value, or null. */
  remark?(state: State): string | null;
}

/**
 * What a metric of one series may need besides scores and labels. `both-labels`: normal and anomalous steps, and scores that
 * are numbers. `window`: the buffer of soft labels. `threshold`: the threshold of scores. `probation`: how many first steps
 * are not judged. Where one is not met or does not apply, the same follows as for items.
 */
export type SeriesNeed = 'both-labels' | 'window' | 'threshold' | 'probation';

/** Scores and labels of the T steps of one series, in their order, and what its needs promise to a metric. */
export type SeriesInputs<Need extends SeriesNeed = never> = {
  /** `[T]`, raw, larger = more anomalous. */
  readonly scores: ArrayLike<number>;
  /** `[T]`, 1 = anomalous, 0 = normal. */
  readonly labels: ArrayLike<number>;
  /** What `work` makes of these inputs, done once for all metrics that name the same function. */
  shared<T>(work: (series: SeriesInputs<Need>) => T): T;
} & ('both-labels' extends Need
  ? {
      /** Counts at each distinct score, made by one sort that all metrics share. */
      readonly ranks: RankCounts;
      /** The runs of anomalous steps; all metrics share the list. */
      readonly segments: readonly Segment[];
    }
  : unknown) &
  ('window' extends Need
    ? {
        /** The largest buffer about a segment, in steps: a period of the series. */
        readonly window: number;
      }
    : unknown) &
  ('threshold' extends Need
    ? {
        /** Steps with a score >= this are anomalous. */
        readonly threshold: number;
        /** `[T]`, 1 for steps inside an alarm: steps at or above the threshold, joined and dropped by the rule of alarms where one is given. */
        readonly alarms: Uint8Array;
      }
    : unknown) &
  ('probation' extends Need
    ? {
        /** The first steps, in which no alarm counts. */
        readonly probation: number;
      }
    : unknown);

/** A metric of the steps of one time series, in their order. */
export interface SeriesMetric<Name extends string = string, Need extends SeriesNeed = SeriesNeed>
  extends MetricDescription<Name, 'series'> {
  readonly needs?: readonly Need[];
  /** As for items. Default false. */
  readonly isOrdinal?: boolean;
  /** The value of one series, or why there is none. Must not change what it is given. */
  compute(series: SeriesInputs<Need>): number | NoValue;
}

/** Any metric. */
export type Metric = ItemMetric | MapMetric | SeriesMetric;

/**
 * Defines a metric and returns it. Throws ConfigError `metric` for a name that is not in camel case and for a range that
 * is none.
 *
 * ```ts
 * const youden = defineMetric({
 *   name: 'youden',
 *   level: 'item',
 *   title: 'Youden’s J',
 *   meaning: 'the largest difference of recall and false-positive rate over all thresholds',
 *   range: [0, 1],
 *   better: 'higher',
 *   needs: ['both-labels'],
 *   compute: ({ ranks }) =>
 *     ranks.truePositives.reduce(
 *       (best, hits, k) => Math.max(best, hits / ranks.positives - ranks.falsePositives[k] / ranks.negatives),
 *       0,
 *     ),
 * });
 * await train({ model: 'pca', data: 'parts/', metrics: [youden] });
 * ```
 */
export function defineMetric<const Name extends string, const Need extends ItemNeed = never>(
  metric: ItemMetric<Name, Need>,
): ItemMetric<Name, Need>;
export function defineMetric<const Name extends string, State, const Need extends MapNeed = never>(
  metric: MapMetric<Name, Need, State>,
): MapMetric<Name, Need, State>;
export function defineMetric<const Name extends string, const Need extends SeriesNeed = never>(
  metric: SeriesMetric<Name, Need>,
): SeriesMetric<Name, Need>;
export function defineMetric(metric: Metric): Metric {
  const { name, range } = metric;
  if (!/^[a-z][a-zA-Z0-9]*$/.test(name)) {
    throw new ConfigError(
      'metric',
      `The name of a metric must be in camel case, as in f1Max, got "${name}": it is a key in reports.`,
    );
  }
  if (!(range[0] < range[1])) {
    throw new ConfigError(
      'metric',
      `The range of the metric ${name} must run from its least to its largest value, got ${range.join(' to ')}.`,
    );
  }
  return metric;
}
