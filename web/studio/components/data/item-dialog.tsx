/** One item, large: its picture with its mask, its label and tags, and drawing the mask. */
import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { dataWords as say } from '../../words/data.ts';
import { nameOf } from './item-list.tsx';
import { MaskEditor } from './mask-editor.tsx';
import type { DataStore } from './store.ts';
import { LabelChip, pictureUrl } from './tile.tsx';

export function ItemDialog({ store, onClose }: { store: DataStore; onClose(): void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const hasFailed = useSignal(false);
  useEffect(() => dialog.current?.showModal(), []);
  store.round.value;
  const index = store.focus.value;
  const item = store.itemAt(index);
  const total = store.total.value ?? 0;
  useEffect(() => {
    hasFailed.value = false;
    store.need(index, index + 1);
  }, [index]);
  const step = (by: number) => {
    store.focus.value = Math.max(0, Math.min(total - 1, index + by));
  };
  const button = (label: string, value: 'normal' | 'anomalous') => (
    <button
      type="button"
      aria-pressed={item?.label === value}
      onClick={() => item && void store.edit({ set: { label: value } }, label, [item.id])}
    >
      {label}
    </button>
  );
  return (
    <dialog ref={dialog} class="item" aria-label={item ? nameOf(item) : say.details} onClose={onClose}>
      <div class="row top">
        <button type="button" disabled={index === 0} onClick={() => step(-1)}>
          ← {say.previous}
        </button>
        <button type="button" disabled={index >= total - 1} onClick={() => step(1)}>
          {say.next} →
        </button>
        {button(say.normal, 'normal')}
        {button(say.anomalous, 'anomalous')}
        <button type="button" onClick={() => dialog.current?.close()}>
          {say.close}
        </button>
      </div>
      {item && (
        <>
          <h2>{item.name}</h2>
          <p>
            <LabelChip item={item} /> {item.width !== null && item.height !== null && say.size(item.width, item.height)}{' '}
            {item.tags.map((tag) => (
              <button
                key={tag}
                type="button"
                class="tag"
                aria-label={say.removeTag(tag)}
                onClick={() => void store.edit({ removeTags: [tag] }, say.removeTag(tag), [item.id])}
              >
                #{tag} ×
              </button>
            ))}
          </p>
          {store.kind.value === 'image' ? (
            <MaskEditor key={`${item.id} ${item.hasMask}`} store={store} item={item} />
          ) : hasFailed.value ? (
            <p>{say.noPicture}</p>
          ) : (
            <img
              class="large"
              src={pictureUrl(store.project, item.id)}
              alt={say.imageOf(item.name)}
              onError={() => {
                hasFailed.value = true;
              }}
            />
          )}
        </>
      )}
    </dialog>
  );
}
