/** A run's report as text: a table of metrics beside the baselines, and where everything is. */
import { findKind } from '../kinds/index.ts';
import { metricsOf, readMetric, shownMetrics, titlesOf } from '../metrics/index.ts';
import { baselineTitle } from '../report/words.ts';
import type { ProfileRow } from '../runtime/runtime.ts';
import type { RunReport } from './engine.ts';
import { bytes, duration, fixed, table } from './render.ts';

/** The report of `train` and `test` for people; `page` is the file that shows more. */
export function reportText(report: RunReport, page?: string): string {
  const { model, data, kind, protocol, class: about, seed, device, metrics, counts, timings } = report;
  const baselines = Object.entries(report.baselines);
  const all = shownMetrics(report);
  const shown = all.filter(({ isDetail }) => !isDetail);
  const { words } = findKind(kind);
  const titles = titlesOf(shown, words);
  const rows = shown.map((metric, i) => [
    titles[i],
    fixed(readMetric(metrics, metric)),
    intervalText(readMetric(report.intervals, metric)),
    ...baselines.map(([, values]) => fixed(readMetric(values, metric))),
  ]);
  const expected = forecastText(report.threshold, words.items);
  const speed = timings.stepsPerSecond === null ? '' : `, ${timings.stepsPerSecond.toFixed(1)} steps/s`;
  const facts = [
    ...(report.choice ? [['model', `chosen by auto: ${report.choice.reason}`]] : []),
    [
      'items',
      `${counts.train} train${counts.trainAnomalies > 0 ? ` (${counts.trainAnomalies} anomalous)` : ''}${counts.contaminants ? ` (${counts.contaminants} anomalies treated as normal)` : ''}, ${counts.validation} held out, ${counts.test} test (${counts.testAnomalies} anomalous)`,
    ],
    ['threshold', thresholdText(report.threshold)],
    ...(expected === undefined ? [] : [['expect', `${expected} to reach it`]]),
    ...(report.smoothing === undefined
      ? []
      : [
          [
            'smoothing',
            `scores along each ${kind === 'clip' ? 'clip' : 'series'} by a Gaussian of ${report.smoothing} ${words.items}`,
          ],
        ]),
    ...(report.threshold.alarms
      ? [[report.threshold.alarms.per === 'day' ? 'a day' : 'in 1,000 steps', alarmRateText(report.threshold.alarms)]]
      : []),
    ['training', `${duration(timings.fitSeconds)}${speed}`],
    ['scoring', `${fixed(timings.scoreMsPerItem, 3)} ms an item`],
    ['memory', `${bytes(report.peakMemoryBytes)} at most`],
    ['run', report.run],
    ...(page === undefined ? [] : [['report', page]]),
  ];
  const parts = [
    `${model} on ${data}, ${protocol} "${about}", seed ${seed}, on ${device}`,
    table(['', model, '95 %', ...baselines.map(([name]) => baselineTitle(name, words))], rows, [1, 3, 4]),
  ];
  const reasons = shown.flatMap((metric, i) => {
    const reason = readMetric(report.reasons, metric);
    return reason === undefined ? [] : [`${titles[i]}: ${reason}`];
  });
  if (reasons.length > 0) parts.push(reasons.join('\n'));
  if (shown.length < all.length)
    parts.push(`${all.length - shown.length} more metrics are in metrics.json and on the page.`);
  if (report.perType.length > 1) parts.push(typesText(report));
  if (report.choice?.tried) parts.push(choiceText(report.choice));
  parts.push(table([], facts));
  if (report.threshold.sawTest) parts.push(sawTestBanner);
  if (report.threshold.reason) parts.push(`About the threshold: ${report.threshold.reason}`);
  for (const [what, profile] of Object.entries(report.profile ?? {})) {
    if (profile.length > 0) parts.push(`time by operator, ${what}:\n${profileText(profile)}`);
  }
  return parts.join('\n\n');
}

/** Lines of candidates that are shown; the others are on the page. */
const CANDIDATES = 5;

/** The best candidates of a choice. */
export function choiceText({ tried = [], leftOut = [], seconds = 0 }: NonNullable<RunReport['choice']>): string {
  const rows = tried
    .filter((one, i) => i < CANDIDATES || one.isChosen)
    .map((one) => [
      one.isChosen ? 'chosen' : '',
      one.config.align === undefined ? one.model : `${one.model}, ${one.config.align}`,
      one.backbone,
      one.taps.join(','),
      `${one.size[0]}x${one.size[1]}`,
      [one.config.imageScore, one.config.top].filter((v) => v !== undefined).join(' '),
      fixed(one.figure, 3),
      intervalText(one.interval),
      one.located === undefined ? '–' : percent(one.located),
      duration(one.seconds),
    ]);
  const head = ['', 'candidate', 'backbone', 'taps', 'size', 'image score', 'AUROC', '95 %', 'place found', 'time'];
  const more = tried.length > rows.length ? ` ${tried.length - rows.length} more candidates are on the page.` : '';
  const out =
    leftOut.length > 0 ? ` ${leftOut.length} were left out: ${leftOut[0].what}, since ${leftOut[0].why}.` : '';
  return `${table(head, rows, [6, 8, 9])}\nOn planted defects, in ${duration(seconds)}.${more}${out}`;
}

/** How a threshold was chosen: `chosen for a miss rate of 0.01 …`, `set by hand`. */
export const chosenBy = (rule: string): string =>
  rule === 'a value set by hand' ? 'set by hand' : `chosen for ${rule}`;

/** Stands wherever a threshold is shown that the test part chose. */
export const sawTestBanner =
  'This threshold was tuned on the test set, so its test figures are optimistic. Evaluate it on other data.';

/** `0.9312 … 0.9714`; nothing where there is no interval. */
export function intervalText(interval: readonly [number, number] | null | undefined): string {
  return interval ? `${fixed(interval[0])} … ${fixed(interval[1])}` : '';
}

/** `1.2 %`. */
export const percent = (share: number): string => `${Number((100 * share).toFixed(1))} %`;

/** One line per class of anomalies, the hardest first. */
function typesText({ perType, ownMetrics }: RunReport): string {
  const shown = metricsOf({ ownMetrics }).filter(({ name, isHeadline }) => isHeadline && name in perType[0].metrics);
  const [lead] = shown;
  const rows = [...perType]
    .sort((a, b) => (a.metrics[lead.name] ?? 0) - (b.metrics[lead.name] ?? 0))
    .map((t) => [
      t.type,
      String(t.count),
      ...shown.map(({ name }) => fixed(t.metrics[name])),
      t.recall === null ? '–' : percent(t.recall),
      t.meanScore.toPrecision(4),
    ]);
  const head = ['anomalies', 'items', ...shown.map(({ title }) => title), 'found', 'mean score'];
  return table(
    head,
    rows,
    Array.from({ length: head.length - 1 }, (_, i) => i + 1),
  );
}

/** How many windows that share no step the scores of so many steps are worth: `1 window`. */
function windowsOf(normals: number, together: number): string {
  const count = Math.max(1, Math.floor(normals / together));
  return `${count} window${count === 1 ? '' : 's'}`;
}

/** `0.0213, chosen for a false-positive rate (false alarms) of 0.01 on held-out normals (592 held out); 0.9 % of the test normals and 93 % of the anomalies reach it`. */
export function thresholdText(threshold: RunReport['threshold']) {
  const { value, rule, normals, folds, together, review, testFalseAlarmRate, testRecall } = threshold;
  const reached: string[] = [];
  if (testFalseAlarmRate !== undefined) reached.push(`${percent(testFalseAlarmRate)} of the test normals`);
  if (testRecall !== undefined) reached.push(`${percent(testRecall)} of the anomalies`);
  const rest = reached.length > 0 ? `; ${reached.join(' and ')} reach it` : '';
  const band = review ? `; review from ${review.from.toPrecision(4)}` : '';
  const worth = together === undefined ? '' : `, worth ${windowsOf(normals, together)}`;
  const origin = `${folds === undefined ? `${normals} held out` : `${normals} normals in ${folds} folds`}${worth}`;
  return `${value === null ? 'none' : value.toPrecision(4)}, ${chosenBy(rule)} (${origin})${rest}${band}`;
}

/** `at most 1.9 % of new normal items (90 % interval, from 240 normals)`; undefined where it would mean nothing. */
export function forecastText(
  { value, normals, together, rateInterval: [low, high], sawTest }: RunReport['threshold'],
  items = 'items',
) {
  if (value === null || normals === 0 || sawTest) return undefined;
  const share = low === 0 ? `at most ${percent(high)}` : `${percent(low)} to ${percent(high)}`;
  return `${share} of new normal ${items} (90 % interval, from ${together === undefined ? `${normals} normals` : `normals worth ${windowsOf(normals, together)}`})`;
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

/** `0.8 false alarms (95 %: 0.1 … 2.9), from 4 in 5.0 days of held-out normals`. */
export function alarmRateText({
  rate,
  interval,
  found,
  units,
  per,
}: NonNullable<RunReport['threshold']['alarms']>): string {
  const short = (value: number) => String(Number(value.toPrecision(2)));
  const [low, high] = interval.map(short);
  const length = per === 'day' ? `${short(units)} days` : `${Math.round(1000 * units)} steps`;
  return `${short(rate)} false alarms (95 %: ${low} … ${high}), from ${found} in ${length} of held-out normals`;
}
