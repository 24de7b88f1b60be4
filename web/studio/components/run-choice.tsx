/** Which run a section is about: the finished ones of the project, the newest first; the choice stands in the address. */
import { at, get } from '../api.ts';
import { place, setQuery } from '../place.ts';
import { useAsked } from './asked.tsx';

/** What is needed of a run here. */
export interface RunLine {
  readonly name: string;
  readonly model: string;
  /** What it saw: runs of one version can be compared. */
  readonly data: string;
  readonly status: string;
}

export function useRuns(project: string) {
  return useAsked(
    async (signal) =>
      (await get<{ runs: readonly RunLine[] }>(at(project, '/runs'), signal)).runs.filter(
        ({ status }) => status === 'done',
      ),
    ['runs'],
  );
}

/** The run in the address, else the newest; undefined where it is not there, and where there is none. */
export function chosenRun(runs: readonly RunLine[] | undefined): string | undefined {
  const asked = place.value.query.get('run');
  return asked ? runs?.find(({ name }) => name === asked)?.name : runs?.[0]?.name;
}

export function RunChoice({ runs, label }: { runs: readonly RunLine[]; label: string }) {
  return (
    <label>
      {label}{' '}
      <select value={chosenRun(runs)} onChange={({ currentTarget }) => setQuery({ run: currentTarget.value })}>
        {runs.map(({ name, model }) => (
          <option key={name} value={name}>
            {name} ({model})
          </option>
        ))}
      </select>
    </label>
  );
}
