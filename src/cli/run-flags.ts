/** The options of a run on the command line and in a configuration file: both follow from the schema of a run. */
import { type Command, Option } from 'commander';
import { ConfigError } from '../core/errors.ts';
import type { FlagFacts, OptionFacts } from '../core/schema.ts';
import { write } from '../core/text.ts';
import { factsOf, type RunOption, type RunOptions } from '../runs/options.ts';
import { commandWords } from './words.ts';

/** What was given of one flag: its texts in their order, or true for a switch. */
export type Given = readonly string[] | true;

/** Every flag of a run with the option that it belongs to. */
export const runFlags: readonly {
  readonly option: RunOption;
  readonly facts: OptionFacts;
  readonly flag: FlagFacts;
}[] = [...factsOf].flatMap(([option, facts]) => facts.flags.map((flag) => ({ option, facts, flag })));

/** Adds the flags of a run to a command, group by group: all, or those of some options. Values stay texts until `optionsFrom`. */
export function addRunFlags(command: Command, only?: readonly RunOption[]): Command {
  for (const group of ['Task', 'Model', 'Run'] as const) {
    command.optionsGroup(`${group}:`);
    for (const { option: name, facts, flag } of runFlags) {
      if (facts.group !== group || (only && !only.includes(name))) continue;
      const option = new Option(
        flag.value ? `--${flag.name} ${flag.value}` : `--${flag.name}`,
        write(flag.help, commandWords),
      );
      if (flag.repeats) option.argParser((text: string, before: string[] = []) => [...before, text]);
      command.addOption(option);
    }
  }
  return command;
}

/** What the command line gave of each flag. */
export function givenFlags(values: Readonly<Record<string, unknown>>): ReadonlyMap<string, Given> {
  const given = new Map<string, Given>();
  for (const { flag } of runFlags) {
    const isNo = flag.name.startsWith('no-');
    const key = (isNo ? flag.name.slice(3) : flag.name).replace(/-([a-z\d])/g, (_, c: string) => c.toUpperCase());
    const value = values[key];
    if (isNo ? value === false : value === true) given.set(flag.name, true);
    else if (typeof value === 'string') given.set(flag.name, [value]);
    else if (Array.isArray(value)) given.set(flag.name, value);
  }
  return given;
}

/**
 * Options of a run from what flags and a configuration file gave; flags win, and both add up where a flag may repeat.
 * Throws ConfigError for a flag without another one that it needs, and as the readers of texts.
 */
export function optionsFrom(
  flags: ReadonlyMap<string, Given>,
  file: ReadonlyMap<string, Given> = new Map(),
): Partial<RunOptions> {
  const options: Record<string, unknown> = {};
  const textsOf = ({ name, repeats }: FlagFacts): Given | undefined => {
    const [own, other] = [flags.get(name), file.get(name)];
    return repeats && Array.isArray(own) && Array.isArray(other) ? [...other, ...own] : (own ?? other);
  };
  for (const { option, flag } of runFlags) {
    const given = textsOf(flag);
    if (given === undefined) continue;
    if (flag.needs && !flags.has(flag.needs) && !file.has(flag.needs)) {
      throw new ConfigError('needs', `--${flag.name} needs --${flag.needs}.`);
    }
    if (given === true) options[option] = !flag.name.startsWith('no-');
    else for (const text of given) options[option] = flag.read ? flag.read(text, options[option]) : text;
  }
  return options as Partial<RunOptions>;
}
