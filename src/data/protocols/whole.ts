/**
 * The protocol of unsupervised detectors of series: all steps train without their labels, and the same steps are judged. It says
 * how well anomalies are found in what is at hand, nothing of steps to come.
 */
import { ConfigError } from '../../core/errors.ts';
import { option, say } from '../../core/text.ts';
import { isUnjudged, requireSeries } from './prefix.ts';
import { numbersWhere, type Protocol } from './protocol.ts';

export const whole: Protocol = {
  name: 'whole',
  aliases: ['unsupervised'],
  title: 'All steps of each series train and are judged',
  description:
    'Unsupervised: training is on all steps of each series, whatever their labels, and the same steps are judged. Nothing is held ' +
    'out, so the threshold is a share of the scores themselves. As published tables of TSB-AD judge detectors that need no training part.',
  needs: [],
  parts: 'whole',
  split(source, { contamination = 0, trainLimit, testLimit }) {
    const series = requireSeries(source, 'whole');
    const given = { contamination: contamination || undefined, trainLimit, testLimit };
    for (const [name, value] of Object.entries(given)) {
      if (value === undefined) continue;
      throw new ConfigError(
        'whole',
        say`The protocol whole trains on all steps and judges them all. Leave ${option(name as 'trainLimit')} out.`,
      );
    }
    const { items } = source;
    const train = Uint32Array.from(items.keys());
    const test = Uint32Array.from(numbersWhere(source, (i) => !isUnjudged(series, i)));
    const testLabels = Uint8Array.from(test, (i) => (items[i].class === 0 ? 0 : 1));
    const { spans, window } = series;
    const which = spans.length === 1 ? `of ${spans[0].id}` : `of ${spans.length} series`;
    return {
      protocol: 'whole',
      description: `Whole: all ${items.length} steps ${which} train, whatever their labels, in windows of ${window} steps, and the same steps are judged.`,
      train,
      trainLabels: new Uint8Array(train.length),
      contaminants: new Uint32Array(),
      validation: new Uint32Array(),
      test,
      testLabels,
      leakFree: false,
      isWhole: true,
      prevalence: testLabels.reduce((n, y) => n + y, 0) / Math.max(1, test.length),
    };
  },
};
