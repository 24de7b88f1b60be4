/**
 * Extended isolation forest (Hariri, Kind, Brunner 2019): trees whose cuts are planes of random slope, so that scores have no
 * ghosts along the axes. Grown here, walked inside the scoring graph as `isolation-forest` is. The map gives each column the
 * share of the score that it has in the squared slopes of the cuts on the way, a short way counting more than a long one
 * (ours, not the paper's). Rows that are all equal become a leaf at once. Left out: nothing of the paper.
 */
import * as z from 'zod';
import { defineModel } from './define.ts';
import { fitPlanes, scorePlanes } from './parts/rows/planes.ts';

const config = z.strictObject({
  trees: z.int().min(1).max(2000).default(100).describe('Trees in the forest.'),
  sample: z.int().min(2).max(4096).default(256).describe('ψ: rows from which each tree is grown.'),
  extension: z
    .int()
    .min(0)
    .max(4095)
    .default(4095)
    .describe('Columns that a cut involves beside the first, at most all others; 0 cuts along the axes.'),
});

/**
 * Extended isolation forest (Hariri, Kind, Brunner, TKDE 2019, arXiv 1811.02141): a forest of sloped cuts, for tables of up to some
 * hundred columns where rows are odd by their combination of values. Grows in seconds without tuning, O(trees ψ D log ψ); scoring
 * a row takes D times the products of an isolation forest.
 */
export const extendedIsolationForest = defineModel({
  name: 'extended-isolation-forest',
  title: 'Extended isolation forest',
  idea: 'Trees of random sloped cuts through normal rows; what few cuts isolate from all others is anomalous.',
  paper: 'Hariri, Kind, Brunner, Extended isolation forest, TKDE 2019.',
  learning: 'one-class',
  inputs: ['table'],
  learns: 'statistics',
  config,
  presets: {},
  // As of the isolation forest: scores of left-out extremes say nothing of the threshold.
  folds: false,
  tiny: { trees: 40, sample: 64 },

  fit: (options, data) => fitPlanes(options, data),

  score({ sample }, net, x) {
    const { parts, score } = scorePlanes(sample, net, x);
    return { map: parts, score };
  },
});
