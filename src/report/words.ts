/** What a report calls things, by the kind of its items. */
import type { KindWords } from '../kinds/index.ts';

/** What a baseline is called among items of a kind, from its name or title: `mean-image` is the mean row of a table. */
export function baselineTitle(name: string, { item }: Pick<KindWords, 'item'>): string {
  return name.replaceAll('-', ' ').replace(/\bimage\b/, item);
}
