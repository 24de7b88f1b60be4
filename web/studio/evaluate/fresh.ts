import { useEffect, useRef } from 'preact/hooks';
import { setQuery } from '../place.ts';

/** Takes what belongs to one run out of the address once another one is chosen. */
export function useFresh(run: string | undefined, keys: readonly string[]): void {
  const before = useRef(run);
  useEffect(() => {
    if (before.current !== undefined && before.current !== run) {
      setQuery(Object.fromEntries(keys.map((key) => [key, null])));
    }
    before.current = run;
  }, [run, keys]);
}
