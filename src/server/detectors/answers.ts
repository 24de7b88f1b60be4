/** What the server says of items, as schemas: the types, the answers and the description of the interface follow from them. */
import * as z from 'zod';

const decision = z.enum(['normal', 'review', 'anomalous']);
const judged = {
  score: z.number().describe('Raw; larger is more anomalous.'),
  isAnomalous: z.boolean().nullable().describe('Score at or above the threshold; null where there is none.'),
  decision: decision.nullable().describe('What the threshold, with its review band, makes of the score.'),
  pValue: z
    .number()
    .optional()
    .describe('Conformal p-value: how rare so high a score is among normal items, above 0 to 1.'),
};

const region = z.object({
  x: z.number(),
  y: z.number(),
  width: z.number(),
  height: z.number(),
  area: z.number(),
  peak: z.number(),
});

const fault = z.object({ id: z.string(), code: z.string(), message: z.string() });

const warnings = z
  .array(z.object({ code: z.string(), message: z.string() }))
  .describe(
    'What was done to items that are scored all the same: missing values, texts never seen, gaps that were filled.',
  );

const about = {
  detector: z.string(),
  version: z.string(),
  kind: z.string(),
  threshold: z.number().nullable().describe('An item is anomalous from this score on; null without held-out normals.'),
};

/** Of images and rows. */
export const itemsAnswer = z.object({
  ...about,
  items: z.array(
    z.object({
      id: z.string().describe('Name of the file, or the number of the item from 1.'),
      ...judged,
      imageSize: z.object({ height: z.int(), width: z.int() }).optional(),
      regions: z
        .array(region)
        .optional()
        .describe('Where an image stands out, in its own pixels, the highest peak first.'),
      columns: z.array(z.record(z.string(), z.unknown())).optional().describe('The columns that a row stands out by.'),
      nearest: z.record(z.string(), z.unknown()).optional().describe('The normal place most like the oddest one.'),
      map: z
        .string()
        .optional()
        .describe('PNG as a data URL: the image with its map over it; asked for with ?map=true.'),
    }),
  ),
  failed: z.array(fault).describe('Items that could not be scored.'),
  warnings,
});

const alarm = z.looseObject({
  start: z.int().describe('First step, from 0.'),
  end: z.int().describe('The step after the last one.'),
  level: z.string().nullish(),
  startTime: z.string().optional(),
  endTime: z.string().optional(),
});

/** Of a series. */
export const seriesAnswer = z.object({
  ...about,
  steps: z.array(
    z.object({
      time: z.string().optional(),
      score: z.number().nullable().describe('Null where the values are too far off for a score.'),
      isAnomalous: z.boolean().nullable(),
      expected: z.record(z.string(), z.number()).optional(),
      lower: z.record(z.string(), z.number()).optional(),
      upper: z.record(z.string(), z.number()).optional(),
    }),
  ),
  alarms: z.array(alarm),
  warnings,
});

const named = { name: z.string(), version: z.string(), versions: z.array(z.string()), isOpen: z.boolean() };

export const detectorFacts = z.object({
  ...named,
  model: z.string(),
  kind: z.string(),
  shape: z.array(z.int()),
  threshold: z.number().nullable(),
  normals: z.int().describe('Held-out normal items that the threshold rests on.'),
  description: z.string().describe('What is normal.'),
  columns: z.array(z.string()).optional().describe('Columns of rows, channels of series.'),
  fault: z.string().optional().describe('Why its files could not be opened; what was open before goes on.'),
});

/** One whose files cannot be read. */
const brokenDetector = z.object({ ...named, fault: z.string().describe('Why its files cannot be read.') });

export const detectorList = z.object({ detectors: z.array(z.union([detectorFacts, brokenDetector])) });

export const problemAnswer = z.object({
  error: z.object({ code: z.string(), message: z.string(), requestId: z.string() }),
});

export type ItemsAnswer = z.infer<typeof itemsAnswer>;
export type SeriesAnswer = z.infer<typeof seriesAnswer>;
export type DetectorList = z.infer<typeof detectorList>;
export type DetectorFacts = z.infer<typeof detectorFacts>;
