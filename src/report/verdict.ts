/** The first sentence of a report: is the detector better than one that does not learn? */
import { findKind } from '../kinds/index.ts';
import { headlineMetrics, readMetric } from '../metrics/index.ts';
import type { ReportData } from './data.ts';
import type { Decisions } from './judgement.ts';
import { fixed, percent } from './numbers.ts';
import { baselineTitle } from './words.ts';

/** Differences below this are called equal where no interval is known. */
const EQUAL = 0.005;

export interface Verdict {
  readonly kind: 'good' | 'unclear' | 'bad';
  readonly title: string;
  readonly text: string;
}

/** Compares the first headline metric of the detector with the best of the baselines, on the same items. */
export function verdictOf(
  { metrics, baselines, intervals, reasons, model, kind = 'image' }: ReportData,
  decisions?: Decisions,
): Verdict {
  const [lead] = headlineMetrics;
  const own = readMetric(metrics, lead);
  if (own === null || own === undefined) {
    const text = readMetric(reasons, lead) ?? `There is no ${lead.title} for this run.`;
    return { kind: 'unclear', title: 'Not evaluated.', text };
  }
  const value = `${lead.title} ${fixed(own)}`;
  const best = Object.entries(baselines)
    .map(([name, values]) => ({ name, value: readMetric(values, lead) ?? Number.NaN }))
    .filter((baseline) => !Number.isNaN(baseline.value))
    .sort((a, b) => b.value - a.value)[0];
  if (!best) return { kind: 'unclear', title: `${value}.`, text: 'There is no baseline to compare it with.' };
  if (model.isBaseline) {
    return { kind: 'unclear', title: 'A baseline.', text: `${value}; a useful detector must beat this.` };
  }
  const against = `${value} against ${fixed(best.value)} of the baseline “${baselineTitle(best.name, findKind(kind).words)}”`;
  const interval = readMetric(intervals, lead);
  if (own < best.value) {
    const chance = interval && best.value <= interval[1] ? ' The difference may be chance.' : '';
    return {
      kind: 'bad',
      title: 'Loses to a baseline.',
      text: `${against}: a detector that does not learn is better on this data.${chance}`,
    };
  }
  if (interval ? best.value >= interval[0] : own - best.value < EQUAL) {
    return {
      kind: 'unclear',
      title: 'Not clearly better than the baselines.',
      text: `${against}: the difference may be chance.`,
    };
  }
  // A ranking may be good and the threshold still useless: both belong into the first sentence.
  const recall = decisions?.recall.share ?? 1;
  const found = recall < 0.5 ? ` At the threshold it finds only ${percent(recall)} of the anomalies.` : '';
  return { kind: 'good', title: 'Beats the baselines.', text: `${against} on the same items.${found}` };
}
