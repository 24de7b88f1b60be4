/** How the numbers of a benchmark are written, the same on the terminal and on its page. */
import type { BenchMetric, PublishedFigure } from './bench.ts';
import type { Spread } from './summary.ts';

/** Stands wherever numbers of `--quick` are shown. */
export const quickBanner =
  'QUICK: few epochs, few classes, a small test part. It shows that the benchmark works; quote nothing of it.';

/** Metrics as heads of columns. */
export const metricHeads: Readonly<Record<BenchMetric, string>> = {
  imageAuroc: 'AUROC',
  imageAp: 'AP',
  imageF1Max: 'F1-max',
  precision: 'P',
  recall: 'R',
  f1: 'F1',
  pixelAuroc: 'pixel AUROC',
  pixelAp: 'pixel AP',
  aupro: 'AUPRO',
  dice: 'Dice',
  iou: 'IoU',
  seenAuroc: 'AUROC seen',
  heldOutAuroc: 'AUROC held out',
};

/** `0.912 ± 0.013`; a dash where there is nothing, no spread with one seed. */
export function spreadText(spread: Spread | null | undefined): string {
  if (!spread) return '–';
  const { mean, std } = spread;
  return `${mean.toFixed(3)}${std === undefined ? '' : ` ± ${std.toFixed(3)}`}`;
}

/** What was published, and how far it can be trusted. */
export function publishedText({ method, about, values, source, read, remark }: PublishedFigure): string {
  const numbers = Object.entries(values).map(([metric, v]) => `${metricHeads[metric as BenchMetric]} ${v.toFixed(3)}`);
  const trust = { paper: '', memory: 'from memory, unverified' }[read as string] ?? read;
  const words = [source, trust, remark].filter(Boolean).join('; ');
  return `${[method, about].filter(Boolean).join(', ')}: ${numbers.join(' ')} (${words})`;
}
