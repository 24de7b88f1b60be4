/** A job that a page has begun and waits for. */
import { useSignal } from '@preact/signals';
import type { ShownJob } from '../../../src/studio/jobs/answers.ts';
import { at, get, send } from '../api.ts';
import { useAsked } from './asked.tsx';

export function useJob(project: string) {
  const id = useSignal<string | undefined>(undefined);
  const fault = useSignal('');
  const asked = useAsked(
    async (signal) => {
      const wanted = id.value;
      if (wanted === undefined) return undefined;
      const { jobs } = await get<{ jobs: readonly ShownJob[] }>(at(project, '/jobs'), signal);
      return jobs.find((one) => one.id === wanted);
    },
    ['jobs'],
  );
  return {
    job: asked.value,
    /** Why it could not be begun. */
    fault,
    async begin(kind: string, options: Readonly<Record<string, unknown>>): Promise<void> {
      fault.value = '';
      try {
        id.value = (await send<ShownJob>('POST', at(project, '/jobs'), { kind, options })).id;
      } catch (error) {
        fault.value = (error as Error).message;
      }
    },
  };
}

export const isAtWork = (job: ShownJob | undefined): boolean =>
  job !== undefined && ['waiting', 'running', 'interrupted'].includes(job.state);
