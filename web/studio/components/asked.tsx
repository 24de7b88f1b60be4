/** Something that a page asks its server for: what came, the sentence where nothing came, and a way to ask again. */
import { type ReadonlySignal, useSignal, useSignalEffect } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useMemo } from 'preact/hooks';
import type { Change, ChangeTopic } from '../../../src/studio/store/changes.ts';
import { onChange } from '../api.ts';
import { words } from '../words.ts';

export interface Asked<T> {
  readonly value: ReadonlySignal<T | undefined>;
  readonly fault: ReadonlySignal<string>;
  again(): void;
}

/** Which changes make an answer old. */
type News = readonly ChangeTopic[] | ((change: Omit<Change, 'id'>) => boolean);

/** Asks when it is first used, whenever a signal that `ask` reads changes, and when news are heard. */
export function useAsked<T>(ask: (signal: AbortSignal) => Promise<T>, news: News = []): Asked<T> {
  const value = useSignal<T | undefined>(undefined);
  const fault = useSignal('');
  const round = useSignal(0);
  useSignalEffect(() => {
    round.value;
    const ending = new AbortController();
    ask(ending.signal).then(
      (came) => {
        if (ending.signal.aborted) return;
        value.value = came;
        fault.value = '';
      },
      (error: Error) => {
        if (!ending.signal.aborted) fault.value = error.message;
      },
    );
    return () => ending.abort();
  });
  useSignalEffect(() =>
    onChange((change) => {
      const isNews = typeof news === 'function' ? news(change) : news.includes(change.topic);
      if (isNews || change.topic === 'project') round.value = round.peek() + 1;
    }),
  );
  return useMemo(() => ({ value, fault, again: () => round.value++ }), [value, fault, round]);
}

/** Shows what came; until then, or where it failed, says so. */
export function Shown<T>({ asked, children }: { asked: Asked<T>; children: (value: T) => ComponentChildren }) {
  const value = asked.value.value;
  const fault = asked.fault.value;
  return (
    <>
      {fault && (
        <div class="banner" role="alert">
          <p>{fault}</p>
          <button type="button" onClick={asked.again}>
            {words.retry}
          </button>
        </div>
      )}
      {value !== undefined
        ? children(value)
        : !fault && (
            <p class="soft" role="status">
              {words.loading}
            </p>
          )}
    </>
  );
}
