/** Work that takes longer than a request: what a job is, and what keeps jobs. Nothing of this file runs one. */
import { ConfigError, type ErrorData } from '../core/errors.ts';
import type { Event } from '../core/events.ts';

/** `waiting` for its turn; `interrupted` where its process or the machine ended before it did. */
export type JobState = 'waiting' | 'running' | 'done' | 'failed' | 'cancelled' | 'interrupted';

/** One piece of work. Options are plain data, as the library's function of that kind takes them. */
export interface Job {
  readonly id: string;
  /** Name of an entry of `jobKinds`. */
  readonly kind: string;
  readonly options: Readonly<Record<string, unknown>>;
  readonly state: JobState;
  /** Folder of the run that it makes or works on; absent for none. */
  readonly run?: string;
  /** Jobs with a larger one go first, those with the same in the order in which they came; -1000 to 1000, absent for 0. */
  readonly priority?: number;
  /** ISO 8601, as all times here. */
  readonly createdAt: string;
  /** When it was last begun; a job that has one and waits was begun before, and goes on from what it left. */
  readonly startedAt?: string;
  readonly endedAt?: string;
  /** What the function gave, as far as it is plain data and small. */
  readonly result?: unknown;
  readonly error?: Pick<ErrorData, 'code' | 'message' | 'text'> & Partial<Pick<ErrorData, 'name'>>;
}

/** Where a queue of one machine keeps its jobs. All calls are synchronous: what was answered is on the disk. */
export interface JobStore {
  add(job: Job): void;
  change(id: string, to: Partial<Job>): Job;
  find(id: string): Job | undefined;
  /** The newest first. */
  list(): readonly Job[];
}

/** An event of a job, as its log keeps it. */
export type LoggedEvent = Event & { readonly time: string };

/** What a job may be given besides its kind and options. */
export interface JobPlace extends Pick<Job, 'run' | 'priority'> {
  /**
   * Id of the caller's own, such as a hash of what the job does: one that the queue has already is given back as it stands, and nothing
   * is added. Letters, digits, `-` and `_`, at most 128, not digits only; without it the queue makes one.
   */
  readonly id?: string;
}

/** Runs jobs one after another, or several at once, here or on other machines. */
export interface Queue {
  /** Throws ConfigError for a kind that is none, options that cannot be, and `job-id` or `job-priority`. */
  add(kind: string, options: Readonly<Record<string, unknown>>, place?: JobPlace): Promise<Job>;
  /**
   * Takes a waiting job out; tells a running one to end, which leaves what it has for `resume`, and answers once it has. One that has
   * ended stays as it is. Throws ConfigError `unknown-job`.
   */
  cancel(id: string): Promise<Job>;
  /**
   * Begins a job that was cancelled, interrupted or failed once more, from what it left. Throws ConfigError `unknown-job`, and
   * `job-state` for one that waits, runs or is done.
   */
  resume(id: string): Promise<Job>;
  find(id: string): Promise<Job | undefined>;
  /** The newest first. */
  list(): Promise<readonly Job[]>;
  /** What a job said so far, in order, also before the queue was opened; progress at most once a second. */
  log(id: string): Promise<LoggedEvent[]>;
  /** Ends the workers; what they were at is `interrupted`, and goes on when the queue is opened again. */
  close(): Promise<void>;
}

/** Throws ConfigError `job-id` or `job-priority`. */
export function checkPlace({ id, priority = 0 }: JobPlace): void {
  if (id !== undefined && !/^(?!\d+$)[\w-]{1,128}$/.test(id)) {
    throw new ConfigError(
      'job-id',
      `The id of a job must have 1 to 128 letters, digits, "-" and "_", and not digits only; got "${id}".`,
    );
  }
  if (!Number.isInteger(priority) || Math.abs(priority) > 1000) {
    throw new ConfigError(
      'job-priority',
      `The priority of a job must be an integer from -1000 to 1000, got ${priority}.`,
    );
  }
}

/** What a queue tells: a job in a new state, or an event of one that runs. */
export interface QueueListener {
  onJob(job: Job): void;
  onEvent(id: string, event: Event): void;
}
