/** A split of a source into training, validation and test items, made once from a seed and checked to be disjoint. */
import { ConfigError, DataError, InternalError } from '../core/errors.ts';
import type { Rng } from '../core/random.ts';
import type { Source } from './item.ts';

/** Item numbers (into `Source.items`), each ascending. Training and validation hold normal items only. */
export interface Split {
  /** Name of the protocol that made it. */
  readonly protocol: string;
  /** The protocol and the class in one sentence, for reports. */
  readonly description: string;
  readonly train: Uint32Array;
  /** Normal items held out from training: for early stopping and thresholds. */
  readonly validation: Uint32Array;
  readonly test: Uint32Array;
  /** 1 = anomalous, in the order of `test`. */
  readonly testLabels: Uint8Array;
  /** No item is in two of the three lists and none is twice in one: checked, not assumed. */
  readonly leakFree: true;
  /** Share of anomalous items in the test list, (0, 1). */
  readonly prevalence: number;
}

/** What a protocol decides; `finishSplit` does the rest. */
export interface SplitPlan {
  readonly protocol: string;
  readonly description: string;
  /** Normal items for training, validation still among them. */
  readonly normals: ArrayLike<number>;
  /** Share of `normals` to hold out, [0, 0.9]; above 0 it is at least one item. */
  readonly validationFraction: number;
  readonly test: ArrayLike<number>;
  /** True for an item number that is anomalous under the protocol. */
  readonly isAnomalous: (item: number) => boolean;
  readonly rng: Rng;
}

/**
 * Holds out validation items at random, labels the test items and checks the whole.
 * @throws ConfigError for a fraction outside [0, 0.9]; DataError `too-few-items`; InternalError when the lists overlap.
 */
export function finishSplit(source: Source, plan: SplitPlan): Split {
  const { protocol, description, normals, validationFraction, isAnomalous, rng } = plan;
  if (!(validationFraction >= 0 && validationFraction <= 0.9)) {
    throw new ConfigError(
      'validation-fraction',
      `The validation fraction must be from 0 to 0.9, got ${validationFraction}.`,
    );
  }
  const held = validationFraction > 0 ? Math.max(1, Math.round(validationFraction * normals.length)) : 0;
  const shuffled = rng.shuffle(Uint32Array.from(normals));
  const validation = shuffled.slice(0, held).sort();
  const train = shuffled.slice(held).sort();
  const test = Uint32Array.from(plan.test).sort();
  const testLabels = Uint8Array.from(test, (i) => (isAnomalous(i) ? 1 : 0));
  const anomalies = testLabels.reduce((n, y) => n + y, 0);
  if (train.length === 0 || anomalies === 0 || anomalies === test.length) {
    throw new DataError(
      'too-few-items',
      `${description} It must leave normal items to train on and test items of both kinds, but ${source.name} gives ` +
        `${train.length} for training, ${test.length - anomalies} normal and ${anomalies} anomalous for testing. ` +
        'Choose another class or protocol, or add items.',
    );
  }
  checkSplit(source.items.length, { train, validation, test }, isAnomalous);
  return {
    protocol,
    description,
    train,
    validation,
    test,
    testLabels,
    leakFree: true,
    prevalence: anomalies / test.length,
  };
}

/** Throws InternalError when an item is twice in the lists, is outside 0 … n − 1, or is an anomaly to train on. */
export function checkSplit(
  n: number,
  lists: Pick<Split, 'train' | 'validation' | 'test'>,
  isAnomalous: (item: number) => boolean,
): void {
  const seenIn = new Array<string | undefined>(n);
  for (const name of ['train', 'validation', 'test'] as const) {
    for (const item of lists[name]) {
      if (item >= n) throw new InternalError(`the ${name} list names item ${item} of ${n}.`);
      if (seenIn[item]) throw new InternalError(`item ${item} is in the ${seenIn[item]} list and in the ${name} list.`);
      if (name !== 'test' && isAnomalous(item)) throw new InternalError(`item ${item} of ${name} is anomalous.`);
      seenIn[item] = name;
    }
  }
}
