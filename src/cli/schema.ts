/** From a model's zod schema to flags, help lines and typed values: everything the command line knows of options. */
import { propertiesOf, shortRangeOf } from '../core/schema.ts';
import type { AnyModel } from '../models/index.ts';

/** One option of a model, as its JSON Schema tells it. */
export interface ModelOption {
  /** As in the configuration: `learningRate`. */
  readonly key: string;
  /** As on the command line: `learning-rate`. */
  readonly flag: string;
  readonly type: 'number' | 'integer' | 'boolean' | 'string';
  readonly choices?: readonly string[];
  readonly description: string;
  readonly default: unknown;
  /** Allowed values in words: `1 … 4096`, `l1 | l2 | ssim`. */
  readonly range: string;
}

/** The options of a model in the order of its schema. */
export function modelOptions(model: AnyModel): ModelOption[] {
  return Object.entries(propertiesOf(model.config)).map(([key, property]) => ({
    key,
    flag: key.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`),
    type: (property.type ?? 'string') as ModelOption['type'],
    choices: property.enum as readonly string[] | undefined,
    description: property.description ?? '',
    default: property.default,
    range: shortRangeOf(property),
  }));
}

/** The value that a text on the command line means for an option; a text that does not fit its type stays a text. */
export function typedValue(option: ModelOption | undefined, text: string): unknown {
  const number = option?.type === 'number' || option?.type === 'integer';
  if (number && text.trim() !== '' && !Number.isNaN(Number(text))) return Number(text);
  if (option?.type === 'boolean' && (text === 'true' || text === 'false')) return text === 'true';
  return text;
}
