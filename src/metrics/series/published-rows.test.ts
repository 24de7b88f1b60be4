/** Whole rows of the published table of MMPAD on TSB-AD: every metric of one score. */
import { describe, expect, it } from 'vitest';
import { hasTsb, tsbSeries } from '../../../test/helpers/tsb-ad.ts';
import { windowLength } from '../../data/series/window-length.ts';
import { mmpadLength, mmpadScores } from '../../models/parts/series/mmpad.ts';
import { measureSeries } from '../measure-series.ts';

const names = [
  'ap',
  'auroc',
  'vusPr',
  'vusRoc',
  'f1Max',
  'paF1Max',
  'eventF1Max',
  'rangeF1Max',
  'affiliationF1Max',
] as const;

describe.skipIf(!hasTsb)('metrics of TSB-AD (skipped where ODDITY_DATA has no folders tsb_ad and nab)', () => {
  // The order of `names`.
  it.each([
    ['001', [0.566514, 0.841187, 0.564225, 0.844381, 0.530382, 1, 1, 0.616947, 0.966051]],
    ['006', [0.867985, 0.977532, 0.86561, 0.98183, 0.777831, 0.888889, 0.888889, 0.761653, 0.884057]],
    ['013', [0.054703, 0.092246, 0.068783, 0.178411, 0.183227, 0.201626, 0.182625, 0.452806, 0.83342]],
    ['016', [0.084954, 0.420464, 0.085243, 0.391469, 0.183431, 0.507358, 0.183563, 0.281402, 0.739264]],
    ['019', [0.36679, 0.751521, 0.350394, 0.753751, 0.40312, 0.959233, 0.804428, 0.519829, 0.95881]],
    ['326', [0.635558, 0.999355, 0.92642, 0.999848, 0.68571, 0.888889, 0.736842, 0.666667, 0.999396]],
  ] as const)('are the published ones of %s', (number, row) => {
    const { values, labels } = tsbSeries(number);
    const window = windowLength(values);
    const scores = mmpadScores(values, { length: mmpadLength(window), neighbours: 5 });
    const found = measureSeries([{ scores, labels, window }]).mean.values;
    names.forEach((name, i) => {
      expect.soft(Math.abs(found[name]! - row[i]), `${name} ${found[name]} ${row[i]}`).toBeLessThan(1e-5);
    });
  });
});
