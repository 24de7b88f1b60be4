/**
 * Computes metrics of a list, each once and with its work shared: the scores of items are sorted once for all, the pixels
 * of maps once for all that name the same accumulator. A value that is not a finite number is null and has a reason.
 */
import { type BootstrapOptions, type Drawn, type Interval, pairedResample, resample } from './bootstrap.ts';
import type {
  ItemInputs,
  ItemMetric,
  ItemNeed,
  MapAccumulator,
  MapInput,
  MapMetric,
  Metric,
  NoValue,
} from './define.ts';
import type { OverlapCurve } from './per-region-overlap.ts';
import { type RankCounts, rankCounts, undefinedReason } from './rank-counts.ts';
import { metrics as known, type LevelValues, type MetricValue } from './registry.ts';

/** What is known of some items; metrics that need what is left out do not apply. */
export interface ItemGiven {
  /** `[N]`, raw, larger = more anomalous. */
  readonly scores: ArrayLike<number>;
  /** `[N]`, 1 = anomalous. */
  readonly labels: ArrayLike<number>;
  /** Share of anomalous items that the protocol states, in (0, 1). */
  readonly share?: number;
  /** `[N]`, 1 for items of classes that training was kept from. */
  readonly heldOut?: ArrayLike<number>;
  /** `[N]`, the number of the clip that each item is a frame of. */
  readonly clips?: ArrayLike<number>;
  /** Threshold of scores; null where one was looked for and there is none. */
  readonly threshold?: number | null;
}

/** What is known of maps besides themselves. */
export interface MapGiven {
  /** As in `ItemGiven`, of maps. */
  readonly threshold?: number | null;
}

/** Values of metrics of one level by name. */
export type Values = Readonly<Record<string, MetricValue>>;

/** Values of some metrics of one level by name, and for each that is null, why. */
export interface Measured<Own = Values> {
  readonly values: Own;
  readonly reasons: Readonly<Record<string, string>>;
}

/** A number, why there is none, or undefined where the metric does not apply. */
export type Outcome = number | NoValue | undefined;

/** Of a metric, perhaps in JavaScript, that returns nothing. */
export const nothing: NoValue = { reason: 'It came out as undefined.' };

const isItemMetric = (metric: Metric): metric is ItemMetric => metric.level === 'item';
const isMapMetric = (metric: Metric): metric is MapMetric => metric.level === 'map';

/** Values and reasons from outcomes by name; what does not apply is left out. */
export function gather(outcomes: Iterable<readonly [name: string, outcome: Outcome]>): Measured {
  const values: Record<string, MetricValue> = {};
  const reasons: Record<string, string> = {};
  for (const [name, outcome] of outcomes) {
    if (outcome === undefined) continue;
    const isValue = typeof outcome === 'number' && Number.isFinite(outcome);
    values[name] = isValue ? outcome : null;
    if (!isValue) reasons[name] = typeof outcome === 'number' ? `It came out as ${outcome}.` : outcome.reason;
  }
  return { values, reasons };
}

/** Items with what metrics are computed from. */
type Ranked = ItemGiven & { readonly ranks: RankCounts | null };

/** Items as they are; the scores are sorted when the first metric asks for their ranks. */
function ranked(given: ItemGiven): Ranked {
  let ranks: RankCounts | null | undefined;
  return {
    ...given,
    get ranks() {
      ranks ??= rankCounts(given.scores, given.labels);
      return ranks;
    },
  };
}

/** Items as a round of the bootstrap draws them: each column is gathered, and counted, when a metric asks for it. */
const drawnFrom = (given: Omit<ItemGiven, 'scores'>, drawn: Drawn, scores: number, heldOut?: number): Ranked => ({
  ...given,
  labels: drawn.labels,
  get scores() {
    return drawn.column(scores);
  },
  get heldOut() {
    return heldOut === undefined ? undefined : drawn.column(heldOut);
  },
  get ranks() {
    return drawn.ranks(scores);
  },
});

/** Outcomes of metrics on items, in their order; `reason` says why those that need both labels have none. */
function outcomesOf(metrics: readonly ItemMetric[], given: Ranked, reason: string | null): Outcome[] {
  // Each metric reads what its needs promise, and these are checked before.
  const items = given as unknown as ItemInputs<ItemNeed>;
  const unmet = (need: ItemNeed): NoValue | undefined | null => {
    if (need === 'both-labels') return reason === null ? null : { reason };
    if (given[need] === null) return { reason: 'There is no threshold.' };
    return given[need] === undefined ? undefined : null;
  };
  return metrics.map((metric) => {
    const found = (metric.needs ?? []).map(unmet).filter((outcome) => outcome !== null);
    if (found.includes(undefined)) return undefined;
    return found.length > 0 ? found[0] : (metric.compute(items) ?? nothing);
  });
}

/**
 * The metrics of items among those given – all of the registry unless others are – by name. Scores are sorted once. Throws
 * as `undefinedReason`.
 */
export function measureItems(given: ItemGiven): Measured<LevelValues<'item'>>;
export function measureItems(given: ItemGiven, metrics: readonly Metric[]): Measured<Values>;
export function measureItems(given: ItemGiven, metrics: readonly Metric[] = known): Measured<Values> {
  const own = metrics.filter(isItemMetric);
  const outcomes = outcomesOf(own, ranked(given), undefinedReason(given.scores, given.labels));
  return gather(own.map(({ name }, i) => [name, outcomes[i]]));
}

/**
 * Bootstrap intervals of those metrics that have one and apply, by name: what `bootstrap` gives for each, for the price of
 * one. Throws as `bootstrap`.
 */
export function itemIntervals(
  given: ItemGiven,
  options: BootstrapOptions,
  metrics: readonly Metric[] = known,
): Readonly<Record<string, Interval | null>> {
  const { scores, labels, heldOut } = given;
  const own = withInterval(metrics, given);
  const intervals = resample([scores, ...(heldOut ? [heldOut] : [])], labels, options, own.length, (drawn) =>
    outcomesOf(own, drawnFrom(given, drawn, 0, heldOut && 1), null).map(orNull),
  );
  return Object.fromEntries(own.map(({ name }, i) => [name, intervals[i]]));
}

/**
 * Paired bootstrap intervals of the differences A − B of two detectors on the same items, by name, as `itemIntervals`.
 * Throws as `pairedBootstrap`.
 */
export function pairedIntervals(
  scoresA: ArrayLike<number>,
  scoresB: ArrayLike<number>,
  labels: ArrayLike<number>,
  options: BootstrapOptions,
  metrics: readonly Metric[] = known,
): Readonly<Record<string, Interval | null>> {
  const own = withInterval(metrics, { scores: scoresA, labels });
  const intervals = pairedResample(scoresA, scoresB, labels, options, own.length, (drawn, column) =>
    outcomesOf(own, drawnFrom({ labels }, drawn, column), null).map(orNull),
  );
  return Object.fromEntries(own.map(({ name }, i) => [name, intervals[i]]));
}

const withInterval = (metrics: readonly Metric[], given: ItemGiven) =>
  metrics
    .filter(isItemMetric)
    .filter(({ interval, needs = [] }) =>
      interval ? needs.every((need) => need === 'both-labels' || given[need] !== undefined) : false,
    );

const orNull = (outcome: Outcome) => (typeof outcome === 'number' && Number.isFinite(outcome) ? outcome : null);

/** What `measureMaps` comes to. */
export interface MeasuredMaps<Own = Values> extends Measured<Own> {
  /** Of metrics that are means over maps, and have a value: that of each map in the order in which they were added, NaN for none. */
  readonly perMap: Readonly<Record<string, Float64Array>>;
  /** Of metrics that are areas under a curve, and have a value: the curve. */
  readonly curves: Readonly<Record<string, OverlapCurve>>;
  /** Sentences that should be read beside the values. */
  readonly remarks: readonly string[];
}

/** Takes maps one by one; see `measureMaps`. */
export interface MapMeasure<Own = Values> {
  add(input: MapInput): void;
  /** The metrics of all maps so far. */
  result(): MeasuredMaps<Own>;
}

/** Begins to measure the metrics of maps among those given; all of the registry unless others are. */
export function measureMaps(given: MapGiven): MapMeasure<LevelValues<'map'>>;
export function measureMaps(given: MapGiven, metrics: readonly Metric[]): MapMeasure;
export function measureMaps(given: MapGiven, metrics: readonly Metric[] = known): MapMeasure {
  const own = metrics.filter(isMapMetric);
  const isMet = ({ needs = [] }: MapMetric) => needs.length === 0 || typeof given.threshold === 'number';
  const context = { threshold: given.threshold ?? Number.NaN };
  const accumulators = new Map<MapMetric['accumulator'], MapAccumulator<unknown>>();
  for (const metric of own) {
    const { accumulator } = metric;
    if (isMet(metric) && !accumulators.has(accumulator)) accumulators.set(accumulator, accumulator(context));
  }
  return {
    add(input) {
      for (const accumulator of accumulators.values()) accumulator.add(input);
    },
    result() {
      const states = new Map([...accumulators].map(([begin, accumulator]) => [begin, accumulator.result()]));
      const outcomeOf = (metric: MapMetric): Outcome => {
        if (isMet(metric)) return metric.compute(states.get(metric.accumulator)) ?? nothing;
        return given.threshold === null
          ? { reason: 'There are no held-out normals, so maps have no threshold.' }
          : undefined;
      };
      const measured = gather(own.map((metric) => [metric.name, outcomeOf(metric)]));
      const known = own.filter(({ name }) => typeof measured.values[name] === 'number');
      const stateOf = ({ accumulator }: MapMetric) => states.get(accumulator);
      const each = known.flatMap((m) => (m.perMap ? [[m.name, m.perMap(stateOf(m))] as const] : []));
      const curves = known.flatMap((m) => {
        const curve = m.curve?.(stateOf(m));
        return curve ? [[m.name, curve] as const] : [];
      });
      return {
        ...measured,
        perMap: Object.fromEntries(each),
        curves: Object.fromEntries(curves),
        remarks: known.flatMap((metric) => metric.remark?.(stateOf(metric)) ?? []),
      };
    },
  };
}

/** What `measureMaps` would give where there is no ground truth: null for each metric, all for one reason. */
export function unmeasuredMaps(given: MapGiven, metrics: readonly Metric[], reason: string): Measured {
  const applies = ({ needs = [] }: MapMetric) => needs.length === 0 || given.threshold !== undefined;
  return gather(
    metrics
      .filter(isMapMetric)
      .filter(applies)
      .map(({ name }) => [name, { reason }]),
  );
}
