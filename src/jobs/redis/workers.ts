/** Takes jobs from Redis and does them here, each in a process of its own; what a worker that was killed left, another goes on with. Node only. */
import type { Worker as BullWorker, QueueEvents } from 'bullmq';
import { type Listener, warning } from '../../core/events.ts';
import { propertiesOf } from '../../core/schema.ts';
import type { Job, QueueListener } from '../job.ts';
import { findJobKind } from '../kinds.ts';
import { type Outcome, startWorker, type Worker } from '../worker.ts';
import { ABORT_MS } from '../worker-messages.ts';
import { connectionOf, openConnection, type RedisConnection } from './connection.ts';
import {
  END,
  type Ending,
  isSame,
  JOBS,
  jobOf,
  type Kept,
  keys,
  nameOf,
  type Payload,
  type Stored,
  software,
  writeEnding,
} from './record.ts';
import { Sayings } from './sayings.ts';

export interface RedisWorkersOptions extends QueueListener {
  /** `redis://…`, as `openConnection` takes it. */
  readonly url: string;
  /** Jobs that run at once. */
  readonly workers: number;
  /** Threads of each job that does not say how many. */
  readonly threads?: number;
  /** Milliseconds after which the jobs of a worker that no longer answers are given to another; default 30,000. */
  readonly patience?: number;
  /** Hears that the connection is lost, that it is back, and of jobs that are not for this software. */
  readonly onConnection: Listener;
  /** How a job is begun. Default `startWorker`, in a process of its own. */
  readonly start?: typeof startWorker;
}

export interface RedisWorkers {
  /** Ends what runs, within seconds: it goes on elsewhere, or here once workers are opened again. */
  close(): Promise<void>;
}

/** So often a job goes on by itself after its worker was killed; a job that kills its machines would else never end. */
const STALLS = 5;
/** How long a job that cannot begin here waits before a worker looks at it again: one of other software, and one whose run is busy. */
const AGAIN_MS = { otherSoftware: 5000, busyRun: 500 } as const;
/** How long ending may take besides what jobs take to end. */
const CLOSE_MS = 3000;

/** Throws as `openConnection`. */
export async function openRedisWorkers(options: RedisWorkersOptions): Promise<RedisWorkers> {
  const { workers: concurrency, patience = 30_000 } = options;
  const connection = await openConnection(options.url, options.onConnection);
  const { Worker, QueueEvents } = connection.bullmq;
  const workers = new Workers(connection, options);
  const given = connectionOf(connection);
  const events = new QueueEvents(JOBS, given);
  await events.waitUntilReady();
  const bull: BullWorker<Payload, Kept> = new Worker<Payload, Kept>(JOBS, (job, token) => workers.work(job, token!), {
    ...{ ...given, concurrency, maxStalledCount: STALLS, runRetryDelay: 500 },
    ...{ lockDuration: patience, stalledInterval: patience / 2 },
  });
  workers.listen(bull, events);
  return workers;
}

/** A job at work. */
interface Entry {
  worker?: Worker;
  /** Somebody told it to end. */
  isCancelled?: boolean;
  /** Another worker has it, or will have it. */
  isTaken?: boolean;
}

class Workers implements RedisWorkers {
  private readonly running = new Map<string, Entry>();
  /** Software that was met and is not this. */
  private readonly met = new Set<string>();
  private bull!: BullWorker<Payload, Kept>;
  private events!: QueueEvents;
  private isClosing = false;

  constructor(
    private readonly connection: RedisConnection,
    private readonly options: RedisWorkersOptions,
  ) {}

  listen(bull: BullWorker<Payload, Kept>, events: QueueEvents): void {
    this.bull = bull;
    this.events = events;
    // The connection itself tells what is wrong with it.
    bull.on('error', () => {});
    events.on('error', () => {});
    // What is written here would be in the way of the other.
    bull.on('lockRenewalFailed', (ids) => {
      for (const entry of ids.flatMap((id) => this.running.get(id) ?? [])) {
        entry.isTaken = true;
        entry.worker?.abort();
      }
    });
    events.on(END as 'waiting', ({ jobId }) => void this.endIfAsked(jobId).catch(() => {}));
  }

  /** Does a job; what it throws says to the queue's package what is to become of it. */
  async work(stored: Stored, token: string): Promise<Kept> {
    const { DelayedError, UnrecoverableError } = this.connection.bullmq;
    const id = stored.id!;
    const { kind, options, run, startedAt } = stored.data;
    const wait = (await this.isOtherSoftware(stored))
      ? AGAIN_MS.otherSoftware
      : run !== undefined && !(await this.takeRun(run, id))
        ? AGAIN_MS.busyRun
        : undefined;
    if (wait !== undefined) {
      await stored.moveToDelayed(Date.now() + wait, token);
      throw new DelayedError();
    }
    const entry: Entry = {};
    this.running.set(id, entry);
    const sayings = new Sayings(this.connection, stored, (event) => this.options.onEvent(id, event));
    try {
      await this.endIfAsked(id);
      if (entry.isCancelled) throw new UnrecoverableError(writeEnding({ state: 'cancelled' }));
      await stored.updateData({ ...stored.data, startedAt: new Date().toISOString() });
      this.tell(jobOf(stored, true));
      entry.worker = (this.options.start ?? startWorker)(
        { kind, options: this.withThreads(kind, options), isAgain: startedAt !== undefined },
        (event) => sayings.say(event),
      );
      if (this.isClosing || entry.isCancelled) entry.worker.abort();
      const outcome = await entry.worker.ended;
      return await this.endOf(stored, token, { outcome, ...entry }, sayings);
    } finally {
      this.running.delete(id);
      if (run !== undefined) await this.leaveRun(run, id);
    }
  }

  async close(): Promise<void> {
    this.isClosing = true;
    const ended = this.bull.close();
    for (const { worker } of this.running.values()) worker?.abort();
    // Without a connection nothing can be handed back: once its lock has run out another worker has it.
    const limit = new Promise((resolve) => setTimeout(resolve, ABORT_MS + CLOSE_MS).unref());
    await Promise.race([ended, limit]);
    await Promise.race([this.events.close(), limit]);
    this.connection.close();
  }

  /** What becomes of a job whose process ended. One that was done before it heard that it should end is done. */
  private async endOf(
    stored: Stored,
    token: string,
    { outcome, isCancelled, isTaken }: Entry & { readonly outcome: Outcome },
    sayings: Sayings,
  ): Promise<Kept> {
    const { UnrecoverableError, WaitingError } = this.connection.bullmq;
    // The queue refuses an end that is told by one who no longer has the job.
    if (isTaken) throw new Error('taken');
    const handsBack = this.isClosing && !isCancelled && outcome.state !== 'done' && outcome.state !== 'failed';
    if (handsBack) {
      sayings.say({
        ...{ type: 'log', level: 'info' },
        message: 'This job was interrupted when its worker ended. It goes on from what it left.',
      });
    }
    // A process that crashed is begun again after a while; an error that was told comes again.
    const isBegunAgain =
      outcome.state === 'lost' && !isCancelled && stored.attemptsMade + 1 < (stored.opts.attempts ?? 1);
    if (isBegunAgain && !handsBack) {
      sayings.say({
        type: 'log',
        level: 'info',
        message: 'The process of this job crashed. It is begun again, from what it left.',
      });
    }
    await sayings.end();
    if (outcome.state === 'done') {
      this.tell({ ...jobOf(stored, true), state: 'done', result: outcome.result });
      return { result: outcome.result };
    }
    if (handsBack) {
      this.tell({ ...jobOf(stored, true), state: 'interrupted' });
      await stored.moveToWait(token);
      throw new WaitingError();
    }
    const ending: Ending =
      isCancelled || outcome.state === 'cancelled'
        ? { state: 'cancelled' }
        : { state: outcome.state === 'lost' ? 'interrupted' : 'failed', error: outcome.error };
    this.tell({ ...jobOf(stored, true), ...(isBegunAgain ? { state: 'waiting' } : ending) });
    if (isBegunAgain) throw new Error(writeEnding(ending));
    throw new UnrecoverableError(writeEnding(ending));
  }

  /** Says so once for each software. */
  private async isOtherSoftware({ id, data }: Stored): Promise<boolean> {
    if (isSame(data.software, software)) return false;
    const theirs = nameOf(data.software);
    if (!this.met.has(theirs)) {
      this.met.add(theirs);
      this.options.onConnection(
        warning(
          'other-software',
          `A job (${id}) was made by ${theirs}, and this worker is ${nameOf(software)}: it waits for a worker of its own software.`,
        ),
      );
    }
    return true;
  }

  /** Ends a job that is to end, and which runs here. */
  private async endIfAsked(id: string): Promise<void> {
    const entry = this.running.get(id);
    if (!entry || (await this.connection.client.srem(this.bull.toKey(keys.ending), id)) === 0) return;
    entry.isCancelled = true;
    entry.worker?.abort();
  }

  /** A run is worked on by one job at a time; one whose job no longer runs is free. */
  private async takeRun(run: string, id: string): Promise<boolean> {
    const { client } = this.connection;
    const key = this.bull.toKey(keys.runs);
    for (;;) {
      if ((await client.hsetnx(key, run, id)) === 1) return true;
      const holder = await client.hget(key, run);
      if (holder === id) return true;
      const running = await client.lrange(this.bull.toKey('active'), 0, -1);
      if (holder !== null && running.includes(holder)) return false;
      if (holder !== null) await this.leaveRun(run, holder);
    }
  }

  /** Only where that job has it. */
  private async leaveRun(run: string, id: string): Promise<void> {
    const script = "if redis.call('HGET', KEYS[1], ARGV[1]) == ARGV[2] then redis.call('HDEL', KEYS[1], ARGV[1]) end";
    await this.connection.client.eval(script, 1, this.bull.toKey(keys.runs), run, id);
  }

  private withThreads(kind: string, options: Job['options']): Job['options'] {
    const { threads } = this.options;
    if (threads === undefined || !('threads' in propertiesOf(findJobKind(kind).options))) return options;
    return { threads, ...options };
  }

  private tell(job: Job): void {
    this.options.onJob(job);
  }
}
