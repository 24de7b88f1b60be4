/** From a model's zod schema to flags, help lines and typed values: everything the command line knows of options. */
import { z } from 'zod';
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

interface Property {
  type?: ModelOption['type'];
  enum?: string[];
  description?: string;
  default?: unknown;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  exclusiveMaximum?: number;
}

/** The options of a model in the order of its schema. */
export function modelOptions(model: AnyModel): ModelOption[] {
  const schema = z.toJSONSchema(model.config, { io: 'input' }) as { properties?: Record<string, Property> };
  return Object.entries(schema.properties ?? {}).map(([key, property]) => ({
    key,
    flag: key.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`),
    type: property.type ?? 'string',
    choices: property.enum,
    description: property.description ?? '',
    default: property.default,
    range: rangeOf(property),
  }));
}

function rangeOf(p: Property): string {
  if (p.enum) return p.enum.join(' | ');
  if (p.type === 'boolean') return 'true | false';
  // zod states the range of safe integers where a schema gives none.
  const high = p.maximum === Number.MAX_SAFE_INTEGER ? undefined : p.maximum;
  const low = p.minimum === Number.MIN_SAFE_INTEGER ? undefined : p.minimum;
  if (low !== undefined && high !== undefined) return `${low} … ${high}`;
  const parts: string[] = [];
  if (p.exclusiveMinimum !== undefined) parts.push(`> ${p.exclusiveMinimum}`);
  if (low !== undefined) parts.push(`≥ ${low}`);
  if (high !== undefined) parts.push(`≤ ${high}`);
  if (p.exclusiveMaximum !== undefined) parts.push(`< ${p.exclusiveMaximum}`);
  return parts.join(', ');
}

/** The value that a text on the command line means for an option; a text that does not fit its type stays a text. */
export function typedValue(option: ModelOption | undefined, text: string): unknown {
  const number = option?.type === 'number' || option?.type === 'integer';
  if (number && text.trim() !== '' && !Number.isNaN(Number(text))) return Number(text);
  if (option?.type === 'boolean' && (text === 'true' || text === 'false')) return text === 'true';
  return text;
}
