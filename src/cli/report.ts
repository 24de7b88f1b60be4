/** A run's report as text: a table of metrics beside the baselines, and where everything is. */
import type { ProfileRow } from '../runtime/runtime.ts';
import type { RunReport } from './engine.ts';
import { bytes, duration, fixed, table } from './render.ts';

/** Metrics in words. */
export const metricNames = {
  imageAuroc: 'image AUROC',
  imageAp: 'image AP',
  imageF1Max: 'image F1-max',
  prevalence: 'prevalence',
  precision: 'precision at the share',
  recall: 'recall at the share',
  f1: 'F1 at the share',
  seenAuroc: 'AUROC, seen classes',
  heldOutAuroc: 'AUROC, held-out classes',
  pixelAuroc: 'pixel AUROC',
  pixelAp: 'pixel AP',
  aupro: 'AUPRO (to 0.3)',
  dice: 'Dice at the map threshold',
  iou: 'IoU at the map threshold',
} as const;

/** The report of `train` and `test` for people; `page` is the file that shows more. */
export function reportText(report: RunReport, page?: string): string {
  const { model, data, protocol, class: about, seed, device, metrics, baselines, counts, timings } = report;
  const others = Object.entries(baselines) as [string, Partial<RunReport['metrics']>][];
  // Without masks there are no pixel metrics, and no reason to show three empty rows.
  const shown = (Object.keys(metricNames) as (keyof typeof metricNames)[]).filter(
    (key) => (metrics[key] !== null && metrics[key] !== undefined) || key.startsWith('image'),
  );
  const rows = shown.map((key) => [
    report.kind === 'image' ? metricNames[key] : metricNames[key].replace(/^image /, ''),
    fixed(metrics[key]),
    intervalText(report.intervals[key as keyof RunReport['intervals']]),
    ...others.map(([, values]) => fixed(key === 'prevalence' ? metrics[key] : values[key])),
  ]);
  const speed = timings.stepsPerSecond === null ? '' : `, ${timings.stepsPerSecond.toFixed(1)} steps/s`;
  const facts = [
    [
      'items',
      `${counts.train} train${counts.trainAnomalies > 0 ? ` (${counts.trainAnomalies} anomalous)` : ''}${counts.contaminants ? ` (${counts.contaminants} anomalies taken for normal)` : ''}, ${counts.validation} held out, ${counts.test} test (${counts.testAnomalies} anomalous)`,
    ],
    ['threshold', thresholdText(report.threshold)],
    ['training', `${duration(timings.fitSeconds)}${speed}`],
    ['scoring', `${fixed(timings.scoreMsPerItem, 3)} ms an item`],
    ['memory', `${bytes(report.peakMemoryBytes)} at most`],
    ['run', report.run],
    ...(page === undefined ? [] : [['report', page]]),
  ];
  const parts = [
    `${model} on ${data}, ${protocol} "${about}", seed ${seed}, on ${device}`,
    table(['', model, '95 %', ...others.map(([name]) => name)], rows, [1, 3, 4]),
  ];
  const reasons = Object.entries(report.reasons).filter(([name]) => shown.some((key) => key === name));
  if (reasons.length > 0) parts.push(reasons.map(([name, reason]) => `${name}: ${reason}`).join('\n'));
  if (report.perType.length > 1) parts.push(typesText(report.perType));
  parts.push(table([], facts));
  if (report.threshold.sawTest) parts.push(sawTestBanner);
  if (report.threshold.reason) parts.push(`About the threshold: ${report.threshold.reason}`);
  for (const [what, profile] of Object.entries(report.profile ?? {})) {
    if (profile.length > 0) parts.push(`time by operator, ${what}:\n${profileText(profile)}`);
  }
  return parts.join('\n\n');
}

/** Stands wherever a threshold is shown that the test part chose. */
export const sawTestBanner =
  'THIS THRESHOLD SAW THE TEST SET: what it does on the test part is no judgement. Judge it on other data.';

/** `0.9312 … 0.9714`; nothing where there is no interval. */
export function intervalText(interval: readonly [number, number] | null | undefined): string {
  return interval ? `${fixed(interval[0])} … ${fixed(interval[1])}` : '';
}

/** `1.2 %`. */
export const percent = (share: number): string => `${Number((100 * share).toFixed(1))} %`;

/** One line per class of anomalies, the hardest first. */
function typesText(types: RunReport['perType']): string {
  const rows = [...types]
    .sort((a, b) => (a.auroc ?? 0) - (b.auroc ?? 0))
    .map((t) => [
      t.type,
      String(t.count),
      fixed(t.auroc),
      fixed(t.ap),
      t.recall === null ? '–' : percent(t.recall),
      t.meanScore.toPrecision(4),
    ]);
  return table(['anomalies', 'items', 'AUROC', 'AP', 'found', 'mean score'], rows, [1, 2, 3, 4, 5]);
}

/** `0.0213, for a false-alarm rate of 0.01 on held-out normals (592 held out); 0.9 % of the test normals and 93 % of the anomalies reach it`. */
export function thresholdText({
  value,
  rule,
  normals,
  review,
  testFalseAlarmRate,
  testRecall,
}: RunReport['threshold']) {
  const reached: string[] = [];
  if (testFalseAlarmRate !== undefined) reached.push(`${percent(testFalseAlarmRate)} of the test normals`);
  if (testRecall !== undefined) reached.push(`${percent(testRecall)} of the anomalies`);
  const rest = reached.length > 0 ? `; ${reached.join(' and ')} reach it` : '';
  const band = review ? `; review from ${review.from.toPrecision(4)}` : '';
  return `${value === null ? 'none' : value.toPrecision(4)}, for ${rule} (${normals} held out)${rest}${band}`;
}

/** Time by operator, the slowest first. */
function profileText(rows: readonly ProfileRow[]): string {
  const total = rows.reduce((sum, row) => sum + row.milliseconds, 0);
  const sorted = [...rows].sort((a, b) => b.milliseconds - a.milliseconds);
  const cells = sorted.map((row) => [
    row.op,
    String(row.calls),
    row.milliseconds.toFixed(1),
    `${((100 * row.milliseconds) / total).toFixed(1)} %`,
  ]);
  return table(['operator', 'calls', 'ms', 'share'], cells, [1, 2, 3]);
}
