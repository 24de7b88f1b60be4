import { useEffect, useRef } from 'preact/hooks';
import { place, setQuery } from '../place.ts';

/**
 * Keeps the chosen run in the address, so that a run that ends meanwhile, and is newer, does not take its place; what belongs to one run
 * (`keys`) leaves the address once another one is chosen.
 */
export function useFresh(run: string | undefined, keys: readonly string[] = []): void {
  const before = useRef(run);
  useEffect(() => {
    const isOther = before.current !== undefined && before.current !== run;
    before.current = run;
    if (run === undefined || (!isOther && place.peek().query.get('run') === run)) return;
    setQuery({ run, ...(isOther && Object.fromEntries(keys.map((key) => [key, null]))) });
  }, [run, keys]);
}
