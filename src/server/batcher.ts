/**
 * Joins the items of requests that come together, or while a detector is busy, into one call of it. Nobody waits for a batch to fill:
 * what is there goes as soon as the detector is free. Requests beyond a number of waiting items are refused, so that a queue never
 * outgrows what can be answered in time.
 */
import { DataError, ShapeError } from '../core/errors.ts';
import { itemSize } from '../core/item-shape.ts';
import type { BatchScore, Detector } from '../engine/scoring/detector.ts';
import { scoreBatch } from '../engine/scoring/stream.ts';
import { mapSize } from '../kinds/index.ts';
import { Problem } from './problem.ts';

/** Calls at a time: the next batch is copied and handed over while the last one is computed. */
const CALLS = 2;

interface Job {
  readonly values: Float32Array;
  readonly count: number;
  readonly maps: boolean;
  /** Nobody waits for it any more. */
  isLate: boolean;
  readonly resolve: (found: BatchScore) => void;
  readonly reject: (error: unknown) => void;
}

/** A queue before a detector. */
export interface Batcher {
  /**
   * Scores `count` items as `Detector.score` does. Throws Problem 429 when too many wait, 504 after `within` milliseconds and once
   * `signal` aborts.
   */
  score(
    values: Float32Array,
    count: number,
    options?: { maps?: boolean; within?: number; signal?: AbortSignal },
  ): Promise<BatchScore>;
  /** Items that wait or are being scored. */
  readonly waiting: number;
}

/** Opens a queue. `onBatch` hears how many items each call has. */
export function openBatcher(
  detector: Pick<Detector, 'score' | 'shape'>,
  { mostWaiting, onBatch }: { readonly mostWaiting: number; readonly onBatch?: (items: number) => void },
): Batcher {
  const queue: Job[] = [];
  const [size, area, most] = [itemSize(detector.shape), mapSize(detector.shape), scoreBatch(detector.shape)];
  let waiting = 0;
  let calls = 0;

  function take(): Job[] {
    const jobs: Job[] = [];
    let items = 0;
    while (queue.length > 0 && (jobs.length === 0 || items + queue[0].count <= most)) {
      const job = queue.shift()!;
      if (job.isLate) {
        done(job);
        continue;
      }
      jobs.push(job);
      items += job.count;
    }
    return jobs;
  }

  const done = (job: Job) => {
    waiting -= job.count;
  };

  async function call(jobs: readonly Job[]): Promise<void> {
    const count = jobs.reduce((n, job) => n + job.count, 0);
    try {
      onBatch?.(count);
      const found = await detector.score(valuesOf(jobs), count, {
        maps: jobs.some(({ maps }) => maps),
        transfer: jobs.length > 1, // what was joined here is of no use to anyone else
      });
      jobs.reduce((at, job) => {
        job.resolve(jobs.length === 1 ? found : part(found, at, job.count, { size, area }));
        return at + job.count;
      }, 0);
    } catch (error) {
      const isOfOne = error instanceof DataError || error instanceof ShapeError;
      // The values of one request are no reason for the others to fail.
      if (isOfOne && jobs.length > 1) for (const job of jobs) await call([job]);
      else for (const job of jobs) job.reject(error);
    }
  }

  function pump(): void {
    if (calls >= CALLS || queue.length === 0) return;
    const jobs = take();
    if (jobs.length === 0) return;
    calls++;
    void call(jobs).finally(() => {
      for (const job of jobs) done(job);
      calls--;
      pump();
    });
  }

  let isDue = false;
  /** Once what has come with this request is read too: what arrived at the same time goes together. */
  function soon(): void {
    if (isDue || calls >= CALLS) return;
    isDue = true;
    setImmediate(() => {
      isDue = false;
      pump();
    });
  }

  return {
    score(values, count, { maps = true, within, signal } = {}) {
      return new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(tooLate());
        if (waiting + count > mostWaiting && waiting > 0) return reject(tooMany(waiting));
        waiting += count;
        const late = () => {
          job.isLate = true;
          reject(tooLate());
        };
        const timer = within === undefined ? undefined : setTimeout(late, within);
        const settled =
          <T>(then: (value: T) => void) =>
          (value: T) => {
            clearTimeout(timer);
            then(value);
          };
        const job: Job = { values, count, maps, isLate: false, resolve: settled(resolve), reject: settled(reject) };
        queue.push(job);
        signal?.addEventListener('abort', late, { once: true });
        soon();
      });
    },
    get waiting() {
      return waiting;
    },
  };
}

/** The values of requests one after the other. */
function valuesOf(jobs: readonly Job[]): Float32Array {
  if (jobs.length === 1) return jobs[0].values;
  const all = new Float32Array(jobs.reduce((n, { values }) => n + values.length, 0));
  jobs.reduce((at, { values }) => {
    all.set(values, at);
    return at + values.length;
  }, 0);
  return all;
}

/** The items of one request out of a batch. */
function part(
  { scores, maps, reconstructions, nearest }: BatchScore,
  at: number,
  count: number,
  { size, area }: { readonly size: number; readonly area: number },
): BatchScore {
  const of = (all: Float32Array, each: number) => all.slice(at * each, (at + count) * each);
  return {
    scores: of(scores, 1),
    maps: of(maps, maps.length > 0 ? area : 0),
    ...(reconstructions && { reconstructions: of(reconstructions, size) }),
    ...(nearest && { nearest: of(nearest, 5) }),
  };
}

const tooMany = (waiting: number) =>
  new Problem(429, 'busy', `${waiting} items wait already, as many as may. Send this request again in a second.`, {
    'Retry-After': '1',
  });

const tooLate = () =>
  new Problem(
    504,
    'deadline',
    'The request was not answered within its time. Send fewer items, or fewer requests at once.',
  );
