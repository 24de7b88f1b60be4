/** The panel of the map of similar items: a job compares the items once, then the map, which is loaded when it is first wanted, shows them. */
import { useSignal } from '@preact/signals';
import type { ComponentType } from 'preact';
import { useEffect } from 'preact/hooks';
import type { SimilarFacts } from '../../../../../src/studio/answers-similar.ts';
import { at, get, send } from '../../../api.ts';
import { similarWords as say } from '../../../words/similar.ts';
import { trainWords } from '../../../words/train.ts';
import { words } from '../../../words.ts';
import { Shown, useAsked } from '../../asked.tsx';
import { useHeard } from '../../train/heard.ts';
import type { DataStore } from '../store.ts';
import type { MapProps } from './similar-map.tsx';

export function Similar({ store }: { store: DataStore }) {
  const isOpen = useSignal(false);
  return (
    <details
      class="strangers"
      onToggle={({ currentTarget }) => {
        isOpen.value = currentTarget.open;
      }}
    >
      <summary>{say.title}</summary>
      {isOpen.value && <Panel store={store} />}
    </details>
  );
}

function Panel({ store }: { store: DataStore }) {
  const { project } = store;
  const [fault, isWanted] = [useSignal(''), useSignal(false)];
  const before = useSignal<string | undefined>(undefined);
  const asked = useAsked((signal) => get<SimilarFacts>(at(project, '/similar'), signal), ['jobs', 'items']);
  const make = async () => {
    isWanted.value = true;
    try {
      const { key } = await send<SimilarFacts>('POST', at(project, '/similar'));
      before.value = key;
      fault.value = '';
      asked.again();
    } catch (error) {
      fault.value = (error as Error).message;
    }
  };
  return (
    <>
      <p class="soft">{say.about}</p>
      <Shown asked={asked}>
        {({ key, job, isReady, all, taken, missing }) => {
          const isBusy = job?.state === 'waiting' || job?.state === 'running';
          const isShown = isReady && isWanted.value;
          const isOld = !isReady && !isBusy && before.value !== undefined && before.value !== key;
          return (
            <>
              {!isShown && (
                <div class="row">
                  <button type="button" disabled={isBusy && !isReady} onClick={() => void make()}>
                    {isReady ? say.show : isOld ? say.again : say.make}
                  </button>
                  <span role="status">
                    {isOld ? say.old : isReady || !isBusy ? '' : job.state === 'waiting' ? say.waiting : say.comparing}
                  </span>
                </div>
              )}
              {!isReady && job?.state === 'running' && <Progress project={project} id={job.id} />}
              {!isReady && job?.state === 'failed' && (
                <p class="banner" role="alert">
                  {job.error}
                </p>
              )}
              {isShown && taken + missing < all && <p class="soft">{say.sampled(taken, all)}</p>}
              {isShown && missing > 0 && <p class="soft">{say.missing(missing)}</p>}
              {isShown && <Loaded key={key} store={store} />}
            </>
          );
        }}
      </Shown>
      {fault.value && (
        <p class="banner" role="alert">
          {fault.value}
        </p>
      )}
    </>
  );
}

function Progress({ project, id }: { project: string; id: string }) {
  const { stages, current } = useHeard(project, id).value;
  const stage = stages.find(({ task }) => task === current);
  if (!stage) return null;
  return (
    <p>
      <progress aria-label={trainWords.stage(stage.task)} value={stage.done} max={stage.total} />{' '}
      <span class="soft">
        {trainWords.stage(stage.task)}: {trainWords.of(stage.done, stage.total)}
      </span>
    </p>
  );
}

/** The map, once its code is here. */
function Loaded(props: MapProps) {
  const page = useSignal<ComponentType<MapProps> | undefined>(undefined);
  const fault = useSignal('');
  useEffect(() => {
    import('./similar-map.tsx').then(
      ({ SimilarMap }) => {
        page.value = SimilarMap;
      },
      () => {
        fault.value = words.failed;
      },
    );
  }, []);
  const SimilarMap = page.value;
  if (SimilarMap) return <SimilarMap {...props} />;
  return (
    <p class="soft" role="status">
      {fault.value || words.loading}
    </p>
  );
}
