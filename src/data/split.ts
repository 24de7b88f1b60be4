/** A split of a source into training, validation and test items, made once from a seed and checked to be disjoint. */
import { ConfigError, DataError, InternalError } from '../core/errors.ts';
import type { Rng } from '../core/random.ts';
import type { Source } from './item.ts';

/**
 * Item numbers (into `Source.items`), each ascending. Validation holds normal items only; so does training, except
 * under a protocol with labelled anomalies.
 */
export interface Split {
  /** Name of the protocol that made it. */
  readonly protocol: string;
  /** The protocol and the class in one sentence, for reports. */
  readonly description: string;
  readonly train: Uint32Array;
  /** 1 = anomalous, in the order of `train`. */
  readonly trainLabels: Uint8Array;
  /** Normal items held out from training: for early stopping and thresholds. */
  readonly validation: Uint32Array;
  readonly test: Uint32Array;
  /** 1 = anomalous, in the order of `test`. */
  readonly testLabels: Uint8Array;
  /**
   * No item is in two of the three lists, which is checked, and no file of the test list has the bytes of one that was
   * trained on or held out.
   */
  readonly leakFree: boolean;
  /** Share of anomalous items in the test list, [0, 1); 0 where the data has no anomalies, which `folder` allows. */
  readonly prevalence: number;
  /**
   * Share of the test items that the protocol calls anomalous, those with the highest scores, to count precision and
   * recall; absent where it leaves the decision to a threshold.
   */
  readonly share?: number;
  /** Classes of anomalies that training was kept from, ascending; absent where the protocol does not tell them apart. */
  readonly heldOut?: readonly number[];
}

/** What a protocol decides; `finishSplit` does the rest. */
export interface SplitPlan {
  readonly protocol: string;
  readonly description: string;
  /** Normal items for training, validation still among them. */
  readonly normals: ArrayLike<number>;
  /** Normal items that the data itself holds out; else some of `normals` are. */
  readonly validation?: ArrayLike<number>;
  /** Anomalous items to train on; without them training is on normal items only. */
  readonly anomalies?: ArrayLike<number>;
  /** Share of `normals` to hold out, [0, 0.9]; above 0 it is at least one item. */
  readonly validationFraction: number;
  readonly test: ArrayLike<number>;
  /** Whether the test list may do without anomalies: then nothing can be measured, but the detector is made. */
  readonly mayLackAnomalies?: boolean;
  /** See `Split.share`. */
  readonly share?: number;
  /** See `Split.heldOut`. */
  readonly heldOut?: readonly number[];
  /** True for an item number that is anomalous under the protocol. */
  readonly isAnomalous: (item: number) => boolean;
  readonly rng: Rng;
}

/**
 * Holds out validation items at random, labels the test items and checks the whole.
 * @throws ConfigError for a fraction outside [0, 0.9]; DataError `too-few-items`; InternalError when the lists overlap.
 */
export function finishSplit(source: Source, plan: SplitPlan): Split {
  const { protocol, description, normals, anomalies = [], validationFraction, isAnomalous, rng } = plan;
  if (!(validationFraction >= 0 && validationFraction <= 0.9)) {
    throw new ConfigError(
      'validation-fraction',
      `The validation fraction must be from 0 to 0.9, got ${validationFraction}.`,
    );
  }
  const held =
    validationFraction > 0 && !plan.validation ? Math.max(1, Math.round(validationFraction * normals.length)) : 0;
  const shuffled = rng.shuffle(Uint32Array.from(normals));
  const validation = Uint32Array.from(plan.validation ?? shuffled.subarray(0, held)).sort();
  const train = Uint32Array.from([...shuffled.subarray(held), ...Array.from(anomalies)]).sort();
  const test = Uint32Array.from(plan.test).sort();
  const labelsOf = (items: Uint32Array) => Uint8Array.from(items, (i) => (isAnomalous(i) ? 1 : 0));
  const testLabels = labelsOf(test);
  const bad = testLabels.reduce((n, y) => n + y, 0);
  const good = test.length - bad;
  if (shuffled.length - held < 1 || good === 0 || (bad === 0 && !plan.mayLackAnomalies)) {
    throw new DataError(
      'too-few-items',
      `${description} It must leave normal items to train on and test items of both kinds, but ${source.name} gives ` +
        `${Math.max(0, shuffled.length - held)} normal for training, ${good} normal and ${bad} anomalous for testing. ` +
        'Choose another class or protocol, or add items.',
    );
  }
  checkSplit(source.items.length, { train, validation, test }, isAnomalous, anomalies.length > 0);
  return {
    protocol,
    description,
    train,
    trainLabels: labelsOf(train),
    validation,
    test,
    testLabels,
    leakFree: findLeaks(source, { train, validation, test }).length === 0,
    prevalence: bad / test.length,
    ...(plan.share !== undefined && { share: plan.share }),
    ...(plan.heldOut !== undefined && { heldOut: plan.heldOut }),
  };
}

/**
 * Throws InternalError when an item is twice in the lists, is outside 0 … n − 1, or is an anomaly in validation or,
 * unless `trainsOnAnomalies`, in training.
 */
export function checkSplit(
  n: number,
  lists: Pick<Split, 'train' | 'validation' | 'test'>,
  isAnomalous: (item: number) => boolean,
  trainsOnAnomalies = false,
): void {
  const seenIn = new Array<string | undefined>(n);
  for (const name of ['train', 'validation', 'test'] as const) {
    for (const item of lists[name]) {
      if (item >= n) throw new InternalError(`the ${name} list names item ${item} of ${n}.`);
      if (seenIn[item]) throw new InternalError(`item ${item} is in the ${seenIn[item]} list and in the ${name} list.`);
      const normalOnly = name === 'validation' || (name === 'train' && !trainsOnAnomalies);
      if (normalOnly && isAnomalous(item)) throw new InternalError(`item ${item} of ${name} is anomalous.`);
      seenIn[item] = name;
    }
  }
}

/** Test items whose file has the very bytes of a training or validation item, each with that item. */
export function findLeaks(
  { items }: Pick<Source, 'items'>,
  { train, validation, test }: Pick<Split, 'train' | 'validation' | 'test'>,
): { test: number; seen: number }[] {
  const seen = new Map<string, number>();
  for (const list of [train, validation]) {
    for (const i of list) {
      const { content } = items[i];
      if (content !== undefined) seen.set(content, i);
    }
  }
  return Array.from(test).flatMap((i) => {
    const { content } = items[i];
    const known = content === undefined ? undefined : seen.get(content);
    return known === undefined ? [] : [{ test: i, seen: known }];
  });
}
