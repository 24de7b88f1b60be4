/** The texts of the list of projects and of bringing data in. */
export const homeWords = {
  lead: 'Say what is normal, train a detector, and see whether it works. Everything stays on this machine.',
  none: 'There is no project yet. Begin with data of your own, or with a sample.',
  new: 'New project',
  name: 'Name of the project',
  nameHint: 'Letters, digits, spaces, dots, hyphens; it becomes a folder.',
  drop: 'Drop a folder, images, a CSV or a Parquet file here',
  or: 'or choose them:',
  files: 'Files',
  folder: 'A folder',
  path: 'Path on this machine',
  pathHint: 'Stays where it is; nothing is copied.',
  create: 'Create project',
  empty: 'Create it empty',
  kind: 'What it holds',
  kinds: { '': 'Find out', table: 'Rows that stand alone', series: 'Steps of a series', clip: 'Frames of clips' },
  chosen: (files: number, size: string) => `${files} ${files === 1 ? 'file' : 'files'} chosen, ${size}`,
  sending: (done: number, total: number) => `Sending file ${done} of ${total} …`,
  reading: 'Reading what came in …',
  samples: 'Begin with a sample',
  begin: 'Open this sample',
  making: 'Making the sample …',
  remove: 'Remove',
  removeName: (name: string) => `Remove ${name}`,
  removeQuestion: (name: string) =>
    `Remove the project "${name}"? Its folder moves to .removed beside the others, so that nothing is lost.`,
  items: (kind: string | undefined, count: number) => {
    const [one, many] = {
      image: ['image', 'images'],
      table: ['row', 'rows'],
      series: ['series', 'series'],
      clip: ['clip', 'clips'],
    }[kind ?? ''] ?? ['item', 'items'];
    return `${count.toLocaleString('en')} ${count === 1 ? one : many}`;
  },
  facts: (labels: readonly [number, number] | undefined, runs: number) =>
    [
      ...(labels ? [`${labels[0].toLocaleString('en')} normal, ${labels[1].toLocaleString('en')} anomalous`] : []),
      runs === 0 ? 'no run yet' : `${runs} ${runs === 1 ? 'run' : 'runs'}`,
    ].join('; '),
  noData: 'No data yet',
  place: (folder: string) => `Projects are folders in ${folder}.`,
  add: 'Add data',
  added: (added: number, known: number) =>
    `${added.toLocaleString('en')} ${added === 1 ? 'item is' : 'items are'} new${known > 0 ? `; ${known.toLocaleString('en')} were there before and keep their labels` : ''}.`,
  nothing: 'Choose files or a folder, or type a path first.',
} as const;
