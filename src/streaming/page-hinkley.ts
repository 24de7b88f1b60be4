/**
 * The test of Page and Hinkley for a shift of the mean (Page 1954), with the constants of river and both directions: the sum of
 * what a value differs from the mean so far, less a tolerance, slowly forgotten and never below 0. Above `lambda` the mean has
 * shifted, and both start anew. Ours: values are measured in deviations of the first ones unless a unit is given, so that the
 * constants suit any scale; `unit: 1` is the published form. Left out: ADWIN.
 */
import * as z from 'zod';
import { defineStreamDetector, largestAsScore } from './define.ts';

const config = z.strictObject({
  minimum: z
    .int()
    .min(2)
    .max(1_000_000)
    .default(30)
    .describe('Values before the first score, and before a shift can be found.'),
  delta: z.number().min(0).default(0.005).describe('Tolerated difference from the mean, in units.'),
  lambda: z.number().positive().default(50).describe('Sum at which the mean has shifted, in units; score 1.'),
  alpha: z.number().positive().max(1).default(0.9999).describe('Share of the sum that a step keeps.'),
  unit: z.number().positive().optional().describe('Size of a unit; the deviation of the first values unless given.'),
});

/** Page–Hinkley: the larger sum of both directions over `lambda`, 0 and more; above 1 the mean has shifted. */
export const pageHinkley = defineStreamDetector({
  name: 'page-hinkley',
  title: 'Page–Hinkley',
  summary: 'Sums what values differ from their mean so far; finds lasting shifts of the level.',
  config,
  learn({ minimum, delta, lambda, alpha, unit: givenUnit }, channels) {
    const held = new Float64Array(minimum * channels);
    /** Values seen, up to the minimum. */
    const counters = new Int32Array(1);
    const unit = new Float64Array(channels).fill(givenUnit ?? 0);
    // Of each channel, since its last shift.
    const count = new Float64Array(channels);
    const mean = new Float64Array(channels);
    const up = new Float64Array(channels);
    const down = new Float64Array(channels);

    const learnUnits = () => {
      for (let c = 0; c < channels; c++) {
        const values = Float64Array.from({ length: minimum }, (_, i) => held[i * channels + c]);
        const average = values.reduce((sum, value) => sum + value, 0) / minimum;
        const squares = values.reduce((sum, value) => sum + (value - average) ** 2, 0);
        // Equal values tell of no scale.
        unit[c] = values.every((value) => value === values[0]) ? 1 : Math.sqrt(squares / minimum);
      }
    };

    /** The statistic of a channel after a value, in units of lambda. */
    const step = (value: number, c: number): number => {
      count[c] += 1;
      mean[c] += (value - mean[c]) / count[c];
      const difference = (value - mean[c]) / unit[c];
      up[c] = Math.max(0, alpha * up[c] + difference - delta);
      down[c] = Math.max(0, alpha * down[c] - difference - delta);
      const sum = Math.max(up[c], down[c]);
      if (sum > lambda && count[c] >= minimum) for (const array of [count, mean, up, down]) array[c] = 0;
      return sum / lambda;
    };

    return {
      arrays: { counters, held, unit, count, mean, up, down },
      push(point) {
        if (counters[0] < minimum) {
          held.set(point, counters[0] * channels);
          counters[0] += 1;
          if (counters[0] < minimum) return { score: null };
          if (givenUnit === undefined) learnUnits();
          const sums = new Float64Array(channels);
          for (let i = 0; i < held.length; i++) sums[i % channels] = step(held[i], i % channels);
          held.fill(0);
          return largestAsScore(sums);
        }
        // Just after a shift nothing is known of the new mean.
        const expected = count.every((values) => values > 0) ? mean.slice() : undefined;
        return { ...largestAsScore(point.map(step)), ...(expected && { expected }) };
      },
    };
  },
});
