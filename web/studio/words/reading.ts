/** The texts of the form that says how columns are read. */
const kinds: Readonly<Record<string, string>> = {
  numeric: 'number',
  categorical: 'category',
  time: 'time',
  label: 'labels',
  ignore: 'left out',
  part: 'parts',
};
const n = (count: number) => count.toLocaleString('en');

export const readingWords = {
  title: 'How the columns are read',
  about:
    'Choose what each column is. Labels that you set by hand stay; the others become what the file says. Training reads the rows the same way.',
  look: 'Choose columns first',
  columns: 'Columns',
  columnsAbout: 'Columns of the file, what they hold, and what they are used as',
  column: 'Column',
  use: 'Used as',
  holds: 'Holds',
  useOf: (name: string) => `Use of ${name}`,
  kind: (kind: string) => kinds[kind] ?? kind,
  auto: 'decide by its cells',
  asIs: (kind: string) => `by its cells: ${kind}`,
  content: (content: string, examples: readonly string[]) =>
    examples.length > 0 ? `${content}, such as ${examples.join(', ')}` : content,
  gaps: (count: number) => `; ${n(count)} missing`,
  normal: 'Labels that mean normal',
  normalAbout: 'All others are anomalous.',
  label: (value: string, count: number) => `${value === '' ? 'empty' : value} (${n(count)})`,
  list: 'Separate several with commas.',
  rows: 'First rows',
  rowsAbout: 'The first rows as a model takes them',
  rowsPlain: 'The first rows as the file has them',
  missing: 'missing',
  set: 'Read it this way',
  automatic: 'Decide automatically',
  cancel: 'Cancel',
  working: 'Reading …',
  done: 'Done. New versions and trainings read the rows this way.',
  /** What a button sets. */
  choice: (path: readonly string[], value: unknown): string => {
    const [name, column] = path;
    if (value === undefined)
      return name === 'folderNames'
        ? 'Choose the normal labels'
        : name === 'decimal'
          ? 'Choose the decimal mark'
          : 'Choose a column';
    if (name === 'missing') return `Take ${value} as missing`;
    if (name === 'kind') return value === 'series' ? 'Take the rows as a series' : 'Take the rows one by one';
    if (name === 'decimal') return `Decimal mark ${value}`;
    if (value === 'label') return `${column} holds the labels`;
    if (value === 'ignore') return `Leave ${column} out`;
    return `Use ${column} as ${kinds[String(value)] ?? value}`;
  },
} as const;
