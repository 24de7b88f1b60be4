/** What can be done to the selected items, or to the one in focus: labels, parts, types, tags, and taking it back. */
import { useSignal } from '@preact/signals';
import { dataWords as say } from '../../words/data.ts';
import type { DataStore, Wanted } from './store.ts';

/** The tag of items that no version takes, as the server has it. */
export const LEFT_OUT = 'left out';

export function Bulk({ store }: { store: DataStore }) {
  const text = useSignal('');
  const { undo, redo } = store.facets.value ?? {};
  store.focus.value;
  store.round.value;
  const count = store.selected.value.size;
  const about = store.chosen().length;
  const button = (label: string, wanted: Wanted, key?: string) => (
    <button type="button" disabled={about === 0} aria-keyshortcuts={key} onClick={() => void store.edit(wanted, label)}>
      {label}
      {key && (
        <span class="key" aria-hidden="true">
          {key}
        </span>
      )}
    </button>
  );
  const isOut = place(store);
  return (
    <div class="bulk" role="toolbar" aria-label={say.acting(Math.max(1, about))}>
      <span class="group">
        {button(say.normal, { set: { label: 'normal' } }, 'N')}
        {button(say.anomalous, { set: { label: 'anomalous' } }, 'A')}
        {button(say.unlabel, { set: { label: null } })}
      </span>
      <span class="group">
        {button(say.train, { set: { split: 'train' } }, 'T')}
        {button(say.test, { set: { split: 'test' } }, 'V')}
      </span>
      <span class="group">
        {isOut ? button(say.takeIn, { removeTags: [LEFT_OUT] }) : button(say.leaveOut, { addTags: [LEFT_OUT] })}
      </span>
      <form
        class="group"
        onSubmit={(event) => {
          event.preventDefault();
          const { value } = text;
          if (value.trim() === '') return;
          const isType = (event.submitter as HTMLButtonElement | null)?.value === 'type';
          void store.edit(
            isType ? { set: { type: value.trim() } } : { addTags: [value] },
            isType ? `${say.type} ${value}` : `${say.tag} ${value}`,
          );
          text.value = '';
        }}
      >
        <input
          aria-label={`${say.newTag}, ${say.typeOf}`}
          placeholder={say.newTag}
          maxLength={60}
          value={text.value}
          onInput={({ currentTarget }) => {
            text.value = currentTarget.value;
          }}
        />
        <button type="submit" value="tag" disabled={about === 0}>
          {say.addTag}
        </button>
        <button type="submit" value="type" disabled={about === 0}>
          {say.setType}
        </button>
      </form>
      <span class="group">
        <button
          type="button"
          disabled={undo === undefined}
          title={undo && say.undoOf(undo)}
          aria-keyshortcuts="U"
          onClick={() => void store.undo()}
        >
          {say.undo}
          <span class="key" aria-hidden="true">
            U
          </span>
        </button>
        <button
          type="button"
          disabled={redo === undefined}
          title={redo && say.redoOf(redo)}
          aria-keyshortcuts="R"
          onClick={() => void store.redo()}
        >
          {say.redo}
          <span class="key" aria-hidden="true">
            R
          </span>
        </button>
      </span>
      <span class="group">
        <span class="soft">{count > 0 ? say.selected(count) : say.acting(1)}</span>
        <button type="button" class="plain" onClick={() => void (count > 0 ? store.selectNone() : store.selectAll())}>
          {count > 0 ? say.selectNone : say.selectAll}
        </button>
      </span>
    </div>
  );
}

/** Whether the item in focus is left out. */
const place = (store: DataStore): boolean => store.itemAt(store.focus.value)?.tags.includes(LEFT_OUT) === true;
