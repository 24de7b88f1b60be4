/** Opening and closing what runs native code, for someone who may cancel: a call that goes on is left alone. */
import { Cancelled } from '../core/errors.ts';
import { orAbort } from '../engine/fitting/cancel.ts';

/** What is open until it is closed. */
interface Open {
  close(): Promise<void>;
}

/** Waits for something to open; once the signal aborts no longer, and then throws Cancelled and closes it when it is there. */
export async function opened<T extends Open>(opening: Promise<T>, signal?: AbortSignal): Promise<T> {
  try {
    return await orAbort(opening, signal);
  } catch (error) {
    if (!signal?.aborted) throw error;
    opening.then((late) => late.close()).catch(() => {});
    throw new Cancelled();
  }
}

/** Closes something, and waits for that unless the signal has aborted. */
export async function closed(open: Open, signal?: AbortSignal): Promise<void> {
  const closing = open.close();
  if (signal?.aborted) closing.catch(() => {});
  else await closing;
}
