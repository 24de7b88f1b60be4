/** How the numbers of a benchmark are written, the same on the terminal and on its page. */
import type { ItemKind } from '../core/item-shape.ts';
import { findKind } from '../kinds/index.ts';
import { findMetric, type MetricId, titlesOf } from '../metrics/index.ts';
import type { PublishedFigure } from './bench.ts';
import type { Spread } from './summary.ts';

/** Stands wherever numbers of `--quick` are shown. */
export const quickBanner =
  'QUICK: few epochs, few classes, a small test part. It shows that the benchmark works; do not cite these numbers.';

/** Metrics as heads of columns of one table. */
export const headsOf = (ids: readonly MetricId[], kind: ItemKind = 'image'): string[] =>
  titlesOf(
    ids.map((id) => findMetric(id)),
    findKind(kind).words,
    'short',
  );

/** `0.912 ± 0.013`; a dash where there is nothing, no spread with one seed. */
export function spreadText(spread: Spread | null | undefined): string {
  if (!spread) return '–';
  const { mean, std } = spread;
  return `${mean.toFixed(3)}${std === undefined ? '' : ` ± ${std.toFixed(3)}`}`;
}

/** What was published, and how far it can be trusted. */
export function publishedText({ method, about, values, source, read, remark }: PublishedFigure): string {
  const heads = headsOf(Object.keys(values) as MetricId[]);
  const numbers = Object.values(values).map((value, i) => `${heads[i]} ${value.toFixed(3)}`);
  const trust = { paper: '', memory: 'from memory, unverified' }[read as string] ?? read;
  const words = [source, trust, remark].filter(Boolean).join('; ');
  return `${[method, about].filter(Boolean).join(', ')}: ${numbers.join(' ')} (${words})`;
}
