/** A threshold that stays, such as that of a run. */
import * as z from 'zod';
import { defineStreamThreshold } from './define.ts';

/** Scores that reach `value` are anomalous, as everywhere for thresholds of runs. */
export const fixedThreshold = defineStreamThreshold({
  name: 'fixed',
  title: 'Fixed threshold',
  summary: 'A threshold that stays, such as one of a run.',
  config: z.strictObject({ value: z.number().describe('Scores from here on are anomalous.') }),
  learn: ({ value }) => ({ arrays: {}, push: (score) => ({ threshold: value, exceeds: score >= value }) }),
});
