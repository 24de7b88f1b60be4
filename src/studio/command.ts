/** What somebody would type to do the same as the page does. */
import { quoted } from '../core/shell.ts';
import type { Action, OptionReference, Words } from '../core/text.ts';

/** An action on some paths, with its options, in the words of an interface. */
export function commandOf(
  words: Words,
  action: Action,
  paths: readonly string[],
  options: readonly OptionReference[] = [],
): string {
  return [words.action(action), ...paths.map(quoted), ...options.map((one) => words.option(one))].join(' ');
}
