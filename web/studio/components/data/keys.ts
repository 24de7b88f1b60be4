/** Which key does what in a list of items. */
import { dataWords as say } from '../../words/data.ts';
import type { DataStore, Wanted } from './store.ts';

interface Where {
  readonly focus: number;
  /** Items side by side, and in one screen. */
  readonly across: number;
  readonly page: number;
  readonly total: number;
}

type Act = (store: DataStore, open: (index: number) => void) => void;
type Action = { readonly to: number; readonly isRange: boolean } | { readonly run: Act };

const sets =
  (wanted: Wanted, about: string): Act =>
  (store) =>
    void store.edit(wanted, about);

/** A part; where all that it is about has it already, the other one that tests. */
const tests: Act = (store) => {
  const item = store.itemAt(store.focus.peek());
  const split = item?.split === 'test' ? 'validation' : 'test';
  void store.edit({ set: { split } }, say.splits[split]);
};

const acts: Readonly<Record<string, Act>> = {
  n: sets({ set: { label: 'normal' } }, say.normal),
  a: sets({ set: { label: 'anomalous' } }, say.anomalous),
  t: sets({ set: { split: 'train' } }, say.train),
  v: tests,
  u: (store) => void store.undo(),
  r: (store) => void store.redo(),
  x: (store) => store.toggle(store.focus.peek()),
  ' ': (store) => store.toggle(store.focus.peek()),
  escape: (store) => store.selectNone(),
  enter: (store, open) => open(store.focus.peek()),
};

const withControl: Readonly<Record<string, Act>> = {
  a: (store) => void store.selectAll(),
  z: (store) => void store.undo(),
  y: (store) => void store.redo(),
};

/** What a key does; undefined for one that is left to the browser. */
export function keyAction(event: KeyboardEvent, { focus, across, page, total }: Where): Action | undefined {
  const { key, ctrlKey, metaKey, altKey, shiftKey } = event;
  if (altKey || total === 0) return undefined;
  const steps: Readonly<Record<string, number>> = {
    ...{ ArrowLeft: -1, ArrowRight: 1, ArrowUp: -across, ArrowDown: across, PageUp: -page, PageDown: page },
    ...{ Home: -total, End: total },
  };
  if (key in steps) return { to: focus + steps[key], isRange: shiftKey };
  const act = (ctrlKey || metaKey ? withControl : acts)[key.toLowerCase()];
  return act && { run: act };
}
