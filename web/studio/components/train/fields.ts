/** Values of a generated form: which control an option gets, and whether what stands in it can be. */
import type { FormOption, Property } from '../../../../src/studio/jobs/answers.ts';
import { trainWords as say } from '../../words/train.ts';

/** What forms read of a JSON Schema. */
export interface Schema extends Omit<Property, 'anyOf'> {
  readonly anyOf?: readonly Schema[];
  readonly const?: unknown;
  readonly prefixItems?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
}

export type Values = Readonly<Record<string, unknown>>;

/** The values that an option may have, where they can be listed. */
export function choicesOf({ enum: names, anyOf = [] }: Schema): readonly unknown[] | undefined {
  if (names) return names;
  const fixed = anyOf.map((one) => one.const);
  return fixed.length > 0 && fixed.every((value) => value !== undefined) ? fixed : undefined;
}

/** True of height and width. */
export const isPair = ({ anyOf = [] }: Schema): boolean => anyOf.some(({ prefixItems }) => prefixItems?.length === 2);

/** What is wrong with values, by the path of the option; the server looks at the rest. */
export function faultsOf(options: readonly FormOption[], values: Values, within = ''): Record<string, string> {
  const faults: Record<string, string> = {};
  for (const { name, schema, must } of options) {
    const value = values[name];
    if (value === undefined) continue;
    const path = `${within}${name}`;
    const { properties } = schema as Schema;
    if (properties) {
      const inner = Object.entries(properties).map(([key, one]) => ({
        name: key,
        schema: one as Property,
        must: rangeText(one),
      }));
      Object.assign(faults, faultsOf(inner, value as Values, `${path}.`));
    } else if (isPair(schema as Schema)) {
      const sides = value as readonly unknown[];
      if (!sides.every((side) => Number.isInteger(side) && (side as number) > 0)) faults[path] = say.both;
    } else if (!fits(schema as Schema, value)) faults[path] = say.must(must);
  }
  return faults;
}

function fits(schema: Schema, value: unknown): boolean {
  const choices = choicesOf(schema);
  if (choices) return choices.includes(value);
  if (schema.type !== 'integer' && schema.type !== 'number') return true;
  if (typeof value !== 'number' || (schema.type === 'integer' && !Number.isInteger(value))) return false;
  const { minimum = -Infinity, maximum = Infinity, exclusiveMinimum = -Infinity, exclusiveMaximum = Infinity } = schema;
  return value >= minimum && value <= maximum && value > exclusiveMinimum && value < exclusiveMaximum;
}

/** `a number from 0 to 0.9`, of an option inside another. */
function rangeText({ type, minimum, maximum }: Schema): string {
  const noun = type === 'integer' ? 'an integer' : 'a number';
  const isBounded = minimum !== undefined && maximum !== undefined && maximum < Number.MAX_SAFE_INTEGER;
  return isBounded
    ? `${noun} from ${minimum} to ${maximum}`
    : minimum !== undefined
      ? `${noun} of at least ${minimum}`
      : noun;
}
