/** Two runs that scored the same test items: their metrics side by side, and the items on which they disagree. Node only. */
import { DataError } from '../core/errors.ts';
import type { ItemKind } from '../core/item-shape.ts';
import { option, say } from '../core/text.ts';
import { type Decision, decide } from '../engine/judging/calibrate.ts';
import type { RunReport } from '../engine/judging/report-types.ts';
import {
  idOf,
  type Metric,
  type MetricDescription,
  type MetricLevel,
  type MetricValue,
  metricsOf,
  pairedIntervals,
  readMetric,
  withOwnMetrics,
} from '../metrics/index.ts';
import { readArtifact } from './artifact.ts';
import { type RunRecord, readFinishedRun, runFiles } from './folder.ts';
import { readReport } from './report-file.ts';
import { readPredictions, type TestScores } from './test-scores.ts';

/** Options of `compareRuns`: the folders of two finished runs. */
export interface CompareOptions {
  /** Folders of two finished runs. */
  a: string;
  b: string;
  /** How many items to list; default 10. */
  items?: number;
  /**
   * Compare although the data have changed in between, as after `update`: test items of the same name and label are then taken for the
   * same, which `differences` says; default false.
   */
  versions?: boolean;
  /** Your own metrics: with them their differences have intervals too. */
  metrics?: readonly Metric[];
}

/** What `compareRuns` finds: metrics side by side and the items on which two runs disagree. */
export interface Comparison {
  readonly a: ComparedRun;
  readonly b: ComparedRun;
  readonly data: string;
  /** What an item is. */
  readonly kind: ItemKind;
  readonly testItems: number;
  /** What the runs do not have in common besides the model, as sentences; empty when nothing. */
  readonly differences: readonly string[];
  /** In the order of tables; difference is B − A. */
  readonly metrics: readonly ComparedMetric[];
  /** The words of metrics that are not of the registry; absent for none. */
  readonly ownMetrics?: readonly MetricDescription[];
  /** Share of the items on which both thresholds decide alike; null where one has none. */
  readonly agreement: number | null;
  /** Those whose ranks are farthest apart, the farthest first. */
  readonly items: readonly ComparedItem[];
}

export interface ComparedRun {
  readonly run: string;
  readonly model: string;
  readonly seed: number;
  readonly threshold: number | null;
  /** True when the test part chose the threshold. */
  readonly sawTest: boolean;
}

/** A metric of two runs, and the interval of its difference. */
export interface ComparedMetric {
  readonly level: MetricLevel;
  readonly name: string;
  readonly a: MetricValue;
  readonly b: MetricValue;
  readonly difference: MetricValue;
  /**
   * 95 % paired bootstrap interval of the difference over test items; null where it cannot be drawn, and for metrics of
   * maps, which are not kept.
   */
  readonly interval: readonly [number, number] | null;
}

/** A test item and how two runs rank it. */
export interface ComparedItem {
  readonly id: string;
  readonly class: string;
  readonly label: number;
  /** Rank of its score among the test items, from 0 (most normal) to 1 (most anomalous); equal scores share one. */
  readonly rankA: number;
  readonly rankB: number;
  readonly decisionA: Decision | null;
  readonly decisionB: Decision | null;
}

/** Rounds of the bootstrap: as many as items allow in a few seconds, within these bounds. */
const ROUNDS = { least: 200, most: 1000, items: 2_000_000 };

/**
 * Compares two runs. Throws DataError `different-data` or `different-test` unless both scored the same items with the
 * same labels, and those of `readFinishedRun` and `readArtifact`.
 */
export async function compareRuns({ a, b, ...how }: CompareOptions): Promise<Comparison> {
  const [one, two] = await Promise.all([a, b].map(readCompared));
  return compareRead(one, two, how);
}

/** `compareRuns` of runs that were read. */
export function compareRead(
  one: ReadRun,
  two: ReadRun,
  { items = 10, versions = false, metrics }: Omit<CompareOptions, 'a' | 'b'>,
): Comparison {
  requireSameTest(one, two, versions);
  const { ids, classes, labels } = one.test;
  const n = ids.length;
  const rounds = Math.min(ROUNDS.most, Math.max(ROUNDS.least, Math.round(ROUNDS.items / n)));
  const ownMetrics = uniqueOwn(one.report, two.report);
  const intervals = {
    item: pairedIntervals(two.test.scores, one.test.scores, labels, { seed: 1, rounds }, withOwnMetrics(metrics)),
  };
  const [ranksA, ranksB] = [ranksOf(one.test.scores), ranksOf(two.test.scores)];
  const decisions = [one, two].map(({ test, threshold }) => Array.from(test.scores, (s) => decide(threshold, s)));
  const alike = decisions[0].filter((decision, i) => decision === decisions[1][i]).length;
  const farthest = Array.from(labels.keys())
    .sort((i, j) => Math.abs(ranksB[j] - ranksA[j]) - Math.abs(ranksB[i] - ranksA[i]) || i - j)
    .slice(0, items);
  return {
    a: headOf(one),
    b: headOf(two),
    data: one.record.data,
    kind: one.report.kind,
    testItems: n,
    differences: differencesOf(one.record, two.record),
    metrics: metricsOf({ ownMetrics }).flatMap((metric) => {
      if (metric.better === 'neither') return []; // both runs have the same items
      const [left, right] = [one.report.metrics, two.report.metrics].map((values) => readMetric(values, metric));
      if (left === undefined && right === undefined) return [];
      const { level, name } = metric;
      const [a, b] = [left ?? null, right ?? null];
      const difference = a === null || b === null ? null : b - a;
      return [{ level, name, a, b, difference, interval: readMetric(intervals, metric) ?? null }];
    }),
    ...(ownMetrics.length > 0 && { ownMetrics }),
    agreement: one.threshold.value === null || two.threshold.value === null || n === 0 ? null : alike / n,
    items: farthest.map((i) => ({
      id: ids[i],
      class: classes[i],
      label: labels[i],
      rankA: ranksA[i],
      rankB: ranksB[i],
      decisionA: decisions[0][i],
      decisionB: decisions[1][i],
    })),
  };
}

/** The own metrics of two reports, each once. */
function uniqueOwn(...reports: readonly RunReport[]): MetricDescription[] {
  const own = reports.flatMap(({ ownMetrics = [] }) => ownMetrics);
  return own.filter((metric, i) => own.findIndex((other) => idOf(other) === idOf(metric)) === i);
}

/** What is read of a run to compare it. */
export type ReadRun = Awaited<ReturnType<typeof readCompared>>;

/** Throws as `compareRuns`. */
export async function readCompared(run: string) {
  const record = await readFinishedRun(run);
  const report = await readReport(run);
  if (!report) {
    throw new DataError(
      'no-metrics',
      `There is no ${runFiles(run).metrics}, which holds the report of the run. Train again.`,
    );
  }
  const { info } = await readArtifact(run);
  return { run, record, report, threshold: info.threshold, test: await readPredictions(run) };
}

function headOf({ run, record, threshold }: ReadRun): ComparedRun {
  return { run, model: record.model, seed: record.seed, threshold: threshold.value, sawTest: threshold.sawTest };
}

function requireSameTest(one: ReadRun, two: ReadRun, versions: boolean): void {
  const [a, b] = [one.record, two.record];
  const remedy = 'Compare runs of one data set, protocol and class.';
  if (a.dataHash !== b.dataHash && !versions) {
    const found = a.data === b.data ? `two versions of ${a.data}` : `${a.data} and ${b.data}`;
    throw new DataError(
      'different-data',
      say`${one.run} and ${two.run} must use the same data, found ${found}. ${remedy} Where the same test items are in both,
        ${option('versions', true)} compares them all the same.`,
    );
  }
  const differing = differingItems(one.test, two.test);
  if (differing === 0) return;
  const tasks = [a, b].map((r) => `${r.protocol} "${r.class}" with seed ${r.seed}`);
  throw new DataError(
    'different-test',
    `${one.run} and ${two.run} must be tested on the same items with the same labels, found ${tasks[0]} and ${tasks[1]}, ` +
      `which differ in ${differing} items or labels. ${remedy}`,
  );
}

/** Items of one test part that are not in the other at the same place with the same label. */
function differingItems(a: TestScores, b: TestScores): number {
  let count = Math.abs(a.ids.length - b.ids.length);
  for (let i = 0; i < Math.min(a.ids.length, b.ids.length); i++)
    if (a.ids[i] !== b.ids[i] || a.labels[i] !== b.labels[i]) count++;
  return count;
}

function differencesOf(a: RunRecord, b: RunRecord): string[] {
  const said: string[] = [];
  if (a.dataHash !== b.dataHash)
    said.push('The data are in two versions: test items of the same name and label are taken for the same.');
  if (a.seed !== b.seed) said.push(`The seeds differ: ${a.seed} and ${b.seed}.`);
  if (a.splitHash !== b.splitHash)
    said.push('They trained on other items: the test items are the same, training and held-out items are not.');
  if (a.device !== b.device) said.push(`The devices differ: ${a.device} and ${b.device}.`);
  if (a.versions.oddity !== b.versions.oddity)
    said.push(`The versions of oddity differ: ${a.versions.oddity} and ${b.versions.oddity}.`);
  return said;
}

/** Mid-ranks, scaled to [0, 1]. */
function ranksOf(scores: Float64Array): Float64Array {
  const order = Array.from(scores.keys()).sort((i, j) => scores[i] - scores[j]);
  const ranks = new Float64Array(scores.length);
  for (let from = 0; from < order.length; ) {
    let to = from;
    while (to < order.length && scores[order[to]] === scores[order[from]]) to++;
    to = Math.max(to, from + 1); // a score that is not a number equals nothing
    for (let k = from; k < to; k++) ranks[order[k]] = (from + to - 1) / 2 / Math.max(1, order.length - 1);
    from = to;
  }
  return ranks;
}
