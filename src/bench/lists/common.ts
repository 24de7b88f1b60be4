/** What lists of benchmarks are written with. */
import type { MetricId } from '../../metrics/index.ts';
import type { BenchCase, BenchEntry, BenchTable } from '../bench.ts';

/** Models at their defaults. */
export const entries = (...models: string[]): BenchEntry[] => models.map((model) => ({ model }));
/** Each class of a data set in turn. */
export const classesOf = (data: string, count = 10): BenchCase[] =>
  Array.from({ length: count }, (_, i) => ({ data, class: String(i) }));

export const ranking: readonly MetricId[] = ['item.auroc', 'item.ap'];
export const withMaps: readonly MetricId[] = [...ranking, 'map.auroc', 'map.aupro', 'map.aupimo'];
export const oracle: readonly MetricId[] = ['item.precision', 'item.recall', 'item.f1', 'item.auroc', 'item.ap'];
export const oracleNote =
  'Precision, recall and F1 flag the share of the test items that is anomalous by the protocol: an oracle. AUROC and AP need none.';

/** EGBAD by the score of its paper's tables: how unreal the pair of an item and its code seems, alone. */
export const sigma = (more: Partial<BenchEntry> = {}): BenchEntry => ({
  model: 'egbad',
  label: 'egbad, sigma as published',
  ...more,
  config: { score: 'ce', weight: 1, ...more.config },
});

/** A table of one data set under `one-class`, all classes in turn. */
export const oneClass = (
  title: string,
  data: string,
  models: readonly BenchEntry[],
  more: Partial<BenchTable> = {},
): BenchTable => ({
  title,
  protocol: 'one-class',
  kind: 'image',
  cases: classesOf(data),
  entries: models,
  metrics: ranking,
  ...more,
});
