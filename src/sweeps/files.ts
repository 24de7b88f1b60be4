/** The files of a sweep: `sweep.json` with the plan and the results, `sweep.csv`, `sweep.html`. Node only. */
import { join } from 'node:path';
import { csv } from '../core/csv.ts';
import { headlineMetrics } from '../metrics/index.ts';
import { writeAtomic, writeJson } from '../runs/files.ts';
import { oddityVersion } from '../runs/versions.ts';
import { sweepPage } from './page.ts';
import type { PlanInput } from './plan.ts';
import { type SweepSummary, summaryOf, type TrialRow } from './results.ts';

export const sweepFiles = (folder: string) => ({
  json: join(folder, 'sweep.json'),
  csv: join(folder, 'sweep.csv'),
  page: join(folder, 'sweep.html'),
});

/** What the files of a sweep are made of. */
export interface SweepData {
  readonly plan: PlanInput;
  readonly rows: readonly TrialRow[];
}

export const chosenByOf = ({ chooseBy }: PlanInput): SweepSummary['chosenBy'] =>
  chooseBy === undefined ? 'planted' : 'labelled';

/** Writes the results so far, without table and page: what a stopped sweep leaves. */
export async function writeState(folder: string, { plan, rows }: SweepData): Promise<void> {
  const about = { format: 'oddity-sweep-1', oddity: oddityVersion() };
  await writeJson(sweepFiles(folder).json, { ...about, plan, chosenBy: chosenByOf(plan), trials: rows });
}

/** Writes all three files. The same rows give the same bytes. */
export async function writeSweep(folder: string, data: SweepData): Promise<SweepSummary> {
  const files = sweepFiles(folder);
  const summary = summaryOf(data.rows, chosenByOf(data.plan));
  await writeState(folder, data);
  await writeAtomic(files.csv, csvOf(data.rows));
  await writeAtomic(files.page, sweepPage(data, summary));
  return summary;
}

/** A row for each trial. */
function csvOf(rows: readonly TrialRow[]): string {
  const [{ name: choice }] = headlineMetrics;
  const keys = [...new Set(rows.flatMap(({ varied }) => Object.keys(varied)))];
  const head = [
    ...['data', 'class', 'model', 'preset', 'seed', ...keys, 'state', 'stoppedInRound'],
    ...[`choice.${choice}`, 'choice.low', 'choice.high', 'choice.normals', 'choice.anomalies'],
    ...headlineMetrics.flatMap(({ name }) => [`test.${name}`, `test.${name}.low`, `test.${name}.high`]),
    ...['test.items', 'trial', 'error'],
  ];
  const cells = rows.map(({ data, class: about, model, preset, seed, varied, state, rounds, outcome, id, error }) => [
    ...[data, about, model, preset, seed, ...keys.map((key) => varied[key]), state],
    state === 'stopped' ? rounds?.at(-1)?.round : undefined,
    ...[outcome?.choice.value, ...(outcome?.choice.interval ?? [undefined, undefined])],
    ...[outcome?.choice.normals, outcome?.choice.anomalies],
    ...headlineMetrics.flatMap(({ name }) => {
      const one = outcome?.test[name];
      return [one?.value, ...(one?.interval ?? [undefined, undefined])];
    }),
    ...[outcome?.testItems, id, error?.message],
  ]);
  return csv(
    head,
    cells.map((row) => row.map(cellOf)),
  );
}

const cellOf = (value: unknown): string =>
  value === undefined || value === null ? '' : typeof value === 'object' ? JSON.stringify(value) : String(value);
