/** Trains the trials of a sweep: all of them at once, or in rounds of halving. Node only. */
import { Cancelled, OddityError } from '../core/errors.ts';
import type { Listener } from '../core/events.ts';
import { dataPath } from '../data/index.ts';
import { resolveConfig } from '../engine/task/config.ts';
import { headlineMetrics } from '../metrics/index.ts';
import { findModel } from '../models/index.ts';
import { type StoredError, stored } from '../runs/folder.ts';
import { trialFolder } from '../runs/trial.ts';
import { itemsOf } from './contents.ts';
import type { Ended, Executor, Training } from './execute.ts';
import { better, sharesOf } from './halving.ts';
import type { SweepPlan } from './plan.ts';
import { caseOf, outcomeOf, type RoundOutcome, type TrialRow } from './results.ts';
import { idOf, type Trial } from './trials.ts';
import { nameOf } from './words.ts';

/** A trial with its name, and how it stands. */
export interface Unit {
  readonly trial: Trial;
  /** Of its whole training. */
  readonly id: string;
  /** Hash of its data. */
  readonly content: string;
  row: TrialRow;
}

/** A sweep that is under way. */
export interface Sweeping {
  readonly units: readonly Unit[];
  readonly out: string;
  readonly executor: Executor;
  /** Ids of the items to choose by; undefined where planted ones are. */
  readonly validation?: ReadonlySet<string>;
  readonly machine: object;
  readonly onEvent: Listener;
  readonly signal?: AbortSignal;
  /** Writes the rows as they stand. */
  save(): Promise<void>;
  /** Trainings that were there already. */
  kept: number;
}

type Round = Pick<RoundOutcome, 'round' | 'share'>;

/** A training of a unit: the whole one, or that of a round. */
interface Wanted {
  readonly unit: Unit;
  readonly id: string;
  readonly options: Trial['options'];
  readonly round?: Round;
}

/** Trains all that wait; how each ended is in its row. Equal trainings are done once. Throws Cancelled. */
export async function trainAll(sweeping: Sweeping, given: readonly Wanted[]): Promise<void> {
  const { executor, machine, onEvent } = sweeping;
  const wanted = given.filter(({ unit }) => unit.row.state === 'waiting');
  const byId = new Map<string, Wanted[]>();
  for (const one of wanted) byId.set(one.id, [...(byId.get(one.id) ?? []), one]);
  const trainings = [...byId].map(([id, [{ unit, options }]]): Training => {
    const { data, seed } = unit.trial;
    const name = `${caseOf(unit.trial)}: ${nameOf(unit.row)}, seed ${seed}`;
    return { id, name, options: { ...options, data: dataPath(data) ?? data, ...machine } };
  });
  const ended = new Set<string>();
  const tell = (running: number) =>
    onEvent(progressOf(sweeping, { running, done: ended.size, total: byId.size }, wanted[0]?.round));
  let running = 0;
  await executor.run(trainings, {
    onProgress: (now) => {
      running = now;
      tell(running);
    },
    onEnded: async ({ id, name }, how) => {
      if ('isKept' in how && how.isKept) sweeping.kept++;
      for (const { unit, round } of byId.get(id)!) unit.row = await rowAfter(sweeping, unit, { id, how, round });
      const [{ unit }] = byId.get(id)!;
      if (unit.row.error && !('isKept' in how && how.isKept))
        onEvent({ type: 'warning', code: 'trial-failed', message: `${name} failed. ${unit.row.error.message}` });
      ended.add(id);
      if (!('isKept' in how && how.isKept)) await sweeping.save();
      tell(running);
    },
  });
}

/** One line: how many are done, run and failed, and the best so far. */
function progressOf(
  { units }: Sweeping,
  { running, done, total }: { running: number; done: number; total: number },
  round?: Round,
): Parameters<Listener>[0] {
  const [metric] = headlineMetrics;
  const values = units.flatMap(({ row }) => row.outcome?.choice.value ?? []);
  const failed = units.filter(({ row }) => row.state === 'failed').length;
  return {
    ...{ type: 'progress', task: round ? `round ${round.round}` : 'sweep', done, total, unit: 'trial' },
    metrics: { running, failed, ...(values.length > 0 && { [`best ${metric.title}`]: Math.max(...values) }) },
  };
}

/** A row once a training of it ended. One that was cancelled waits for the next start. */
async function rowAfter(
  { out, validation }: Sweeping,
  { row }: Unit,
  { id, how, round }: { id: string; how: Ended; round?: Round },
): Promise<TrialRow> {
  const withRound = (value: number | null) => round && { rounds: [...(row.rounds ?? []), { ...round, id, value }] };
  const failed = (error: StoredError): TrialRow =>
    error.code === 'cancelled' ? row : { ...row, id, state: 'failed', ...withRound(null), error };
  if ('error' in how) return failed(how.error);
  try {
    const outcome = await outcomeOf(trialFolder(out, id), how.finished, validation);
    const isWhole = !round || round.share === 1;
    return { ...row, id, state: isWhole ? 'done' : 'waiting', ...withRound(outcome.choice.value), outcome };
  } catch (error) {
    if (!(error instanceof OddityError) || error instanceof Cancelled) throw error;
    return failed(stored(error));
  }
}

/** Round by round, each data set by itself; in a round all seeds of a configuration are trained. Throws Cancelled. */
export async function halve(sweeping: Sweeping, { by, least }: NonNullable<SweepPlan['halving']>): Promise<void> {
  const cases = await casesOf(sweeping, { by, least });
  const most = Math.max(0, ...cases.map(({ shares }) => shares.length));
  for (let k = 0; k < most; k++) {
    const wanted: Wanted[] = [];
    for (const { units, shares, items } of cases) {
      for (const unit of units) {
        if (k >= shares.length || unit.row.state !== 'waiting') continue;
        const options = partOf(unit.trial, { share: shares[k], by, items });
        const id = await idOf(options, unit.content);
        wanted.push({ unit, id, options, round: { round: k + 1, share: shares[k] } });
      }
    }
    await trainAll(sweeping, wanted);
    for (const { units, shares } of cases) if (k + 1 < shares.length) stopWeaker(units);
  }
}

/** Data sets with their units, the rounds that these take, and the items that train in the last. */
async function casesOf(
  { units, machine, signal }: Sweeping,
  { by, least }: NonNullable<SweepPlan['halving']>,
): Promise<{ units: Unit[]; shares: number[]; items: number }[]> {
  const cases = [];
  for (const name of new Set(units.map(({ trial }) => trial.case))) {
    const own = units.filter(({ trial, row }) => trial.case === name && row.state === 'waiting');
    if (own.length === 0) continue;
    const configurations = new Set(own.map(({ trial }) => trial.configuration)).size;
    try {
      const items = await itemsOf(own[0].trial, machine, signal);
      const shares = sharesOf(configurations, by === 'items' ? items : Number.POSITIVE_INFINITY, least);
      cases.push({ units: own, shares, items });
    } catch (error) {
      if (!(error instanceof OddityError) || error instanceof Cancelled) throw error;
      for (const unit of own) unit.row = { ...unit.row, state: 'failed', error: stored(error) };
    }
  }
  return cases;
}

/** Stops all configurations but the better third, by the mean over their seeds. */
function stopWeaker(units: readonly Unit[]): void {
  const open = units.filter(({ row }) => row.state === 'waiting');
  const figureOf = (configuration: string) => {
    const own = open.filter(({ trial }) => trial.configuration === configuration);
    const values = own.flatMap(({ row }) => row.outcome?.choice.value ?? []);
    return values.length === 0 ? undefined : values.reduce((a, b) => a + b, 0) / values.length;
  };
  const kept = new Set(better([...new Set(open.map(({ trial }) => trial.configuration))], figureOf));
  for (const unit of open) if (!kept.has(unit.trial.configuration)) unit.row = { ...unit.row, state: 'stopped' };
}

/** The options of a training on a part: fewer items, or fewer epochs where the model has them. */
function partOf(
  { options, model }: Trial,
  { share, by, items }: { share: number; by: 'items' | 'epochs'; items: number },
): Trial['options'] {
  if (share === 1) return options;
  const { preset, config } = options as { preset?: string; config?: Record<string, unknown> };
  const whole = resolveConfig(findModel(model), { preset, config }) as Record<string, unknown>;
  const lengths = Object.entries(whole).filter(([key, n]) => /epochs$/i.test(key) && typeof n === 'number');
  if (by === 'items' || lengths.length === 0) return { ...options, trainLimit: Math.max(2, Math.ceil(share * items)) };
  const fewer = lengths.map(([key, n]) => [key, Math.max(1, Math.round(share * (n as number)))]);
  return { ...options, config: { ...config, ...Object.fromEntries(fewer) } };
}
