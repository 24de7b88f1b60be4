/** Bodies that must be JSON of a known form. */
import type { Context } from 'hono';
import type * as z from 'zod';
import { Problem } from '../../server/problem.ts';
import { bodyBytes, jsonOf } from '../../server/request-body.ts';

/** Bytes of such a body. */
const MOST = 8 * 2 ** 20;

/** Reads and checks a body; throws Problem 400 with the first place that is not as it must be, 413 for more than 8 MiB. */
export async function readBody<S extends z.ZodType>(c: Context, schema: S): Promise<z.output<S>> {
  const value = jsonOf(await bodyBytes(c, MOST));
  if (value === undefined) throw new Problem(400, 'bad-json', 'The body must be JSON in UTF-8.');
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [{ path, message }] = parsed.error.issues;
  const place = path.length > 0 ? `"${path.map(String).join('.')}"` : 'The body';
  throw new Problem(400, 'bad-body', `${place} is not as it must be: ${message}.`);
}
