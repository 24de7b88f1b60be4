/** `--config file.yaml`: the options of a training in a file. Flags win over it. */
import { readFile } from 'node:fs/promises';
import { isMap, isScalar, LineCounter, type Pair, parseDocument } from 'yaml';
import { ConfigError, nearestName } from '../core/errors.ts';

/** What a configuration file may say; the words are those of the flags. */
export interface ConfigFile {
  model?: string;
  data?: string;
  protocol?: string;
  class?: string;
  size?: string;
  channels?: number;
  labelled?: number;
  contamination?: number;
  'train-limit'?: number;
  'test-limit'?: number;
  'held-out'?: string;
  'normalize-map'?: string;
  augment?: string;
  tile?: string;
  overlap?: number;
  region?: string;
  label?: string;
  /** What columns of a CSV file of rows are, by name. */
  columns?: Record<string, unknown>;
  scaling?: string;
  preset?: string;
  seed?: number;
  device?: string;
  out?: string;
  fpr?: number;
  threads?: number;
  maps?: number;
  /** The model's own options. */
  config?: Record<string, unknown>;
}

/** Type of each key; a `name` may be a text or a number. */
const keys: Readonly<Record<keyof ConfigFile, 'text' | 'number' | 'name' | 'options'>> = {
  model: 'text',
  data: 'text',
  protocol: 'text',
  class: 'name',
  size: 'name',
  channels: 'number',
  labelled: 'number',
  contamination: 'number',
  'train-limit': 'number',
  'test-limit': 'number',
  'held-out': 'name',
  'normalize-map': 'text',
  augment: 'text',
  tile: 'name',
  overlap: 'number',
  region: 'text',
  label: 'text',
  columns: 'options',
  scaling: 'text',
  preset: 'text',
  seed: 'number',
  device: 'text',
  out: 'text',
  fpr: 'number',
  threads: 'number',
  maps: 'number',
  config: 'options',
};

/** A file's content, and the line of each key (`config.epochs` for a model's option). */
export interface ReadConfigFile {
  readonly values: ConfigFile;
  readonly lines: ReadonlyMap<string, number>;
}

/** Reads a configuration file. Throws ConfigError with file and line for what is not YAML, not known or of another type. */
export async function readConfigFile(path: string): Promise<ReadConfigFile> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch {
    throw new ConfigError('config-file', `The configuration file ${path} cannot be read. Check the path of --config.`);
  }
  return parseConfigFile(text, path);
}

/** The same for a text; `path` is for the messages. */
export function parseConfigFile(text: string, path: string): ReadConfigFile {
  const counter = new LineCounter();
  const document = parseDocument(text, { lineCounter: counter, prettyErrors: false });
  const at = (offset: number) => `${path}:${counter.linePos(offset).line}`;
  const fail = (message: string, offset: number) => new ConfigError('config-file', `${message} (${at(offset)}).`);
  const [broken] = document.errors;
  if (broken) throw fail(`This is not YAML: ${broken.message.replace(/\.$/, '')}`, broken.pos[0]);

  const values: Record<string, unknown> = {};
  const lines = new Map<string, number>();
  if (document.contents === null) return { values, lines };
  if (!isMap(document.contents)) throw fail('A configuration file must be a list of "key: value" lines', 0);

  const known = Object.keys(keys);
  for (const pair of document.contents.items) {
    const [key, offset] = keyOf(pair);
    if (!known.includes(key)) {
      const near = nearestName(key, known);
      throw new ConfigError(
        'unknown-config-key',
        `A configuration file has no key "${key}" (${at(offset)}). ` +
          `${near ? `Did you mean "${near}"?` : `Known: ${known.join(', ')}.`} Options of the model stand below "config:".`,
      );
    }
    lines.set(key, counter.linePos(offset).line);
    const type = keys[key as keyof ConfigFile];
    if (type === 'options') {
      if (!isMap(pair.value)) throw fail(`"${key}" must be a list, "key: value" each`, offset);
      values[key] = pair.value.toJSON();
      for (const inner of pair.value.items) {
        const [name, where] = keyOf(inner);
        lines.set(`${key}.${name}`, counter.linePos(where).line);
      }
      continue;
    }
    const value = isScalar(pair.value) ? pair.value.value : undefined;
    if (type === 'name' && (typeof value === 'string' || typeof value === 'number')) values[key] = String(value);
    else if (typeof value === (type === 'text' ? 'string' : 'number')) values[key] = value;
    else
      throw fail(`"${key}" must be a ${type === 'number' ? 'number' : 'text'}, got ${JSON.stringify(value)}`, offset);
  }
  return { values, lines };
}

/** A key and the place where it begins. */
function keyOf(pair: Pair): [string, number] {
  return isScalar(pair.key) ? [String(pair.key.value), pair.key.range?.[0] ?? 0] : [String(pair.key), 0];
}
