/**
 * Decodes image files in worker threads, a bounded number of them and of files under way, so that reading ahead never
 * holds more than a few whole images. Node only.
 */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { Cancelled, type ErrorData, errorFrom, InternalError } from '../../core/errors.ts';
import { type Decoded, type DecodeJob, decodeFile } from './decode.ts';

/** How many threads decode. */
export interface DecoderOptions {
  /** Worker threads; 0 decodes in this thread. Default: one for each core, at most 8. */
  readonly workers?: number;
}

/** Open decode workers; whoever opens them closes them. */
export interface Decoder {
  /** Rejects with what `decodeFile` throws, and with Cancelled once the decoder is closed. */
  decode(job: DecodeJob): Promise<Decoded>;
  /** Ends the workers; files under way are finished unheard. */
  close(): Promise<void>;
}

/** What a worker answers. */
export interface Reply {
  readonly id: number;
  readonly value?: Decoded;
  readonly error?: ErrorData;
}

/** Files that a worker has at a time: while one is decoded by native code, another one is resized. */
const FILES_AT_A_TIME = 2;

/** From the sources, as in unit tests, there is no built worker to start. */
const isBuilt = import.meta.url.endsWith('.js');

interface Waiting {
  readonly job: DecodeJob;
  resolve(value: Decoded): void;
  reject(error: Error): void;
}

/** A worker and the files that it has. */
interface Hand {
  readonly worker: Worker;
  readonly busy: Map<number, Waiting>;
}

/** Opens a decoder. A worker starts when there is a file for it. */
export function openDecoder(options: DecoderOptions = {}): Decoder {
  const most = isBuilt ? (options.workers ?? Math.min(8, availableParallelism())) : 0;
  const queue: Waiting[] = [];
  const hands: Hand[] = [];
  let last = 0;
  let closed = false;
  if (most === 0) {
    return {
      decode: (job) => (closed ? Promise.reject(new Cancelled()) : decodeFile(job)),
      async close() {
        closed = true;
      },
    };
  }

  function start(): Hand {
    const worker = new Worker(new URL('./decode-worker.js', import.meta.url));
    const hand: Hand = { worker, busy: new Map() };
    worker.on('message', ({ id, value, error }: Reply) => {
      const waiting = hand.busy.get(id);
      hand.busy.delete(id);
      if (hand.busy.size === 0) worker.unref(); // a worker with nothing to do does not keep the process alive
      if (error) waiting?.reject(errorFrom(error));
      else waiting?.resolve(value!);
      next();
    });
    worker.on('error', (error) => die(hand, error.message));
    worker.on('exit', () => die(hand, 'it ended'));
    hands.push(hand);
    return hand;
  }

  function die(hand: Hand, reason: string): void {
    const at = hands.indexOf(hand);
    if (at >= 0) hands.splice(at, 1);
    for (const { job, reject } of hand.busy.values()) {
      reject(new InternalError(`the worker that decoded ${job.path} died: ${reason}.`));
    }
    hand.busy.clear();
    if (!closed) next();
  }

  /** Hands out files: to the worker with the fewest, or to a new one. */
  function next(): void {
    while (queue.length > 0) {
      const free = hands
        .filter((hand) => hand.busy.size < FILES_AT_A_TIME)
        .sort((a, b) => a.busy.size - b.busy.size)[0];
      const hand = (free === undefined || free.busy.size > 0) && hands.length < most ? start() : free;
      if (!hand) return;
      const waiting = queue.shift()!;
      const id = ++last;
      hand.busy.set(id, waiting);
      hand.worker.ref();
      hand.worker.postMessage({ id, job: waiting.job });
    }
  }

  return {
    decode(job) {
      if (closed) return Promise.reject(new Cancelled());
      return new Promise((resolve, reject) => {
        queue.push({ job, resolve, reject });
        next();
      });
    },
    async close() {
      if (closed) return;
      closed = true;
      for (const { reject } of queue.splice(0)) reject(new Cancelled());
      await Promise.all(
        [...hands].map(({ worker }) => {
          const gone = new Promise((resolve) => worker.once('exit', resolve));
          worker.ref();
          worker.postMessage('end'); // native code is never ended in the middle of a file
          return gone;
        }),
      );
    },
  };
}
