/** A run's report as text: a table of metrics beside the baselines, and where everything is. */
import type { ProfileRow } from '../runtime/runtime.ts';
import type { RunReport } from './engine.ts';
import { bytes, duration, fixed, table } from './render.ts';

const names = {
  imageAuroc: 'image AUROC',
  imageAp: 'image AP',
  imageF1Max: 'image F1-max',
  prevalence: 'prevalence',
} as const;

/** The report of `train` and `test` for people. */
export function reportText(report: RunReport): string {
  const { model, data, protocol, class: about, seed, device, metrics, baselines, counts, timings } = report;
  const others = Object.entries(baselines) as [string, Partial<RunReport['metrics']>][];
  const rows = (Object.keys(names) as (keyof typeof names)[]).map((key) => [
    names[key],
    fixed(metrics[key]),
    ...others.map(([, values]) => fixed(key === 'prevalence' ? metrics[key] : values[key])),
  ]);
  const speed = timings.stepsPerSecond === null ? '' : `, ${timings.stepsPerSecond.toFixed(1)} steps/s`;
  const facts = [
    [
      'items',
      `${counts.train} train, ${counts.validation} held out, ${counts.test} test (${counts.testAnomalies} anomalous)`,
    ],
    ['threshold', thresholdText(report.threshold)],
    ['training', `${duration(timings.fitSeconds)}${speed}`],
    ['scoring', `${fixed(timings.scoreMsPerItem, 3)} ms an item`],
    ['memory', `${bytes(report.peakMemoryBytes)} at most`],
    ['run', report.run],
  ];
  const parts = [
    `${model} on ${data}, ${protocol} "${about}", seed ${seed}, on ${device}`,
    table(['', model, ...others.map(([name]) => name)], rows, [1, 2, 3]),
    table([], facts),
  ];
  const reasons = Object.entries(report.reasons).map(([name, reason]) => `${name}: ${reason}`);
  if (reasons.length > 0) parts.splice(2, 0, reasons.join('\n'));
  for (const [what, profile] of Object.entries(report.profile ?? {})) {
    if (profile.length > 0) parts.push(`time by operator, ${what}:\n${profileText(profile)}`);
  }
  return parts.join('\n\n');
}

/** `0.0213 for 5 % false alarms; on the test part 4.8 % of the normals and 93.1 % of the anomalies reach it`. */
function thresholdText(threshold: RunReport['threshold']): string {
  const { value, wantedFalseAlarmRate, testFalseAlarmRate, testRecall, reason } = threshold;
  const percent = (share: number) => `${Number((100 * share).toFixed(1))} %`;
  const parts = [
    `${value === null ? 'none' : value.toPrecision(4)}, for ${percent(wantedFalseAlarmRate)} false alarms on held-out normals`,
  ];
  const reached: string[] = [];
  if (testFalseAlarmRate !== undefined) reached.push(`${percent(testFalseAlarmRate)} of the normals`);
  if (testRecall !== undefined) reached.push(`${percent(testRecall)} of the anomalies`);
  if (reached.length > 0) parts.push(`on the test part ${reached.join(' and ')} reach it`);
  if (reason) parts.push(reason);
  return parts.join('; ');
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
