/** What a job is on the command line and in the library: the same, to copy. */
import { type Action, libraryWords, type OptionReference, option, type Words } from '../../core/text.ts';
import type { Job } from '../../jobs/job.ts';
import { commandOf as command } from '../command.ts';

/** The option of each kind that stands behind the command without a name. */
const firsts: Readonly<Record<string, string>> = {
  train: 'model',
  try: 'data',
  clean: 'data',
  update: 'run',
  export: 'run',
  report: 'run',
  test: 'run',
};

type Asked = Pick<Job, 'kind' | 'options'>;

/** In the words of an interface: those of the command line give a command. */
export function commandOf({ kind, options }: Asked, words: Words): string {
  const { [firsts[kind]]: first, ...others } = options;
  return command(words, kind as Action, first === undefined ? [] : [String(first)], settingsOf(others));
}

/** Options as they are given one by one. */
export const settingsOf = (options: Readonly<Record<string, unknown>>): OptionReference[] =>
  Object.entries(options)
    .filter(([, value]) => value !== undefined)
    .flatMap(([name, value]) => piecesOf(name, value))
    .map(([path, value]) => option(path, value));

/** Options that are given once for each of their keys. */
const byKey = new Set(['config', 'columns', 'folderNames', 'alarms', 'alarmRate']);

/** An option as it is given: in one piece, or key by key, or once for each entry of a list. */
function piecesOf(name: string, value: unknown): [path: string[], value: unknown][] {
  if (name === 'tiles') {
    const { overlap, ...sides } = value as { overlap?: number };
    return [[[name], sides], ...(overlap === undefined ? [] : [[[name, 'overlap'], overlap] as [string[], unknown]])];
  }
  if (name === 'exclude') return (value as readonly string[]).map((one) => [[name], one]);
  if (!byKey.has(name)) return [[[name], value]];
  return Object.entries(value as object).map(([key, inner]) => [[name, key], inner]);
}

/** As a program that uses the library. */
export function codeOf({ kind, options }: Asked): string {
  const name = libraryWords.action(kind as Action).replace(/[`()]/g, '');
  const text = JSON.stringify(options, null, 2).replace(/^(\s+)"([A-Za-z_]\w*)":/gm, '$1$2:');
  return `import { ${name} } from 'oddity';\n\nconst result = await ${name}(${text});`;
}
