/**
 * Items in rows of one height, of which only those in view are in the page: pictures side by side, or the rows of a table. The keyboard
 * moves, selects and labels; what is told of an item is in its name.
 */
import { useComputed, useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useEffect, useMemo, useRef } from 'preact/hooks';
import type { ItemFacts } from '../../../../src/studio/answers-data.ts';
import { dataWords as say } from '../../words/data.ts';
import { words } from '../../words.ts';
import { keyAction } from './keys.ts';
import type { DataStore } from './store.ts';

interface Props {
  readonly store: DataStore;
  /** Least width of an item; undefined for items as wide as the list. */
  readonly least?: number;
  readonly height: number;
  /** Width in rem below which the list scrolls sideways. */
  readonly minWidth?: number;
  readonly head?: ComponentChildren;
  onOpen(index: number): void;
  /** `isFast`: it passes by. */
  draw(item: ItemFacts | undefined, isFast: boolean): ComponentChildren;
}

/** Rows above and below that are there before they are seen. */
const SPARE = 2;
/** Who passes by this share of a screen at once sees no pictures until the list comes to rest: nothing could be made out. */
const HASTE = 0.5;
const SETTLE_MS = 120;

export function ItemList({ store, least, height, minWidth = 0, head, onOpen, draw }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const width = useSignal(0);
  const [first, shown] = [useSignal(0), useSignal(8)];
  const isFast = useSignal(false);
  const settling = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const across = useComputed(() => (least === undefined ? 1 : Math.max(1, Math.floor(width.value / least))));

  useEffect(() => {
    const list = box.current!;
    const measure = () => {
      width.value = list.clientWidth;
      shown.value = Math.ceil(list.clientHeight / height) + 1;
    };
    measure();
    const watcher = new ResizeObserver(measure);
    watcher.observe(list);
    return () => watcher.disconnect();
  }, [height]);

  const reveal = (index: number) => {
    const list = box.current!;
    const top = Math.floor(index / across.peek()) * height;
    if (top < list.scrollTop) list.scrollTop = top;
    else if (top + height > list.scrollTop + list.clientHeight) list.scrollTop = top + height - list.clientHeight;
  };

  const sought = store.sought.value;
  useEffect(() => {
    if (sought > 0) reveal(store.focus.peek());
  }, [sought]);

  const total = store.total.value ?? 0;
  store.round.value; // items that came are drawn
  const rows = Math.ceil(total / across.value);
  const from = Math.max(0, Math.min(first.value, rows - 1) - SPARE);
  const to = Math.min(rows, first.value + shown.value + SPARE);
  useEffect(() => {
    if (total > 0) store.need(from * across.value, Math.min(total, to * across.value));
  });

  const move = (index: number, isRange: boolean) => {
    const next = Math.max(0, Math.min(total - 1, index));
    store.focus.value = next;
    reveal(next);
    if (isRange) void store.selectTo(next);
  };
  const focus = store.focus.value;
  const page = Math.max(1, Math.floor((box.current?.clientHeight ?? height) / height)) * across.value;
  // Places in the page are used again for what comes into view.
  const slots = (shown.value + 2 * SPARE + 1) * across.value;
  const indices = Array.from({ length: Math.max(0, to - from) * across.value }, (_, k) => from * across.value + k);

  return (
    <div class="list">
      <div style={{ minWidth: `${minWidth}rem` }}>
        {head}
        <div
          ref={box}
          class="scroller"
          tabIndex={0}
          role="listbox"
          aria-multiselectable="true"
          aria-label={say.items}
          style={{ height: `min(70vh, 46rem, ${rows * height}px)` }}
          aria-activedescendant={total > 0 ? `item-${focus}` : undefined}
          onScroll={({ currentTarget: { scrollTop, clientHeight } }) => {
            const row = Math.floor(scrollTop / height);
            if (Math.abs(row - first.peek()) * height > HASTE * clientHeight) {
              isFast.value = true;
              clearTimeout(settling.current);
              settling.current = setTimeout(() => {
                isFast.value = false;
              }, SETTLE_MS);
            }
            first.value = row;
          }}
          onClick={(event) => {
            const index = indexOf(event);
            if (index === undefined) return;
            store.focus.value = index;
            // A click goes to an item, and keys act on it from there; a finger has no Ctrl to select with.
            const isTouch = (event as unknown as PointerEvent).pointerType === 'touch';
            if (event.shiftKey) void store.selectTo(index);
            else if (event.ctrlKey || event.metaKey || isTouch) store.toggle(index);
            else store.selectNone();
          }}
          onDblClick={(event) => {
            const index = indexOf(event);
            if (index !== undefined) onOpen(index);
          }}
          onKeyDown={(event) => {
            const action = keyAction(event, { focus, across: across.value, page, total });
            if (!action) return;
            event.preventDefault();
            if ('to' in action) move(action.to, action.isRange);
            else action.run(store, onOpen);
          }}
        >
          <div class="runway" role="presentation" style={{ height: `${rows * height}px` }}>
            {indices
              .filter((index) => index < total)
              .map((index) => {
                const item = store.itemAt(index);
                const place = { row: Math.floor(index / across.value), column: index % across.value };
                return (
                  <Option
                    key={index % slots}
                    index={index}
                    total={total}
                    item={item}
                    place={[(place.column * width.value) / across.value, place.row * height]}
                    size={[width.value / across.value, height]}
                    isFocus={index === focus}
                    isSelected={item !== undefined && store.selected.value.has(item.id)}
                    isFast={isFast.value}
                    draw={draw}
                  />
                );
              })}
          </div>
        </div>
      </div>
    </div>
  );
}

/** The place of the item that was clicked. */
function indexOf({ target }: MouseEvent): number | undefined {
  const id = (target as Element).closest('[role=option]')?.id;
  return id === undefined ? undefined : Number(id.slice('item-'.length));
}

interface OptionProps {
  readonly index: number;
  readonly total: number;
  readonly item: ItemFacts | undefined;
  /** In pixels from the top left of the list. */
  readonly place: readonly [x: number, y: number];
  readonly size: readonly [width: number, height: number];
  readonly isFocus: boolean;
  readonly isSelected: boolean;
  readonly isFast: boolean;
  readonly draw: Props['draw'];
}

/** One item; made anew only where it is another one, or looks otherwise. */
function Option({ index, total, item, place: [x, y], size: [width, height], ...state }: OptionProps) {
  const { isFocus, isSelected, isFast, draw } = state;
  return useMemo(
    () => (
      <div
        id={`item-${index}`}
        role="option"
        tabIndex={-1}
        class={`cell ${isFocus ? 'focus' : ''}`}
        aria-selected={isSelected}
        aria-setsize={total}
        aria-posinset={index + 1}
        style={{ transform: `translate(${x}px, ${y}px)`, width: `${width}px`, height: `${height}px` }}
      >
        <span class="hidden">{item ? nameOf(item) : words.loading}</span>
        <div class="drawn" aria-hidden="true">
          {draw(item, isFast)}
        </div>
      </div>
    ),
    [index, total, item, x, y, width, height, isFocus, isSelected, isFast, draw],
  );
}

/** An item in words: what pictures and colours say of it. */
export function nameOf({ name, label, type, split, hasMask, tags, score, isWrong }: ItemFacts): string {
  return say.itemName(
    name,
    type ? `${say.labels[label ?? 'none']} (${type})` : say.labels[label ?? 'none'],
    say.splits[split ?? 'none'],
    [
      ...(hasMask ? [say.hasMask] : []),
      ...tags,
      ...(score === undefined ? [] : [say.score(score.toPrecision(4))]),
      ...(isWrong ? [say.isWrong] : []),
    ],
  );
}
