/**
 * The process of one job: told by its parent what to do, it tells what happens and what came of it. It ends with the channel to its
 * parent, however that went, and leaves what `resume` goes on from. Node only.
 */
import { setPriority } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { Cancelled, errorData } from '../core/errors.ts';
import type { Event, Listener } from '../core/events.ts';
import { isLocked } from '../runs/lock.ts';
import { findJobKind, type JobKind } from './kinds.ts';
import { ABORT_MS, type FromWorker, type ToWorker } from './worker-messages.ts';

/** Progress is told at most this often. */
const PROGRESS_MS = 100;
/** How often a folder that another process writes is looked at, and how long it is waited for. */
const LOCK = { every: 100, most: 60_000 };

const ending = new AbortController();
/** Ends what runs; what does not end by itself is left alone, as native calls cannot be stopped. */
function end(): void {
  if (ending.signal.aborted) return;
  ending.abort();
  setTimeout(() => process.exit(1), ABORT_MS).unref();
}

// The parent decides: Ctrl-C in a terminal reaches its children as well.
process.on('SIGINT', () => {});
process.on('SIGTERM', end);
process.on('disconnect', end);
// Whoever read what native code complains of may be gone.
process.stderr.on('error', () => {});
process.on('message', (message: ToWorker) => {
  if (message.type === 'abort') end();
  else run(message);
});
// It was killed while this process loaded.
if (!process.connected) end();
// Pages and the server that shows them stay quick while a job computes.
setPriority(5);

function send(message: FromWorker): Promise<void> {
  return new Promise((resolve) => {
    if (!process.connected) resolve();
    else process.send!(message, () => resolve());
  });
}

async function run({ kind: name, options, isAgain }: Extract<ToWorker, { type: 'run' }>): Promise<void> {
  const onEvent = throttled((event) => void send({ type: 'event', event }));
  try {
    const kind = findJobKind(name);
    await untilFree(kind, options, onEvent);
    const result = await kind.begin(options, { onEvent, signal: ending.signal, isAgain });
    await send({ type: 'done', result });
  } catch (error) {
    const { name, code, message, text } = errorData(error);
    if (name === 'Cancelled') await send({ type: 'cancelled' });
    else await send({ type: 'failed', error: { name, code, message, ...(text && { text }) } });
  }
  // Sessions that a cancelled call left open would keep the process.
  process.exit(0);
}

/** Passes on everything but progress that comes too quickly; the end of a task is always told. */
function throttled(tell: Listener): Listener {
  const last = new Map<string, number>();
  return (event: Event) => {
    if (event.type === 'progress' && event.done < event.total) {
      const now = performance.now();
      if (now - (last.get(event.task) ?? Number.NEGATIVE_INFINITY) < PROGRESS_MS) return;
      last.set(event.task, now);
    }
    tell(event);
  };
}

/** Waits for a process that was cut off from its parent and is still ending in the same folder. */
async function untilFree({ writes }: JobKind, options: Readonly<Record<string, unknown>>, onEvent: Listener) {
  const folder = writes && options[writes];
  if (typeof folder !== 'string') return;
  for (let waited = 0; waited < LOCK.most && (await isLocked(folder)); waited += LOCK.every) {
    if (waited === 0) {
      onEvent({ type: 'log', level: 'info', message: `Another process writes to ${folder}. Waiting for it to end.` });
    }
    if (ending.signal.aborted) throw new Cancelled();
    await pause(LOCK.every);
  }
}
