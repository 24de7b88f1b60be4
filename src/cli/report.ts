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
  if (report.threshold.reason) parts.push(`About the threshold: ${report.threshold.reason}`);
  for (const [what, profile] of Object.entries(report.profile ?? {})) {
    if (profile.length > 0) parts.push(`time by operator, ${what}:\n${profileText(profile)}`);
  }
  return parts.join('\n\n');
}

/** `0.0213, for 1 % false alarms (592 held-out normals); 0.9 % of the test normals and 93 % of the anomalies reach it`. */
function thresholdText({
  value,
  wantedFalseAlarmRate,
  normals,
  testFalseAlarmRate,
  testRecall,
}: RunReport['threshold']) {
  const percent = (share: number) => `${Number((100 * share).toFixed(1))} %`;
  const wanted = `for ${percent(wantedFalseAlarmRate)} false alarms (${normals} held-out normals)`;
  const reached: string[] = [];
  if (testFalseAlarmRate !== undefined) reached.push(`${percent(testFalseAlarmRate)} of the test normals`);
  if (testRecall !== undefined) reached.push(`${percent(testRecall)} of the anomalies`);
  const rest = reached.length > 0 ? `; ${reached.join(' and ')} reach it` : '';
  return `${value === null ? 'none' : value.toPrecision(4)}, ${wanted}${rest}`;
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
