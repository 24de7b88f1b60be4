/** `--config file.yaml`: the flags of a training in a file, in the same spelling. Flags win over it. */
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isMap, isScalar, isSeq, LineCounter, type Node, type Pair, parseDocument, visit } from 'yaml';
import { ConfigError, nearestName } from '../core/errors.ts';
import { isReserved } from '../core/schema.ts';
import { requireFile } from '../data/files/read-input.ts';
import { type AnyModel, findModel } from '../models/index.ts';
import { type Given, runFlags } from './run-flags.ts';
import { modelOptions } from './schema.ts';

/** A file's content. */
export interface ReadConfigFile {
  readonly path: string;
  readonly model?: string;
  readonly plugins: readonly string[];
  /** By the name of a flag. */
  readonly flags: ReadonlyMap<string, Given>;
  /** Options of the model, from `config:`, `set:` and the model's own flags. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Lines by the path of an option: `seed`, `config.epochs`, `columns.amount`. */
  readonly lines: ReadonlyMap<string, number>;
}

/** The plugins that a configuration file names, by paths from its folder; none where it cannot be read, which is said later. */
export async function pluginsOf(path: string): Promise<string[]> {
  await requireFile(path);
  const text = await readFile(path, 'utf8').catch(() => '');
  const { contents } = parsed(text);
  const value = isMap(contents) ? contents.get('plugin', true) : undefined;
  const names = (isSeq(value) ? value.items : [value]).flatMap((item) =>
    isScalar(item) && typeof item.value === 'string' ? [item.value] : [],
  );
  return names.map((name) => join(dirname(path), name));
}

/** Reads a configuration file. Throws ConfigError with file and line for what is not YAML, not known or of another type. */
export async function readConfigFile(path: string, model?: string): Promise<ReadConfigFile> {
  await requireFile(path);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch {
    throw new ConfigError('config-file', `The configuration file ${path} cannot be read. Check the path of --config.`);
  }
  return parseConfigFile(text, path, model);
}

/** Characters that a configuration file may have. */
const MOST_CHARACTERS = 2 ** 20;

/** True for more open brackets, or a longer indentation, than any list of options has: the parser takes its time with them. */
function isDeep(text: string): boolean {
  let open = 0;
  for (const [bracket] of text.matchAll(/[[{}\]]/g)) {
    open = Math.max(0, open + (bracket === '[' || bracket === '{' ? 1 : -1));
    if (open > MOST_OPEN) return true;
  }
  return /^[\s-]{200}/m.test(text);
}
const MOST_OPEN = 32;

/** A text as a YAML document. Throws ConfigError `config-file` for one that no configuration can be. */
export function parsed(text: string, lineCounter?: LineCounter) {
  const tooMuch = (what: string) =>
    new ConfigError('config-file', `A configuration file must have ${what}. This one is no list of options.`);
  if (isDeep(text)) throw tooMuch('a few levels only');
  if (text.length > MOST_CHARACTERS) throw tooMuch(`at most ${MOST_CHARACTERS} characters`);
  try {
    const document = parseDocument(text, { lineCounter, prettyErrors: false });
    visit(document, {}); // calls itself as deep as the parser does
    return document;
  } catch (error) {
    if (error instanceof RangeError) throw tooMuch('a few levels only');
    throw error;
  }
}

/** The same for a text; `path` is for the messages. `named` is the model of the command line, which wins. */
export function parseConfigFile(text: string, path: string, named?: string): ReadConfigFile {
  const counter = new LineCounter();
  const document = parsed(text, counter);
  const lineAt = (offset: number) => counter.linePos(offset).line;
  const fail = (message: string, offset: number, code = 'config-file') =>
    new ConfigError(code, `${message} (${path}:${lineAt(offset)})`);
  const [broken] = document.errors;
  if (broken) throw fail(`This is not YAML: ${broken.message.replace(/\.$/, '')}.`, broken.pos[0]);

  visit(document, {
    Alias: (_, { range }) => {
      throw fail('A configuration file must write out its values; aliases (*name) are not read.', range?.[0] ?? 0);
    },
    Pair: (_, pair) => {
      const { key, offset } = keyOf(pair as Pair);
      if (isReserved(key)) throw fail(`A configuration file has no key "${key}".`, offset, 'unknown-config-key');
    },
  });

  const flags = new Map<string, Given>();
  const lines = new Map<string, number>();
  const config: Record<string, unknown> = {};
  const plugins: string[] = [];
  let model: string | undefined;
  if (document.contents === null) return { path, plugins, flags, config, lines };
  if (!isMap(document.contents)) throw fail('A configuration file must be a list of "key: value" lines.', 0);
  const pairs = document.contents.items.map((pair) => ({ pair, ...keyOf(pair) }));

  const modelPair = pairs.find(({ key }) => key === 'model');
  if (modelPair) model = textOf(modelPair.pair.value as Node, () => fail('"model" must be a text.', modelPair.offset));
  const own = modelWith(named ?? model);
  const isKnown = new Map(
    runFlags.flatMap(({ option, flag }) =>
      [flag.name, ...(flag.formerly ? [flag.formerly] : [])].map((key) => [key, { option, flag }]),
    ),
  );
  for (const { pair, key, offset } of pairs) {
    const value = pair.value as Node | null;
    if (key === 'model') continue;
    if (key === 'plugin') {
      const bad = () => fail('"plugin" must be a path, or a list of paths.', offset);
      plugins.push(...(isSeq(value) ? value.items : [value]).map((item) => textOf(item as Node, bad)));
      continue;
    }
    if (key === 'config' || (key === 'set' && isMap(value))) {
      if (!isMap(value)) throw fail(`"${key}" must be a list, "key: value" each.`, offset);
      for (const inner of value.items) {
        const { key: name, offset: where } = keyOf(inner);
        const known = own?.options.find((o) => plain(o.key) === plain(name));
        config[known?.key ?? name] = isScalar(inner.value) ? inner.value.value : (inner.value as Node).toJSON();
        lines.set(`config.${known?.key ?? name}`, lineAt(where));
      }
      continue;
    }
    const found = isKnown.get(key);
    if (!found) {
      const option = own?.options.find((o) => o.flag === key);
      if (!option) throw unknownKey(key, own, (message) => fail(message, offset, 'unknown-config-key'));
      config[option.key] = isScalar(value) ? value.value : undefined;
      lines.set(`config.${option.key}`, lineAt(offset));
      continue;
    }
    const { option, flag } = found;
    lines.set(option, lineAt(offset));
    const given = givenOf(flag, value, (must) =>
      fail(`"${key}" must be ${must}, got ${JSON.stringify(value?.toJSON() ?? null)}.`, offset),
    );
    if (given === undefined) continue;
    flags.set(flag.name, given);
    if (isMap(value))
      for (const inner of value.items) lines.set(`${option}.${keyOf(inner).key}`, lineAt(keyOf(inner).offset));
  }
  return { path, model, plugins, flags, config, lines };
}

/** Adds file and line to an error about an option that the file gave. */
export function located(
  error: ConfigError,
  { lines, path }: ReadConfigFile,
  flags: ReadonlyMap<string, Given>,
): ConfigError {
  const about = error.facts?.option;
  if (!about) return error;
  const flag = runFlags.find(({ option }) => option === about[0])?.flag.name;
  const line = lines.get(about.join('.')) ?? lines.get(about[0]);
  if (line === undefined || (flag && about[0] !== 'config' && flags.has(flag))) return error;
  return new ConfigError(error.code, [...error.text, ` (${path}:${line})`], error.facts);
}

/** What a file gives of a flag; undefined for a switch that is off. */
function givenOf(
  { value, repeats, name }: (typeof runFlags)[number]['flag'],
  node: Node | null,
  fail: (must: string) => ConfigError,
): Given | undefined {
  if (!value) {
    const isOn = isScalar(node) ? node.value : undefined;
    if (typeof isOn !== 'boolean') throw fail('true or false');
    return isOn ? true : undefined;
  }
  if (repeats && isMap(node)) {
    return node.items.map((pair) => `${keyOf(pair).key}=${textOf(pair.value as Node, () => fail('a text each'))}`);
  }
  if (isSeq(node)) {
    const texts = node.items.map((item) => textOf(item as Node, () => fail('a list of texts')));
    return repeats ? texts : [texts.join(',')];
  }
  if (!isScalar(node) || node.value === null || typeof node.value === 'object')
    throw fail(`what --${name} takes, ${value}`);
  return [String(node.value)];
}

const plain = (word: string) => word.replace(/-/g, '').toLowerCase();

/** The model that the options belong to, with them; undefined where it is not known (yet). */
function modelWith(name: string | undefined) {
  if (name === undefined) return undefined;
  let model: AnyModel;
  try {
    model = findModel(name);
  } catch {
    return undefined; // said when the training begins
  }
  return { model, options: modelOptions(model) };
}

function unknownKey(
  key: string,
  own: ReturnType<typeof modelWith>,
  fail: (message: string) => ConfigError,
): ConfigError {
  const known = [
    'model',
    'plugin',
    'config',
    ...runFlags.map(({ flag }) => flag.name),
    ...(own?.options.map((o) => o.flag) ?? []),
  ];
  const near = nearestName(key, known);
  const hint = near ? `Did you mean "${near}"?` : `Known: ${known.join(', ')}.`;
  return fail(`A configuration file has no key "${key}". ${hint}`);
}

function textOf(node: Node | null, fail: () => ConfigError): string {
  const value = isScalar(node) ? node.value : undefined;
  if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') throw fail();
  return String(value);
}

/** A key and the place where it begins. */
export function keyOf(pair: Pair): { key: string; offset: number } {
  if (!isScalar(pair.key)) return { key: String(pair.key), offset: 0 };
  return { key: String(pair.key.value), offset: pair.key.range?.[0] ?? 0 };
}
