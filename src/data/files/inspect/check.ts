/** What a check of an inspection is: one question about a data set, and what it found. */
import type { Examined } from './examine.ts';

/**
 * `error`: a run would fail or its figures would be wrong. `warning`: figures may mislead. `note`: worth knowing.
 */
export type Severity = 'error' | 'warning' | 'note';

/** Something that was found. */
export interface Finding {
  readonly severity: Severity;
  /** One sentence: what was found. */
  readonly message: string;
  /** One sentence: what to do. */
  readonly advice: string;
  /** Paths from the root, with `/`. */
  readonly paths: readonly string[];
  /** What is to be said of each path, in their order; absent when there is nothing. */
  readonly remarks?: readonly string[];
}

/** One check; `find` decodes nothing and returns nothing when all is well. */
export interface Check {
  /** Stable, such as `mask-size`. */
  readonly code: string;
  readonly find: (set: Examined) => Finding[];
}

/** `1 file`, `2 files`. */
export const count = (n: number, thing: string, things = `${thing}s`): string => `${n} ${n === 1 ? thing : things}`;
