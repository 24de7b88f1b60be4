/**
 * Baseline of series: how far a step lies from the mean of the window around it, in standard deviations of that window. Every
 * detector of series has to beat it.
 */
import * as z from 'zod';
import * as g from '../graph/ops/index.ts';
import { defineModel } from './define.ts';
import { middleOf, stepMap } from './parts/series/steps.ts';

/**
 * Baseline of series: the distance of a step from the mean of its window, in standard deviations of the window, the mean
 * over channels. Nothing is learnt.
 */
export const movingZScore = defineModel({
  name: 'moving-z-score',
  title: 'Moving z-score',
  idea: 'How many standard deviations a step lies from the mean of the window around it.',
  paper: 'A baseline without a paper.',
  learning: 'baseline',
  inputs: ['series'],
  learns: 'none',
  config: z.strictObject({}),
  presets: {},
  tiny: {},

  score(_config, _net, x) {
    const centred = g.sub(x, g.reduceMean(x, { axes: [1], keep: true })); // [N,L,D]
    const spread = g.sqrt(g.reduceMean(g.square(centred), { axes: [1], keep: true })); // [N,1,D]
    // A window of one value has no spread, and its steps no distance.
    const distance = g.div(g.abs(middleOf(centred)), g.add(spread, 1e-6)); // [N,1,D]
    return { score: g.reduceMean(distance, { axes: [1, 2] }), map: stepMap(distance, x) };
  },
});
