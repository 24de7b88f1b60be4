/** What the data page knows of the items of a project: those that are in view, the one in focus, those that are selected. */
import { batch, computed, effect, type ReadonlySignal, type Signal, signal } from '@preact/signals';
import type { Facets, ItemFacts, ItemPage, Label, Split } from '../../../../src/studio/answers-data.ts';
import { at, get, onChange, send } from '../../api.ts';
import { place, setQuery } from '../../place.ts';
import { dataWords as say } from '../../words/data.ts';

/** Keys of the address that filter. */
export const filterKeys = [
  ...(['split', 'label', 'type', 'tag', 'search', 'mask', 'finding', 'group'] as const),
  ...(['run', 'low', 'high', 'wrong', 'order'] as const),
];

/** Items of one request. */
const PAGE = 200;

/** What an edit sets. */
export interface Wanted {
  readonly set?: { readonly label?: Label | null; readonly split?: Split | null; readonly type?: string | null };
  readonly addTags?: readonly string[];
  readonly removeTags?: readonly string[];
}

export interface DataStore {
  readonly project: string;
  readonly kind: ReadonlySignal<string | undefined>;
  readonly columns: ReadonlySignal<readonly string[]>;
  /** Items that pass the filters; undefined until that is known. */
  readonly total: ReadonlySignal<number | undefined>;
  readonly facets: ReadonlySignal<Facets | undefined>;
  readonly fault: ReadonlySignal<string>;
  /** Said to people once something was done. */
  readonly news: Signal<string>;
  /** Place of the item in focus. */
  readonly focus: Signal<number>;
  /** Grows when an item was put in focus from elsewhere than the list, which then brings it into view. */
  readonly sought: ReadonlySignal<number>;
  readonly selected: ReadonlySignal<ReadonlySet<number>>;
  /** Grows when items that are here became others. */
  readonly round: ReadonlySignal<number>;
  readonly filter: ReadonlySignal<Readonly<Record<string, string>>>;
  /** The item at a place; undefined while it is on its way. */
  itemAt(index: number): ItemFacts | undefined;
  /** Asks for what lies at these places, unless it is here. */
  need(from: number, to: number): void;
  toggle(index: number): void;
  selectTo(index: number): Promise<void>;
  selectAll(): Promise<void>;
  selectNone(): void;
  /** Selects these and no others. */
  select(ids: readonly number[]): void;
  /** Ids of all that pass the filters, in their order. */
  passing(): Promise<readonly number[]>;
  /** Puts an item in focus; false where it does not pass the filters. */
  seek(id: number): Promise<boolean>;
  /** Shows only these, and selects them. */
  showOnly(ids: readonly number[]): Promise<void>;
  /** Ids that an edit is about: the selected ones, else the one in focus. */
  chosen(): readonly number[];
  edit(wanted: Wanted, about: string, ids?: readonly number[]): Promise<void>;
  undo(): Promise<void>;
  redo(): Promise<void>;
  close(): void;
}

export function openStore(project: string): DataStore {
  const filter = computed(() => {
    const { query } = place.value;
    return Object.fromEntries(
      filterKeys.flatMap((key) => {
        const value = query.get(key);
        return value === null || value === '' ? [] : [[key, value]];
      }),
    );
  });
  const key = computed(() => new URLSearchParams(filter.value).toString());
  const pages = new Map<number, readonly ItemFacts[]>();
  const asked = new Map<number, AbortController>();
  const [kind, columns] = [signal<string | undefined>(undefined), signal<readonly string[]>([])];
  const [total, facets] = [signal<number | undefined>(undefined), signal<Facets | undefined>(undefined)];
  const [fault, news, round, focus, sought] = [signal(''), signal(''), signal(0), signal(0), signal(0)];
  const selected = signal<ReadonlySet<number>>(new Set());
  let anchor = 0;
  let ids: { readonly key: string; readonly list: Promise<readonly number[]> } | undefined;
  let seen: [number, number] = [0, 0];

  const load = async (page: number) => {
    if (asked.has(page)) return;
    const ending = new AbortController();
    asked.set(page, ending);
    try {
      const query = new URLSearchParams({ ...filter.peek(), from: String(page * PAGE), count: String(PAGE) });
      const came = await get<ItemPage>(at(project, `/items?${query}`), ending.signal);
      if (ending.signal.aborted) return;
      pages.set(page, came.items);
      batch(() => {
        kind.value = came.kind;
        if (came.columns) columns.value = came.columns;
        total.value = came.total;
        focus.value = Math.max(0, Math.min(focus.peek(), came.total - 1));
        fault.value = '';
        round.value++;
      });
    } catch (error) {
      if ((error as Error).name !== 'AbortError') fault.value = (error as Error).message;
    } finally {
      if (asked.get(page) === ending) asked.delete(page);
    }
  };
  const need = (from: number, to: number) => {
    seen = [from, to];
    for (let page = Math.floor(from / PAGE); page * PAGE < to; page++) if (!pages.has(page)) void load(page);
  };
  const forget = () => {
    for (const ending of asked.values()) ending.abort();
    asked.clear();
    ids = undefined;
  };
  const count = async () => {
    facets.value = await get<Facets>(at(project, '/facets')).catch(() => facets.peek());
  };
  /** Items may have changed: those in view are asked for anew and shown as they were until then. */
  const refresh = () => {
    forget();
    const [first, last] = [Math.floor(seen[0] / PAGE), Math.floor(Math.max(seen[0], seen[1] - 1) / PAGE)];
    for (const page of pages.keys()) if (page < first || page > last) pages.delete(page);
    for (let page = first; page <= last; page++) void load(page);
    void count();
  };

  const stopFilter = effect(() => {
    key.value;
    forget();
    pages.clear();
    batch(() => {
      total.value = undefined;
      selected.value = new Set();
      focus.value = 0;
      fault.value = '';
    });
    anchor = 0;
    seen = [0, PAGE];
    void load(0);
  });
  void count();
  let waiting: ReturnType<typeof setTimeout> | undefined;
  const stopNews = onChange(({ topic }) => {
    if (topic !== 'items' && topic !== 'project') return;
    clearTimeout(waiting);
    waiting = setTimeout(refresh, 30);
  });

  const itemAt = (index: number) => pages.get(Math.floor(index / PAGE))?.[index % PAGE];
  const allIds = async () => {
    const own = key.peek();
    if (ids?.key !== own) {
      const list = get<{ ids: readonly number[] }>(at(project, `/ids?${own}`)).then((answer) => answer.ids);
      ids = { key: own, list };
      list.catch(() => {
        ids = undefined;
      });
    }
    return ids.list;
  };
  const failing = async (work: () => Promise<string>) => {
    try {
      news.value = await work();
      fault.value = '';
    } catch (error) {
      fault.value = (error as Error).message;
    }
  };
  const chosen = () => {
    if (selected.peek().size > 0) return [...selected.peek()];
    const item = itemAt(focus.peek());
    return item ? [item.id] : [];
  };

  return {
    ...{
      project,
      kind,
      columns,
      total,
      facets,
      fault,
      news,
      focus,
      sought,
      selected,
      round,
      filter,
      itemAt,
      need,
      chosen,
    },
    toggle(index) {
      const item = itemAt(index);
      if (!item) return;
      const next = new Set(selected.peek());
      if (!next.delete(item.id)) next.add(item.id);
      selected.value = next;
      anchor = index;
    },
    async selectTo(index) {
      const list = await allIds();
      selected.value = new Set(list.slice(Math.min(anchor, index), Math.max(anchor, index) + 1));
    },
    async selectAll() {
      selected.value = new Set(await allIds());
    },
    selectNone() {
      selected.value = new Set();
      anchor = focus.peek();
    },
    select(list) {
      selected.value = new Set(list);
      anchor = focus.peek();
    },
    passing: allIds,
    async seek(id) {
      const index = (await allIds()).indexOf(id);
      if (index < 0) return false;
      batch(() => {
        focus.value = index;
        sought.value++;
      });
      return true;
    },
    showOnly: (list) =>
      failing(async () => {
        const { group } = await send<{ group: string }>('POST', at(project, '/groups'), { items: list });
        setQuery({ group });
        // Another filter takes every selection away.
        selected.value = new Set(list);
        return '';
      }),
    edit: (wanted, about, own = chosen()) =>
      failing(async () => {
        if (own.length === 0) return '';
        await send('POST', at(project, '/edits'), { items: own, ...wanted });
        return say.done(about, own.length);
      }),
    undo: () =>
      failing(async () => ((await send<{ done: boolean }>('POST', at(project, '/undo'))).done ? say.undone : '')),
    redo: () =>
      failing(async () => ((await send<{ done: boolean }>('POST', at(project, '/redo'))).done ? say.redone : '')),
    close() {
      stopFilter();
      stopNews();
      clearTimeout(waiting);
      forget();
    },
  };
}
