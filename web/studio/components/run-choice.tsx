/** Which run a section is about: the finished ones of the project, the newest first; the choice stands in the address. */
import type { RunList } from '../../../src/studio/evaluate/answers.ts';
import { at, get } from '../api.ts';
import { place, setQuery } from '../place.ts';
import { useAsked } from './asked.tsx';

export function useRuns(project: string) {
  return useAsked(
    async (signal) => (await get<RunList>(at(project, '/runs'), signal)).runs.filter(({ status }) => status === 'done'),
    ['runs'],
  );
}

/** The run in the address where it is there, else the newest; undefined where there is none. */
export function chosenRun(runs: RunList['runs'] | undefined): string | undefined {
  const asked = place.value.query.get('run');
  return runs?.find(({ run }) => run === asked)?.run ?? runs?.[0]?.run;
}

export function RunChoice({ runs, label }: { runs: RunList['runs']; label: string }) {
  return (
    <label>
      {label}{' '}
      <select value={chosenRun(runs)} onChange={({ currentTarget }) => setQuery({ run: currentTarget.value })}>
        {runs.map(({ run: name, model }) => (
          <option key={name} value={name}>
            {name} ({model})
          </option>
        ))}
      </select>
    </label>
  );
}
