/**
 * Decodes image files in worker threads, a bounded number of them and of files under way, so that reading ahead never
 * holds more than a few whole images. Node only.
 */
import { open } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { Cancelled, type ErrorData, errorFrom, InternalError } from '../../core/errors.ts';
import { MAX_PIXELS } from '../formats/check-header.ts';
import { readHeader } from '../formats/header.ts';
import { type Decoded, type DecodeJob, decodeFile } from './decode.ts';
import { requireFile } from './read-input.ts';

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

/** Pixels of files that are decoded at a time, over all workers; a larger file is decoded alone. */
const PIXELS_AT_A_TIME = MAX_PIXELS;

/** Bytes in which the size of an image stands. */
const HEADER_BYTES = 65_536;

/** From the sources, as in unit tests, there is no built worker to start. */
const isBuilt = import.meta.url.endsWith('.js');

interface Waiting {
  readonly job: DecodeJob;
  readonly pixels: number;
  resolve(value: Decoded): void;
  reject(error: Error): void;
}

/** A worker and the files that it has. */
interface Hand {
  readonly worker: Worker;
  readonly busy: Map<number, Waiting>;
}

/** Pixels that a file says it has; 0 where it does not say, or cannot be read, which decoding says then. */
async function pixelsOf(path: string): Promise<number> {
  try {
    await requireFile(path);
    const file = await open(path);
    try {
      const { buffer, bytesRead } = await file.read(new Uint8Array(HEADER_BYTES), 0, HEADER_BYTES, 0);
      const { height, width } = readHeader(buffer.subarray(0, bytesRead)) ?? { height: 0, width: 0 };
      return height * width;
    } finally {
      await file.close();
    }
  } catch {
    return 0;
  }
}

/** Opens a decoder. A worker starts when there is a file for it. */
export function openDecoder(options: DecoderOptions = {}): Decoder {
  const most = isBuilt ? (options.workers ?? Math.min(8, availableParallelism())) : 0;
  const queue: Waiting[] = [];
  const hands: Hand[] = [];
  let last = 0;
  let pixels = 0;
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
      pixels -= waiting?.pixels ?? 0;
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
    for (const { job, pixels: own, reject } of hand.busy.values()) {
      pixels -= own;
      reject(new InternalError(`the worker that decoded ${job.path} died: ${reason}.`));
    }
    hand.busy.clear();
    if (!closed) next();
  }

  /** Hands out files: to the worker with the fewest, or to a new one. */
  function next(): void {
    while (queue.length > 0) {
      if (pixels > 0 && pixels + queue[0].pixels > PIXELS_AT_A_TIME) return;
      const free = hands
        .filter((hand) => hand.busy.size < FILES_AT_A_TIME)
        .sort((a, b) => a.busy.size - b.busy.size)[0];
      const hand = (free === undefined || free.busy.size > 0) && hands.length < most ? start() : free;
      if (!hand) return;
      const waiting = queue.shift()!;
      const id = ++last;
      pixels += waiting.pixels;
      hand.busy.set(id, waiting);
      hand.worker.ref();
      hand.worker.postMessage({ id, job: waiting.job });
    }
  }

  return {
    async decode(job) {
      const pixels = await pixelsOf(job.path);
      if (closed) throw new Cancelled();
      return new Promise((resolve, reject) => {
        queue.push({ job, pixels, resolve, reject });
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
