/**
 * Histogram-based outlier score (HBOS, Goldstein and Dengel 2012): one histogram a column, of equal widths; rare bins are anomalous.
 * The density of a value is taken relative to the fullest bin of its column, as in the paper, with .1 added so that empty bins
 * score finitely, as PyOD does. A value on an edge belongs to the upper bin both when it is counted and when it is scored, since
 * columns of few values often lie on edges; PyOD, and what is done for series, score it in the lower one. The map has what each
 * column gives, at least 0, and adds up to the score. Left out: bins of equal counts, and the choice of their number.
 */
import * as z from 'zod';
import { defineModel } from './define.ts';
import { fitColumns, scoreColumns } from './parts/rows/columns.ts';

const config = z.strictObject({
  bins: z.int().min(2).max(200).default(10).describe('Bins of equal width between the least and the largest value.'),
});

/**
 * Histogram-based outlier score (Goldstein and Dengel, KI 2012): for a first look at tables of any length whose columns can be
 * judged one by one. The fastest of all to fit, O(N D), and to score, O(D bins); it cannot see an unusual combination of usual
 * values, and few bins blur columns with far extremes.
 */
export const hbos = defineModel({
  name: 'hbos',
  title: 'Histograms of columns (HBOS)',
  idea: 'A histogram of each column; the rarer the bins in which the values of a row lie, the more anomalous the row.',
  paper: 'Goldstein, Dengel, Histogram-based outlier score (HBOS), KI 2012.',
  learning: 'one-class',
  inputs: ['table'],
  learns: 'statistics',
  config,
  presets: {},
  tiny: { bins: 5 },

  fit: ({ bins }, data) => fitColumns(bins, data),

  score({ bins }, net, x) {
    const { parts, score } = scoreColumns(bins, net, x);
    return { map: parts, score };
  },
});
