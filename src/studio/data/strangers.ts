/** Strangers among the normal items: what the job that looked for them last has found, as items of the project. */
import type { Job } from '../../jobs/job.ts';
import type { CleanResult } from '../../runs/clean.ts';
import type { Strangers } from '../answers-data.ts';
import type { Project } from '../project.ts';
import { itemsOfData } from './run-items.ts';

/** The last job that looked for them; undefined where none did. */
const lastJob = async ({ queue }: Project): Promise<Job | undefined> =>
  (await queue.list()).find(({ kind }) => kind === 'clean');

export async function strangersOf(project: Project): Promise<Strangers> {
  const job = await lastJob(project);
  if (!job) return {};
  const { id, state, error, endedAt } = job;
  const facts = { job: { id, state, ...(error && { error: error.message }), ...(endedAt && { endedAt }) } };
  const found = job.result as Pick<CleanResult, 'counts' | 'ranked'> | undefined;
  if (state !== 'done' || !found) return facts;
  return { ...facts, looked: found.counts.items, odd: (await oddItems(project)).length };
}

/** Ids of the items that were odd, the oddest first, as far as the job's answer names them. */
export async function oddItems(project: Project): Promise<number[]> {
  const job = await lastJob(project);
  const found = job?.result as Pick<CleanResult, 'ranked'> | undefined;
  if (!job || !found) return [];
  const odd = found.ranked.filter(({ isOdd }) => isOdd);
  const items = await itemsOfData(
    project,
    odd.map(({ id }) => id),
    String(job.options.data),
  );
  return items.filter((item) => item !== undefined);
}
