/** The main thread's side of an ONNX Runtime device: a worker thread, messages with ids, cancelling and closing. */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { Cancelled, type ErrorData, errorFrom, RuntimeUnavailable } from '../core/errors.ts';
import { type Listener, silent, warning } from '../core/events.ts';
import { say } from '../core/text.ts';
import type { HostMethod, HostResult, SessionHost } from './host.ts';
import { type CallOptions, hostedRuntime, type Link } from './hosted.ts';
import type { Device, Runtime } from './runtime.ts';

export interface OrtOptions {
  /** Threads inside one operator; default all cores. */
  threads?: number;
  onEvent?: Listener;
  /** The package with the native library; tests name one that is absent. */
  nativePackage?: string;
  /** The worker's entry; tests give one that dies. */
  worker?: URL;
}

/** What the worker is started with. */
export interface Start {
  device: Device;
  threads: number;
  nativePackage: string;
  /** One shared number: 1 while the worker has a request, 0 when it waits for one. */
  busy: Int32Array<SharedArrayBuffer>;
}
export interface Request {
  id: number;
  method: HostMethod;
  args: never;
}
/** The answer to request `id`; 0 says that the worker has started. */
export interface Reply {
  id: number;
  value?: unknown;
  error?: ErrorData;
}

/**
 * Opens a device of ONNX Runtime in a worker of its own. Throws RuntimeUnavailable when it is not there; only `cpu`
 * without the native package falls back to `wasm`, with one warning.
 */
export async function openOrtRuntime(device: Device, options: OrtOptions = {}): Promise<Runtime> {
  const link = new WorkerLink(device, options);
  try {
    await link.started;
    return hostedRuntime(device, link);
  } catch (error) {
    await link.close();
    const missing = error instanceof RuntimeUnavailable && error.code === 'native-missing';
    if (device !== 'cpu' || !missing) throw error;
    const message = say`Running on WebAssembly, three to four times slower than native. ${error.text}`;
    (options.onEvent ?? silent)(warning('native-missing', message));
    return openOrtRuntime('wasm', options);
  }
}

interface Job {
  id: number;
  post(): void;
  resolve(value: never): void;
  reject(error: Error): void;
}

/** How long `close` keeps its caller waiting for a run to end. */
const CLOSE_MS = 500;
/** How long the end of the process waits for a run to end. */
const EXIT_MS = 10_000;

/**
 * A link to a worker that has one request at a time, so that whatever waits can be cancelled. A native run cannot be
 * interrupted, and a thread that is ended during one takes the whole process with it (onnxruntime-node 1.30 throws
 * where nothing can catch): so nothing here ends a native worker before its run is over.
 */
class WorkerLink implements Link {
  /** Settles when the device is ready, or is known to be absent. */
  readonly started: Promise<void>;
  private readonly device: Device;
  private readonly worker: Worker;
  private readonly busy = new Int32Array(new SharedArrayBuffer(4));
  private readonly waiting: Job[] = [];
  /** What the worker is doing. */
  private current: Job | undefined;
  private last = 0;
  /** Why no call can succeed any more. */
  private ended: Error | undefined;

  constructor(device: Device, options: OrtOptions) {
    this.device = device;
    const start: Start = {
      device,
      threads: options.threads ?? availableParallelism(),
      nativePackage: options.nativePackage ?? 'onnxruntime-node',
      busy: this.busy,
    };
    // onnxruntime-node since 1.29 sends model names, hashes and a device id to its maker unless this is set when the
    // library loads; only the main thread can set it for the process. Whoever wants it sent sets 0.
    process.env.ORT_DISABLE_TELEMETRY ??= '1';
    this.worker = new Worker(options.worker ?? new URL('./worker.js', import.meta.url), {
      workerData: start,
      execArgv: [],
    });
    this.started = new Promise((resolve, reject) => {
      this.begin({ id: 0, post() {}, resolve, reject });
    });
    this.worker.on('message', (reply: Reply) => this.receive(reply));
    this.worker.on('error', (error) => this.end(this.death(error.message)));
    this.worker.on('exit', (code) => {
      live.delete(this);
      this.end(this.death(`it left with code ${code}`));
    });
    live.add(this);
  }

  call<M extends HostMethod>(
    method: M,
    args: Parameters<SessionHost[M]>,
    { transfer = [], signal }: CallOptions = {},
  ): Promise<HostResult<M>> {
    return new Promise((resolve, reject) => {
      if (this.ended) return reject(this.ended);
      if (signal?.aborted) return reject(new Cancelled());
      const abort = () => this.cancel(job);
      const settled = () => signal?.removeEventListener('abort', abort);
      const id = ++this.last;
      const job: Job = {
        id,
        post: () => this.worker.postMessage({ id, method, args }, transfer),
        resolve: (value) => {
          settled();
          resolve(value);
        },
        reject: (error) => {
          settled();
          reject(error);
        },
      };
      signal?.addEventListener('abort', abort, { once: true });
      this.waiting.push(job);
      this.next();
    });
  }

  /** Returns within `CLOSE_MS`; a native run that takes longer ends on its own, and its worker with it. */
  async close(): Promise<void> {
    this.end(new RuntimeUnavailable('runtime-closed', `The runtime on ${this.device} is closed. Open a new one.`));
    const gone = new Promise((resolve) => this.worker.once('exit', resolve));
    if (!live.has(this)) return;
    if (!this.current || this.device === 'wasm') void this.worker.terminate();
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise((resolve) => {
      timer = setTimeout(resolve, CLOSE_MS);
    });
    await Promise.race([gone, patience]);
    clearTimeout(timer);
  }

  /** Blocks until the worker is between two native calls, where it may be ended. */
  settle(): void {
    if (this.device !== 'wasm') Atomics.wait(this.busy, 0, 1, EXIT_MS);
  }

  private next(): void {
    if (this.current) return;
    const job = this.waiting.shift();
    if (job) this.begin(job);
    // A worker with nothing to do does not keep the process alive.
    else this.worker.unref();
  }

  private begin(job: Job): void {
    this.current = job;
    this.worker.ref();
    Atomics.store(this.busy, 0, 1);
    job.post();
  }

  private receive({ value, error }: Reply): void {
    const job = this.current;
    this.current = undefined;
    if (this.ended) {
      void this.worker.terminate();
      return;
    }
    if (error) job?.reject(errorFrom(error));
    else job?.resolve(value as never);
    this.next();
  }

  /** Rejects at once. What the worker has begun it finishes, unheard; what still waits is never begun. */
  private cancel(job: Job): void {
    const place = this.waiting.indexOf(job);
    if (place >= 0) this.waiting.splice(place, 1);
    job.reject(new Cancelled());
  }

  private end(reason: Error): void {
    if (this.ended) return;
    this.ended = reason;
    for (const job of [this.current, ...this.waiting]) job?.reject(reason);
    this.waiting.length = 0;
  }

  private death(reason: string): Error {
    return new RuntimeUnavailable(
      'worker-died',
      `The worker of the device ${this.device} died: ${reason}. Open the runtime again, with a smaller batch if memory ran out.`,
    );
  }
}

/** Workers that have not ended yet. */
const live = new Set<WorkerLink>();
process.on('exit', () => {
  for (const link of live) link.settle();
});
