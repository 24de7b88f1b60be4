/** The worker of `openWorker`: fits, opens and asks detectors for a page. A module worker; it exports nothing. */
import { Cancelled, ConfigError, errorData } from '../core/errors.ts';
import type { Event } from '../core/events.ts';
import type { RowObject } from '../data/pure.ts';
import { servesAsThread } from '../runtime/browser.ts';
import { detectorFiles, loadDetector, type PageDetector } from './detector.ts';
import { fit } from './fit.ts';
import type { Opened, Reply, Request } from './messages.ts';

const detectors = new Map<number, PageDetector>();
/** Requests under way, and what stops them. */
const running = new Map<number, AbortController>();

const send = (reply: Reply, transfer: Transferable[] = []) => self.postMessage(reply, { transfer });

/** Keeps a detector under the number of the request that made it; one that nobody waits for any more is closed. */
async function kept(id: number, detector: PageDetector, signal: AbortSignal): Promise<Opened> {
  if (signal.aborted) {
    await detector.close();
    throw new Cancelled();
  }
  detectors.set(id, detector);
  const { device, kind, shape, threshold, info } = detector;
  return { detector: id, device, kind, shape, threshold, info };
}

function found(id: number): PageDetector {
  const detector = detectors.get(id);
  if (!detector) throw new ConfigError('detector-closed', 'This detector is closed. Open a new one.');
  return detector;
}

async function scoreRows(detector: PageDetector, rows: readonly RowObject[], signal: AbortSignal) {
  const scores = [];
  for await (const { item: _, ...score } of detector.scoreEach(rows, { batch: 1024, signal })) scores.push(score);
  return scores;
}

async function answer(request: Request, signal: AbortSignal): Promise<unknown> {
  const { id } = request;
  switch (request.call) {
    case 'fit': {
      const options = { ...request.options, signal, onEvent: (event: Event) => send({ id, event }) };
      // The page has checked the name as far as types do; `fit` says what is wrong with any other.
      return kept(id, await fit(request.model as 'pca', request.data, options), signal);
    }
    case 'load':
      return kept(id, await loadDetector(request.files, request.options), signal);
    case 'ask': {
      const detector = found(request.detector);
      const [first, ...rest] = request.args as [never, never, object | undefined];
      if (request.method === 'scoreRows') return scoreRows(detector, first, signal);
      if (request.method === 'score') return detector.score(first, rest[0], { ...rest[1], signal });
      return detector[request.method](first, { ...(rest[0] as object | undefined), signal });
    }
    case 'files':
      return detectorFiles(found(request.detector));
    case 'close': {
      const detector = detectors.get(request.detector);
      detectors.delete(request.detector);
      return detector?.close();
    }
    case 'abort':
      return running.get(request.request)?.abort();
  }
}

async function receive({ data: request }: MessageEvent<Request>): Promise<void> {
  const stop = new AbortController();
  running.set(request.id, stop);
  try {
    send({ id: request.id, value: await answer(request, stop.signal) });
  } catch (error) {
    send({ id: request.id, error: errorData(error) });
  } finally {
    running.delete(request.id);
  }
}

if (!servesAsThread()) self.addEventListener('message', receive);
