/** The rule of alarms as a schema: apart from the code that obeys it, so that pages which open a detector load no schemas. */
import * as z from 'zod';

/** How steps become alarms. */
export const alarmRule = z.strictObject({
  gap: z.int().min(0).default(0).describe('Steps below the threshold, or without a score, that do not end an alarm.'),
  least: z.int().min(1).default(1).describe('Steps of the shortest alarm.'),
  hysteresis: z
    .number()
    .min(0)
    .max(1)
    .default(0)
    .describe('An alarm goes on while the score is above the threshold less this share of its size.'),
  coolDown: z.int().min(0).default(0).describe('Steps after the end of an alarm in which no other begins.'),
});

/** Options of `alarmRule`. */
export type AlarmRule = z.input<typeof alarmRule>;

/** The rule with nothing left open. */
export type FullRule = z.output<typeof alarmRule>;
