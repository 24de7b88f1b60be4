/** Baseline of series: the change from one step to the next. Every detector of series has to beat it. */
import * as z from 'zod';
import * as g from '../graph/ops/index.ts';
import { defineModel } from './define.ts';
import { middleOf, stepMap } from './parts/series/steps.ts';

/**
 * Baseline of series: the last value as the forecast of the next one, |x(t) − x(t − 1)|, the mean over channels. Nothing is
 * learnt.
 */
export const lastValue = defineModel({
  name: 'last-value',
  title: 'Last value',
  idea: 'The last value is the forecast of the next one; how far it is off is the score.',
  paper: 'A baseline without a paper.',
  learning: 'baseline',
  inputs: ['series'],
  learns: 'none',
  config: z.strictObject({}),
  presets: {},
  tiny: {},

  score(_config, _net, x) {
    const change = g.abs(g.sub(middleOf(x), middleOf(x, 1))); // [N,1,D]
    return { score: g.reduceMean(change, { axes: [1, 2] }), map: stepMap(change, x) };
  },
});
