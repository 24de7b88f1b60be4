/** Requests and answers of the interface of Azure's Anomaly Detector for one series, as schemas. */
import * as z from 'zod';
import { LEAST_WINDOW } from './changes.ts';

/** Points of a request. */
const POINTS = { least: 12, most: 8640 };
/** Values beyond which squares are no numbers any more. */
const LARGEST = 1e100;

const granularities = [
  'yearly',
  'monthly',
  'weekly',
  'daily',
  'hourly',
  'minutely',
  'secondly',
  'microsecond',
  'none',
] as const;

const common = {
  series: z
    .array(z.object({ timestamp: z.string().nullish(), value: z.number().min(-LARGEST).max(LARGEST) }))
    .min(POINTS.least)
    .max(POINTS.most),
  customInterval: z.int().min(1).nullish().describe('Units of the granularity from one point to the next.'),
  period: z.int().min(0).nullish().describe('Points; 0 for none; found where it is absent.'),
};

/** Of `entire` and `last`. */
export const detectRequest = z.object({
  ...common,
  granularity: z.enum(granularities).nullish().describe('Default: none, which needs no timestamps.'),
  maxAnomalyRatio: z
    .number()
    .gt(0)
    .lte(0.5)
    .nullish()
    .describe('Most anomalies as a share of the points; default 0.25.'),
  sensitivity: z.number().min(0).max(99).nullish().describe('Higher ones have narrower margins; default 95.'),
  imputeMode: z.enum(['auto', 'previous', 'linear', 'fixed', 'zero', 'notFill']).nullish(),
  imputeFixedValue: z.number().min(-LARGEST).max(LARGEST).nullish(),
});

export const changePointRequest = z.object({
  ...common,
  granularity: z.enum(granularities).exclude(['microsecond', 'none']),
  stableTrendWindow: z.int().min(LEAST_WINDOW).nullish().describe('Points before and behind that are compared.'),
  threshold: z.number().gt(0).lte(1).nullish().describe('Lower ones let fewer change points pass; default 0.9.'),
});

const period = z.int().describe('Points; 0 where nothing repeats.');

export const entireAnswer = z.object({
  period,
  expectedValues: z.array(z.number()),
  upperMargins: z.array(z.number()),
  lowerMargins: z.array(z.number()),
  isAnomaly: z.array(z.boolean()),
  isNegativeAnomaly: z.array(z.boolean()),
  isPositiveAnomaly: z.array(z.boolean()),
  severity: z.array(z.number()).describe('0 of normal points; 0 to 1 by how far behind its margin a point lies.'),
});

export const lastAnswer = z.object({
  period,
  suggestedWindow: z.int().describe('Points that a request for the last point should have.'),
  expectedValue: z.number(),
  upperMargin: z.number(),
  lowerMargin: z.number(),
  isAnomaly: z.boolean(),
  isNegativeAnomaly: z.boolean(),
  isPositiveAnomaly: z.boolean(),
  severity: z.number(),
});

export const changePointAnswer = z.object({
  period,
  isChangePoint: z.array(z.boolean()),
  confidenceScores: z.array(z.number()),
});

/** Of every failure. */
export const univariateProblem = z.object({ code: z.string(), message: z.string() });

export type DetectRequest = z.infer<typeof detectRequest>;
export type ChangePointRequest = z.infer<typeof changePointRequest>;
export type EntireAnswer = z.infer<typeof entireAnswer>;
export type LastAnswer = z.infer<typeof lastAnswer>;
export type ChangePointAnswer = z.infer<typeof changePointAnswer>;
