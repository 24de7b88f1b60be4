/** What `metrics.json` may hold, as a schema: in the form of today, and in that of version 0.1.0. */
import * as z from 'zod';
import { DataError } from '../core/errors.ts';
import { parseStored, storedSentence } from '../core/stored.ts';
import type { RunReport } from '../engine/judging/report-types.ts';
import { regionSchema, thresholdSchema, tilesSchema } from '../engine/scoring/artifact-schema.ts';
import { choiceSchema } from './choice-schema.ts';
import type { OldReport } from './report-file.ts';

const number = z.number().nullable();
const interval = z.tuple([z.number(), z.number()]).nullable();
/** Values by level and name; by name alone in the old form. */
const byName = <T extends z.ZodType>(value: T) => z.record(z.string(), z.union([value, z.record(z.string(), value)]));
const numbers = z.record(z.string(), number);
const profile = z.array(z.looseObject({ op: z.string() })).optional();

const reportSchema = z.looseObject({
  run: z.string(),
  model: z.string(),
  data: z.string(),
  kind: z.string(),
  shape: z.array(z.int().min(1)).min(1).max(4),
  protocol: z.string(),
  class: z.string(),
  seed: z.number(),
  device: z.string(),
  config: z.record(z.string(), z.unknown()),
  description: z.string(),
  parameters: z.number(),
  tiles: tilesSchema.optional(),
  region: regionSchema.optional(),
  augment: z.record(z.string(), z.unknown()).optional(),
  mapNormalization: z.string().optional(),
  choice: choiceSchema.optional(),
  counts: z.looseObject({
    train: z.number(),
    trainAnomalies: z.number(),
    validation: z.number(),
    test: z.number(),
    testAnomalies: z.number(),
    contaminants: z.number().optional(),
  }),
  metrics: byName(number),
  intervals: byName(interval),
  perType: z.array(
    z.looseObject({
      type: z.string(),
      count: z.number(),
      metrics: numbers.optional(),
      recall: number,
      meanScore: number,
    }),
  ),
  perMap: z.record(z.string(), z.array(number)).optional(),
  curves: z
    .record(
      z.string(),
      z.looseObject({
        limit: z.number(),
        falsePositiveRate: z.array(z.number()),
        overlap: z.array(z.number()),
        at: z.tuple([z.number(), z.number()]).nullable(),
      }),
    )
    .optional(),
  reasons: byName(z.string()),
  ownMetrics: z.array(z.looseObject({ name: z.string(), title: z.string(), level: z.string() })).optional(),
  leakFree: z.boolean(),
  baselines: z.record(z.string(), byName(number)),
  threshold: thresholdSchema,
  validation: z.looseObject({ mean: number, median: number, max: number }),
  timings: z.looseObject({
    loadSeconds: z.number(),
    fitSeconds: z.number(),
    stepsPerSecond: number,
    scoreMsPerItem: z.number(),
    totalSeconds: z.number(),
  }),
  peakMemoryBytes: z.number(),
  versions: z.record(z.string(), z.string()),
  history: z.array(z.record(z.string(), z.unknown())).optional(),
  warnings: z.array(storedSentence).optional(),
  profile: z.looseObject({ fit: profile, score: profile }).optional(),
});

/** A report as it was read; `path` is for messages. Throws DataError `metrics-damaged`. */
export function checkReport(value: unknown, path: string): RunReport | OldReport {
  return parseStored(
    reportSchema,
    value,
    (what) => new DataError('metrics-damaged', `${path} is damaged: ${what}. Restore it, or train again.`),
  ) as unknown as RunReport;
}
