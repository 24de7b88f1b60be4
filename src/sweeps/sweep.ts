/** A sweep: the trials of a plan, run through a queue, ranked, and written down. Node only. */
import { join } from 'node:path';
import { ConfigError, DataError } from '../core/errors.ts';
import { type Listener, silent } from '../core/events.ts';
import { ofShard, type Shard } from '../core/shard.ts';
import { sha256 } from '../data/index.ts';
import type { Queue, QueueListener } from '../jobs/job.ts';
import { excludedIds } from '../runs/exclude.ts';
import { makeFolder } from '../runs/files.ts';
import { stored } from '../runs/folder.ts';
import type { RunOptions } from '../runs/index.ts';
import { lockFolder } from '../runs/lock.ts';
import { writeShard } from '../runs/shards.ts';
import { contentOf } from './contents.ts';
import { Executor } from './execute.ts';
import { sweepFiles, writeState, writeSweep } from './files.ts';
import type { SweepPlan } from './plan.ts';
import type { SweepSummary, TrialRow } from './results.ts';
import { halve, trainAll, type Unit } from './rounds.ts';
import { idOf, type Trial, trialsOf } from './trials.ts';

/** What is of the machine, and changes no result but its last digits. */
export type Machine = Pick<RunOptions, 'device' | 'threads' | 'dataRoot' | 'download'>;

/** Options of `sweep`. */
export interface SweepOptions {
  readonly plan: SweepPlan;
  /** Folder of the sweep: trials that are there are not trained again. */
  readonly out: string;
  /** Where trials run; opened when the first has to. */
  readonly openQueue: (listener: QueueListener) => Queue | Promise<Queue>;
  readonly machine?: Machine;
  /** A part of the trials only. */
  readonly shard?: Shard;
  readonly onEvent?: Listener;
  readonly signal?: AbortSignal;
}

/** What came of a sweep. */
export interface SweepResult extends SweepSummary {
  readonly out: string;
  readonly files: ReturnType<typeof sweepFiles>;
  readonly trials: readonly TrialRow[];
  /** Trainings that were there already. */
  readonly kept: number;
  readonly shard?: Shard;
}

/**
 * Runs a plan. What was done before in the same folder is taken as it is; what was begun is resumed. A trial that fails is in its row.
 * @throws ConfigError for what cannot be; DataError `run-locked` while another sweep writes to the folder; Cancelled, with everything
 * that is finished kept.
 */
export async function sweep(options: SweepOptions): Promise<SweepResult> {
  const { plan, out, shard, machine = {}, onEvent = silent, signal } = options;
  if (shard && plan.halving) {
    throw new ConfigError(
      'shard',
      'Halving compares all trials after each round, and shards know nothing of each other. Leave out one of both, or let several workers share a queue.',
      { option: ['halving'] },
    );
  }
  const trials = trialsOf(plan);
  const validation = plan.chooseBy === undefined ? undefined : new Set(await excludedIds([plan.chooseBy]));
  await makeFolder(join(out, 'trials'));
  const lock = await lockFolder(out);
  const executor = new Executor({ out, openQueue: options.openQueue, isPlanted: !validation, signal });
  try {
    const all = await unitsOf(trials, options);
    const units = shard ? partOf(all, shard) : all;
    const record = shard && {
      ...{ of: 'sweep', ...shard, plan: await planHash(all, plan) },
      about: { plan: plan.given, order: all.map(({ id }) => id) },
    };
    if (record) await writeShard(out, { ...record, isDone: false });
    const data = () => ({ plan: plan.given, rows: units.map(({ row }) => row) });
    const save = () => writeState(out, data());
    await save();
    const sweeping = { units, out, executor, validation, machine, onEvent, signal, save, kept: 0 };
    try {
      if (plan.halving) await halve(sweeping, plan.halving);
      else
        await trainAll(
          sweeping,
          units.map((unit) => ({ unit, id: unit.id, options: unit.trial.options })),
        );
    } finally {
      await save();
    }
    const summary = await writeSweep(out, data());
    if (record) await writeShard(out, { ...record, isDone: true });
    const about = { out, files: sweepFiles(out), kept: sweeping.kept, ...(shard && { shard }) };
    return { ...about, ...summary, trials: data().rows };
  } finally {
    await executor.close();
    await lock.release();
  }
}

/** Identifies what all shards of a sweep are parts of: its trials, and how is chosen. */
const planHash = (units: readonly Unit[], { given }: SweepPlan) =>
  sha256(JSON.stringify([units.map(({ id }) => id), given.chooseBy ?? null]));

/** By the order of their names, which spreads the trials of a model over shards; each in its place of the plan. */
function partOf(units: readonly Unit[], shard: Shard): Unit[] {
  const names = [...new Set(units.map(({ id }) => id))].sort();
  const own = new Set(ofShard(names, shard));
  return units.filter(({ id }) => own.has(id));
}

/** Names every trial by the content of its data; those whose data cannot be read have failed. */
async function unitsOf(
  trials: readonly Trial[],
  { plan, machine, onEvent = silent, signal }: SweepOptions,
): Promise<Unit[]> {
  const contents = new Map<string, string | DataError>();
  for (const [i, data] of plan.data.entries()) {
    if (plan.data.length > 1)
      onEvent({ type: 'progress', task: 'read data', done: i, total: plan.data.length, unit: 'data set' });
    const found = contentOf(data, { ...plan.options, ...machine }, signal);
    contents.set(data, await found.catch(dataError));
  }
  return Promise.all(
    trials.map(async (trial): Promise<Unit> => {
      const found = contents.get(trial.data)!;
      const content = typeof found === 'string' ? found : '';
      const id = await idOf(trial.options, content);
      const { data, class: about, model, varied, seed } = trial;
      const { preset } = trial.options as { preset?: string };
      const row: TrialRow = {
        ...{ id, data, ...(about !== undefined && { class: about }), model, ...(preset !== undefined && { preset }) },
        ...{ varied, seed, state: 'waiting' },
      };
      const failed = typeof found === 'string' ? {} : { state: 'failed' as const, error: stored(found) };
      return { trial, id, content, row: { ...row, ...failed } };
    }),
  );
}

function dataError(error: unknown): DataError {
  if (error instanceof DataError) return error;
  throw error;
}
