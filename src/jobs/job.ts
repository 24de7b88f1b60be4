/** Work that takes longer than a request: what a job is, and what keeps jobs. Nothing of this file runs one. */
import type { ErrorData } from '../core/errors.ts';
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
  /** ISO 8601, as all times here. */
  readonly createdAt: string;
  readonly startedAt?: string;
  readonly endedAt?: string;
  /** What the function gave, as far as it is plain data and small. */
  readonly result?: unknown;
  readonly error?: Pick<ErrorData, 'code' | 'message' | 'text'>;
}

/** Where jobs are kept. All calls are synchronous: what was answered is on the disk. */
export interface JobStore {
  add(job: Job): void;
  change(id: string, to: Partial<Job>): Job;
  find(id: string): Job | undefined;
  /** The newest first. */
  list(): readonly Job[];
}

/** Runs jobs one after another, or several at once, here or on other machines. */
export interface Queue {
  add(kind: string, options: Readonly<Record<string, unknown>>, run?: string): Job;
  /** Takes a waiting job out; tells a running one to end, which leaves what it has for `resume`. */
  cancel(id: string): Promise<Job>;
  /** Begins a job that was cancelled, interrupted or failed once more, from what it left. */
  resume(id: string): Job;
  list(): readonly Job[];
  /** Ends the workers; what they were at is `interrupted`. */
  close(): Promise<void>;
}

/** What a queue tells: a job in a new state, or an event of one that runs. */
export interface QueueListener {
  onJob(job: Job): void;
  onEvent(id: string, event: Event): void;
}
