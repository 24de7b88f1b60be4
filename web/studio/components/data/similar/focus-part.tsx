/** The item in focus beside the map, and the selection of those that are most like it: what a lasso does, by the keyboard. */
import { useSignal } from '@preact/signals';
import type { SimilarItem } from '../../../../../src/studio/answers-similar.ts';
import { similarWords as say } from '../../../words/similar.ts';
import type { DataStore } from '../store.ts';
import { pictureUrl } from '../tile.tsx';
import type { Places } from './laid-out.ts';
import { nearestTo } from './neighbours.ts';

interface Props {
  readonly store: DataStore;
  /** The one in focus, where it is on the map. */
  readonly item: SimilarItem | undefined;
  readonly place: number | undefined;
  readonly places: Places;
  onChoose(places: readonly number[], isMore: boolean): void;
}

export function FocusPart({ store, item, place, places, onChoose }: Props) {
  const count = useSignal(10);
  if (!item || place === undefined) return <p class="soft">{say.noFocus}</p>;
  const most = places.ids.length;
  return (
    <form
      class="focuspart"
      onSubmit={(event) => {
        event.preventDefault();
        const near = nearestTo(places.features, place, count.peek() - 1);
        onChoose([place, ...near.map((one) => one.item)], false);
      }}
    >
      {store.kind.value === 'image' && (
        <img src={pictureUrl(store.project, item.id, 160)} alt={say.imageOf(item.name)} width="96" height="96" />
      )}
      <div>
        <p class="place">{say.focus(item.name)}</p>
        <div class="row">
          <label>
            {say.count}{' '}
            <input
              type="number"
              min="1"
              max={most}
              required
              value={count.value}
              onInput={({ currentTarget }) => {
                count.value = Math.max(1, Math.min(most, Math.floor(Number(currentTarget.value)) || 1));
              }}
            />
          </label>
          <button type="submit">{say.nearest}</button>
        </div>
      </div>
    </form>
  );
}
