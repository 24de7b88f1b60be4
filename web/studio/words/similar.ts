/** The texts of the map of similar items. */
const n = (count: number) => count.toLocaleString('en');
const items = (count: number) => `${n(count)} ${count === 1 ? 'item' : 'items'}`;

export const similarWords = {
  title: 'Map of similar items',
  about:
    'Places items that look alike near each other. Draw around some to select them in the list. Distances across the whole map say little; who lies beside whom says more.',
  make: 'Make the map',
  again: 'Make the map again',
  show: 'Show the map',
  old: 'Items came in, or files changed, since the map was made.',
  waiting: 'Waiting for other jobs …',
  comparing: 'Comparing the items … this goes on in the background; the page may be left.',
  layingOut: 'Laying the items out …',
  progress: 'Progress',
  sampled: (taken: number, all: number) =>
    `${n(taken)} of ${n(all)} items, at even distances in the list, stand for all.`,
  missing: (count: number) => `${items(count)} could not be read and ${count === 1 ? 'is' : 'are'} not on the map.`,
  legend: { normal: 'normal', anomalous: 'anomalous', none: 'no label' },
  chart: (counts: { normal: number; anomalous: number; none: number }, selected: number) =>
    `Map of similar items: ${n(counts.normal)} normal, ${n(counts.anomalous)} anomalous, ${n(counts.none)} without a label; ${n(selected)} selected.`,
  alike: (like: number, all: number) =>
    `${n(like)} of the ${n(all)} anomalous items on the map are most like another anomalous item.`,
  hint: 'Draw around items to select them. Click one to go to it in the list.',
  add: 'Add to the selection',
  selected: (count: number) => `${n(count)} selected`,
  news: (count: number) => `${items(count)} selected on the map.`,
  outside: (count: number) => `${items(count)} faded: the filters hide them.`,
  none: 'Clear selection',
  only: 'Show only these in the list',
  nearest: 'Select the most similar',
  count: 'Number of items',
  focus: (name: string) => `In focus: ${name}`,
  noFocus: 'The item in focus is not on the map.',
  imageOf: (name: string) => `Image ${name}`,
  filter: 'Selection from the map',
} as const;
