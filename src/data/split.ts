/** A split of a source into training, validation and test items, made once from a seed and checked to be disjoint. */
import * as z from 'zod';
import { ConfigError, DataError, InternalError } from '../core/errors.ts';
import type { Rng } from '../core/random.ts';
import { optionFacts, readNumber } from '../core/schema.ts';
import { option, say } from '../core/text.ts';
import type { Source } from './item.ts';

/** Options of splits that all protocols obey, as entries of the schema of a run. */
export const splitOptions = {
  /** Share of the normal training items that is held out for the threshold, [0, 0.9]; default 0.1. */
  validationFraction: z
    .number()
    .min(0)
    .max(0.9)
    .optional()
    .describe('Share of the normal training items that is held out for the threshold; default 0.1.')
    .register(optionFacts, {
      group: 'Task',
      recorded: true,
      flags: [
        {
          name: 'validation',
          value: '<share>',
          help: 'share of the normals held out for the threshold (default: 0.1)',
          read: readNumber,
        },
      ],
    }),
  /**
   * Share p of the training part that is made of anomalies which pass for normal, [0, 0.5]; default 0. To N normals
   * ⌊p · N / (1 − p)⌋ anomalies are added (Berg et al. 2019). Held-out normals stay normal. Refused by models that learn
   * from labels or classes.
   */
  contamination: z
    .number()
    .min(0)
    .max(0.5)
    .optional()
    .describe('Share of the training part that is made of anomalies taken for normal; default 0.')
    .register(optionFacts, {
      group: 'Task',
      recorded: true,
      mustMatch: true,
      flags: [
        {
          name: 'contamination',
          value: '<share>',
          help: 'share of the training part that is anomalies taken for normal (default: 0)',
          read: readNumber,
        },
      ],
    }),
  /** Train on at most so many of the normal items that are not held out, drawn by the seed; at least 1. Default: all. */
  trainLimit: z
    .int()
    .min(1)
    .optional()
    .describe('Train on at most so many normal items, drawn by the seed; default all.')
    .register(optionFacts, {
      group: 'Task',
      recorded: true,
      mustMatch: true,
      flags: [{ name: 'train-limit', value: '<n>', help: 'train on at most so many normal items', read: readNumber }],
    }),
  /** Test on at most so many items, drawn by the seed with the share of anomalies kept; at least 2. Default: all. */
  testLimit: z
    .int()
    .min(2)
    .optional()
    .describe('Test on at most so many items, drawn by the seed with the share of anomalies kept; default all.')
    .register(optionFacts, {
      group: 'Task',
      recorded: true,
      mustMatch: true,
      flags: [
        {
          name: 'test-limit',
          value: '<n>',
          help: 'test on at most so many items, the share of anomalies kept',
          read: readNumber,
        },
      ],
    }),
};

const splitSchema = z.object(splitOptions);
/** How a split is drawn. */
export type SplitOptions = Readonly<z.input<typeof splitSchema>>;

/**
 * Item numbers (into `Source.items`), each ascending. Validation holds normal items only; so does training, except
 * under a protocol with labelled anomalies and with contamination.
 */
export interface Split {
  /** Name of the protocol that made it. */
  readonly protocol: string;
  /** The protocol and the class in one sentence, for reports. */
  readonly description: string;
  readonly train: Uint32Array;
  /** 1 = labelled as anomalous, in the order of `train`; contaminants are not labelled. */
  readonly trainLabels: Uint8Array;
  /** Anomalies of `train` that pass for normal; none without contamination, but under `arrhythmia-public`. */
  readonly contaminants: Uint32Array;
  /** Normal items held out from training: for early stopping and thresholds. */
  readonly validation: Uint32Array;
  readonly test: Uint32Array;
  /** 1 = anomalous, in the order of `test`. */
  readonly testLabels: Uint8Array;
  /**
   * No item is in two of the three lists, which is checked, and no item of the test list has the content of one that was
   * trained on or held out: the bytes of its file, the cells of its row, the steps of its window.
   */
  readonly leakFree: boolean;
  /** The test items are those that trained, as unsupervised detectors are judged: nothing is held out, and labels only judge. */
  readonly isWhole?: boolean;
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
  /** Anomalies that neither train nor test: contaminants come from them; where there are none, from the test list. */
  readonly spare?: ArrayLike<number>;
  /** Anomalies that pass for normal in training by the protocol itself, in place of those that `contamination` draws. */
  readonly contaminants?: Uint32Array<ArrayBuffer>;
  readonly options: SplitOptions;
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
 * Holds out validation items at random (at least one, unless the fraction is 0), contaminates the training part, labels
 * the test items and checks the whole.
 * @throws ConfigError `validation-fraction`, `contamination`, `train-limit` and `test-limit`; DataError `too-few-items` and
 * `too-few-anomalies`; InternalError when the lists overlap.
 */
export function finishSplit(source: Source, plan: SplitPlan): Split {
  const { protocol, normals, anomalies = [], options, isAnomalous, rng } = plan;
  const { validationFraction = 0.1, contamination = 0 } = options;
  const { trainLimit = Number.POSITIVE_INFINITY, testLimit = Number.POSITIVE_INFINITY } = options;
  checkOptions(plan, { validationFraction, contamination, trainLimit, testLimit });
  const held =
    validationFraction > 0 && !plan.validation ? Math.max(1, Math.round(validationFraction * normals.length)) : 0;
  const shuffled = rng.shuffle(Uint32Array.from(normals));
  const validation = Uint32Array.from(plan.validation ?? shuffled.subarray(0, held)).sort();
  const kept = shuffled.subarray(held, held + trainLimit); // Infinity: to the end
  const notes = [plan.description];
  const own = shuffled.length - held;
  if (kept.length < own) notes.push(`Training uses ${kept.length} of ${own} normal items, chosen by seed.`);
  const whole = Uint32Array.from(plan.test).sort();
  const contaminated =
    contamination > 0
      ? contaminate(source, { ...plan, contamination, normals: kept.length, test: whole, notes })
      : { contaminants: plan.contaminants ?? new Uint32Array(), test: whole };
  const { contaminants } = contaminated;
  const test = limited(contaminated.test, testLimit, isAnomalous, rng.split('test-limit'), notes);
  const train = Uint32Array.from([...kept, ...Array.from(anomalies), ...contaminants]).sort();
  const unlabelled = new Set(contaminants);
  const trainLabels = Uint8Array.from(train, (i) => (isAnomalous(i) && !unlabelled.has(i) ? 1 : 0));
  const testLabels = Uint8Array.from(test, (i) => (isAnomalous(i) ? 1 : 0));
  const anomalous = testLabels.reduce((n, y) => n + y, 0);
  const good = test.length - anomalous;
  const description = notes.join(' ');
  if (shuffled.length - held < 1 || good === 0 || (anomalous === 0 && !plan.mayLackAnomalies)) {
    throw new DataError(
      'too-few-items',
      `${description} There must be normal items for training and items of both kinds for testing; ${source.name} has ` +
        `${Math.max(0, shuffled.length - held)} normal for training, ${good} normal and ${anomalous} anomalous for testing. ` +
        'Choose another class or protocol, or add items.',
    );
  }
  checkSplit(source.items.length, { train, validation, test }, isAnomalous, [
    ...Array.from(anomalies),
    ...contaminants,
  ]);
  return {
    protocol,
    description,
    train,
    trainLabels,
    contaminants,
    validation,
    test,
    testLabels,
    leakFree: findLeaks(source, { train, validation, test }).length === 0,
    prevalence: anomalous / test.length,
    ...(plan.share !== undefined && { share: plan.share }),
    ...(plan.heldOut !== undefined && { heldOut: plan.heldOut }),
  };
}

function checkOptions(
  { protocol, anomalies }: SplitPlan,
  { validationFraction, contamination, trainLimit, testLimit }: Required<SplitOptions>,
): void {
  if (!(validationFraction >= 0 && validationFraction <= 0.9)) {
    throw new ConfigError('validation-fraction', {
      option: 'validationFraction',
      value: validationFraction,
      must: 'a number from 0 to 0.9',
    });
  }
  if (!(contamination >= 0 && contamination <= 0.5)) {
    throw new ConfigError('contamination', {
      option: 'contamination',
      value: contamination,
      must: 'a number from 0 to 0.5',
    });
  }
  if (contamination > 0 && anomalies && anomalies.length > 0) {
    throw new ConfigError(
      'contamination',
      say`Contamination applies to training on normal items only, but the protocol ${protocol} also trains on labelled
        anomalies. Leave ${option('contamination')} out, or choose another protocol.`,
    );
  }
  checkLimit('train', trainLimit, 1);
  checkLimit('test', testLimit, 2);
}

function checkLimit(part: 'train' | 'test', limit: number, least: number): void {
  if (limit >= least && (Number.isSafeInteger(limit) || limit === Number.POSITIVE_INFINITY)) return;
  throw new ConfigError(`${part}-limit`, {
    option: part === 'train' ? 'trainLimit' : 'testLimit',
    value: limit,
    must: `an integer of at least ${least}`,
  });
}

/** Draws ⌊p · N / (1 − p)⌋ anomalies to train on, from the spare ones or out of the test list. */
function contaminate(
  source: Source,
  {
    contamination: p,
    normals,
    test,
    notes,
    spare = [],
    isAnomalous,
    rng,
  }: Omit<SplitPlan, 'normals' | 'test'> & {
    readonly contamination: number;
    /** How many normals train. */
    readonly normals: number;
    readonly test: Uint32Array<ArrayBuffer>;
    readonly notes: string[];
  },
): { contaminants: Uint32Array<ArrayBuffer>; test: Uint32Array<ArrayBuffer> } {
  const count = Math.floor((p * normals) / (1 - p));
  const fromTest = spare.length === 0;
  const pool = fromTest ? test.filter(isAnomalous) : Uint32Array.from(spare);
  const most = fromTest ? pool.length - 1 : pool.length; // one must be left to test with
  if (count > most) {
    throw new DataError(
      'too-few-anomalies',
      say`A contamination of ${p} needs ${count} anomalies beside ${normals} normal training items, but ${source.name}
        has ${Math.max(0, most)}${fromTest ? ' to spare in its test part, which must keep one' : ''}. Lower
        ${option('contamination')}, or choose another class.`,
    );
  }
  const contaminants = rng.split('contamination').shuffle(pool).slice(0, count).sort();
  notes.push(
    `${count} anomalies, ${fromTest ? 'taken from the test part' : 'none from the test part'}, are treated as normal in ` +
      `training (contamination ${p}).`,
  );
  const taken = new Set(contaminants);
  return { contaminants, test: fromTest ? test.filter((i) => !taken.has(i)) : test };
}

/** At most `limit` of the test items, each kind in its share, ascending. */
function limited(
  test: Uint32Array<ArrayBuffer>,
  limit: number,
  isAnomalous: (item: number) => boolean,
  rng: Rng,
  notes: string[],
): Uint32Array<ArrayBuffer> {
  if (test.length <= limit) return test;
  const [anomalous, good] = [test.filter(isAnomalous), test.filter((i) => !isAnomalous(i))];
  const wanted = Math.round((limit * anomalous.length) / test.length);
  const count = anomalous.length === 0 ? 0 : Math.min(limit - 1, Math.max(1, wanted));
  notes.push(`Testing uses ${limit} of ${test.length} test items, chosen by seed with the same share of anomalies.`);
  const chosen = [...rng.split('anomalous').shuffle(anomalous).subarray(0, count)];
  return Uint32Array.from([
    ...chosen,
    ...rng
      .split('normal')
      .shuffle(good)
      .subarray(0, limit - count),
  ]).sort();
}

/**
 * Throws InternalError when an item is twice in the lists, is outside 0 … n − 1, is an anomaly in validation, or is one
 * in training that is not among `trainable`.
 */
export function checkSplit(
  n: number,
  lists: Pick<Split, 'train' | 'validation' | 'test'>,
  isAnomalous: (item: number) => boolean,
  trainable: readonly number[] = [],
): void {
  const seenIn = new Array<string | undefined>(n);
  const allowed = new Set(trainable);
  for (const name of ['train', 'validation', 'test'] as const) {
    for (const item of lists[name]) {
      if (item >= n) throw new InternalError(`the ${name} list names item ${item} of ${n}.`);
      if (seenIn[item]) throw new InternalError(`item ${item} is in the ${seenIn[item]} list and in the ${name} list.`);
      const normalOnly = name === 'validation' || (name === 'train' && !allowed.has(item));
      if (normalOnly && isAnomalous(item)) throw new InternalError(`item ${item} of ${name} is anomalous.`);
      seenIn[item] = name;
    }
  }
}

/** Test items with the very content of a training or validation item (`SourceItem.content`), each with that item. */
export function findLeaks(
  { items }: Pick<Source, 'items'>,
  { train, validation, test }: Pick<Split, 'train' | 'validation' | 'test'>,
): { test: number; seen: number }[] {
  // The test part is the smaller one: only its contents are kept.
  const wanted = new Set(Array.from(test, (i) => items[i].content));
  const seen = new Map<string, number>();
  for (const list of [train, validation]) {
    for (const i of list) {
      const { content } = items[i];
      if (content !== undefined && wanted.has(content)) seen.set(content, i);
    }
  }
  if (seen.size === 0) return [];
  return Array.from(test).flatMap((i) => {
    const { content } = items[i];
    const known = content === undefined ? undefined : seen.get(content);
    return known === undefined ? [] : [{ test: i, seen: known }];
  });
}
