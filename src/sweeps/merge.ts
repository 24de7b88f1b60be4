/** Shards of a sweep into one sweep: the same files as one process writes. Node only. */
import { cp, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { DataError } from '../core/errors.ts';
import { makeFolder, readJsonIfThere } from '../runs/files.ts';
import type { FoundShard } from '../runs/shards.ts';
import { trialFolder } from '../runs/trial.ts';
import { sweepFiles, writeSweep } from './files.ts';
import type { PlanInput } from './plan.ts';
import type { SweepSummary, TrialRow } from './results.ts';

/** What came of it. */
export interface MergedSweep extends SweepSummary {
  readonly out: string;
  readonly files: ReturnType<typeof sweepFiles>;
  readonly trials: readonly TrialRow[];
}

/** Puts the shards of a sweep together. Throws DataError `shard-damaged` for one that lacks a trial. */
export async function mergeSweep(shards: readonly [FoundShard, ...FoundShard[]], out: string): Promise<MergedSweep> {
  const { plan, order } = shards[0].about as { plan: PlanInput; order: readonly string[] };
  const rows = new Map<string, TrialRow[]>();
  for (const { folder } of shards) {
    const path = sweepFiles(folder).json;
    const kept = await readJsonIfThere<{ trials: readonly TrialRow[] }>(path, 'shard-damaged');
    for (const row of kept?.trials ?? []) rows.set(row.id, [...(rows.get(row.id) ?? []), row]);
  }
  await makeFolder(join(out, 'trials'));
  const ordered: TrialRow[] = [];
  for (const id of order) {
    const row = rows.get(id)?.shift();
    if (!row) {
      const names = shards.map(({ folder }) => folder).join(', ');
      throw new DataError('shard-damaged', `Trial ${id} of the plan is in none of ${names}. Make the shards again.`);
    }
    ordered.push(row);
  }
  for (const { folder } of shards) await copyTrials(folder, out);
  const summary = await writeSweep(out, { plan, rows: ordered });
  return { out, files: sweepFiles(out), ...summary, trials: ordered };
}

/** Copies the runs of a shard; those that are there already are replaced. */
async function copyTrials(folder: string, out: string): Promise<void> {
  const from = join(folder, 'trials');
  const to = trialFolder(out, '');
  await mkdir(to, { recursive: true });
  await cp(from, to, { recursive: true, force: true });
}
