/**
 * JSON that oddity wrote and reads back. Whoever has such a file may have changed or damaged it, so a schema says what must be
 * there, and what differs is said in a sentence. Fields that a schema does not name pass: a later version may have written them.
 */
import * as z from 'zod';

/** Levels of a stored value: what is deeper was not written by oddity, and would exhaust the stack of whoever walks it. */
const MOST_LEVELS = 64;

/**
 * A value as the schema has it. `refuse` makes the error of a sentence part such as `its "seed" must be a number, found a text`.
 */
export function parseStored<S extends z.ZodType>(
  schema: S,
  value: unknown,
  refuse: (what: string) => Error,
): z.infer<S> {
  if (isDeep(value)) throw refuse(`it must have at most ${MOST_LEVELS} levels`);
  const parsed = schema.safeParse(value);
  if (parsed.success) return value as z.infer<S>; // as it is: defaults were not written
  const [issue] = parsed.error.issues;
  const path = issue.path.map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`)).join('');
  const name = path === '' ? 'it' : `its "${path.replace(/^\./, '').slice(0, 80)}"`;
  throw refuse(`${name} must be ${wanted(issue)}, found ${kindOf(valueAt(value, issue.path))}`);
}

/** What an issue asks for, in plain words. */
function wanted(issue: z.core.$ZodIssue): string {
  if (issue.code === 'custom' && issue.message) return issue.message;
  if (issue.code === 'invalid_value') return `one of ${issue.values.join(', ')}`;
  if (issue.code !== 'invalid_type') return 'a value that oddity can have written';
  const words: Record<string, string> = {
    string: 'a text',
    number: 'a number',
    int: 'a whole number',
    boolean: 'true or false',
    array: 'a list',
    tuple: 'a list',
    object: 'an object',
    record: 'an object',
  };
  return words[issue.expected] ?? 'a value of another kind';
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (inner, key) =>
      typeof inner === 'object' && inner !== null ? (inner as Record<PropertyKey, unknown>)[key] : undefined,
    value,
  );
}

/** What a value is, for a message; short values as they are. */
function kindOf(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'an object';
  if (typeof value !== 'string') return String(value);
  return value.length <= 40 ? JSON.stringify(value) : 'a long text';
}

/** True for a value with more levels than any that is written; walks it without calling itself. */
function isDeep(value: unknown): boolean {
  let level = [value];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > MOST_LEVELS) return true;
    const next: unknown[] = [];
    for (const one of level) {
      if (typeof one !== 'object' || one === null) continue;
      for (const inner of Object.values(one)) if (typeof inner === 'object' && inner !== null) next.push(inner);
    }
    level = next;
  }
  return false;
}

/** The name of a file beside another one: it leads nowhere else, on any system. */
export const bareName = z
  .string()
  .refine((name) => /^[^\\/:]+$/.test(name) && !/^\.+$/.test(name) && !hasControls(name) && name.length <= 255, {
    error: 'the bare name of a file in the same folder',
  });

/** True for a text with control characters. */
const hasControls = (text: string) => [...text].some((c) => c < ' ' || (c >= '\x7f' && c <= '\x9f'));

/** A moment as ISO 8601. */
export const moment = z.string().refine((text) => !Number.isNaN(Date.parse(text)), { error: 'a date and time' });

/** A stored sentence, as `errorData` and `textIfReferring` make it. */
export const storedSentence = z.looseObject({
  code: z.string(),
  message: z.string(),
  text: z
    .array(
      z.union([
        z.string(),
        z.looseObject({ option: z.array(z.string()).min(1) }),
        z.looseObject({ action: z.enum(['train', 'test', 'update', 'predict', 'threshold', 'export', 'report']) }),
      ]),
    )
    .optional(),
});
