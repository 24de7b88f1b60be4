/**
 * From a zod schema to everything that is said of options: ranges in words, flags of the command line, keys of a
 * configuration file, what a run keeps. An option is one entry of a schema with its facts beside it.
 */
import * as z from 'zod';
import { ConfigError, factsOf, nearestName } from './errors.ts';
import { option, optionList, type Said, say } from './text.ts';

/** A flag of the command line, which is also the key of a configuration file. */
export interface FlagFacts {
  /** Without dashes: `train-limit`. A name that begins with `no-` switches the option off. */
  readonly name: string;
  /** What its value is called in help: `<n>`; absent for a switch. */
  readonly value?: string;
  /** One line of help, with the default. */
  readonly help: Said;
  /**
   * The option's value from a text, and from what earlier flags of the same option gave; a text that is none of the kind
   * goes on as it is, for the schema to refuse. Switches need none.
   */
  read?(text: string, before: unknown): unknown;
  /** The flag may be given again and again, `key=value` each; in a configuration file a list of such lines. */
  readonly repeats?: boolean;
  /** Another flag without which this one means nothing. */
  readonly needs?: string;
  /** A former key of configuration files. */
  readonly formerly?: string;
}

/** What is known of an option beside its type. */
export interface OptionFacts {
  readonly group: 'Task' | 'Model' | 'Run';
  /** None for what only programs can give. */
  readonly flags: readonly FlagFacts[];
  /** A resumed run must have the value that it began with; the checkpoint itself knows the others. */
  readonly mustMatch?: boolean;
  /** Kept in `run.json` as it was given. */
  readonly recorded?: boolean;
}

/** The facts of every option, by its schema. */
export const optionFacts = z.registry<OptionFacts>();

/** What is read of the JSON Schema of an option. */
export interface Property {
  readonly type?: 'number' | 'integer' | 'boolean' | 'string' | 'array' | 'object';
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Property[];
  readonly description?: string;
  readonly default?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
}

/** JSON Schema of each option of an object, in its order; what JSON cannot hold is left open. */
export function propertiesOf(schema: z.ZodType): Readonly<Record<string, Property>> {
  const json = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  return (json.properties ?? {}) as Record<string, Property>;
}

/** Bounds of a number; zod states the range of safe integers where a schema gives none. */
function boundsOf({ minimum, maximum, exclusiveMinimum, exclusiveMaximum }: Property) {
  return {
    low: minimum === Number.MIN_SAFE_INTEGER ? undefined : minimum,
    high: maximum === Number.MAX_SAFE_INTEGER ? undefined : maximum,
    above: exclusiveMinimum,
    below: exclusiveMaximum,
  };
}

/** What a value must be, in words: `an integer from 1 to 4096`, `one of l1, l2, ssim`, `a number above 0 and at most 1`. */
export function rangeOf(p: Property): string {
  if (p.enum) return `one of ${p.enum.join(', ')}`;
  if (p.type === 'boolean') return 'true or false';
  if (p.type === 'string') return 'a text';
  if (p.type !== 'integer' && p.type !== 'number') return `a ${p.type ?? 'value of another kind'}`;
  const noun = p.type === 'integer' ? 'an integer' : 'a number';
  const { low, high, above, below } = boundsOf(p);
  if (low !== undefined && high !== undefined) return `${noun} from ${low} to ${high}`;
  const parts: string[] = [];
  if (low !== undefined) parts.push(`at least ${low}`);
  if (above !== undefined) parts.push(`above ${above}`);
  if (high !== undefined) parts.push(`at most ${high}`);
  if (below !== undefined) parts.push(`below ${below}`);
  if (parts.length === 0) return noun;
  return `${noun} ${low !== undefined ? 'of ' : ''}${parts.join(' and ')}`;
}

/** The same for tables: `1 … 4096`, `l1 | l2 | ssim`, `> 0, ≤ 1`. */
export function shortRangeOf(p: Property): string {
  if (p.enum) return p.enum.join(' | ');
  if (p.type === 'boolean') return 'true | false';
  const { low, high, above, below } = boundsOf(p);
  if (low !== undefined && high !== undefined) return `${low} … ${high}`;
  const parts: string[] = [];
  if (above !== undefined) parts.push(`> ${above}`);
  if (low !== undefined) parts.push(`≥ ${low}`);
  if (high !== undefined) parts.push(`≤ ${high}`);
  if (below !== undefined) parts.push(`< ${below}`);
  return parts.join(', ');
}

/**
 * Throws ConfigError `unknown-option` for keys that are not known, offering the nearest one. `within` is the path of the
 * options that hold the keys.
 */
export function checkKeys(
  given: object,
  known: readonly string[],
  owner: string,
  within: readonly string[] = [],
): void {
  const pathOf = (name: string) => [...within, name];
  for (const [key, value] of Object.entries(given)) {
    if (known.includes(key)) continue;
    const near = nearestName(key, known);
    const all = known.length > 0 ? optionList(known.map(pathOf)) : 'none';
    const hint = near ? say`Did you mean ${option(pathOf(near))}?` : say`It has ${all}.`;
    throw new ConfigError(
      'unknown-option',
      say`${owner} has no option named "${key}". ${hint}`,
      factsOf({ option: pathOf(key), value }),
    );
  }
}

/** A text as a number; a text that is none stays as it is, for the schema to refuse. */
export const readNumber = (text: string): unknown =>
  text.trim() !== '' && !Number.isNaN(Number(text)) ? Number(text) : text;

/** Texts separated by commas. */
export const readList = (text: string): string[] => text.split(',').map((part) => part.trim());

/** Height and width: `128` or `64x96`; any other text stays as it is, for the schema to refuse. */
export function readSides(text: string): readonly [number, number] | string {
  const [height, width = height, ...more] = text
    .toLowerCase()
    .split('x')
    .map((side) => (side.trim() === '' ? Number.NaN : Number(side)));
  return more.length === 0 && Number.isInteger(height) && Number.isInteger(width) ? [height, width] : text;
}

/** One `key=value` of the option `name`, added to those before it. Throws ConfigError `set` for a text without a key. */
export function readPair(
  text: string,
  before: unknown,
  name: string,
  [key, value]: readonly [string, unknown],
): Record<string, string> {
  const at = text.indexOf('=');
  if (at < 1) {
    const example = option([name, key], value);
    throw new ConfigError('set', say`${option(name)} takes key=value, got "${text}". For example: ${example}`);
  }
  const chosen = text.slice(0, at).trim();
  if (isReserved(chosen))
    throw new ConfigError('unknown-option', say`${option(name)} cannot set "${chosen}". Leave it out.`);
  return { ...(before as Record<string, string> | undefined), [chosen]: text.slice(at + 1).trim() };
}

/** True for the name that stands for the prototype of an object, which no option and no column can have. */
export const isReserved = (name: string): boolean => name === '__proto__';
