/** Jobs on Redis, which workers of any machine do: added, ended, resumed and told of from here. Node only. */
import { randomUUID } from 'node:crypto';
import type { QueueEvents } from 'bullmq';
import { ConfigError } from '../../core/errors.ts';
import type { Event, Listener } from '../../core/events.ts';
import { checkPlace, type Job, type JobPlace, type LoggedEvent, type Queue, type QueueListener } from '../job.ts';
import { checkJobOptions, findJobKind } from '../kinds.ts';
import { ABORT_MS } from '../worker-messages.ts';
import { connectionOf, openConnection, type RedisConnection } from './connection.ts';
import {
  cancelledJob,
  END,
  JOBS,
  jobOf,
  keys,
  type Payload,
  type Stored,
  type StoredQueue,
  software,
  type TakenOut,
} from './record.ts';

export interface RedisQueueOptions extends QueueListener {
  /** `redis://…`, as `openConnection` takes it. */
  readonly url: string;
  /** Jobs that were added by this name alone are listed and told; workers do those of all names. */
  readonly name: string;
  /** Hears that the connection is lost, that it is back, and of a server that may forget. */
  readonly onConnection: Listener;
}

/** A job whose process ended before it did is done once more by itself, after so many milliseconds, doubled each time. */
const ATTEMPTS = { attempts: 3, backoff: { type: 'exponential', delay: 1000 }, stackTraceLimit: 0 } as const;
/** The queue's package does the smallest first. */
const FIRST = 1001;
/** Events of the stream that are kept for those who were away. */
const EVENTS = 10_000;
/** How long a worker may take to end a job; after one that was killed the next one ends it, later. */
const END_MS = ABORT_MS + 5000;

/** Opens a queue. Throws as `openConnection`. */
export async function openRedisQueue(options: RedisQueueOptions): Promise<Queue> {
  const connection = await openConnection(options.url, options.onConnection);
  const { Queue, QueueEvents } = connection.bullmq;
  const given = connectionOf(connection);
  const jobs: StoredQueue = new Queue(JOBS, { ...given, streams: { events: { maxLen: EVENTS } } });
  const events = new QueueEvents(JOBS, given);
  // The connection itself tells what is wrong with it.
  jobs.on('error', () => {});
  events.on('error', () => {});
  const queue = new RedisQueue(connection, jobs, events, options);
  await queue.listen();
  return queue;
}

/** What the stream says of a job. */
interface Heard {
  readonly jobId: string;
  /** Of a job that runs: what it said. */
  readonly data?: unknown;
}

class RedisQueue implements Queue {
  /** Jobs of this queue that were met, and the state that was last told of each. */
  private readonly told = new Map<string, Job['state'] | undefined>();
  /** Jobs of others that run. */
  private readonly others = new Set<string>();
  /** Those who wait for a job to end. */
  private readonly waiting = new Map<string, ((job: Job) => void)[]>();
  private heard: Promise<unknown> = Promise.resolve();
  private isClosed = false;

  constructor(
    private readonly connection: RedisConnection,
    private readonly jobs: StoredQueue,
    private readonly events: QueueEvents,
    private readonly options: RedisQueueOptions,
  ) {}

  async listen(): Promise<void> {
    const on = (name: string, hear: (id: string, data: unknown) => Promise<void>) =>
      this.events.on(name as 'waiting', ({ jobId, data }: Heard) => {
        // One after another, as they came.
        this.heard = this.heard
          .then(async () => {
            if (!this.isClosed && (await this.isOurs(jobId))) await hear(jobId, data);
          })
          .catch(() => {}); // closed while it was heard
      });
    on('waiting', (id) => this.tellWaiting(id));
    on('delayed', (id) => this.tellWaiting(id));
    on('active', async (id) => {
      this.others.clear();
      const stored = await this.stored(id);
      if (stored) this.tell(jobOf(begunAgain(stored), true));
    });
    for (const name of ['completed', 'failed', 'removed']) {
      on(name, async (id) => {
        const job = await this.find(id);
        if (job && job.state !== 'waiting' && job.state !== 'running') this.tell(job);
      });
    }
    on('progress', async (id, events) => {
      for (const event of events as readonly Event[]) this.options.onEvent(id, event);
    });
    await this.events.waitUntilReady();
  }

  async add(kind: string, options: Job['options'], place: JobPlace = {}): Promise<Job> {
    checkJobOptions(findJobKind(kind), options);
    checkPlace(place);
    const { id = randomUUID(), run, priority } = place;
    // Listed before it is there, so that none is there that is not listed; of one that has the id already nothing changes.
    await this.connection.client.zadd(this.ids, 'NX', await this.connection.client.incr(this.key(keys.count)), id);
    const known = await this.find(id);
    if (known) return known;
    await this.put(id, {
      ...{ kind, options, ...(run !== undefined && { run }), ...(priority !== undefined && { priority }) },
      software,
    });
    return this.existing(id);
  }

  async cancel(id: string): Promise<Job> {
    const job = await this.existing(id);
    if (job.state !== 'waiting' && job.state !== 'running' && job.state !== 'interrupted') return job;
    if (job.state !== 'running' && (await this.takeOut(id))) return this.existing(id);
    const ended = new Promise<Job>((resolve, reject) => {
      this.waiting.set(id, [...(this.waiting.get(id) ?? []), resolve]);
      setTimeout(() => this.existing(id).then(resolve, reject), END_MS).unref();
    });
    const { client } = this.connection;
    await client.sadd(this.key(keys.ending), id);
    await client.xadd(this.key('events'), 'MAXLEN', '~', EVENTS, '*', 'event', END, 'jobId', id);
    return ended;
  }

  async resume(id: string): Promise<Job> {
    const { state } = await this.existing(id);
    if (state !== 'cancelled' && state !== 'interrupted' && state !== 'failed') {
      throw new ConfigError('job-state', `A job must have ended early to be resumed, and this one is ${state}.`);
    }
    const { client } = this.connection;
    await client.srem(this.key(keys.ending), id);
    const stored = await this.stored(id);
    if (stored) {
      await client.hdel(this.key(id), 'stc'); // how often its workers ended
      await stored.retry('failed', { resetAttemptsMade: true });
    } else {
      const { payload, createdAt } = (await this.takenOut(id))!;
      await this.put(id, payload, createdAt);
      await client.hdel(this.key(keys.cancelled), id);
    }
    return this.existing(id);
  }

  async find(id: string): Promise<Job | undefined> {
    this.others.delete(id);
    if (!(await this.isOurs(id))) return undefined;
    const state = await this.jobs.getJobState(id);
    const stored = await this.stored(id);
    if (stored) return jobOf(stored, state === 'active');
    const out = await this.takenOut(id);
    return out && cancelledJob(id, out);
  }

  async list(): Promise<readonly Job[]> {
    const { client } = this.connection;
    const [ids, running, cancelled] = await Promise.all([
      client.zrevrange(this.ids, 0, -1),
      client.lrange(this.key('active'), 0, -1),
      client.hgetall(this.key(keys.cancelled)),
    ]);
    const active = new Set(running);
    const all = await Promise.all(
      ids.map(async (id) => {
        const stored = await this.stored(id);
        if (stored) return jobOf(stored, active.has(id));
        return cancelled[id] === undefined ? undefined : cancelledJob(id, JSON.parse(cancelled[id]) as TakenOut);
      }),
    );
    return all.filter((job) => job !== undefined);
  }

  async log(id: string): Promise<LoggedEvent[]> {
    await this.existing(id);
    const lines = await this.connection.client.lrange(this.key(keys.log(id)), 0, -1);
    return lines.map((line) => JSON.parse(line) as LoggedEvent);
  }

  /** Workers go on. */
  async close(): Promise<void> {
    this.isClosed = true;
    await this.events.close();
    await this.jobs.close();
    this.connection.close();
  }

  private async put(id: string, payload: Payload, timestamp = Date.now()): Promise<void> {
    const priority = FIRST - (payload.priority ?? 0);
    await this.jobs.add(payload.kind, payload, { ...ATTEMPTS, jobId: id, priority, timestamp });
  }

  /** Takes a job that no worker has out of the queue; false where one took it meanwhile. */
  private async takeOut(id: string): Promise<boolean> {
    const stored = await this.stored(id);
    if (!stored) return false;
    const out: TakenOut = { payload: stored.data, createdAt: stored.timestamp, endedAt: Date.now() };
    await this.connection.client.hset(this.key(keys.cancelled), id, JSON.stringify(out));
    try {
      await stored.remove();
      return true;
    } catch {
      await this.connection.client.hdel(this.key(keys.cancelled), id);
      return false;
    }
  }

  private async tellWaiting(id: string): Promise<void> {
    const stored = await this.stored(id);
    if (stored) this.tell(jobOf(begunAgain(stored), false));
  }

  private tell(job: Job): void {
    if (job.state === this.told.get(job.id)) return;
    this.told.set(job.id, job.state);
    this.options.onJob(job);
    if (job.state === 'waiting' || job.state === 'running') return;
    for (const resolve of this.waiting.get(job.id) ?? []) resolve(job);
    this.waiting.delete(job.id);
  }

  private get ids(): string {
    return this.key(keys.of(this.options.name));
  }

  private key(name: string): string {
    return this.jobs.toKey(name);
  }

  private stored(id: string): Promise<Stored | undefined> {
    return this.connection.bullmq.Job.fromId(this.jobs, id);
  }

  private async takenOut(id: string): Promise<TakenOut | undefined> {
    const text = await this.connection.client.hget(this.key(keys.cancelled), id);
    return text === null ? undefined : (JSON.parse(text) as TakenOut);
  }

  private async isOurs(id: string): Promise<boolean> {
    if (this.told.has(id)) return true;
    if (this.others.has(id)) return false;
    const isOurs = (await this.connection.client.zscore(this.ids, id)) !== null;
    if (isOurs) this.told.set(id, undefined);
    else this.others.add(id);
    return isOurs;
  }

  private async existing(id: string): Promise<Job> {
    const job = await this.find(id);
    if (!job) throw new ConfigError('unknown-job', `There is no job "${id}".`);
    return job;
  }
}

/** A job as it was when an event said that it waits or is begun, though it may have ended since: that is told next. */
const begunAgain = (stored: Stored): Stored => Object.assign(stored, { finishedOn: undefined });
