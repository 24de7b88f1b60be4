/**
 * A worker that fits and scores, so that the page goes on meanwhile: also what is no graph (decoding, trees, nearest neighbours)
 * runs there. The detectors of a worker live in it; `close` ends it, and with it all memory that it took.
 */
import { Cancelled, ConfigError, type ErrorData, errorFrom, RuntimeUnavailable } from '../core/errors.ts';
import { type Listener, silent } from '../core/events.ts';
import type { RowObject } from '../data/pure.ts';
import type { Detector, ItemScore } from '../engine/scoring/detector.ts';
import type { FitInput } from '../engine/task/source-of.ts';
import type { ModelName } from '../models/index.ts';
import type { PageFile } from './bytes.ts';
import type { DetectorFiles } from './detector.ts';
import { bitmapOf, isDrawn, type PageImage } from './drawn.ts';
import type { FitOptions, PageFitInput } from './fit.ts';
import type { Asked, Opened, Reply, Request, SentFiles } from './messages.ts';
import type { PageOptions } from './platform.ts';

/** How a worker is made. */
export interface WorkerOptions {
  /**
   * A module worker of `oddity/browser/worker`, for bundlers that do not find it by themselves. Default: one of the file beside
   * this one.
   */
  readonly worker?: Worker;
  /** As in `PageOptions`, for every detector of the worker. */
  readonly wasmPaths?: string;
}

/** A detector in a worker. Its methods do what those of `Detector` do. Left out: clips and streams, which hold functions. */
export interface WorkerDetector
  extends Pick<Detector, 'device' | 'kind' | 'shape' | 'threshold' | 'info' | 'score' | 'scoreSeries'>,
    AsyncDisposable {
  scoreImage(image: PageImage, options?: { signal?: AbortSignal }): Promise<ItemScore>;
  scoreRow(row: RowObject, options?: { signal?: AbortSignal }): Promise<ItemScore>;
  /** Many rows at once. Throws for the first that cannot be scored. */
  scoreRows(rows: readonly RowObject[], options?: { signal?: AbortSignal }): Promise<ItemScore[]>;
  /** Its files by their names, as `detectorFiles` gives them. */
  files(): Promise<Record<string, Uint8Array>>;
  /** Ends it and frees its memory; the worker goes on. */
  close(): Promise<void>;
}

/** A worker that fits and scores. */
export interface OddityWorker extends AsyncDisposable {
  /**
   * As `fit`, with the name of a model of the package: a model's value holds functions, which cannot be sent, nor can Sources: pass
   * files, pixels, rows or series. Throws ConfigError `model-name` for a value.
   */
  fit<const M extends ModelName>(model: M, data: PageFitInput, options?: FitOptions<M>): Promise<WorkerDetector>;
  /** As `loadDetector`. */
  loadDetector(files: DetectorFiles, options?: PageOptions & { signal?: AbortSignal }): Promise<WorkerDetector>;
  /** Ends the worker at once; what is under way rejects. */
  close(): Promise<void>;
}

interface Waiting {
  resolve(value: never): void;
  reject(error: Error): void;
  readonly onEvent: Listener;
}

/**
 * Starts a worker.
 * @example
 * await using worker = openWorker();
 * const detector = await worker.fit('patchcore', input.files, { weights: '/oddity.safetensors' });
 * const { score, map } = await detector.scoreImage(video);
 */
export function openWorker({ worker: given, wasmPaths }: WorkerOptions = {}): OddityWorker {
  const worker = given ?? new Worker(new URL('./worker.js', import.meta.url), { type: 'module' });
  const link = new PageLink(worker);
  const paths = wasmPaths === undefined ? {} : { wasmPaths: absolute(wasmPaths) };
  const close = async () => link.close();
  return {
    async fit(model, data, { onEvent, signal, weights, wasmPaths: own, ...options } = {}) {
      if (typeof model !== 'string') {
        throw new ConfigError(
          'model-name',
          "A worker takes models by the names that the package has for them, such as 'patchcore', since functions cannot be sent to it. " +
            'Fit a model of your own in the page: fit(model, data).',
        );
      }
      const sent = {
        ...options,
        ...paths,
        ...(own !== undefined && { wasmPaths: absolute(own) }),
        ...(weights !== undefined && { weights: sentFile(weights) }),
      } as FitOptions;
      const opened = await link.call<Opened>(
        { call: 'fit', model, data: await sentData(data), options: sent },
        { onEvent, signal },
      );
      return detectorOver(link, opened);
    },
    async loadDetector(files, { signal, wasmPaths: own, ...options } = {}) {
      const sent = { ...options, ...paths, ...(own !== undefined && { wasmPaths: absolute(own) }) };
      return detectorOver(
        link,
        await link.call<Opened>({ call: 'load', files: sentFiles(files), options: sent }, { signal }),
      );
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** A request without its number. */
type Call = Request extends infer R ? (R extends unknown ? Omit<R, 'id'> : never) : never;

/** Carries requests to a worker and answers back. */
class PageLink {
  private readonly worker: Worker;
  private readonly waiting = new Map<number, Waiting>();
  private last = 0;
  private ended: Error | undefined;

  constructor(worker: Worker) {
    this.worker = worker;
    worker.addEventListener('message', ({ data }: MessageEvent<Reply>) => this.receive(data));
    worker.addEventListener('error', (event) => {
      event.preventDefault();
      const reason = event.message ? ` (${event.message})` : '';
      this.end(
        new RuntimeUnavailable(
          'worker-missing',
          `The page must serve the worker of oddity/browser as a module, and it does not start${reason}. Let the bundler emit ` +
            'module workers, or pass one: openWorker({ worker }).',
        ),
      );
    });
  }

  call<T>(
    call: Call,
    {
      onEvent = silent,
      signal,
      transfer = [],
    }: { onEvent?: Listener; signal?: AbortSignal; transfer?: Transferable[] } = {},
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.ended) return reject(this.ended);
      if (signal?.aborted) return reject(new Cancelled());
      const id = ++this.last;
      const abort = () => {
        if (!this.waiting.delete(id)) return;
        this.worker.postMessage({ id: ++this.last, call: 'abort', request: id } satisfies Request);
        reject(new Cancelled());
      };
      const settled = () => signal?.removeEventListener('abort', abort);
      this.waiting.set(id, {
        onEvent,
        resolve(value) {
          settled();
          resolve(value);
        },
        reject(error) {
          settled();
          reject(error);
        },
      });
      signal?.addEventListener('abort', abort, { once: true });
      try {
        this.worker.postMessage({ id, ...call }, transfer);
      } catch (error) {
        this.waiting.delete(id);
        settled();
        reject(
          new ConfigError(
            'not-sendable',
            `What is passed to a worker must be files, pixels, rows, series or plain values, and some of it cannot be sent ` +
              `(${(error as Error).message}).`,
          ),
        );
      }
    });
  }

  close(): void {
    this.worker.terminate();
    this.end(new RuntimeUnavailable('runtime-closed', 'This worker is closed. Open a new one.'));
  }

  private receive(reply: Reply): void {
    const one = this.waiting.get(reply.id);
    if (!one) return;
    if ('event' in reply) {
      one.onEvent(reply.event);
      return;
    }
    this.waiting.delete(reply.id);
    if ('error' in reply) one.reject(errorFrom(reply.error satisfies ErrorData));
    else one.resolve(reply.value as never);
  }

  private end(error: Error): void {
    this.ended ??= error;
    for (const { reject } of this.waiting.values()) reject(this.ended);
    this.waiting.clear();
  }
}

function detectorOver(link: PageLink, { detector, ...facts }: Opened): WorkerDetector {
  const ask = <T>(method: Asked, args: readonly unknown[], signal?: AbortSignal, transfer: Transferable[] = []) =>
    link.call<T>({ call: 'ask', detector, method, args }, { signal, transfer });
  let closed: Promise<void> | undefined;
  const close = () => {
    closed ??= link.call<void>({ call: 'close', detector }).catch(() => {}); // a worker that ended has freed it
    return closed;
  };
  return {
    ...facts,
    score: (items, n, { signal, ...options } = {}) => ask('score', [items, n, options], signal),
    async scoreImage(image, { signal } = {}) {
      const sent = await sentImage(image);
      return ask('scoreImage', [sent], signal, isDrawn(sent) ? [sent as ImageBitmap] : []);
    },
    scoreRow: (row, { signal } = {}) => ask('scoreRow', [row], signal),
    scoreRows: (rows, { signal } = {}) => ask('scoreRows', [rows], signal),
    scoreSeries: (series, { signal, onEvent: _, ...options } = {}) => ask('scoreSeries', [series, options], signal),
    files: () => link.call({ call: 'files', detector }),
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** URLs count from the page, and not from the worker. */
const absolute = (url: string) => new URL(url, document.baseURI).href;

function sentFile(file: PageFile): Exclude<PageFile, URL> {
  return typeof file === 'string' || file instanceof URL ? absolute(String(file)) : file;
}

function sentFiles(files: DetectorFiles): SentFiles {
  if (typeof files === 'string' || files instanceof URL) return absolute(String(files));
  return Symbol.iterator in files ? [...files] : files;
}

/** Pictures of the page as they are now; all else as it is. */
async function sentImage(image: PageImage): Promise<PageImage> {
  if (isDrawn(image)) return bitmapOf(image);
  return typeof image === 'string' || image instanceof URL ? absolute(String(image)) : image;
}

async function sentData(data: PageFitInput): Promise<FitInput> {
  const isList = Symbol.iterator in data || Symbol.asyncIterator in data;
  if (!isList) return data;
  const items: unknown[] = [];
  for await (const item of data as AsyncIterable<PageImage>) items.push(await sentImage(item));
  return items as FitInput;
}
