/** Options that several commands share, and how a text becomes a value. */
import { type Command, Option } from 'commander';
import type { AlarmRule } from '../core/alarms.ts';
import { ConfigError, unknownName } from '../core/errors.ts';
import type { RegionOption } from '../engine/task/view-options.ts';
import { type AnyModel, models } from '../models/index.ts';
import { alarmFlags } from '../runs/alarm-flags.ts';
import { type Device, deviceNames } from '../runtime/runtime.ts';
import { type ModelOption, modelOptions, typedValue } from './schema.ts';

/** A whole number of at least `min`, or ConfigError. */
export function integer(flag: string, min: number, max = Number.MAX_SAFE_INTEGER) {
  return (text: string): number => {
    const value = Number(text);
    if (text.trim() !== '' && Number.isInteger(value) && value >= min && value <= max) return value;
    const range = max === Number.MAX_SAFE_INTEGER ? `>= ${min}` : `from ${min} to ${max}`;
    throw new ConfigError('option-range', `${flag} must be a whole number ${range}, got "${text}".`);
  };
}

/** A finite number, or ConfigError. */
export function number(flag: string) {
  return (text: string): number => {
    const value = Number(text);
    if (text.trim() !== '' && Number.isFinite(value)) return value;
    throw new ConfigError('option-range', `${flag} must be a number, got "${text}".`);
  };
}

/** A number between two bounds, both excluded, or ConfigError. */
export function between(flag: string, low: number, high: number) {
  return (text: string): number => {
    const value = Number(text);
    if (text.trim() !== '' && value > low && value < high) return value;
    throw new ConfigError('option-range', `${flag} must be a number between ${low} and ${high}, got "${text}".`);
  };
}

/** A share above 0 and at most 1, or ConfigError. */
export function share(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && value > 0 && value <= 1) return value;
  throw new ConfigError('option-range', `A share must be a number above 0 and at most 1, got "${text}".`);
}

/** Height and width of images: `128` or `64x96`, or ConfigError. */
export function imageSize(text: string): [number, number] {
  const [height, width = height, ...more] = text.toLowerCase().split('x').map(Number);
  if (more.length === 0 && Number.isInteger(height) && Number.isInteger(width)) return [height, width];
  throw new ConfigError('image-size', `--size must be a whole number or height x width, such as 64x96, got "${text}".`);
}

/** Height and width of tiles, as those of images, or ConfigError. */
export function tileSize(text: string): [number, number] {
  const [height, width = height, ...more] = text.toLowerCase().split('x').map(Number);
  const isSide = (n: number) => Number.isInteger(n) && n >= 1;
  if (more.length === 0 && isSide(height) && isSide(width)) return [height, width];
  throw new ConfigError('tiles', `--tile must be a whole number or height x width, such as 256, got "${text}".`);
}

/** `x,y,width,height` in pixels, or else the path of an image file. */
export function region(text: string): RegionOption {
  const numbers = text.split(',').map((part) => (part.trim() === '' ? Number.NaN : Number(part)));
  if (numbers.every(Number.isNaN)) return text;
  const [x, y, width, height] = numbers;
  if (numbers.length === 4 && numbers.every(Number.isInteger)) return { x, y, width, height };
  throw new ConfigError(
    'region',
    `--region must be four whole numbers x,y,width,height or the path of an image file, got "${text}".`,
  );
}

/** 1 or 3, or ConfigError. */
export function imageChannels(text: string): 1 | 3 {
  if (text === '1' || text === '3') return text === '1' ? 1 : 3;
  throw new ConfigError('channels', `--channels must be 1 (grey) or 3 (colour), got "${text}".`);
}

/** A device by name, or ConfigError that offers the nearest one. */
export function device(text: string): Device | 'auto' {
  const known = ['auto', ...deviceNames];
  if (!known.includes(text)) throw unknownName('device', text, known);
  return text as Device | 'auto';
}

/** Texts separated by commas. */
export const commaList = (text: string): string[] => text.split(',').map((part) => part.trim());

/** Adds how a command speaks: `--json`, `--quiet`, `--debug`. */
export function addSpeech(command: Command): Command {
  return command
    .optionsGroup('Output:')
    .option('--json', 'one JSON object on stdout, everything else on stderr')
    .option('--quiet', 'no progress and no remarks; warnings and errors still show')
    .option('--debug <level>', '0 … 3: timings and stacks, graphs, ONNX files', integer('--debug', 0, 3))
    .helpOption('-h, --help', 'show this help');
}

/** Adds `--device`. */
export function addDevice(command: Command): Command {
  return command.option('--device <name>', `auto, ${deviceNames.join(', ')} (default: auto)`, device);
}

/** One `key=value` of `--set`, collected. */
export function collectSetting(text: string, before: Record<string, string> = {}): Record<string, string> {
  const split = text.indexOf('=');
  if (split < 1) throw new ConfigError('set', `--set takes key=value, got "${text}". For example: --set epochs=5`);
  return { ...before, [text.slice(0, split).trim()]: text.slice(split + 1).trim() };
}

/** The first word of a command line that is a model's name: its options become flags. */
export function modelOf(words: readonly string[]): AnyModel | undefined {
  return words.map((word) => models.find((m) => m.name === word)).find((m) => m !== undefined);
}

/**
 * Adds a model's options as flags and returns those that were added: where the command has a flag of that name already,
 * `--set` is the way.
 */
export function addModelFlags(command: Command, model: AnyModel): ModelOption[] {
  const taken = new Set(command.options.map((o) => o.long));
  const group = `Options of ${model.name}:`;
  const added: ModelOption[] = [];
  for (const option of modelOptions(model)) {
    const value = option.choices ? 'name' : option.type === 'boolean' ? 'true|false' : 'n';
    const text = `${option.description} [${option.range}] (default: ${option.default})`;
    if (taken.has(`--${option.flag}`)) {
      command.addHelpText('after', `\n${group}\n  --set ${option.key}=<${value}>  ${text}`);
    } else {
      command.addOption(new Option(`--${option.flag} <${value}>`, text).helpGroup(group));
      added.push(option);
    }
  }
  return added;
}

/**
 * A model's options from its flags and from `--set`, typed by its schema. Keys that it does not know go on as they are,
 * for the engine to refuse.
 */
export function modelSettings(
  model: AnyModel,
  flags: readonly ModelOption[],
  given: Readonly<Record<string, unknown>>,
  settings: Readonly<Record<string, string>>,
): Record<string, unknown> {
  const plain = (s: string) => s.replace(/-/g, '').toLowerCase();
  const config: Record<string, unknown> = {};
  for (const option of flags) {
    const text = given[option.key];
    if (typeof text === 'string') config[option.key] = typedValue(option, text);
  }
  const options = modelOptions(model);
  for (const [key, text] of Object.entries(settings)) {
    const option = options.find((o) => plain(o.key) === plain(key));
    config[option?.key ?? key] = typedValue(option, text);
  }
  return config;
}

/** Adds the flags of the rule of alarms; `otherwise` says what holds without them. */
export function addAlarmFlags(command: Command, otherwise: string): Command {
  for (const { name, field, value, help } of alarmFlags) {
    const reader =
      field === 'hysteresis' ? between(`--${name}`, 0, 1) : integer(`--${name}`, field === 'least' ? 1 : 0);
    command.option(`--${name} ${value}`, `${help} (default: ${otherwise})`, reader);
  }
  return command;
}

/** What the flags of the rule of alarms gave. */
export interface AlarmOptions {
  readonly mergeGap?: number;
  readonly least?: number;
  readonly hysteresis?: number;
  readonly coolDown?: number;
}

/** The rule that the flags gave; undefined for none. */
export function alarmRuleOf({ mergeGap: gap, least, hysteresis, coolDown }: AlarmOptions): AlarmRule | undefined {
  const given = Object.entries({ gap, least, hysteresis, coolDown }).filter(([, value]) => value !== undefined);
  return given.length === 0 ? undefined : Object.fromEntries(given);
}

/** Behind the help of commands that take `--queue`. */
export const queueHelp =
  '\nThe address of the queue may also stand in the environment, as ODDITY_QUEUE: it may hold a password.';

/** The queue that is named, or that of the environment; an empty text is none. */
export function queueOf({ queue = process.env.ODDITY_QUEUE || undefined }: { readonly queue?: string }) {
  return queue === undefined ? {} : { queue };
}
