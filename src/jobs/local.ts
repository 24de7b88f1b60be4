/** Jobs on this machine, in processes of their own. Node only. */
import type { JobStore, Queue, QueueListener } from './job.ts';

export function openLocalQueue(_store: JobStore, _options: { readonly workers: number } & QueueListener): Queue {
  throw new Error('not written');
}
