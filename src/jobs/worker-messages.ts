/** What a queue and the process of a job say to each other. */
import type { Event } from '../core/events.ts';
import type { Job } from './job.ts';

export type ToWorker =
  | {
      readonly type: 'run';
      readonly kind: string;
      readonly options: Readonly<Record<string, unknown>>;
      readonly isAgain: boolean;
    }
  | { readonly type: 'abort' };

export type FromWorker =
  | { readonly type: 'event'; readonly event: Event }
  | { readonly type: 'done'; readonly result: unknown }
  | { readonly type: 'failed'; readonly error: NonNullable<Job['error']> }
  | { readonly type: 'cancelled' };

/** How long a process that is to end may take to write what it has. */
export const ABORT_MS = 10_000;
