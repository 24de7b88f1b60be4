/** The words of the command line: options are flags, actions are commands, every kind of error has an exit code. */
import type { OddityError } from '../core/errors.ts';
import { quoted } from '../core/shell.ts';
import { type Text, type Words, write } from '../core/text.ts';
import { augmentWords } from '../data/transforms/augment.ts';
import { factsOf, type RunOption } from '../runs/options.ts';

export { quoted };

/** Words of `--augment` by the option that each of them sets: `degrees` is `rotate`. */
const augmentations = Object.fromEntries(Object.entries(augmentWords).map(([word, { key }]) => [key, word]));

const kebab = (key: string) => key.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`);

/** Flags that set one field of an option. */
const fields: Readonly<Record<string, string>> = { 'tiles.overlap': '--overlap', mapFormats: '--maps' };

/** The flag of an option: `--seed`, `--set epochs`, `--column amount`. */
export function flagOf(path: readonly string[]): string {
  const [first, ...rest] = path;
  const known = fields[path.join('.')];
  if (known) return known;
  const flags = factsOf.get(first as RunOption)?.flags.map(({ name }) => name.replace(/^no-/, '')) ?? [];
  if (first === 'config') return rest.length > 0 ? `--set ${kebab(rest.join('.'))}` : '--set';
  if (first === 'augment' && rest.length > 0) return `--augment ${augmentations[rest[0]] ?? kebab(rest[0])}`;
  if (rest.length > 0) return flags.includes(rest[0]) ? `--${rest[0]}` : `${flagOf([first])} ${rest.join('.')}`;
  if (first === 'folderNames') return '--normal, --abnormal and --mask';
  return `--${flags[0] ?? kebab(first)}`;
}

export const commandWords: Words = {
  option({ option: path, value }) {
    const [first, name] = path;
    // A model's option has a flag of its own, stands behind --set, or in a file: its name suits all three.
    if (value === undefined) return first === 'config' && name !== undefined ? kebab(name) : flagOf(path);
    if (value === true) return flagOf(path);
    if (value === false) return `--no-${flagOf(path).slice(2)}`;
    const text = first === 'size' && Array.isArray(value) ? value.join('x') : valueText(value);
    if (first === 'columns' && value === 'label') return `--label ${quoted(name)}`;
    if (first === 'config' || first === 'columns') {
      return `${flagOf([first])} ${quoted(`${first === 'config' ? kebab(name) : name}=${text}`)}`;
    }
    return `${flagOf(path)} ${quoted(text)}`;
  },
  action: (name) => `oddity ${name}`,
};

/** A value as its flag takes it. */
function valueText(value: unknown): string {
  if (Array.isArray(value)) return value.map(valueText).join(',');
  if (typeof value !== 'object' || value === null) return String(value);
  const { x, y, height, width } = value as Record<string, unknown>;
  if (x !== undefined) return [x, y, width, height].join(',');
  if (height !== undefined) return `${height}x${width}`;
  return Object.entries(value)
    .map(([key, inner]) => [augmentations[key] ?? kebab(key), inner])
    .map(([word, inner]) => (inner === true ? word : `${word}=${inner}`))
    .join(',');
}

/** A sentence of a lower layer as the command line says it. `message` is what was stored of it without references. */
export const said = ({ message, text }: { message: string; text?: Text }): string =>
  text ? write(text, commandWords) : message;

/** For JSON.stringify: messages with references in the words of the command line. */
export function inCommandWords(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const { text, ...rest } = value as { message?: unknown; text?: unknown };
  if (typeof rest.message !== 'string' || !Array.isArray(text)) return value;
  return { ...rest, message: write(text as Text, commandWords) };
}

const exitCodes: Readonly<Record<string, number>> = {
  ConfigError: 2,
  DataError: 3,
  RuntimeUnavailable: 4,
  TrainingDiverged: 5,
  InternalError: 70,
  Cancelled: 130,
};

/** What the command line returns for an error; 1 for those without a code of their own. */
export const exitCodeOf = ({ name }: OddityError): number => exitCodes[name] ?? 1;

/** What `--json` says of an error. */
export function errorJson({ code, text, facts }: OddityError) {
  const about = facts && { option: flagOf(facts.option), value: facts.value, must: facts.must };
  return { error: { code, message: write(text, commandWords), ...about } };
}
