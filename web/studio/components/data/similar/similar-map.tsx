/** The map of similar items: marks that are drawn around become the selection of the list, a click goes to an item of it. */
import { useSignal, useSignalEffect } from '@preact/signals';
import { useMemo } from 'preact/hooks';
import type { SimilarItem } from '../../../../../src/studio/answers-similar.ts';
import { at, get } from '../../../api.ts';
import { similarWords as say } from '../../../words/similar.ts';
import { words } from '../../../words.ts';
import { useAsked } from '../../asked.tsx';
import type { DataStore } from '../store.ts';
import { Chart } from './chart.tsx';
import { FocusPart } from './focus-part.tsx';
import { type Places, placesOf } from './laid-out.ts';
import './similar.css';

export interface MapProps {
  readonly store: DataStore;
}

export function SimilarMap({ store }: MapProps) {
  const { project } = store;
  const places = useSignal<Places | undefined>(undefined);
  const [share, fault] = [useSignal(0), useSignal('')];
  useSignalEffect(() => {
    const ending = new AbortController();
    const tell = (value: number) => {
      share.value = value;
    };
    placesOf(project, { signal: ending.signal, tell }).then(
      (found) => {
        if (!ending.signal.aborted) places.value = found;
      },
      (error: Error) => {
        if (!ending.signal.aborted) fault.value = error.message;
      },
    );
    return () => ending.abort();
  });
  if (fault.value)
    return (
      <p class="banner" role="alert">
        {fault.value}
      </p>
    );
  if (!places.value)
    return (
      <p>
        <progress aria-label={say.progress} value={share.value} max={1} /> <span role="status">{say.layingOut}</span>
      </p>
    );
  return <LaidOutMap store={store} places={places.value} />;
}

/** An item of the map as the list has it now. */
function useItems(project: string) {
  const asked = useAsked(
    (signal) => get<{ items: readonly SimilarItem[] }>(at(project, '/similar/items'), signal),
    ['items'],
  );
  const items = asked.value.value?.items;
  return useMemo(() => items && new Map(items.map((item) => [item.id, item])), [items]);
}

/** Ids that pass the filters; undefined until they are known. */
function usePassing(store: DataStore) {
  const passing = useSignal<ReadonlySet<number> | undefined>(undefined);
  useSignalEffect(() => {
    store.filter.value;
    store.round.value;
    let isOver = false;
    store.passing().then(
      (ids) => {
        if (!isOver) passing.value = new Set(ids);
      },
      () => {}, // the list says what went wrong
    );
    return () => {
      isOver = true;
    };
  });
  return passing.value;
}

function LaidOutMap({ store, places }: { store: DataStore; places: Places }) {
  const adds = useSignal(false);
  const items = useItems(store.project);
  const passing = usePassing(store);
  if (!items || !passing)
    return (
      <p class="soft" role="status">
        {words.loading}
      </p>
    );
  const { ids, nearest } = places;
  const labelOf = (place: number) => items.get(ids[place])?.label ?? null;
  const all = [...ids.keys()];
  const count = (label: string) => all.filter((place) => (labelOf(place) ?? 'none') === label).length;
  const counts = { normal: count('normal'), anomalous: count('anomalous'), none: count('none') };
  const like = all.filter((p) => labelOf(p) === 'anomalous' && labelOf(nearest[p]) === 'anomalous').length;
  const faded = all.filter((place) => !passing.has(ids[place])).length;
  const selected = store.selected.value;
  const choose = (found: readonly number[], isMore: boolean) => {
    const chosen = found.map((place) => ids[place]).filter((id) => passing.has(id));
    store.select(isMore || adds.peek() ? [...new Set([...selected, ...chosen])] : chosen);
    store.news.value = say.news(store.selected.peek().size);
  };
  const told = say.chart(counts, all.filter((place) => selected.has(ids[place])).length);
  const { id: focusId } = store.itemAt(store.focus.value) ?? {};
  store.round.value; // items that came may be the one in focus
  const focus = focusId === undefined ? -1 : ids.indexOf(focusId);
  return (
    <div class="similar">
      <div class="plane">
        <Chart
          points={places.points}
          label={told}
          labelOf={labelOf}
          isSelected={(place) => selected.has(ids[place])}
          isFaint={(place) => !passing.has(ids[place])}
          focus={focus < 0 ? undefined : focus}
          onChoose={choose}
          onPick={(place) => void store.seek(ids[place])}
        />
        <Legend />
      </div>
      <div class="beside">
        <p>{say.hint}</p>
        <div class="row">
          <strong role="status">{say.selected(selected.size)}</strong>
          <button type="button" disabled={selected.size === 0} onClick={() => void store.showOnly([...selected])}>
            {say.only}
          </button>
          <button type="button" disabled={selected.size === 0} onClick={store.selectNone}>
            {say.none}
          </button>
        </div>
        <label class="check">
          <input
            type="checkbox"
            checked={adds.value}
            onChange={({ currentTarget }) => {
              adds.value = currentTarget.checked;
            }}
          />{' '}
          {say.add}
        </label>
        <FocusPart
          store={store}
          item={items.get(focusId ?? -1)}
          place={focus < 0 ? undefined : focus}
          places={places}
          onChoose={choose}
        />
        <p class="soft">
          {told} {counts.anomalous > 0 && say.alike(like, counts.anomalous)} {faded > 0 && say.outside(faded)}
        </p>
      </div>
    </div>
  );
}

function Legend() {
  return (
    <ul class="legend">
      {(['normal', 'anomalous', 'none'] as const).map((label) => (
        <li key={label}>
          <svg class={label} viewBox="-8 -8 16 16" width="16" height="16" aria-hidden="true">
            {label === 'normal' ? (
              <circle r="5" />
            ) : label === 'anomalous' ? (
              <path d="M0-7 6 5H-6Z" />
            ) : (
              <rect x="-5" y="-5" width="10" height="10" />
            )}
          </svg>
          {say.legend[label]}
        </li>
      ))}
    </ul>
  );
}
