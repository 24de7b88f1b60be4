/** The first sentence of a report: is the detector better than one that does not learn? */
import type { ReportData } from './data.ts';
import type { Decisions } from './judgement.ts';
import { fixed, percent } from './numbers.ts';

/** Differences of AUROC below this are called equal where no interval is known. */
const EQUAL = 0.005;

export interface Verdict {
  readonly kind: 'good' | 'unclear' | 'bad';
  readonly title: string;
  readonly text: string;
}

/** Compares the AUROC of the detector with the distance to the mean image, on the same items. */
export function verdictOf(
  { metrics, baselines, intervals, reasons, model }: ReportData,
  decisions?: Decisions,
): Verdict {
  const own = metrics.imageAuroc;
  const mean = baselines['mean-image']?.imageAuroc;
  if (own === null || own === undefined) {
    return { kind: 'unclear', title: 'Not judged.', text: reasons.imageAuroc ?? 'There is no AUROC for this run.' };
  }
  const value = `AUROC ${fixed(own)}`;
  if (mean === null || mean === undefined) {
    return { kind: 'unclear', title: `${value}.`, text: 'There is no baseline to compare it with.' };
  }
  if (model.isBaseline) {
    return { kind: 'unclear', title: 'A baseline.', text: `${value}; every detector worth its name must beat this.` };
  }
  const against = `${value} against ${fixed(mean)}`;
  const interval = intervals?.imageAuroc;
  if (own < mean) {
    const chance = interval && mean <= interval[1] ? ' The difference may be chance.' : '';
    return {
      kind: 'bad',
      title: 'Loses to the distance to the mean image.',
      text: `${against}: a detector that does not learn is better on this data.${chance}`,
    };
  }
  if (interval ? mean >= interval[0] : own - mean < EQUAL) {
    return {
      kind: 'unclear',
      title: 'Not clearly better than the distance to the mean image.',
      text: `${against}: the difference may be chance.`,
    };
  }
  // A ranking may be good and the threshold still useless: both belong into the first sentence.
  const recall = decisions?.recall.share ?? 1;
  const found = recall < 0.5 ? ` At the threshold it finds only ${percent(recall)} of the anomalies.` : '';
  return {
    kind: 'good',
    title: 'Beats the distance to the mean image.',
    text: `${against} on the same items.${found}`,
  };
}
