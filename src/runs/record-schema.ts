/** What `run.json` may hold, as a schema: a run's folder comes from wherever a user has it. */
import * as z from 'zod';
import { moment, storedSentence } from '../core/stored.ts';
import { encodingSchema, regionSchema, tilesSchema, valueRangeSchema } from '../engine/scoring/artifact-schema.ts';
import { factsOf, runOptions } from './options.ts';

/** Options that are kept as they were given, with what each of them must be. */
const recorded = Object.fromEntries(
  Object.entries<z.ZodType>(runOptions.shape).filter(([name]) => factsOf.get(name as never)?.recorded),
);
const { channels, maxPixels, folderNames, acceptLicence } = runOptions.shape;

/** `run.json`, but for its format, which is checked before. */
export const recordSchema = z.looseObject({
  ...recorded,
  ...{ channels, maxPixels, folderNames, acceptLicence },
  model: z.string(),
  config: z.record(z.string(), z.unknown()),
  data: z.string(),
  size: z.tuple([z.int().min(1), z.int().min(1)]).optional(),
  measuredRange: valueRangeSchema.optional(),
  table: encodingSchema.optional(),
  tiles: tilesSchema.optional(),
  region: regionSchema.optional(),
  dataRoot: z.string(),
  dataHash: z.string(),
  protocol: z.string(),
  class: z.string(),
  splitHash: z.string(),
  seed: z.int(),
  falseAlarmRate: z.number(),
  device: z.string(),
  versions: z.record(z.string(), z.string()),
  status: z.enum(['running', 'done', 'cancelled', 'failed']),
  startedAt: moment,
  endedAt: moment.optional(),
  error: storedSentence.optional(),
  sha256: z.looseObject({ predictions: z.string() }).optional(),
});
