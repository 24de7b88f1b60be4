/** One phase of gradient training: K iterations per call of the runtime, progress, checkpoints and cancelling. */
import { Cancelled, TrainingDiverged } from '../../core/errors.ts';
import type { Tensors } from '../../core/tensor.ts';
import { type AssembledPhase, assemble, initialize } from '../../nn/training.ts';
import type { ProfileRow, Runtime, Session } from '../../runtime/index.ts';
import { orAbort } from './cancel.ts';
import { watchCollapse } from './collapse.ts';
import type { EpochRecord, FitOptions, FitState } from './contract.ts';
import { Feeder } from './feeder.ts';
import { classesOf } from './items.ts';
import type { Plan } from './plan.ts';
import { nonFinite, settle } from './tensors.ts';

/** A call should take about this long: short enough for progress and cancelling, long enough to be efficient. */
const CALL_MS = { low: 150, aim: 200, high: 250 };
/** Feeds of one call at most. */
const CALL_BYTES = 64 * 2 ** 20;
/** Between checkpoints: at the end of an epoch, or in the middle of a very long one. */
const CHECKPOINT_MS = { epoch: 30_000, middle: 60_000 };

/** Counts steps over all phases. */
export interface Clock {
  readonly total: number;
  done: number;
  steps: number;
  milliseconds: number;
}

/** Compiles a phase and puts its state in place. */
export async function openPhase(
  options: Pick<FitOptions, 'source' | 'train' | 'rng' | 'profile' | 'inspect'>,
  plan: Pick<Plan, 'phase' | 'batchSize'>,
  tensors: Tensors,
  runtime: Runtime,
): Promise<{ assembled: AssembledPhase; session: Session; packed: Tensors }> {
  const classes = classesOf(options).length;
  const assembled = assemble(plan.phase, { shape: [plan.batchSize, ...options.source.shape], classes });
  await options.inspect?.(assembled.program, runtime.device);
  const { carry } = assembled.program;
  const session = await runtime.compile(assembled.program, { carry, profile: options.profile });
  const missing = assembled.specs.filter((s) => !(s.name in tensors));
  const packed = assembled.pack({ ...tensors, ...initialize(missing, options.rng.split('init')) });
  // What a frozen group holds stays as it is; the rest is carried from call to call.
  await session.setState(Object.fromEntries(Object.entries(packed).filter(([name]) => session.inputs.includes(name))));
  return { assembled, session, packed };
}

/** One phase from where the state stands to its end. */
export class PhaseRun {
  private iteration: number;
  private history: EpochRecord[];
  private sums: number[];
  /** Time and iteration of the last checkpoint. */
  private saved: number | undefined;
  private savedAt: number | undefined;
  /** Hears the records of epochs; it knows what is watched once the phase is open. */
  private watch: ReturnType<typeof watchCollapse> = () => [];

  constructor(
    private readonly options: FitOptions,
    private readonly plan: Plan,
    private readonly start: FitState,
    private readonly clock: Clock,
  ) {
    this.iteration = start.iteration;
    this.history = [...start.history];
    this.sums = [...start.sums];
    if (start.iteration > 0) this.savedAt = start.iteration;
  }

  async fit(profiles: ProfileRow[]): Promise<{ tensors: Tensors; history: EpochRecord[] }> {
    const { options, plan, clock } = this;
    const opening = openPhase(options, plan, this.start.tensors, options.runtime);
    const { assembled, session, packed } = await orAbort(opening, options.signal);
    this.watch = watchCollapse(plan.total / plan.perEpoch, assembled.watched);
    // What an earlier start of the run has told is not told again.
    for (const record of this.start.history) if (record.phase === plan.phase.name) this.watch(record);
    try {
      const read = async (): Promise<Tensors> => {
        // What the phase does not touch comes from the phases before it.
        const tensors = assembled.unpack({ ...packed, ...(await session.state()) });
        this.requireFiniteState(tensors);
        return { ...this.start.tensors, ...tensors };
      };
      const begin = performance.now();
      const first = this.iteration;
      await this.iterate(new Feeder(assembled, session, options, plan), assembled, session, read);
      clock.milliseconds += performance.now() - begin;
      clock.steps += this.iteration - first;
      const tensors = settle(await read(), assembled);
      if (options.profile) profiles.push(...(await session.profile()));
      return { tensors, history: this.history };
    } finally {
      // Queued behind the call under way; who cancels does not wait for it.
      session.close().catch(() => {});
    }
  }

  /** Runs to the end of the phase; the next feeds are made while a call runs. */
  private async iterate(
    feeder: Feeder,
    assembled: AssembledPhase,
    session: Session,
    read: () => Promise<Tensors>,
  ): Promise<void> {
    const { plan, clock } = this;
    const { onEvent, signal } = this.options;
    const most = Math.max(1, Math.floor(CALL_BYTES / feeder.bytes));
    const begin = { time: performance.now(), done: clock.done };
    let k = 1;
    let count = Math.min(k, plan.total - this.iteration);
    let next = feeder.at(this.iteration, count);
    while (this.iteration < plan.total) {
      await this.stopIfCancelled(read);
      const feeds = await next;
      const called = performance.now();
      const running = session.run(feeds, { fetch: assembled.metrics, transfer: true });
      const made = count;
      count = Math.min(k, plan.total - this.iteration - made);
      if (count > 0) {
        next = feeder.at(this.iteration + made, count);
        next.catch(() => {}); // heard when it is awaited
      }
      const results = await orAbort(running, signal);
      const milliseconds = performance.now() - called;
      if (made === k && (milliseconds < CALL_MS.low || milliseconds > CALL_MS.high)) {
        const wanted = Math.round((CALL_MS.aim * made) / milliseconds);
        k = Math.max(1, Math.min(wanted, 4 * k, most));
      }
      const epochs = this.history.length;
      const last = this.record(results, assembled.metrics, made);
      clock.done += made;
      const rate = (1000 * (clock.done - begin.done)) / (performance.now() - begin.time);
      onEvent({
        type: 'progress',
        task: 'fit',
        done: clock.done,
        total: clock.total,
        unit: 'step',
        rate,
        metrics: last,
      });
      const ended = this.history.length > epochs;
      const since = performance.now() - (this.saved ?? begin.time);
      const due = ended ? this.saved === undefined || since > CHECKPOINT_MS.epoch : since > CHECKPOINT_MS.middle;
      if (due && this.iteration < plan.total) await this.save(read);
    }
    await this.stopIfCancelled(read);
  }

  /** Takes the metrics of `count` iterations in; returns the last ones. */
  private record(results: Tensors, names: readonly string[], count: number): Record<string, number> {
    const { phase, perEpoch } = this.plan;
    for (let k = 0; k < count; k++) {
      const values = names.map((name) => Number(results[name].data[k]));
      const bad = values.findIndex((v) => !Number.isFinite(v));
      if (bad >= 0) throw this.diverged(`${names[bad]} must stay finite, got ${values[bad]}`, this.iteration + 1);
      this.sums = values.map((v, i) => (this.sums[i] ?? 0) + v);
      this.iteration++;
      if (this.iteration % perEpoch !== 0) continue;
      const means = this.sums.map((s) => s / perEpoch);
      const metrics = Object.fromEntries(names.map((name, i) => [name, means[i]]));
      const epoch = this.iteration / perEpoch;
      const record = { phase: phase.name, epoch, trainingLoss: means[0], metrics };
      this.history.push(record);
      this.sums = [];
      for (const [name, value] of Object.entries(metrics))
        this.options.onEvent({ type: 'metric', name, step: epoch, value, phase: phase.name });
      for (const warning of this.watch(record)) this.options.onEvent(warning);
    }
    return Object.fromEntries(names.map((name) => [name, Number(results[name].data[count - 1])]));
  }

  private async save(read: () => Promise<Tensors>): Promise<void> {
    const { iteration, history, sums } = this;
    await this.options.save({ phase: this.start.phase, iteration, tensors: await read(), history: [...history], sums });
    this.saved = performance.now();
    this.savedAt = iteration;
  }

  private async stopIfCancelled(read: () => Promise<Tensors>): Promise<void> {
    if (!this.options.signal?.aborted) return;
    await this.save(read);
    throw new Cancelled(`Cancelled at step ${this.clock.done} of ${this.clock.total}.`);
  }

  private requireFiniteState(tensors: Tensors): void {
    const bad = nonFinite(tensors);
    if (bad) throw this.diverged(`the tensor ${bad.name} must stay finite, found ${bad.value}`, this.iteration);
  }

  private diverged(what: string, step: number): TrainingDiverged {
    const { plan, options, savedAt } = this;
    const kept =
      savedAt === undefined ? 'There is no earlier checkpoint.' : `The checkpoint of step ${savedAt} is kept.`;
    return new TrainingDiverged(
      `${options.model.name}: ${what} in phase "${plan.phase.name}" at step ${step} of ${plan.total}. ${kept} ` +
        'Lower the learning rate, or look for broken training images.',
    );
  }
}
