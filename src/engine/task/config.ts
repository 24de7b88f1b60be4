/** From what a user asked for to a model's typed options, with a sentence for every way to get it wrong. */
import { z } from 'zod';
import { ConfigError, factsOf, nearestName, unknownName } from '../../core/errors.ts';
import type { ItemShape } from '../../core/item-shape.ts';
import { option, optionList, say } from '../../core/text.ts';
import type { Model } from '../../models/index.ts';

/** What is read of an option's JSON Schema. */
interface Property {
  type?: string;
  enum?: readonly unknown[];
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  exclusiveMaximum?: number;
}

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
  const { properties = {} } = z.toJSONSchema(model.config, { io: 'input' }) as {
    properties?: Record<string, Property>;
  };
  const known = Object.keys(properties);
  for (const key of Object.keys(config)) {
    if (known.includes(key)) continue;
    const near = nearestName(key, known);
    const all = known.length > 0 ? optionList(known.map((name) => ['config', name])) : 'none';
    const hint = near ? say`Did you mean ${option(['config', near])}?` : say`It has ${all}.`;
    throw new ConfigError(
      'unknown-option',
      say`${model.name} has no option named "${key}". ${hint}`,
      factsOf({ option: ['config', key], value: config[key] }),
    );
  }
  const derived = about && model.defaults?.(about.shape, about.count);
  const merged = { ...derived, ...(preset === undefined ? {} : model.presets[preset]), ...config };
  const parsed = model.config.safeParse(merged);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const key = String(issue.path[0] ?? '');
  const value = (merged as Record<string, unknown>)[key];
  const property = properties[key];
  const must = property ? rangeOf(property) : issue.message;
  throw new ConfigError('option-range', { of: model.name, option: ['config', key], value, must });
}

/** `an integer from 1 to 4096`, `one of l1, l2, ssim`, `a number above 0 and at most 1`. */
function rangeOf(p: Property): string {
  if (p.enum) return `one of ${p.enum.join(', ')}`;
  if (p.type === 'boolean') return 'true or false';
  if (p.type !== 'integer' && p.type !== 'number') return `a ${p.type ?? 'value of another kind'}`;
  const noun = p.type === 'integer' ? 'an integer' : 'a number';
  // zod states the range of safe integers where a schema gives none.
  const low = p.minimum === Number.MIN_SAFE_INTEGER ? undefined : p.minimum;
  const high = p.maximum === Number.MAX_SAFE_INTEGER ? undefined : p.maximum;
  if (low !== undefined && high !== undefined) return `${noun} from ${low} to ${high}`;
  const parts: string[] = [];
  if (low !== undefined) parts.push(`at least ${low}`);
  if (p.exclusiveMinimum !== undefined) parts.push(`above ${p.exclusiveMinimum}`);
  if (high !== undefined) parts.push(`at most ${high}`);
  if (p.exclusiveMaximum !== undefined) parts.push(`below ${p.exclusiveMaximum}`);
  return parts.length > 0 ? `${noun} ${parts.join(' and ')}` : noun;
}
