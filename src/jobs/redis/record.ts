/** A job as Redis keeps it: what is sent, how its end is written down, and the `Job` that both make. */
import type { Job as BullJob, Queue as BullQueue } from 'bullmq';
import { oddity } from '../../backbones/oddity.ts';
import { version } from '../../core/version.ts';
import type { Job, JobState } from '../job.ts';

/** The one list of jobs that all queues and workers of a Redis share. */
export const JOBS = 'jobs';

/** Keys besides those of the queue's package, below the same name. */
export const keys = {
  /** The ids of a queue, by the order in which they were added. */
  of: (name: string) => `of:${name}`,
  /** A number for each job that was ever added. */
  count: 'count',
  /** By id: jobs that were cancelled before a worker took them, as they go on. Where the queue has the job as well, it was not taken out. */
  cancelled: 'cancelled',
  /** Ids of jobs that run and are to end. */
  ending: 'ending',
  /** By run: the job that works on it. */
  runs: 'runs',
  /** What a job said, as lines of JSON. */
  log: (id: string) => `log:${id}`,
};
/** An event of the queue's stream besides those of its package: a job is to end. */
export const END = 'oddity-end';
/** Lines that are kept of what a job said, the newest: half a MiB of Redis at most. */
export const LOG_LINES = 5000;

/** What must be the same where a job is made and where it is done, so that it gives the same. */
export interface Software {
  readonly oddity: string;
  /** sha256 of the network in the package. */
  readonly weights: string;
}

export const software: Software = { oddity: version, weights: oddity.weights?.sha256 ?? '' };

export const isSame = (a: Software, b: Software) => a.oddity === b.oddity && a.weights === b.weights;

export const nameOf = ({ oddity, weights }: Software) => `oddity ${oddity} (weights ${weights.slice(0, 8)})`;

/** Plain options; names and hashes of data, never data. */
export interface Payload extends Pick<Job, 'kind' | 'options' | 'run' | 'priority' | 'startedAt'> {
  readonly software: Software;
}

export type Stored = BullJob<Payload, Kept>;
export type StoredQueue = BullQueue<Payload, Kept>;

/** What a job that is done gave. */
export interface Kept {
  readonly result?: unknown;
}

/** How a job ended otherwise; the text of the error that its package keeps. */
export interface Ending {
  readonly state: Extract<JobState, 'failed' | 'cancelled' | 'interrupted'>;
  readonly error?: Job['error'];
}

export const writeEnding = (ending: Ending) => JSON.stringify(ending);

/** The package has only one sentence of its own, for a job whose workers ended again and again. */
function readEnding(reason: string | undefined): Ending {
  try {
    return JSON.parse(reason ?? '') as Ending;
  } catch {
    const message =
      'The workers of this job ended before the job did, several times; their machines may have run out of memory. What was written is kept: resume the job.';
    return { state: 'interrupted', error: { code: 'job-lost', message } };
  }
}

const iso = (milliseconds: number) => new Date(milliseconds).toISOString();

/** A job that was cancelled before a worker took it. */
export interface TakenOut {
  readonly payload: Payload;
  readonly createdAt: number;
  readonly endedAt: number;
}

function factsOf(id: string, { kind, options, run, priority, startedAt }: Payload, createdAt: number) {
  return {
    ...{ id, kind, options, ...(run !== undefined && { run }), ...(priority !== undefined && { priority }) },
    ...{ createdAt: iso(createdAt), ...(startedAt !== undefined && { startedAt }) },
  };
}

export const cancelledJob = (id: string, { payload, createdAt, endedAt }: TakenOut): Job => ({
  ...factsOf(id, payload, createdAt),
  ...{ state: 'cancelled', endedAt: iso(endedAt) },
});

export function jobOf(stored: Stored, isActive: boolean): Job {
  const { id, data, timestamp, processedOn, finishedOn, failedReason, returnvalue } = stored;
  const job = factsOf(id!, data, timestamp);
  // It may have ended since it was read whether it is active.
  if (finishedOn) {
    const endedAt = iso(finishedOn);
    if (returnvalue) return { ...job, state: 'done', endedAt, result: returnvalue.result };
    return { ...job, ...readEnding(failedReason), endedAt };
  }
  if (!isActive) return { ...job, state: 'waiting' };
  return { ...job, state: 'running', ...(processedOn && { startedAt: iso(processedOn) }) };
}
