/** Waiting for work that cannot be interrupted, by someone who can. */
import { Cancelled } from '../../core/errors.ts';

/** How long a cancelled wait goes on all the same: most training calls end within it, and their steps are not lost. */
const GRACE_MS = 300;

/** Waits for a call; once the signal aborts only a little longer, and then throws Cancelled. */
export async function orAbort<T>(running: Promise<T>, signal?: AbortSignal): Promise<T> {
  if (!signal) return running;
  running.catch(() => {}); // heard below, unless the wait ends first
  let timer: NodeJS.Timeout | undefined;
  let abort = () => {};
  const late = new Promise<never>((_, reject) => {
    abort = () => {
      timer = setTimeout(
        () => reject(new Cancelled('Cancelled in the middle of a step; the last checkpoint is kept.')),
        GRACE_MS,
      );
    };
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
  });
  try {
    return await Promise.race([running, late]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', abort);
  }
}
