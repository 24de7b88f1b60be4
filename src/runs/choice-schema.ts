/** How a model was chosen where none was named: what `run.json` and the report keep of it, as a schema. */
import * as z from 'zod';
import { storedSentence } from '../core/stored.ts';

const seconds = z.number().min(0);
const side = z.int().min(1);
const share = z.number().min(0).max(1);

/** A detector with its options, and how it did on planted defects. */
const triedSchema = z.strictObject({
  model: z.string(),
  backbone: z.string(),
  taps: z.array(z.string()).readonly(),
  size: z.tuple([side, side]).readonly(),
  config: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).readonly(),
  figure: share.optional(),
  interval: z.tuple([share, share]).readonly().optional(),
  kinds: z.record(z.string(), share).readonly().optional(),
  located: share.optional(),
  seconds,
  place: z.int().min(1).optional(),
  isChosen: z.literal(true).optional(),
  error: storedSentence.optional(),
});

/** Why a model was chosen, and for images what was tried. */
export const choiceSchema = z.strictObject({
  reason: z.string(),
  tried: z.array(triedSchema).readonly().optional(),
  leftOut: z
    .array(z.strictObject({ what: z.string(), why: z.string() }))
    .readonly()
    .optional(),
  planted: z.record(z.string(), z.int().min(0)).readonly().optional(),
  counts: z.strictObject({ known: z.int(), judges: z.int() }).readonly().optional(),
  seconds: seconds.optional(),
});

/** How a model was chosen. */
export type Choice = z.infer<typeof choiceSchema>;
