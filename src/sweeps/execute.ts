/** Runs trainings through a queue, each once, and says how they stand. What is there already is taken as it is. Node only. */
import { createHash } from 'node:crypto';
import { resolve } from 'node:path';
import { Cancelled, DataError } from '../core/errors.ts';
import { messageOf } from '../core/events.ts';
import { say } from '../core/text.ts';
import type { Job, Queue, QueueListener } from '../jobs/job.ts';
import { type StoredError, stored } from '../runs/folder.ts';
import { type FinishedTrial, readTrial, trialFolder } from '../runs/trial.ts';

/** A training to run: its name, and the options of its job. */
export interface Training {
  readonly id: string;
  /** In words, for messages. */
  readonly name: string;
  readonly options: Readonly<Record<string, unknown>>;
}

/** How a training ended. */
export type Ended =
  | {
      readonly finished: FinishedTrial;
      /** It was there already. */
      readonly isKept: boolean;
    }
  | { readonly error: StoredError };

export interface ExecuteOptions {
  /** Folder of the sweep. */
  readonly out: string;
  readonly openQueue: (listener: QueueListener) => Queue | Promise<Queue>;
  /** Whether they are judged by what is planted. */
  readonly isPlanted: boolean;
  readonly signal?: AbortSignal;
}

const hasEnded = ({ state }: Job) => state !== 'waiting' && state !== 'running';

/** A queue that is opened with the first training that needs it. */
export class Executor {
  private opened: Promise<Queue> | undefined;
  /** What waits for jobs, by the job's id. */
  private readonly waiting = new Map<string, (job: Job) => void>();
  /** Jobs that ended before anybody waited for them. */
  private readonly ended = new Map<string, Job>();
  private readonly running = new Set<string>();
  private readonly own = new Set<string>();
  private onChange = () => {};

  constructor(private readonly options: ExecuteOptions) {}

  /**
   * Ends once all have ended; `onEnded` hears each at once, and `progress` how many of them run. One that fails does not stop the
   * others. Throws Cancelled.
   */
  async run(
    trainings: readonly Training[],
    heard: {
      onEnded(training: Training, ended: Ended): Promise<void> | void;
      onProgress(running: number): void;
    },
  ): Promise<void> {
    const { signal } = this.options;
    this.onChange = () => heard.onProgress([...this.running].filter((id) => this.own.has(id)).length);
    const left: Training[] = [];
    for (const training of trainings) {
      if (signal?.aborted) throw new Cancelled();
      const finished = await this.kept(training.id);
      if (finished) await heard.onEnded(training, { finished, isKept: true });
      else left.push(training);
    }
    this.onChange();
    if (left.length === 0) return;
    this.opened ??= Promise.resolve(this.options.openQueue({ onJob: (job) => this.hear(job), onEvent: () => {} }));
    const queue = await this.opened;
    const stop = () => void this.cancelAll();
    signal?.addEventListener('abort', stop, { once: true });
    try {
      await Promise.all(left.map(async (training) => heard.onEnded(training, await this.one(queue, training))));
    } finally {
      signal?.removeEventListener('abort', stop);
    }
    if (signal?.aborted) throw new Cancelled();
  }

  async close(): Promise<void> {
    await (await this.opened)?.close();
  }

  /** A training that was done before, with all that is wanted of it. */
  private async kept(id: string): Promise<FinishedTrial | undefined> {
    const found = await readTrial(trialFolder(this.options.out, id)).catch(() => undefined); // damaged: the trial says how
    return found && (found.planted || !this.options.isPlanted) ? found : undefined;
  }

  private async one(queue: Queue, { id, options }: Training): Promise<Ended> {
    const { out, isPlanted, signal } = this.options;
    const folder = trialFolder(out, id);
    try {
      if (signal?.aborted) throw new Cancelled();
      const job = await this.end(queue, id, { ...options, out: resolve(folder), isPlanted });
      if (job.state === 'failed' || job.state === 'interrupted') return { error: job.error ?? lost };
      if (job.state === 'cancelled') return { error: { code: 'cancelled', message: 'It was cancelled.' } };
      const finished = await readTrial(folder);
      if (finished) return { finished, isKept: false };
      throw new DataError(
        'not-shared',
        say`A worker finished it, but ${folder} does not hold its run here. Workers on other machines must write to the same folder:
          share it.`,
      );
    } catch (error) {
      return { error: stored(error) };
    }
  }

  /** Adds a job, or takes the one that an earlier start left in the queue, and ends with it. */
  private async end(queue: Queue, id: string, options: Job['options']): Promise<Job> {
    const job = await this.added(queue, id, options);
    this.own.add(job.id);
    return this.ended.get(job.id) ?? new Promise((go) => this.waiting.set(job.id, go));
  }

  /** The same training in the same folder is one job, however often it is asked for. */
  private async added(queue: Queue, id: string, options: Job['options']): Promise<Job> {
    const place = createHash('sha256').update(JSON.stringify(options)).digest('hex').slice(0, 16);
    const job = await queue.add('trial', options, { id: `${id}-${place}`, run: String(options.out) });
    if (!hasEnded(job)) return job;
    // It is wanted, so what it made is gone.
    if (job.state === 'done') return queue.add('trial', options, { run: String(options.out) });
    this.ended.delete(job.id);
    return queue.resume(job.id);
  }

  private hear(job: Job): void {
    if (job.kind !== 'trial') return;
    if (job.state === 'running') this.running.add(job.id);
    else this.running.delete(job.id);
    if (hasEnded(job)) {
      const waiting = this.waiting.get(job.id);
      if (waiting) waiting(job);
      else this.ended.set(job.id, job);
      this.waiting.delete(job.id);
    }
    this.onChange();
  }

  private async cancelAll(): Promise<void> {
    const jobs = [...this.waiting.keys()];
    const queue = await this.opened;
    await Promise.all(jobs.map((id) => queue?.cancel(id).catch(() => {}))); // gone already
  }
}

const lost: StoredError = { code: 'job-lost', ...messageOf('Its process ended before it did. Repeat the sweep.') };
