/** Baseline of clips: how much changes from one frame to the next. Every detector of clips has to beat it. */
import * as z from 'zod';
import { stepsBefore } from '../data/pure.ts';
import * as g from '../graph/ops/index.ts';
import { defineModel } from './define.ts';
import { poolMap } from './parts/maps/pool-map.ts';

/** Baseline of clips: |frame − previous frame|, the mean over channels and pixels. Nothing is learnt. */
export const frameDifference = defineModel({
  name: 'frame-difference',
  title: 'Difference of frames',
  idea: 'How much each pixel changes from the previous frame, on average.',
  paper: 'A baseline without a paper.',
  learning: 'baseline',
  inputs: ['clip'],
  learns: 'none',
  config: z.strictObject({}),
  presets: {},
  tiny: {},
  window: () => 2,
  unsuitable: (_config, [length]) =>
    length < 2 ? 'The difference of frames needs windows of at least 2 frames.' : undefined,

  score(_config, _net, x) {
    const at = stepsBefore(x.shape[1] as number);
    const frame = (t: number) => g.reshape(g.slice(x, { 1: [t, t + 1] }), [x.shape[0], ...x.shape.slice(2)]);
    const map = g.reduceMean(g.abs(g.sub(frame(at), frame(at - 1))), { axes: [1], keep: true }); // [N,1,H,W]
    return { map, score: poolMap('mean', map) };
  },
});
