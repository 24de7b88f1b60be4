/** How a server is started: one schema, from which flags, checks and words follow. */
import * as z from 'zod';
import { ConfigError } from '../core/errors.ts';
import { option, say } from '../core/text.ts';
import { deviceNames } from '../runtime/runtime.ts';

export const serveOptions = z.strictObject({
  host: z
    .string()
    .min(1)
    .default('127.0.0.1')
    .describe('address to listen on; another one than this machine needs a token'),
  port: z.int().min(0).max(65_535).default(8080).describe('port to listen on; 0 takes a free one'),
  token: z
    .string()
    .optional()
    .describe(
      'text that requests must send as Authorization: Bearer; other users of the machine can see it in its list of processes',
    ),
  tokenFile: z.string().min(1).optional().describe('file that holds the token'),
  names: z.array(z.string()).default([]).describe('names besides the address by which the server may be asked'),
  origins: z.array(z.string()).default([]).describe('pages that may ask, such as https://lines.example.com'),
  memory: z.number().positive().default(2048).describe('MiB that open detectors may take together'),
  queue: z.int().min(1).default(8192).describe('items that may wait before a detector; more are refused with 429'),
  deadline: z.number().positive().default(30).describe('seconds within which a request is answered'),
  maxBody: z.number().positive().default(64).describe('MiB of a request'),
  maxItems: z.int().min(1).default(8192).describe('images or rows of a request; steps of a series are not counted'),
  maxPixels: z.int().min(1).default(50_000_000).describe('pixels of an image'),
  threads: z.int().min(1).optional().describe('threads inside one operator; default all cores'),
  device: z
    .enum(['auto', ...deviceNames])
    .default('auto')
    .describe('where detectors compute'),
});

/** Options of `serve`, as a caller gives them. */
export type ServeOptions = z.input<typeof serveOptions>;
export type FullServeOptions = z.output<typeof serveOptions>;

/** Options of a server as its schema has them, with its defaults. Throws ConfigError `option-range` that names the first one that cannot be. */
export function checkedOptions<S extends z.ZodType>(schema: S, given: z.input<S>): z.output<S> {
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const [name = 'options'] = issue.path.map(String);
  throw new ConfigError('option-range', say`${option(name)} is not as it must be: ${issue.message}.`);
}
