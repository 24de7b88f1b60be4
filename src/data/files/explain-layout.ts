/** The sentence that says what a folder or a CSV file was understood to hold. */
import type { LayoutItem } from './layout.ts';

/** One sentence: how many of each label in each part, the defect types, the masks, and remarks that are not empty. */
export function explain(what: string, items: readonly LayoutItem[], remarks: readonly string[] = []): string {
  const sentences: string[] = [];
  for (const part of ['train', 'validation', 'test', undefined] as const) {
    const here = items.filter((item) => item.part === part);
    if (here.length === 0) continue;
    const types = new Map<string, number>();
    for (const { label, type } of here) if (label === 'abnormal') types.set(type, (types.get(type) ?? 0) + 1);
    const anomalous = [...types.values()].reduce((sum, n) => sum + n, 0);
    const defects =
      anomalous > 0 ? [`${anomalous} anomalous (${listed([...types].map(([type, n]) => `${type} ${n}`))})`] : [];
    const normal = here.length - anomalous;
    const amounts = [...(normal > 0 ? [`${normal} normal`] : []), ...defects].join(' and ');
    sentences.push(`${part ?? 'not split'}: ${amounts}`);
  }
  const masks = items.filter((item) => item.mask).length;
  const ofMasks = masks > 0 ? count(masks, 'mask') : 'no masks';
  const all = [count(items.length, 'image'), ...sentences, ofMasks, ...remarks.filter((remark) => remark !== '')];
  return `${what}: ${all.join('; ')}.`;
}

/** `1 mask`, `2 masks`. */
export const count = (n: number, thing: string) => `${n} ${thing}${n === 1 ? '' : 's'}`;

/** At most twelve of them, and how many more there are. */
export const listed = (texts: readonly string[]) =>
  texts.length <= 12 ? texts.join(', ') : `${texts.slice(0, 12).join(', ')} and ${texts.length - 12} more`;
