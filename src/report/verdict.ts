/** The first sentence of a report: is the detector better than one that does not learn, and does its threshold work? */
import { findKind } from '../kinds/index.ts';
import { headlineMetrics, type MetricDescription, readMetric } from '../metrics/index.ts';
import type { ReportData } from './data.ts';
import type { Decisions } from './judgement.ts';
import { fixed, percent, percentInterval, rate } from './numbers.ts';
import { baselineTitle } from './words.ts';

/** Differences below this are called equal where no interval is known. */
const EQUAL = 0.005;
/** A detector that finds fewer anomalies than this finds next to none. */
const FEW = 0.1;

export interface Verdict {
  readonly kind: 'good' | 'unclear' | 'bad';
  readonly title: string;
  readonly text: string;
}

/** Something that keeps a headline from being green. */
interface Concern {
  readonly kind: 'unclear' | 'bad';
  readonly title: string;
  /** What was found, and what to try next. */
  readonly text: string;
}

/**
 * Compares the headline metrics of the detector with the best of the baselines, on the same items, and looks at what its
 * threshold does there. It is good only when nothing speaks against it; the weightiest concern is the title, all are told.
 */
export function verdictOf(data: ReportData, decisions?: Decisions): Verdict {
  const { metrics, reasons, model } = data;
  const [lead, ...others] = headlineMetrics;
  const own = readMetric(metrics, lead);
  if (own === null || own === undefined) {
    const text = readMetric(reasons, lead) ?? `There is no ${lead.title} for this run.`;
    return { kind: 'unclear', title: 'Not evaluated.', text };
  }
  const value = `${lead.title} ${fixed(own)}`;
  const best = bestBaseline(data, lead);
  if (!best) return { kind: 'unclear', title: `${value}.`, text: 'There is no baseline to compare it with.' };
  if (model.isBaseline) {
    return { kind: 'unclear', title: 'A baseline.', text: `${value}; a useful detector must beat this.` };
  }
  const against = `${value} against ${fixed(best.value)} of the baseline “${best.title}”`;
  const concerns = [
    ...ranking(data, lead, { own, best: best.value }),
    ...others.flatMap((metric) => otherRanking(data, metric)),
    ...(decisions ? ofThreshold(data, decisions) : []),
  ];
  // A ranking may be good and the threshold still useless: both belong into the first sentence.
  const recall = decisions?.recall.share ?? 1;
  const found =
    recall < 0.5 && recall >= FEW ? ` At the threshold it finds only ${percent(recall)} of the anomalies.` : '';
  if (concerns.length === 0) {
    return { kind: 'good', title: 'Beats the baselines.', text: `${against} on the same items.${found}` };
  }
  const first = concerns.find(({ kind }) => kind === 'bad') ?? concerns[0];
  const texts = [first, ...concerns.filter((c) => c !== first)].map(({ text }) => text);
  const advised = texts.findIndex((text) => text.includes(next));
  const told = texts.map((text, i) => (i > advised ? text.replace(next, '').trim() : text)); // advice once
  return { kind: first.kind, title: first.title, text: `${against}.${found} ${told.join(' ')}` };
}

/** The baseline that is best by a metric, among those that have it. */
function bestBaseline({ baselines, kind = 'image' }: ReportData, metric: MetricDescription) {
  const known = Object.entries(baselines).flatMap(([name, values]) => {
    const value = readMetric(values, metric);
    return value === null || value === undefined ? [] : [{ title: baselineTitle(name, findKind(kind).words), value }];
  });
  return known.sort((a, b) => b.value - a.value)[0];
}

const next = 'Try another model, more training items or, for images, a larger size.';

/** By the leading metric: loses, or may win by chance. */
function ranking(data: ReportData, lead: MetricDescription, { own, best }: { own: number; best: number }): Concern[] {
  const interval = readMetric(data.intervals, lead);
  if (own < best) {
    const chance = interval && best <= interval[1] ? ' The difference may be chance.' : '';
    const text = `A detector that does not learn is better on this data.${chance} ${next}`;
    return [{ kind: 'bad', title: 'Loses to a baseline.', text }];
  }
  if (interval ? best < interval[0] : own - best >= EQUAL) return [];
  const text = `The difference may be chance${interval ? `: the interval reaches down to ${fixed(interval[0])}` : ''}. Test on more items to know, or try another model.`;
  return [{ kind: 'unclear', title: 'Not clearly better than the baselines.', text }];
}

/** By another headline metric: a baseline is better. */
function otherRanking(data: ReportData, metric: MetricDescription): Concern[] {
  const own = readMetric(data.metrics, metric);
  const best = bestBaseline(data, metric);
  if (own === null || own === undefined || !best || best.value <= own) return [];
  const text = `By ${metric.title} the baseline “${best.title}” is better, ${fixed(best.value)} against ${fixed(own)}. ${next}`;
  return [{ kind: 'unclear', title: `A baseline has the better ${metric.title}.`, text }];
}

/** What the threshold does: alarms too often, or finds next to nothing. */
function ofThreshold({ threshold }: ReportData, { recall, falseAlarmRate }: Decisions): Concern[] {
  const { wantedFalseAlarmRate: wanted } = threshold;
  const concerns: Concern[] = [];
  if (typeof wanted === 'number' && falseAlarmRate.interval[0] > wanted) {
    const text =
      `At the threshold ${percent(falseAlarmRate.share)} of the normal test items alarm (95 %: ${percentInterval(falseAlarmRate.interval)}), ` +
      `more than the ${rate(wanted)} that was asked for. ` +
      ((falseAlarmRate.share ?? 0) <= threshold.rateInterval[1]
        ? `With ${threshold.normals} normals to choose it from this can happen: add normal items.`
        : 'The normal test items seem to differ from those of the training part: train on such ones too.');
    concerns.push({ kind: 'unclear', title: 'Alarms too often.', text });
  }
  if (recall.share !== null && recall.share < FEW) {
    const text = `At the threshold it finds only ${percent(recall.share)} of the anomalies. Allow more false alarms (other thresholds are below), or try another model.`;
    concerns.push({ kind: 'unclear', title: 'Finds next to nothing at its threshold.', text });
  }
  return concerns;
}
