/** Jobs on this machine, by priority and in the order in which they came, each in a process of its own: one that crashes takes no other with it. Node only. */
import { randomUUID } from 'node:crypto';
import { ConfigError } from '../core/errors.ts';
import type { Event } from '../core/events.ts';
import {
  checkPlace,
  type Job,
  type JobPlace,
  type JobState,
  type JobStore,
  type Queue,
  type QueueListener,
} from './job.ts';
import { checkJobOptions, findJobKind } from './kinds.ts';
import { JobLogs } from './log.ts';
import { type Outcome, startWorker, type Worker } from './worker.ts';

export interface LocalQueueOptions extends QueueListener {
  /** Jobs that run at once. */
  readonly workers: number;
  /** Folder of the jobs' logs. */
  readonly logs: string;
}

/**
 * Opens a queue over the jobs that a store has. Those that stand as running were cut off: they go on from what they left, and so do
 * those that waited.
 */
export function openLocalQueue(store: JobStore, options: LocalQueueOptions): Queue {
  const queue = new LocalQueue(store, options);
  queue.open();
  return queue;
}

const now = () => new Date().toISOString();

class LocalQueue implements Queue {
  private readonly running = new Map<string, { readonly worker: Worker; readonly ended: Promise<Job> }>();
  /** Jobs that somebody told to end. */
  private readonly cancelled = new Set<string>();
  private readonly logs: JobLogs;
  private isClosing = false;

  constructor(
    private readonly store: JobStore,
    private readonly options: LocalQueueOptions,
  ) {
    this.logs = new JobLogs(options.logs);
  }

  open(): void {
    for (const { id, state, error } of this.inOrder()) {
      // One whose own process ended waits for a person: it may well end so again.
      if (state !== 'running' && (state !== 'interrupted' || error)) continue;
      this.change(id, { state: 'interrupted' });
      this.tell(id, {
        type: 'log',
        level: 'info',
        message: 'This job was interrupted when its queue ended. It goes on from what it left.',
      });
      this.change(id, { state: 'waiting', endedAt: undefined });
    }
    this.next();
  }

  async add(kind: string, options: Job['options'], place: JobPlace = {}): Promise<Job> {
    checkJobOptions(findJobKind(kind), options);
    checkPlace(place);
    const known = place.id === undefined ? undefined : this.store.find(place.id);
    if (known) return known;
    const job: Job = { id: randomUUID(), kind, options, state: 'waiting', ...place, createdAt: now() };
    this.store.add(job);
    this.options.onJob(job);
    this.next();
    return this.store.find(job.id)!;
  }

  async cancel(id: string): Promise<Job> {
    const job = this.existing(id);
    if (job.state === 'waiting' || job.state === 'interrupted') {
      return this.change(id, { state: 'cancelled', endedAt: now() });
    }
    const running = this.running.get(id);
    if (!running) return job;
    this.cancelled.add(id);
    running.worker.abort();
    return running.ended;
  }

  async resume(id: string): Promise<Job> {
    const { state } = this.existing(id);
    if (state !== 'cancelled' && state !== 'interrupted' && state !== 'failed') {
      throw new ConfigError('job-state', `A job must have ended early to be resumed, and this one is ${state}.`);
    }
    this.change(id, { state: 'waiting', error: undefined, endedAt: undefined });
    this.next();
    return this.existing(id);
  }

  async find(id: string): Promise<Job | undefined> {
    return this.store.find(id);
  }

  async list(): Promise<readonly Job[]> {
    return this.store.list();
  }

  async log(id: string) {
    this.existing(id);
    return this.logs.read(id);
  }

  async close(): Promise<void> {
    this.isClosing = true;
    const running = [...this.running.values()];
    for (const { worker } of running) worker.abort();
    await Promise.all(running.map(({ ended }) => ended));
  }

  /** Begins waiting jobs in their order; a run is worked on by one job at a time. */
  private next(): void {
    for (const job of this.inOrder()) {
      if (this.isClosing || this.running.size >= this.options.workers) return;
      if (job.state !== 'waiting') continue;
      if (job.run !== undefined && [...this.running.keys()].some((id) => this.existing(id).run === job.run)) continue;
      this.begin(job);
    }
  }

  private begin({ id, kind, options, startedAt }: Job): void {
    this.change(id, { state: 'running', startedAt: now() });
    const worker = startWorker({ kind, options, isAgain: startedAt !== undefined }, (event) => this.tell(id, event));
    const ended = worker.ended.then((outcome) => {
      this.running.delete(id);
      const job = this.change(id, this.endOf(id, outcome));
      this.next();
      return job;
    });
    this.running.set(id, { worker, ended });
  }

  /** What becomes of a job whose process ended. One that was done before it heard that it should end is done. */
  private endOf(id: string, outcome: Outcome): Partial<Job> & { readonly state: JobState } {
    const endedAt = now();
    const wasCancelled = this.cancelled.delete(id);
    if (outcome.state === 'done') return { state: 'done', result: outcome.result, endedAt };
    if (wasCancelled) return { state: 'cancelled', endedAt };
    if (this.isClosing) return { state: 'interrupted', endedAt };
    if (outcome.state === 'failed') return { state: 'failed', error: outcome.error, endedAt };
    // Told to end by another program.
    if (outcome.state === 'cancelled') return { state: 'cancelled', endedAt };
    return { state: 'interrupted', error: outcome.error, endedAt };
  }

  private change(id: string, to: Partial<Job>): Job {
    const job = this.store.change(id, to);
    this.options.onJob(job);
    return job;
  }

  private tell(id: string, event: Event): void {
    this.logs.write(id, event);
    this.options.onEvent(id, event);
  }

  /** The oldest first among those of the same priority. */
  private inOrder(): Job[] {
    return [...this.store.list()].reverse().sort((a, b) => (b.priority ?? 0) - (a.priority ?? 0));
  }

  private existing(id: string): Job {
    const job = this.store.find(id);
    if (!job) throw new ConfigError('unknown-job', `There is no job "${id}".`);
    return job;
  }
}
