/**
 * What a sweep found: a row for each trial, means over seeds, the best of each data set. Nothing here says how long anything took, so
 * that a sweep in one process and its shards put together give the same bytes. Pure, but for reading predictions.
 */
import { DataError } from '../core/errors.ts';
import { headlineMetrics, type Interval, itemIntervals, type MetricValue, measureItems } from '../metrics/index.ts';
import type { StoredError } from '../runs/folder.ts';
import { choiceValue } from '../runs/planted-value.ts';
import { readPredictions } from '../runs/test-scores.ts';
import type { FinishedTrial } from '../runs/trial.ts';

/** A number with its 95 % interval. */
export interface Measured {
  readonly value: number | null;
  readonly interval: Interval | null;
}

/** What a training gave: what is chosen by, and what the test part says, which is only shown. */
export interface Outcome {
  readonly choice: Measured & { readonly normals: number; readonly anomalies: number };
  /** Headline metrics by name. */
  readonly test: Readonly<Record<string, Measured>>;
  readonly testItems: number;
}

/** A round of halving that a trial took part in. */
export interface RoundOutcome {
  /** From 1. */
  readonly round: number;
  /** Of the training items, or of the epochs. */
  readonly share: number;
  /** Of its training, which is a folder below `trials`. */
  readonly id: string;
  readonly value: number | null;
}

/** A trial of a sweep. */
export interface TrialRow {
  /** Of its last training. */
  readonly id: string;
  readonly data: string;
  readonly class?: string | number;
  readonly model: string;
  readonly preset?: string;
  readonly varied: Readonly<Record<string, unknown>>;
  readonly seed: number;
  /** `stopped` by halving, `waiting` where the sweep ended before its turn. */
  readonly state: 'done' | 'stopped' | 'failed' | 'waiting';
  /** Its rounds, the last of which stopped it where it was stopped; absent without halving. */
  readonly rounds?: readonly RoundOutcome[];
  readonly outcome?: Outcome;
  readonly error?: StoredError;
}

/** Trials that differ in their seed alone. */
export interface ConfigurationRow {
  readonly data: string;
  readonly class?: string | number;
  readonly model: string;
  readonly preset?: string;
  readonly varied: Readonly<Record<string, unknown>>;
  readonly seeds: readonly number[];
  /** Trials of it that failed. */
  readonly failed: number;
  /** The round of halving that stopped it. */
  readonly stoppedIn?: number;
  /** Means over its seeds; intervals over seeds where there are several, else over items. */
  readonly choice: Measured;
  readonly test: Readonly<Record<string, Measured>>;
  /** Of its first seed that is done. */
  readonly id?: string;
  readonly isBest: boolean;
}

/** What all of it is told by. */
export interface SweepSummary {
  readonly chosenBy: 'planted' | 'labelled';
  readonly configurations: readonly ConfigurationRow[];
  /** Of each data set and class, in the order of the plan; those without a finished trial have none. */
  readonly best: readonly ConfigurationRow[];
}

/** The outcome of a finished training: by planted items, or by the items whose ids are given. Throws DataError `no-validation`, `no-value`. */
export async function outcomeOf(
  run: string,
  { report, planted }: FinishedTrial,
  validation?: ReadonlySet<string>,
): Promise<Outcome> {
  if (!validation) {
    if (!planted) throw new DataError('no-value', `${run} was not judged by planted items. Repeat the sweep.`);
    const { value, interval, normals, anomalies } = planted;
    const test = headlineMetrics.map(({ name }): [string, Measured] => [
      name,
      { value: report.metrics.item?.[name as never] ?? null, interval: report.intervals.item[name] ?? null },
    ]);
    const choice = { value, interval, normals, anomalies };
    return { choice, test: Object.fromEntries(test), testItems: report.counts.test };
  }
  const { ids, labels, scores } = await readPredictions(run);
  const [chosen, rest] = [[] as number[], [] as number[]];
  for (const [i, id] of ids.entries()) (validation.has(id) ? chosen : rest).push(i);
  if (chosen.length === 0) {
    throw new DataError(
      'no-validation',
      `None of the items to choose by is in the test part of ${report.data}. Name ids as predictions.csv of a run has them, such as ${ids[0]}.`,
    );
  }
  const those = (items: readonly number[]) => ({
    scores: Float64Array.from(items, (i) => scores[i]),
    labels: Uint8Array.from(items, (i) => labels[i]),
  });
  const own = those(chosen);
  return { choice: choiceValue(own.scores, own.labels), test: measured(those(rest)), testItems: rest.length };
}

function measured(judged: { scores: Float64Array; labels: Uint8Array }): Record<string, Measured> {
  const isBoth = judged.labels.includes(0) && judged.labels.includes(1);
  const values: Readonly<Record<string, MetricValue>> = isBoth ? measureItems(judged, headlineMetrics).values : {};
  const intervals = isBoth ? itemIntervals(judged, { seed: 1, rounds: 400 }, headlineMetrics) : {};
  return Object.fromEntries(
    headlineMetrics.map(({ name }) => [name, { value: values[name] ?? null, interval: intervals[name] ?? null }]),
  );
}

/** Sums a sweep up. */
export function summaryOf(rows: readonly TrialRow[], chosenBy: SweepSummary['chosenBy']): SweepSummary {
  const groups = groupBy(rows, (row) => JSON.stringify([caseOf(row), row.model, row.preset ?? null, row.varied]));
  const found = groups.map((group) => configurationOf(group));
  const cases = groupBy(found, caseOf);
  const best = cases.flatMap((own) => bestOf(own) ?? []);
  const ordered = cases.flatMap((own) => [...own].sort(byChoice));
  const marked = ordered.map((one) => ({ ...one, isBest: best.includes(one) }));
  return { chosenBy, configurations: marked, best: marked.filter(({ isBest }) => isBest) };
}

export const caseOf = ({ data, class: about }: { readonly data: string; readonly class?: string | number }): string =>
  about === undefined ? data : `${data}, ${about}`;

/** The best that was trained fully. */
function bestOf(own: readonly ConfigurationRow[]): ConfigurationRow | undefined {
  const full = own.filter(({ choice, stoppedIn, id }) => choice.value !== null && stoppedIn === undefined && id);
  return [...full].sort(byChoice)[0];
}

/** Fully trained ones first, then those that were stopped later; by value, the best first. */
function byChoice(a: ConfigurationRow, b: ConfigurationRow): number {
  const reached = (one: ConfigurationRow) => one.stoppedIn ?? Number.MAX_SAFE_INTEGER;
  const value = (one: ConfigurationRow) => one.choice.value ?? Number.NEGATIVE_INFINITY;
  const isKnown = (one: ConfigurationRow) => (one.choice.value === null ? 0 : 1);
  return isKnown(b) - isKnown(a) || reached(b) - reached(a) || (value(a) === value(b) ? 0 : value(b) - value(a));
}

function configurationOf(group: readonly TrialRow[]): ConfigurationRow {
  const [{ data, class: about, model, preset, varied }] = group;
  const done = group.filter((row) => row.outcome);
  const stopped = group.flatMap(({ state, rounds }) => (state === 'stopped' ? [rounds?.at(-1)?.round ?? 1] : []));
  const metrics = [...new Set(done.flatMap((row) => Object.keys(row.outcome!.test)))];
  return {
    data,
    ...(about !== undefined && { class: about }),
    model,
    ...(preset !== undefined && { preset }),
    ...{ varied, seeds: group.map(({ seed }) => seed) },
    failed: group.filter(({ state }) => state === 'failed').length,
    ...(stopped.length > 0 && { stoppedIn: Math.max(...stopped) }),
    choice: meanOf(done.map((row) => row.outcome!.choice)),
    test: Object.fromEntries(metrics.map((name) => [name, meanOf(done.map((row) => row.outcome!.test[name]))])),
    ...(done.length > 0 && { id: done[0].id }),
    isBest: false,
  };
}

/** 97.5 % quantiles of Student's t for 1 … 30 degrees of freedom; beyond, that of the normal law. */
const T = [
  12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.16, 2.145, 2.131, 2.12, 2.11,
  2.101, 2.093, 2.086, 2.08, 2.074, 2.069, 2.064, 2.06, 2.056, 2.052, 2.048, 2.045, 2.042,
];

/** The mean over seeds with its 95 % interval by Student's t, cut to what a share can be; of one seed its own interval. */
export function meanOf(several: readonly Measured[]): Measured {
  const known = several.flatMap(({ value }) => (value === null ? [] : [value]));
  if (known.length === 0) return { value: null, interval: null };
  if (known.length === 1) return { value: known[0], interval: several.find(({ value }) => value !== null)!.interval };
  const mean = known.reduce((sum, v) => sum + v, 0) / known.length;
  const variance = known.reduce((sum, v) => sum + (v - mean) ** 2, 0) / (known.length - 1);
  const half = (T[known.length - 2] ?? 1.96) * Math.sqrt(variance / known.length);
  return { value: mean, interval: [Math.max(0, mean - half), Math.min(1, mean + half)] };
}

/** Groups in the order in which they begin. */
function groupBy<V>(items: readonly V[], keyOf: (item: V) => string): V[][] {
  const groups = new Map<string, V[]>();
  for (const item of items) {
    const own = groups.get(keyOf(item));
    if (own) own.push(item);
    else groups.set(keyOf(item), [item]);
  }
  return [...groups.values()];
}
