/** What a model says of windows that are too short for it. */
import { option, type Said, say } from '../../../core/text.ts';
import type { ItemShape } from '../../define.ts';

/** A sentence where windows `[L, D]` have fewer steps than a model needs, else undefined. */
export function needsSteps(who: string, least: number, [length]: ItemShape): Said | undefined {
  if (length >= least) return undefined;
  return say`${who} needs windows of at least ${least} steps, got ${length}. Use longer windows with
    ${option('window', least)}.`;
}
