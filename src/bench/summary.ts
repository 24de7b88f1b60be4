/** What the runs of a table say together: means over its cases with the spread over seeds, and rows for a CSV file. */
import { basename } from 'node:path';
import { optionFacts } from '../core/schema.ts';
import { splitOptions } from '../data/index.ts';
import type { RunReport } from '../engine/judging/report-types.ts';
import {
  findMetric,
  headlineMetrics,
  idOf,
  type MetricDescription,
  type MetricId,
  metricsOf,
  readMetric,
} from '../metrics/index.ts';
import type { BenchTable, PublishedFigure } from './bench.ts';

/** A mean and, from two seeds on, the standard deviation over seeds (n − 1). */
export interface Spread {
  readonly mean: number;
  readonly std?: number;
}

/** A model in a table, over all cases and seeds. */
export interface SummaryRow {
  readonly model: string;
  /** The model, with what sets it apart from other rows: its share of contaminants, a limited test part. */
  readonly label: string;
  readonly seeds: number;
  readonly cases: number;
  /** Null where undefined in every run. */
  readonly metrics: Readonly<Partial<Record<MetricId, Spread | null>>>;
  /** Mean share of anomalous test items. */
  readonly prevalence: number | null;
  /** Mean seconds of a run, and those of its training. */
  readonly seconds: number;
  readonly fitSeconds: number;
  /** Numbers that gradient training moved; of the first run. */
  readonly parameters: number;
  readonly published: readonly PublishedFigure[];
}

/** Metrics of one case, the mean over seeds by row. */
export interface CaseRow {
  readonly label: string;
  /** In the order of the summary's rows. */
  readonly values: readonly (Spread | null)[];
}

/** A table with its numbers. */
export interface TableSummary {
  readonly table: BenchTable;
  readonly rows: readonly SummaryRow[];
  /** The table's first metric by case; none for a single case. */
  readonly cases: readonly CaseRow[];
  /** Sentences on average precisions by case that are below the share of anomalies: a random score has that share. */
  readonly belowPrevalence: readonly string[];
  /** What was warned of data after which figures are not those of the data set, once for each set, as its first run says it. */
  readonly doubts: readonly string[];
  /** Figures of methods that have no row. */
  readonly otherPublished: readonly PublishedFigure[];
  readonly leftOut: readonly string[];
}

/** A finished training and what its row is called. */
export interface LabelledReport {
  readonly label: string;
  readonly report: RunReport;
}

/** Sums a table up; `runs` are its trainings. */
export function summarize(
  table: BenchTable,
  runs: readonly LabelledReport[],
  leftOut: readonly string[],
): TableSummary {
  const groups = groupBy(runs, rowKey);
  const rows = groups.map((own) => rowOf(table, own));
  const shown = new Set(rows.flatMap(({ published }) => published));
  const byCase = groupBy(runs, caseLabel);
  return {
    table,
    rows,
    cases:
      byCase.length < 2
        ? []
        : byCase.map((own) => ({
            label: caseLabel(own[0]),
            values: groups.map(([first]) =>
              spreadOf(
                own.filter((r) => rowKey(r) === rowKey(first)).map(({ report }) => report),
                table.metrics[0],
              ),
            ),
          })),
    belowPrevalence: groups.flatMap((own) => belowPrevalence(own)),
    doubts: groupBy(
      runs.flatMap(({ report }) =>
        doubtsOf(report).map(({ code, message }) => ({ key: `${report.data} ${code}`, message })),
      ),
      ({ key }) => key,
    ).map(([{ message }]) => message),
    otherPublished: (table.published ?? []).filter((figure) => !shown.has(figure)),
    leftOut,
  };
}

const rowKey = ({ label, report }: LabelledReport) => JSON.stringify([label, splitOf(report)]);
const caseLabel = ({ report }: LabelledReport) => `${basename(report.data)}, ${report.class}`;

function rowOf(table: BenchTable, runs: readonly LabelledReport[]): SummaryRow {
  const own = runs.map(({ report }) => report);
  const [{ model, contamination = 0, parameters }] = own;
  const isContaminated = table.cases.some((c) => c.contamination !== undefined);
  const label = [runs[0].label, ...(isContaminated ? [`p = ${contamination}`] : []), ...ownSplit(table, own[0])].join(
    ', ',
  );
  return {
    model,
    label,
    seeds: new Set(own.map((r) => r.seed)).size,
    cases: groupBy(runs, caseLabel).length,
    metrics: Object.fromEntries(table.metrics.map((metric) => [metric, spreadOf(own, metric)])),
    prevalence: meanOf(own.map(prevalenceOf)),
    seconds: meanOf(own.map((r) => r.timings.totalSeconds)) ?? 0,
    fitSeconds: meanOf(own.map((r) => r.timings.fitSeconds)) ?? 0,
    parameters,
    published: (table.published ?? []).filter((figure) => figure.model === model),
  };
}

/** The options of a split that a report states; the held-out share is in its counts. */
const reportedSplitOptions = (Object.keys(splitOptions) as (keyof typeof splitOptions)[]).filter(
  (name) => name !== 'validationFraction',
);

/** How the split of a report was drawn, as the report states it; `''` for what was not limited. */
const splitOf = (report: RunReport) => ({
  ...Object.fromEntries(reportedSplitOptions.map((name) => [name, report[name] ?? ''])),
  contamination: report.contamination ?? 0,
});

/** What of the split was drawn in another way than in the rest of the table. */
const ownSplit = ({ split }: BenchTable, report: RunReport) =>
  reportedSplitOptions.flatMap((name) =>
    name === 'contamination' || report[name] === undefined || report[name] === split?.[name]
      ? []
      : `${optionFacts.get(splitOptions[name])?.flags[0].name} ${report[name]}`,
  );

const prevalenceOf = ({ counts }: RunReport) => (counts.test === 0 ? null : counts.testAnomalies / counts.test);

/** Sentences where the runs of one row have a mean that is below that of a random score, the prevalence of the case. */
function belowPrevalence(runs: readonly LabelledReport[]): string[] {
  return headlineMetrics.flatMap((metric) => {
    if (metric.chance !== 'prevalence') return [];
    const below = groupBy(runs, caseLabel).flatMap((own) => {
      const value = meanOf(own.map(({ report }) => reportedValue(report, metric)));
      const prevalence = meanOf(own.map(({ report }) => prevalenceOf(report)));
      if (value === null || prevalence === null || value >= prevalence) return [];
      return [`${caseLabel(own[0])} (${value.toFixed(3)} of ${prevalence.toFixed(3)})`];
    });
    return below.length === 0 ? [] : [`${runs[0].label}: ${metric.title} below the prevalence on ${below.join(', ')}.`];
  });
}

/** Codes of warnings after which a figure is not that of the data set. */
const doubtful = new Set(['lossy-copy', 'leak']);
const doubtsOf = ({ warnings = [] }: RunReport) => warnings.filter(({ code }) => doubtful.has(code));

const reportedValue = ({ metrics }: RunReport, metric: MetricDescription) => readMetric(metrics, metric) ?? null;

/** The mean over cases by seed, and over seeds the mean and the spread. */
function spreadOf(reports: readonly RunReport[], id: MetricId): Spread | null {
  const metric = findMetric(id);
  const bySeed = groupBy(reports, (r) => String(r.seed)).flatMap(
    (own) => meanOf(own.map((r) => reportedValue(r, metric))) ?? [],
  );
  const mean = meanOf(bySeed);
  if (mean === null) return null;
  if (bySeed.length < 2) return { mean };
  const variance = bySeed.reduce((sum, v) => sum + (v - mean) ** 2, 0) / (bySeed.length - 1);
  return { mean, std: Math.sqrt(variance) };
}

/** Mean of the values that are defined; null without one. */
function meanOf(values: readonly (number | null)[]): number | null {
  const defined = values.filter((v) => v !== null);
  return defined.length === 0 ? null : defined.reduce((sum, v) => sum + v, 0) / defined.length;
}

/** Groups in the order in which they begin. */
function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): T[][] {
  const groups = new Map<string, T[]>();
  for (const item of items) groups.set(keyOf(item), [...(groups.get(keyOf(item)) ?? []), item]);
  return [...groups.values()];
}

/** Where a row of a CSV file was made. */
export interface RowOrigin {
  readonly cpu: string;
  readonly cores: number;
  readonly command: string;
  readonly quick: boolean;
}

/** A row of the CSV file: a claim with everything that is needed to repeat it. */
export function csvRow(report: RunReport, version: string, { cpu, cores, command, quick }: RowOrigin) {
  const { timings, versions } = report;
  const columns = metricsOf(report).filter(({ level }) => level !== 'series' || report.metrics.series !== undefined);
  return {
    model: report.model,
    data: basename(report.data),
    shape: report.shape.join('x'),
    protocol: report.protocol,
    class: report.class,
    seed: report.seed,
    ...splitOf(report),
    quick,
    ...Object.fromEntries(columns.map((metric) => [idOf(metric), reportedValue(report, metric) ?? ''])),
    doubts: doubtsOf(report)
      .map(({ code }) => code)
      .join(' '),
    perType: JSON.stringify(report.perType.map(({ type, count, metrics }) => ({ type, count, ...metrics }))),
    parameters: report.parameters,
    fitSeconds: Number(timings.fitSeconds.toFixed(2)),
    totalSeconds: Number(timings.totalSeconds.toFixed(2)),
    device: report.device,
    config: JSON.stringify(report.config),
    version,
    node: versions.node,
    cpu,
    cores,
    command,
  };
}
