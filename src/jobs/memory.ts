/** Jobs that are kept as long as their process runs: for work whose results lie in folders, and which is planned anew from these. */
import { InternalError } from '../core/errors.ts';
import type { Job, JobStore } from './job.ts';

export function memoryStore(): JobStore {
  const jobs = new Map<string, Job>();
  return {
    add: (job) => void jobs.set(job.id, job),
    change(id, to) {
      const job = jobs.get(id);
      if (!job) throw new InternalError(`there is no job ${id} to change.`);
      const changed = { ...job, ...to };
      jobs.set(id, changed);
      return changed;
    },
    find: (id) => jobs.get(id),
    list: () => [...jobs.values()].reverse(),
  };
}
