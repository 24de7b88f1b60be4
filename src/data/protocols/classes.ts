/** Protocols for data sets of classes: one class is normal, or one is the anomaly. Their numbers never compare. */
import { DataError } from '../../core/errors.ts';
import { option, say } from '../../core/text.ts';
import { finishSplit } from '../split.ts';
import { given, numbersWhere, type Protocol, resolveClass } from './protocol.ts';

export const oneClass: Protocol = {
  name: 'one-class',
  aliases: ['deep-svdd'],
  title: 'One class is normal',
  description:
    'The class is normal and all others are anomalous: its official training part trains, the official test part of ' +
    'all classes tests (Deep SVDD, ICML 2018).',
  needs: ['class'],
  split(source, options) {
    const normal = resolveClass(source, given(options, 'one-class', source));
    const { items } = source;
    if (!items.some((item) => item.part === 'test')) {
      throw new DataError(
        'no-test-part',
        say`The protocol one-class tests on the official test part, but ${source.name} has none. Use
          ${option('protocol', 'alad')}, which draws one.`,
      );
    }
    return finishSplit(source, {
      protocol: 'one-class',
      description: `One-class: "${source.classes[normal]}" of ${source.name} is normal, every other class is anomalous.`,
      normals: numbersWhere(source, (i) => items[i].part === 'train' && items[i].class === normal),
      spare: numbersWhere(source, (i) => items[i].part === 'train' && items[i].class !== normal),
      test: numbersWhere(source, (i) => items[i].part === 'test'),
      isAnomalous: (i) => items[i].class !== normal,
      options,
      rng: options.rng.split('split'),
    });
  },
};

export const oneAnomaly: Protocol = {
  name: 'one-anomaly',
  aliases: ['egbad', 'survey', 'ganomaly'],
  title: 'One class is the anomaly',
  description:
    'The class is anomalous and all others are normal: official parts are pooled, 80 % of the normals train, the other ' +
    '20 % and all anomalies test (EGBAD 2018, GANomaly 2018, survey of Di Mattia et al. 2019).',
  needs: ['class'],
  split(source, options) {
    const anomalous = resolveClass(source, given(options, 'one-anomaly', source));
    const rng = options.rng.split('split');
    const isAnomalous = (i: number) => source.items[i].class === anomalous;
    const normals = rng.shuffle(numbersWhere(source, (i) => !isAnomalous(i)));
    const training = Math.floor(0.8 * normals.length);
    return finishSplit(source, {
      protocol: 'one-anomaly',
      description: `One-anomaly: "${source.classes[anomalous]}" of ${source.name} is anomalous, every other class is normal.`,
      normals: normals.slice(0, training),
      test: [...normals.slice(training), ...numbersWhere(source, isAnomalous)],
      isAnomalous,
      options,
      rng: rng.split('validation'),
    });
  },
};

export const alad: Protocol = {
  name: 'alad',
  title: 'One class is normal, parts pooled',
  description:
    'The class is normal and all others are anomalous: official parts are pooled and drawn anew, the normals of 60 % ' +
    'train, those of 20 % are held out, and 20 % of all items test (ALAD, ICDM 2018).',
  needs: ['class'],
  split(source, options) {
    const normal = resolveClass(source, given(options, 'alad', source));
    const isAnomalous = (i: number) => source.items[i].class !== normal;
    const rng = options.rng.split('split');
    const order = rng.permutation(source.items.length);
    const [training, testing] = [Math.floor(0.6 * order.length), Math.floor(0.8 * order.length)];
    const seen = order.subarray(0, training);
    return finishSplit(source, {
      protocol: 'alad',
      description: `Alad: "${source.classes[normal]}" of ${source.name} is normal, every other class is anomalous; parts are pooled.`,
      normals: seen.filter((i) => !isAnomalous(i)),
      validation: order.subarray(training, testing).filter((i) => !isAnomalous(i)),
      spare: seen.filter(isAnomalous),
      test: order.subarray(testing),
      isAnomalous,
      options,
      rng: rng.split('validation'),
    });
  },
};
