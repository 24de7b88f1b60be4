/** Starts the process of one job, and says how it ended. Node only. */
import { type ChildProcess, fork } from 'node:child_process';
import type { Listener } from '../core/events.ts';
import type { Job } from './job.ts';
import { ABORT_MS, type FromWorker, type ToWorker } from './worker-messages.ts';

/** How a job ended; `lost` where its process ended before it did. */
export type Outcome =
  | { readonly state: 'done'; readonly result: unknown }
  | { readonly state: 'failed' | 'lost'; readonly error: NonNullable<Job['error']> }
  | { readonly state: 'cancelled' };

/** A job in its process. */
export interface Worker {
  readonly ended: Promise<Outcome>;
  /** Tells it to end; after ten seconds it is ended. */
  abort(): void;
}

/** Bytes that are kept of what a process wrote to its error output: what native code said before it crashed. */
const TAIL = 2000;

export function startWorker(message: Omit<Extract<ToWorker, { type: 'run' }>, 'type'>, onEvent: Listener): Worker {
  const child = fork(new URL('./worker-main.js', import.meta.url), { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
  let tail = '';
  let told: Outcome | undefined;
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    tail = `${tail}${text}`.slice(-TAIL);
  });
  child.on('message', (heard: FromWorker) => {
    if (heard.type === 'event') onEvent(heard.event);
    else told = outcomeOf(heard);
  });
  const ended = new Promise<Outcome>((resolve) => {
    child.on('error', ({ message }) => resolve(lost(message)));
    child.on('close', (code, signal) => {
      if (!told && tail) onEvent({ type: 'log', level: 'info', message: tail.trim() });
      resolve(told ?? lost(signal ? `signal ${signal}` : `exit code ${code}`));
    });
  });
  say(child, { type: 'run', ...message });
  return {
    ended,
    abort() {
      say(child, { type: 'abort' });
      const timer = setTimeout(() => child.kill('SIGKILL'), ABORT_MS);
      ended.then(() => clearTimeout(timer));
    },
  };
}

/** A process that has just ended hears nothing any more; how it ended is told by its end. */
function say(child: ChildProcess, message: ToWorker): void {
  if (child.connected) child.send(message, () => {});
}

function outcomeOf(heard: Exclude<FromWorker, { type: 'event' }>): Outcome {
  if (heard.type === 'done') return { state: 'done', result: heard.result };
  return heard.type === 'failed' ? { state: 'failed', error: heard.error } : { state: 'cancelled' };
}

const lost = (how: string): Outcome => ({
  state: 'lost',
  error: {
    code: 'job-lost',
    message: `The process of this job ended before the job did (${how}); the machine may have run out of memory. What was written is kept: resume the job.`,
  },
});
