/** What follows from the schema of a run: which options are kept, which must stay the same, which values cannot be. */
import { ConfigError, unknownName } from '../core/errors.ts';
import { checkKeys, type OptionFacts, propertiesOf, rangeOf } from '../core/schema.ts';
import { columnKinds } from '../data/index.ts';
import { factsOf, type RecordedOptions, type RunOption, type RunOptions, runOptions } from './options.ts';

/** The names of options that a fact holds for. */
const those = (fact: (facts: OptionFacts) => boolean | undefined) =>
  [...factsOf].filter(([, facts]) => fact(facts)).map(([name]) => name);

/** What `run.json` keeps of options as they were given. */
export function recordedOptions(options: Readonly<Partial<RunOptions>>): RecordedOptions {
  const kept = those((facts) => facts.recorded).map((name) => [name, options[name]] as const);
  return Object.fromEntries(kept.filter(([, value]) => value !== undefined && value !== 0 && value !== 'none'));
}

/** Those options that change what is measured: a report tells them, and a resumed run must have the same. */
export function measuredOptions(options: RecordedOptions): RecordedOptions {
  const same: readonly string[] = those((facts) => facts.mustMatch);
  return Object.fromEntries(Object.entries(recordedOptions(options)).filter(([name]) => same.includes(name)));
}

/** The first option with another value than an earlier start had, where a resumed run must have the same; undefined for none. */
export function changedOption(
  earlier: Readonly<Partial<RunOptions>>,
  now: Readonly<Partial<RunOptions>>,
): { option: RunOption; before: unknown; now: unknown } | undefined {
  const plain = (value: unknown) => JSON.stringify(value ?? null);
  const valueIn = (options: object, name: string) => (options as Record<string, unknown>)[name];
  const [before, after] = [recordedOptions(earlier), recordedOptions(now)];
  const option = those((facts) => facts.mustMatch).find(
    (name) => plain(valueIn(before, name)) !== plain(valueIn(after, name)),
  );
  return option && { option, before: valueIn(before, option), now: valueIn(after, option) };
}

/** Checks options of a run by the schema. Throws ConfigError `unknown-option` (with the nearest name) and `option-range`. */
export function checkRunOptions(given: Readonly<Record<string, unknown>>, owner = 'train'): void {
  const { model, metrics, onEvent, signal, ...options } = given;
  checkKeys(options, ['model', ...Object.keys(runOptions.shape), 'metrics', 'onEvent', 'signal'], owner);
  const parsed = runOptions.partial().safeParse(options);
  if (parsed.success) return;
  const [issue] = parsed.error.issues;
  const [name, ...inner] = issue.path.map(String);
  const { enum: names } = propertiesOf(runOptions)[name] ?? {};
  if (names && typeof options[name] === 'string')
    throw unknownName(titles[name] ?? name, options[name], names.map(String), name);
  throw new ConfigError('option-range', {
    option: name,
    value: options[name],
    must: mustOf(name, inner, issue.message),
  });
}

/** What a name stands for, where that is not the name of the option. */
const titles: Readonly<Record<string, string>> = { mapNormalization: 'normalisation of maps' };

/** What an option must be, in words. */
function mustOf(name: string, inner: readonly string[], otherwise: string): string {
  const said: Readonly<Record<string, string>> = {
    size: 'a whole number or height and width, such as 64x96',
    tiles: inner.includes('overlap')
      ? 'tiles with an overlap from 0 to 0.9'
      : 'a whole number or height and width, such as 256',
    channels: '1 (grey) or 3 (colour)',
    region: 'four whole numbers x,y,width,height, or the path of an image file',
    valueRange: 'two numbers low,high, such as 0,4095',
    data: 'the name of a data set, a path or a Source',
    columns: `columns by name, each ${columnKinds.join(', ')}`,
  };
  const property = propertiesOf(runOptions)[name];
  return said[name] ?? (property ? rangeOf(property) : otherwise);
}
