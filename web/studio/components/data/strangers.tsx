/** Looks for strangers among the normal items, in the background; what was found is shown and left out by a click. */
import { useSignal } from '@preact/signals';
import type { Strangers as Found, VersionFacts } from '../../../../src/studio/answers-data.ts';
import { at, get, send } from '../../api.ts';
import { setQuery } from '../../place.ts';
import { dataWords as say } from '../../words/data.ts';
import { Shown, useAsked } from '../asked.tsx';
import { LEFT_OUT } from './bulk.tsx';
import type { DataStore } from './store.ts';

export function Strangers({ store }: { store: DataStore }) {
  const { project } = store;
  const fault = useSignal('');
  const asked = useAsked((signal) => get<Found>(at(project, '/strangers'), signal), ['jobs']);
  const trying = async (work: () => Promise<unknown>) => {
    try {
      await work();
      fault.value = '';
    } catch (error) {
      fault.value = (error as Error).message;
    }
  };
  const look = () =>
    trying(async () => {
      const { hash } = await send<VersionFacts>('POST', at(project, '/versions'));
      await send('POST', at(project, '/jobs'), { kind: 'clean', options: { data: { version: hash } } });
      asked.again();
    });
  const leaveOut = () =>
    trying(async () => {
      const { ids } = await get<{ ids: readonly number[] }>(at(project, '/ids?finding=strangers'));
      await store.edit({ addTags: [LEFT_OUT] }, say.leaveOut, ids);
    });
  return (
    <details class="strangers">
      <summary>{say.strangers}</summary>
      <p class="soft">{say.strangersAbout}</p>
      <Shown asked={asked}>
        {({ job, looked, odd }) => {
          const isBusy = job?.state === 'waiting' || job?.state === 'running';
          return (
            <>
              <p role="status">
                {isBusy
                  ? say.looking
                  : job?.state === 'failed'
                    ? job.error
                    : looked !== undefined && odd !== undefined
                      ? say.strangersFound(odd, looked)
                      : ''}
              </p>
              <div class="row">
                <button type="button" disabled={isBusy} onClick={() => void look()}>
                  {say.look}
                </button>
                {odd !== undefined && odd > 0 && (
                  <>
                    <button type="button" onClick={() => setQuery({ finding: 'strangers' })}>
                      {say.show(odd)}
                    </button>
                    <button type="button" onClick={() => void leaveOut()}>
                      {say.leaveOut}
                      <span class="hidden"> {say.strangers}</span>
                    </button>
                  </>
                )}
              </div>
            </>
          );
        }}
      </Shown>
      {fault.value && (
        <p class="banner" role="alert">
          {fault.value}
        </p>
      )}
    </details>
  );
}
