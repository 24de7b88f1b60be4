/** What `model.json` may hold, as a schema: it is read from wherever a user has it. */
import * as z from 'zod';
import { alarmRule } from '../../core/alarm-rule.ts';
import { bareName } from '../../core/stored.ts';

const hash = z.string();
const numberOrNull = z.number().nullable();
const positive = z.int().min(1);
const interval = z.tuple([z.number(), z.number()]);

/** A threshold, as it stands in `model.json` and `metrics.json`. */
export const thresholdSchema = z.looseObject({
  value: numberOrNull,
  rule: z.string().optional(),
  sawTest: z.boolean().optional(),
  wantedFalseAlarmRate: numberOrNull.optional(),
  normals: z.number(),
  empiricalRate: numberOrNull.optional(),
  interval,
  reason: z.string().nullable().optional(),
  review: z.looseObject({ from: z.number(), interval }).optional(),
});

const column = z.union([
  z.looseObject({
    name: z.string(),
    kind: z.literal('numeric'),
    offset: z.number(),
    scale: z.number(),
    fill: z.number(),
  }),
  z.looseObject({ name: z.string(), kind: z.literal('categorical'), values: z.array(z.string()) }),
]);

/** How rows become inputs. */
export const encodingSchema = z.looseObject({
  scaling: z.string(),
  clip: interval.nullable(),
  columns: z.array(column),
});

export const tilesSchema = z.looseObject({ height: positive, width: positive, overlap: z.number().optional() });
export const regionSchema = z.union([
  z.string(),
  z.looseObject({ x: z.number(), y: z.number(), width: z.number(), height: z.number() }),
]);

/** Values that become 0 and 1; the second is the larger one. */
export const valueRangeSchema = interval.refine(([low, high]) => low < high, 'two numbers, the second the larger one');

const marginsSchema = z.looseObject({
  rate: z.number(),
  steps: positive,
  reason: z.string().nullable(),
  channels: z.array(z.looseObject({ lower: z.number(), upper: z.number() })).min(1),
});

/** `model.json`, but for its format, which is checked before. */
export const artifactSchema = z.looseObject({
  oddity: z.string(),
  model: z.string(),
  title: z.string(),
  config: z.record(z.string(), z.unknown()),
  kind: z.string(),
  shape: z.array(positive).min(1).max(6),
  input: z.looseObject({
    name: z.string(),
    layout: z.string(),
    range: interval.nullable(),
    preprocessing: z.string(),
  }),
  image: z
    .looseObject({
      range: z.looseObject({ bits8: valueRangeSchema, bits16: valueRangeSchema, floats: valueRangeSchema }),
    })
    .optional(),
  table: encodingSchema.optional(),
  series: z
    .looseObject({
      step: z.number().positive().optional(),
      alarms: alarmRule.optional(),
      normals: z.array(z.array(z.number())).optional(),
      margins: marginsSchema.optional(),
    })
    .optional(),
  tiles: tilesSchema.optional(),
  region: regionSchema.optional(),
  outputs: z.array(z.string()),
  opset: z.int(),
  data: z.looseObject({ name: z.string(), hash, licence: z.string() }),
  protocol: z.string(),
  class: z.string(),
  description: z.string(),
  seed: z.number(),
  threshold: thresholdSchema,
  mapThreshold: thresholdSchema.nullable().optional(),
  smoothing: z.number().positive().optional(),
  normalScores: z.array(z.number()),
  trainingItems: z.array(z.string()).optional(),
  mapScale: z.looseObject({ low: z.number(), threshold: numberOrNull, high: z.number() }).optional(),
  precision: z
    .looseObject({ weights: z.string(), scoreDifference: z.number(), scoreDeviation: z.number(), normals: positive })
    .optional(),
  sha256: hash,
  weights: z.looseObject({ file: bareName, sha256: hash }).optional(),
});
