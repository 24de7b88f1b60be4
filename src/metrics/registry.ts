/** The metrics by name, and what follows from them: the keys of reports and their types. */
import { ConfigError, unknownName } from '../core/errors.ts';
import { mapAupimo } from './aupimo.ts';
import { itemAuroc } from './auroc.ts';
import { itemAp } from './average-precision.ts';
import { itemMacroAuroc, itemMinMaxAuroc } from './clip-auroc.ts';
import type { ItemMetric, Metric, MetricDescription, MetricLevel } from './define.ts';
import { itemF1Max } from './f1-max.ts';
import { itemHeldOutAuroc, itemSeenAuroc } from './familiarity.ts';
import { mapDice, mapIou } from './overlap.ts';
import { pixelRanking } from './pixel-metrics.ts';
import { itemPrevalence } from './prevalence.ts';
import { seriesMetrics } from './series/metrics.ts';
import { itemF1, itemPrecision, itemRecall } from './top-share.ts';

/** All metrics, in the order in which tables and files show them. */
export const metrics = [
  itemAuroc,
  itemAp,
  itemF1Max,
  itemPrevalence,
  itemPrecision,
  itemRecall,
  itemF1,
  itemMacroAuroc,
  itemMinMaxAuroc,
  itemSeenAuroc,
  itemHeldOutAuroc,
  ...pixelRanking,
  mapAupimo,
  mapDice,
  mapIou,
  ...seriesMetrics,
] as const satisfies readonly Metric[];

type Known = (typeof metrics)[number];
type NameOf<M> = M extends { readonly name: infer Name extends string } ? Name : never;
type IdOf<M> = M extends { readonly level: infer Level extends string; readonly name: infer Name extends string }
  ? `${Level}.${Name}`
  : never;
/** Metrics whose needs are met whatever the protocol and the detector. */
type Always<M> = M extends { readonly needs?: readonly (infer Need)[] }
  ? [Exclude<Need, 'both-labels'>] extends [never]
    ? M
    : never
  : M;
type OfLevel<Level extends MetricLevel> = Extract<Known, { readonly level: Level }>;

/** A metric by level and name: `item.auroc`, `map.auroc`. */
export type MetricId = IdOf<Known>;

/** A value; null where the metric is undefined for what it was given. */
export type MetricValue = number | null;

/** Values of one level by name. Metrics that do not apply are left out: those at a stated share where none is stated. */
export type LevelValues<Level extends MetricLevel> = Readonly<
  { [Name in NameOf<Always<OfLevel<Level>>>]: MetricValue } & {
    [Name in Exclude<NameOf<OfLevel<Level>>, NameOf<Always<OfLevel<Level>>>>]?: MetricValue;
  }
>;

/** Values by level and name, `values.item.auroc`. A level that does not apply is left out: tables have no `map`. */
export interface MetricValues {
  readonly item: LevelValues<'item'>;
  readonly map?: LevelValues<'map'>;
  readonly series?: LevelValues<'series'>;
}

/** Something for each metric by level and name, as `MetricValues`: intervals, or why a value is null. */
export type ByMetric<T> = {
  readonly [Level in MetricLevel]?: { readonly [name: string]: T | undefined } | undefined;
};

type Place = Pick<MetricDescription, 'level' | 'name'>;

/** `item.auroc`. */
export const idOf = ({ level, name }: Place): string => `${level}.${name}`;

/** What stands for a metric among others, also for one of a user's own; undefined where it does not apply. */
export function readMetric<T>(values: ByMetric<T> | undefined, { level, name }: Place): T | undefined {
  return values?.[level]?.[name];
}

/** Those of this file and, behind them, those that were registered from outside. */
const all: Metric[] = [...metrics];

/** Those with room in lists and at the top of a page; the first of them is what a detector is judged by. */
export const headlineMetrics: readonly ItemMetric[] = all.filter(
  (metric) => metric.level === 'item' && metric.isHeadline,
) as ItemMetric[];

/**
 * The metric of an id, `map.auroc`, or of a bare name, where items come before maps; among those of this registry unless
 * others are given. Throws ConfigError `unknown-metric`, offering the nearest.
 */
export function findMetric(id: string): Metric;
export function findMetric<M extends MetricDescription>(id: string, known: readonly M[]): M;
export function findMetric(id: string, known: readonly MetricDescription[] = all): MetricDescription {
  const found = known.find((metric) => idOf(metric) === id) ?? known.find((metric) => metric.name === id);
  if (found) return found;
  throw unknownName('metric', id, known.map(idOf));
}

/**
 * Every metric that a report has: those of this file, those that were registered, and `own` behind them. Throws ConfigError
 * `repeated-name` where two of a level share a name.
 */
export function withOwnMetrics(own: readonly Metric[] = []): readonly Metric[] {
  const known = [...all];
  for (const metric of own) if (!known.includes(metric)) addTo(known, metric);
  return known;
}

/**
 * Adds a metric from outside to every report that this program makes from now on, as the option `metrics` does for one.
 * Throws as `withOwnMetrics`.
 */
export function registerMetric(metric: Metric): void {
  if (!all.includes(metric)) addTo(all, metric);
}

function addTo(known: Metric[], metric: Metric): void {
  if (known.some((other) => idOf(other) === idOf(metric))) {
    throw new ConfigError('repeated-name', `There is already a metric ${idOf(metric)}. Give yours another name.`);
  }
  known.push(metric);
}

/** Those of some metrics that are not of this file, without their computation; reports carry them. */
export function describeOwn(used: readonly Metric[]): MetricDescription[] {
  return used.filter((metric) => !isBuiltIn(metric)).map(describeMetric);
}

const isBuiltIn = (metric: Metric) => (metrics as readonly Metric[]).includes(metric);

/** The words and numbers of a metric. */
function describeMetric(metric: MetricDescription): MetricDescription {
  const { name, level, title, short, meaning, range, better, chance, isHeadline, isDetail } = metric;
  return {
    name,
    level,
    title,
    ...(short !== undefined && { short }),
    meaning,
    range,
    better,
    ...(chance !== undefined && { chance }),
    ...(isHeadline && { isHeadline }),
    ...(isDetail && { isDetail }),
  };
}
