/** Protocols of the literature on tables: half of all rows train without their anomalies, the other half tests. */
import { ConfigError } from '../../core/errors.ts';
import { option, say } from '../../core/text.ts';
import { finishSplit } from '../split.ts';
import { numpyPermutation } from './numpy-permutation.ts';
import { aboutNormal, type Protocol } from './protocol.ts';

/**
 * Half of all items, drawn by the seed, train without their anomalies, and the other half tests: the protocols of the
 * literature on tables. Parts of the data set are pooled. With `share`, that share of the test items is called anomalous.
 */
function halves({
  share,
  anomalies,
  ...protocol
}: Omit<Protocol, 'split' | 'needs'> & {
  readonly share?: number;
  /** Share of anomalies to leave in the test half at most. */
  readonly anomalies?: number;
}): Protocol {
  return {
    ...protocol,
    needs: [],
    split(source, options) {
      const { isAnomalous, sentence } = aboutNormal(source, protocol.name, options.class);
      const rng = options.rng.split('split');
      const order = rng.permutation(source.items.length);
      const half = order.length >> 1;
      const testing = order.subarray(half);
      const normals = testing.filter((i) => !isAnomalous(i));
      const anomalous = testing.filter(isAnomalous);
      const most =
        anomalies === undefined ? anomalous.length : Math.floor((anomalies / (1 - anomalies)) * normals.length);
      return finishSplit(source, {
        protocol: protocol.name,
        description: `${protocol.title}: ${sentence} Half of the items, chosen by seed, are used for training, without their anomalies.`,
        normals: order.subarray(0, half).filter((i) => !isAnomalous(i)),
        spare: order.subarray(0, half).filter(isAnomalous),
        test: [...normals, ...anomalous.subarray(0, most)],
        isAnomalous,
        options,
        rng: rng.split('validation'),
        share,
      });
    },
  };
}

export const half = halves({
  name: 'half',
  title: 'Halves',
  description:
    'Half of all items, drawn by the seed, train without their anomalies, the other half tests. Of a data set of classes, ' +
    'the class is the anomaly.',
});

export const kdd = halves({
  name: 'kdd',
  title: 'KDD99 10 %',
  description:
    'Halves as DAGMM, EGBAD and ALAD draw them: the class (default "normal", the rarer one) is the anomaly, at most 20 % ' +
    'of the test items are anomalies, and the 20 % with the highest scores count as found: an oracle.',
  class: 'normal',
  share: 0.2,
  anomalies: 0.2,
});

export const arrhythmia = halves({
  name: 'arrhythmia',
  title: 'Arrhythmia',
  description: 'Halves; the 15 % of the test items with the highest scores count as found: an oracle (DAGMM, ALAD).',
  share: 0.15,
});

/** The seed of the public code. */
const PUBLIC_SEED = 42;

export const arrhythmiaPublic: Protocol = {
  name: 'arrhythmia-public',
  title: 'Arrhythmia, public split',
  description:
    'The split of the public code of ALAD: scikit-learn’s train_test_split of all rows into halves with seed 42, whatever the ' +
    'seed of the run. The anomalies of the first half stay in training and are taken for normal. The 15 % of the test items ' +
    'with the highest scores count as found: an oracle. The public code scales nothing.',
  needs: [],
  split(source, options) {
    const { isAnomalous, sentence } = aboutNormal(source, 'arrhythmia-public', options.class);
    if (options.contamination) {
      throw new ConfigError(
        'contamination',
        say`The protocol arrhythmia-public leaves the anomalies of its training half in training already. Leave
          ${option('contamination')} out, or use ${option('protocol', 'arrhythmia')}.`,
      );
    }
    const order = numpyPermutation(PUBLIC_SEED, source.items.length);
    const testing = Math.ceil(order.length / 2);
    const training = order.subarray(testing);
    const contaminants = training.filter(isAnomalous);
    return finishSplit(source, {
      protocol: 'arrhythmia-public',
      description:
        `Arrhythmia, public split: ${sentence} The half that the public code trains on is used for training, with its ` +
        `${contaminants.length} anomalies, which are treated as normal.`,
      normals: training.filter((i) => !isAnomalous(i)),
      contaminants,
      test: order.subarray(0, testing),
      isAnomalous,
      options,
      rng: options.rng.split('split').split('validation'),
      share: 0.15,
    });
  },
};
