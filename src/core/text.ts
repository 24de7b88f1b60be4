/**
 * Sentences as data. Where a sentence names an option or an action it holds a reference, and whoever shows it writes
 * that in words of its own: `tiles` in the library is `--tile` on the command line and would be `/tiles` on a server.
 */

/** An option by its path in the options of the library, such as `['seed']`, `['tiles', 'overlap']`, `['config', 'epochs']`. */
export interface OptionReference {
  readonly option: readonly string[];
  /** The value to give it; absent where the option itself is meant. A text such as `<file>` stands for one. */
  readonly value?: unknown;
}

/** What can be done with a model or a run: in the library a function, on the command line a command. */
export type Action =
  | 'inspect'
  | 'train'
  | 'try'
  | 'test'
  | 'update'
  | 'clean'
  | 'predict'
  | 'threshold'
  | 'compare'
  | 'export'
  | 'report'
  | 'feedback'
  | 'serve'
  | 'watch';

/** An action by its name. */
export interface ActionReference {
  readonly action: Action;
}

/** What a sentence names of the interface. */
export type Reference = OptionReference | ActionReference;

/** A sentence, or several; plain data, so that it can be stored, sent to another thread and written later. */
export type Text = readonly (string | Reference)[];

/** A sentence as one writes it: a plain string where it names nothing of the interface. */
export type Said = string | Text;

/** Path of an option: `'seed'`, `'config.epochs'`; names that may hold a dot stand in a list, `['columns', name]`. */
export type OptionPath = string | readonly string[];

/** Refers to an option, or with a value to setting it. */
export function option(path: OptionPath, value?: unknown): OptionReference {
  return { option: typeof path === 'string' ? path.split('.') : path, ...(value !== undefined && { value }) };
}

/** Refers to several options: `a, b and c`. */
export const optionList = (paths: readonly OptionPath[]): Text =>
  say`${paths.map((path, i) => [i === 0 ? '' : i === paths.length - 1 ? ' and ' : ', ', option(path)])}`;

/** Refers to an action. */
export const action = (name: Action): ActionReference => ({ action: name });

/** What may stand inside a sentence: parts, other sentences, lists of them. */
export type Inside = string | number | Reference | readonly Inside[];

/**
 * Writes a sentence with references and other sentences inside. A line end with the indentation behind it is one space.
 * @example say`Tiles are larger than the image. Leave ${option('tiles')} out.`
 */
export function say(strings: TemplateStringsArray, ...inside: readonly Inside[]): Text {
  const text: (string | Reference)[] = [];
  const add = (part: Inside): void => {
    const last = text.at(-1);
    if (Array.isArray(part)) for (const inner of part) add(inner);
    else if (typeof part === 'object') text.push(part as Reference);
    else if (typeof last === 'string') text[text.length - 1] = `${last}${part}`;
    else if (part !== '') text.push(String(part));
  };
  for (const [i, literal] of strings.entries()) {
    add(literal.replace(/\s*\n\s*/g, ' '));
    if (i < inside.length) add(inside[i]);
  }
  return text;
}

/** How one interface names its options and actions. */
export interface Words {
  option(reference: OptionReference): string;
  action(name: Action): string;
}

/** A sentence in the words of an interface. */
export function write(said: Said, words: Words): string {
  if (typeof said === 'string') return said;
  return said
    .map((part) => {
      if (typeof part === 'string') return part;
      return 'action' in part ? words.action(part.action) : words.option(part);
    })
    .join('');
}

/** The functions whose name is not that of the action. */
const functions: Partial<Record<Action, string>> = {
  try: 'tryModels',
  compare: 'compareRuns',
  export: 'exportModel',
  report: 'makeReport',
};

/** The words of the library: `` `seed` ``, `` `protocol: 'one-class'` ``, `` `train()` ``. */
export const libraryWords: Words = {
  option({ option: path, value }) {
    const key = path.map((name, i) => (/^\w+$/.test(name) ? `${i > 0 ? '.' : ''}${name}` : `['${name}']`)).join('');
    return value === undefined ? `\`${key}\`` : `\`${key}: ${literal(value)}\``;
  },
  action: (name) => `\`${functions[name] ?? name}()\``,
};

/** A value as code. */
const literal = (value: unknown) => (typeof value === 'string' ? `'${value}'` : JSON.stringify(value));

/** The references of a sentence, where it has any: what a stored message keeps beside its words. */
export function textIfReferring(said: Said): Text | undefined {
  return typeof said === 'string' || said.every((part) => typeof part === 'string') ? undefined : said;
}
