/** What tables show of metrics: which of them, and under which titles. */
import type { MetricDescription } from './define.ts';
import { type ByMetric, type MetricValue, metrics, readMetric } from './registry.ts';

/** The metrics of a report in the order of tables: those of the registry, and a user's own that it carries. */
export function metricsOf({
  ownMetrics = [],
}: {
  readonly ownMetrics?: readonly MetricDescription[];
}): readonly MetricDescription[] {
  return [...metrics, ...ownMetrics];
}

/**
 * Those that a table shows: all that the report has, null ones with them – their reasons tell something – but a level only
 * where one of its metrics has a value. Items are always shown.
 */
export function shownMetrics(report: {
  readonly ownMetrics?: readonly MetricDescription[];
  readonly metrics: ByMetric<MetricValue>;
}): readonly MetricDescription[] {
  const values = report.metrics;
  return metricsOf(report).filter((metric) => {
    if (readMetric(values, metric) === undefined) return false;
    return metric.level === 'item' || Object.values(values[metric.level] ?? {}).some((value) => value !== null);
  });
}

/** What items of a kind are called, and the smallest part of one that has a value in its map: `image`, `pixel`. */
export interface TitleWords {
  readonly item: string;
  readonly place: string;
}

/**
 * The titles of metrics that stand in one table, in their order. A title that two of them share is told apart by what each
 * is about: "image AUROC" and "pixel AUROC".
 */
export function titlesOf(
  shown: readonly MetricDescription[],
  { item, place }: TitleWords,
  length: 'title' | 'short' = 'title',
): string[] {
  const words = { item, map: place, series: 'series' };
  const titles = shown.map(({ title, short = title }) => (length === 'short' ? short : title));
  return titles.map((title, i) => {
    const isShared = titles.indexOf(title) !== titles.lastIndexOf(title);
    return isShared ? `${words[shown[i].level]} ${title}` : title;
  });
}
