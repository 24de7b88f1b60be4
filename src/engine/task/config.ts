/** From what a user asked for to a model's typed options, with a sentence for every way to get it wrong. */
import { ConfigError, factsOf, unknownName } from '../../core/errors.ts';
import type { ItemShape } from '../../core/item-shape.ts';
import { checkKeys, propertiesOf, rangeOf } from '../../core/schema.ts';
import { option, say } from '../../core/text.ts';
import type { AnyModel, Model } from '../../models/index.ts';

/** What defaults may follow from: the shape of an item and how many of them train. */
export interface DefaultsFor {
  readonly shape: ItemShape;
  readonly count: number;
}

/**
 * The options of a model: its defaults – with `about`, those for such data –, then a preset's, then those given. Throws
 * ConfigError `unknown-preset`, `unknown-option` (both offer the nearest name) and `option-range`.
 * @example resolveConfig(findModel('autoencoder'), { preset: 'seed-000', config: { epochs: 5 } })
 */
export function resolveConfig<C>(
  model: Model<C>,
  given: { preset?: string; config?: Readonly<Record<string, unknown>> } = {},
  about?: DefaultsFor,
): C {
  const { preset, config = {} } = given;
  const presets = Object.keys(model.presets);
  if (preset !== undefined && !presets.includes(preset)) {
    if (presets.length > 0) throw unknownName('preset', preset, presets, 'preset');
    throw new ConfigError(
      'unknown-preset',
      say`${model.name} has no presets, got "${preset}". Leave ${option('preset')} out.`,
      factsOf({ option: 'preset', value: preset }),
    );
  }
  const properties = propertiesOf(model.config);
  checkKeys(config, Object.keys(properties), model.name, ['config']);
  const asked = { ...(preset === undefined ? {} : model.presets[preset]), ...config };
  const derived = about && model.defaults?.(about.shape, about.count, asked as Partial<C>);
  const merged = { ...derived, ...asked };
  const parsed = model.config.safeParse(merged);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const key = String(issue.path[0] ?? '');
  const value = (merged as Record<string, unknown>)[key];
  const property = properties[key];
  const must = property ? rangeOf(property) : issue.message;
  throw new ConfigError('option-range', { of: model.name, option: ['config', key], value, must });
}

/**
 * The options that a run was trained with, from what it kept: options that are newer than the run are as they were in effect. What the
 * model does not know now is left as it is.
 */
export function keptConfig(model: AnyModel, kept: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const whole = model.config.safeParse({ ...model.before, ...kept });
  return whole.success ? whole.data : { ...model.before, ...kept };
}
