/** Protocols for data that says itself what is normal: without labels in training, and with them. */
import { DataError } from '../../core/errors.ts';
import { option, say } from '../../core/text.ts';
import { finishSplit } from '../split.ts';
import { prefix } from './prefix.ts';
import { aboutNormal, fractionOf, normalParts, type Protocol } from './protocol.ts';

export const folder: Protocol = {
  name: 'folder',
  title: 'The folders say what is normal',
  description:
    'Training is on the normal images of the training part, testing on the test part. Without a test part a fifth of ' +
    'the normal images, drawn by the seed, and all anomalies test. Of series the first part of each trains, as under prefix.',
  needs: [],
  split(source, options) {
    if (source.series) return prefix.split(source, options);
    const { isAnomalous, list, sentence } = aboutNormal(source, 'folder', options.class);
    const rng = options.rng.split('split');
    const notes = [`Folder: ${sentence}`];
    const normal = normalParts(source, isAnomalous, rng, notes);
    let anomalies = list('test', true);
    let spare: number[] = [];
    if (anomalies.length === 0) {
      anomalies = list('train', true);
      if (anomalies.length === 0) notes.push('There are no anomalies to test with.');
    } else {
      spare = [...list('train', true), ...list('validation', true)];
      if (spare.length > 0 && !options.contamination)
        notes.push(`${spare.length} anomalies outside the test part are not used.`);
    }
    return finishSplit(source, {
      protocol: 'folder',
      description: notes.join(' '),
      ...normal,
      spare,
      test: [...normal.test, ...anomalies],
      mayLackAnomalies: true,
      isAnomalous,
      options,
      rng: rng.split('validation'),
    });
  },
};

export const labelled: Protocol = {
  name: 'labelled',
  title: 'Labelled anomalies take part in training',
  description:
    'Supervised: normal and anomalous items of the training part train with their labels, or a share of the anomalies. ' +
    'In folders without anomalies to train on, half of those of the test part, drawn by the seed, train instead. Of a ' +
    'data set of classes, the class is the anomaly.',
  needs: [],
  split(source, options) {
    const labelledFraction = fractionOf(options);
    const rng = options.rng.split('split');
    const { isAnomalous, list, sentence } = aboutNormal(source, 'labelled', options.class);
    const notes = [`Labelled: ${sentence}`];
    const normal = normalParts(source, isAnomalous, rng, notes);
    let training = rng.split('anomalies').shuffle(list('train', true));
    let testing = list('test', true);
    if (training.length === 0 || testing.length === 0) {
      const pool = rng.split('anomalies').shuffle(Uint32Array.from([...training, ...testing]));
      notes.push('Half of the anomalies, chosen by seed, are used for training and the other half for testing.');
      training = pool.slice(0, pool.length >> 1);
      testing = pool.slice(pool.length >> 1);
    }
    if (training.length === 0) {
      throw new DataError(
        'no-labelled-anomalies',
        say`The protocol labelled needs at least two anomalies, one for training and one for testing, but
          ${source.name} has ${testing.length}. Use ${option('protocol', 'folder')}, which trains on normal images only.`,
      );
    }
    const used = Math.max(1, Math.round(labelledFraction * training.length));
    if (used < training.length)
      notes.push(`${used} of ${training.length} training anomalies are labelled; the others are not used.`);
    return finishSplit(source, {
      protocol: 'labelled',
      description: notes.join(' '),
      ...normal,
      anomalies: training.slice(0, used),
      test: [...normal.test, ...testing],
      isAnomalous,
      options,
      rng: rng.split('validation'),
    });
  },
};
