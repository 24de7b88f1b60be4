/**
 * The ways in which a data set becomes an anomaly task: those of the literature for data sets of classes, and those for
 * folders that say themselves what is normal. Numbers of different protocols must never be compared: they differ in
 * what is normal, in the training data and in the share of anomalies.
 */
import { ConfigError, DataError, unknownName } from '../core/errors.ts';
import type { Rng } from '../core/random.ts';
import type { Source } from './item.ts';
import { finishSplit, type Split } from './split.ts';

/** What a protocol is told. */
export interface ProtocolOptions {
  /** Name or number of the class that the protocol is about; `folder` needs none. */
  readonly class?: string | number;
  /** Share of the training normals to hold out for validation, [0, 0.9]; default 0.1. */
  readonly validationFraction?: number;
  /**
   * Share of the anomalies for training whose labels are used, (0, 1], at least one; default 1. For `labelled`, and for
   * `imbalance`, where it is a share of each class.
   */
  readonly labelledFraction?: number;
  /** Classes of anomalies, by name or number, that training must not see; for `imbalance` only. */
  readonly heldOut?: readonly (string | number)[];
  /** The split draws from its stream `split` only. */
  readonly rng: Rng;
}

/** A protocol: a name, and a function from a source to a split. */
export interface Protocol {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  /** Option names it cannot do without. */
  readonly needs: readonly 'class'[];
  /** The class that it is about where none is named. */
  readonly class?: string;
  /** Makes the split; a pure function of the source's items, the options and the seed. */
  split(source: Source, options: ProtocolOptions): Split;
}

/** Share of the normal items that test where the data names none for it. */
const TEST_SHARE = 0.2;

const oneClass: Protocol = {
  name: 'one-class',
  title: 'One class is normal',
  description:
    'The class is normal and all others are anomalous: its official training part trains, the official test part of ' +
    'all classes tests (Deep SVDD, ICML 2018).',
  needs: ['class'],
  split(source, options) {
    const normal = resolveClass(source, given(options, 'one-class', source));
    const { items } = source;
    return finishSplit(source, {
      protocol: 'one-class',
      description: `One-class: "${source.classes[normal]}" of ${source.name} is normal, every other class is anomalous.`,
      normals: numbersWhere(source, (i) => items[i].part === 'train' && items[i].class === normal),
      test: numbersWhere(source, (i) => items[i].part === 'test'),
      isAnomalous: (i) => items[i].class !== normal,
      validationFraction: options.validationFraction ?? 0.1,
      rng: options.rng.split('split'),
    });
  },
};

const oneAnomaly: Protocol = {
  name: 'one-anomaly',
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
      validationFraction: options.validationFraction ?? 0.1,
      rng: rng.split('validation'),
    });
  },
};

const folder: Protocol = {
  name: 'folder',
  title: 'The folders say what is normal',
  description:
    'Training is on the normal images of the training part, testing on the test part. Without a test part a fifth of ' +
    'the normal images, drawn by the seed, and all anomalies test.',
  needs: [],
  split(source, options) {
    const { isAnomalous, list, sentence } = aboutNormal(source, 'folder', options.class);
    const rng = options.rng.split('split');
    const said = [`Folder: ${sentence}`];
    const normal = normalParts(source, isAnomalous, rng, said);
    let anomalies = list('test', true);
    if (anomalies.length === 0) {
      anomalies = list('train', true);
      if (anomalies.length === 0) said.push('There are no anomalies to test with.');
    } else {
      const unused = list('train', true).length + list('validation', true).length;
      if (unused > 0) said.push(`${unused} anomalies outside the test part are not used.`);
    }
    return finishSplit(source, {
      protocol: 'folder',
      description: said.join(' '),
      ...normal,
      test: [...normal.test, ...anomalies],
      mayLackAnomalies: true,
      isAnomalous,
      validationFraction: options.validationFraction ?? 0.1,
      rng: rng.split('validation'),
    });
  },
};

const labelled: Protocol = {
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
    const said = [`Labelled: ${sentence}`];
    const normal = normalParts(source, isAnomalous, rng, said);
    let training = rng.split('anomalies').shuffle(list('train', true));
    let testing = list('test', true);
    if (training.length === 0 || testing.length === 0) {
      const pool = rng.split('anomalies').shuffle(Uint32Array.from([...training, ...testing]));
      said.push('Half of the anomalies, drawn by the seed, train, and the other half test.');
      training = pool.slice(0, pool.length >> 1);
      testing = pool.slice(pool.length >> 1);
    }
    if (training.length === 0) {
      throw new DataError(
        'no-labelled-anomalies',
        `The protocol labelled must have at least two anomalies, one to train on and one to test with, and ` +
          `${source.name} has ${testing.length}. Use --protocol folder, which trains on normal images only.`,
      );
    }
    const used = Math.max(1, Math.round(labelledFraction * training.length));
    if (used < training.length)
      said.push(`${used} of ${training.length} anomalies for training are labelled, the rest is not used.`);
    return finishSplit(source, {
      protocol: 'labelled',
      description: said.join(' '),
      ...normal,
      anomalies: training.slice(0, used),
      test: [...normal.test, ...testing],
      isAnomalous,
      validationFraction: options.validationFraction ?? 0.1,
      rng: rng.split('validation'),
    });
  },
};

const imbalance: Protocol = {
  name: 'imbalance',
  title: 'One class is normal, anomalies of some others are labelled',
  description:
    'Supervised: the class is normal; items of the other classes train as labelled anomalies, except those of the ' +
    'classes held out (half of them, drawn by the seed, unless named). The official test part of all classes tests, and ' +
    'seen and held-out classes are judged apart (after seed 000 of the founding documents).',
  needs: ['class'],
  split(source, options) {
    const normal = resolveClass(source, given(options, 'imbalance', source));
    const labelledFraction = fractionOf(options);
    const { items, classes } = source;
    const rng = options.rng.split('split');
    const others = [...new Set(items.map((item) => item.class))].filter((c) => c !== normal).sort((a, b) => a - b);
    const heldOut = heldOutOf(source, normal, others, options.heldOut, rng.split('held-out'));
    const names = (list: readonly number[]) => list.map((c) => `"${classes[c]}"`).join(', ');
    const seen = others.filter((c) => !heldOut.includes(c));
    const anomalies = seen.flatMap((c) => {
      const own = numbersWhere(source, (i) => items[i].part === 'train' && items[i].class === c);
      const used = own.length === 0 ? 0 : Math.max(1, Math.round(labelledFraction * own.length));
      return [...rng.split('anomalies').split(c).shuffle(own).subarray(0, used)];
    });
    if (anomalies.length === 0) {
      throw new DataError(
        'no-labelled-anomalies',
        `The protocol imbalance must have anomalies to train on, and ${source.name} has none in the training part of ` +
          `${seen.length === 0 ? 'the classes that are not held out' : names(seen)}. Use --protocol one-class, which trains on normal items only.`,
      );
    }
    return finishSplit(source, {
      protocol: 'imbalance',
      description:
        `Imbalance: "${classes[normal]}" of ${source.name} is normal; ${anomalies.length} labelled anomalies of ` +
        `${names(seen)} train; ${heldOut.length === 0 ? 'no class is held out' : `${names(heldOut)} are held out`}.`,
      normals: numbersWhere(source, (i) => items[i].part === 'train' && items[i].class === normal),
      anomalies,
      heldOut,
      test: numbersWhere(source, (i) => items[i].part === 'test'),
      isAnomalous: (i) => items[i].class !== normal,
      validationFraction: options.validationFraction ?? 0.1,
      rng: rng.split('validation'),
    });
  },
};

/** Classes of anomalies to keep from training, ascending: those named, or half of all, drawn. */
function heldOutOf(
  source: Source,
  normal: number,
  others: readonly number[],
  named: ProtocolOptions['heldOut'],
  rng: Rng,
): number[] {
  // Half: the two figures, for seen and for held-out classes, then rest on about as many classes.
  if (!named) return [...rng.shuffle(Uint32Array.from(others)).subarray(0, others.length >> 1)].sort((a, b) => a - b);
  const numbers = [...new Set(named.map((one) => resolveClass(source, one)))].sort((a, b) => a - b);
  if (numbers.includes(normal)) {
    throw new ConfigError(
      'held-out',
      `The classes held out must be anomalous, and "${source.classes[normal]}" is the normal one. Leave it out of --held-out.`,
    );
  }
  return numbers;
}

/** The share of labelled anomalies, checked. */
function fractionOf({ labelledFraction = 1 }: ProtocolOptions): number {
  if (labelledFraction > 0 && labelledFraction <= 1) return labelledFraction;
  throw new ConfigError(
    'labelled-fraction',
    `The share of labelled anomalies must be above 0 and at most 1, got ${labelledFraction}.`,
  );
}

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
      const odd = testing.filter(isAnomalous);
      const most = anomalies === undefined ? odd.length : Math.floor((anomalies / (1 - anomalies)) * normals.length);
      return finishSplit(source, {
        protocol: protocol.name,
        description: `${protocol.title}: ${sentence} Half of the items, drawn by the seed, train without their anomalies.`,
        normals: order.subarray(0, half).filter((i) => !isAnomalous(i)),
        test: [...normals, ...odd.subarray(0, most)],
        isAnomalous,
        validationFraction: options.validationFraction ?? 0.1,
        rng: rng.split('validation'),
        share,
      });
    },
  };
}

const half = halves({
  name: 'half',
  title: 'Halves',
  description:
    'Half of all items, drawn by the seed, train without their anomalies, the other half tests. Of a data set of classes, ' +
    'the class is the anomaly.',
});

const kdd = halves({
  name: 'kdd',
  title: 'KDD99 10 %',
  description:
    'Halves as DAGMM, EGBAD and ALAD draw them: the class (default "normal", the rarer one) is the anomaly, at most 20 % ' +
    'of the test items are anomalies, and the 20 % with the highest scores count as found: an oracle.',
  class: 'normal',
  share: 0.2,
  anomalies: 0.2,
});

const arrhythmia = halves({
  name: 'arrhythmia',
  title: 'Arrhythmia',
  description: 'Halves; the 15 % of the test items with the highest scores count as found: an oracle (DAGMM, ALAD).',
  share: 0.15,
});

/** What is anomalous in a source of folders, or in a source of classes when `about` names the anomaly. */
function aboutNormal(source: Source, protocol: string, about: string | number | undefined) {
  const { items, classes, normalClass } = source;
  let isAnomalous: (i: number) => boolean;
  let sentence: string;
  if (normalClass !== undefined) {
    if (about !== undefined && resolveClass(source, about) !== normalClass) {
      throw new ConfigError(
        'class-not-needed',
        `${source.name} says itself that "${classes[normalClass]}" is normal, so ${protocol} takes no other ` +
          `class, got "${about}". Leave --class out.`,
      );
    }
    isAnomalous = (i) => items[i].class !== normalClass;
    sentence = `"${classes[normalClass]}" of ${source.name} is normal.`;
  } else {
    if (protocol === 'folder') {
      throw new ConfigError(
        'protocol-needs-folder',
        `The protocol folder needs data that says what is normal, and ${source.name} has only classes. ` +
          'Use --protocol one-class and name a class with --class.',
      );
    }
    if (about === undefined) throw missingClass(protocol, source.name);
    const anomaly = resolveClass(source, about);
    isAnomalous = (i) => items[i].class === anomaly;
    sentence = `"${classes[anomaly]}" of ${source.name} is the anomaly.`;
  }
  const list = (part: Source['items'][number]['part'], anomalous: boolean) =>
    numbersWhere(source, (i) => items[i].part === part && isAnomalous(i) === anomalous);
  return { isAnomalous, list, sentence };
}

/** The normal items by part; where none is for testing, a fifth of those for training, drawn by the seed. */
function normalParts(source: Source, isAnomalous: (i: number) => boolean, rng: Rng, said: string[]) {
  const list = (part: string) => numbersWhere(source, (i) => source.items[i].part === part && !isAnomalous(i));
  const validation = list('validation');
  let [normals, test] = [list('train'), list('test')];
  if (test.length === 0) {
    const drawn = rng.split('test').shuffle(normals);
    const count = Math.min(drawn.length, Math.max(1, Math.round(TEST_SHARE * drawn.length)));
    [test, normals] = [drawn.slice(0, count), drawn.slice(count)];
    said.push(`No normal images are set apart for testing: ${count}, drawn by the seed, test.`);
  }
  return { normals, test, ...(validation.length > 0 && { validation }) };
}

/** The error for a protocol that is about a class when none is named. */
export function missingClass(protocol: string, data: string): ConfigError {
  return new ConfigError(
    'missing-class',
    `The protocol ${protocol} needs a class of ${data}, got none. Name one with --class, for example --class 0.`,
  );
}

/** All protocols. */
export const protocols: readonly Protocol[] = [
  oneClass,
  oneAnomaly,
  folder,
  labelled,
  imbalance,
  half,
  kdd,
  arrhythmia,
];

/** The protocol of a name; throws ConfigError `unknown-protocol`, offering the nearest name. */
export function findProtocol(name: string): Protocol {
  const found = protocols.find((p) => p.name === name);
  if (found) return found;
  throw unknownName(
    'protocol',
    name,
    protocols.map((p) => p.name),
  );
}

/**
 * The number of a class given by name (capitals do not matter) or by number.
 * @throws ConfigError `unknown-class`, offering the nearest name; DataError `empty-class` when it has no items.
 */
export function resolveClass(source: Source, given: string | number): number {
  const text = String(given).trim().toLowerCase();
  let number = source.classes.findIndex((c) => c.toLowerCase() === text);
  if (number < 0 && /^\d+$/.test(text) && Number(text) < source.classes.length) number = Number(text);
  if (number < 0) throw unknownName('class', String(given), source.classes);
  if (!source.items.some((item) => item.class === number)) {
    throw new DataError(
      'empty-class',
      `The class "${source.classes[number]}" of ${source.name} must have items, and has none. Choose another class.`,
    );
  }
  return number;
}

/** The class that was named; throws ConfigError `missing-class`. */
function given(options: ProtocolOptions, protocol: string, source: Source): string | number {
  if (options.class === undefined) throw missingClass(protocol, source.name);
  return options.class;
}

/** Item numbers that pass, ascending. */
function numbersWhere(source: Source, pass: (i: number) => boolean): Uint32Array<ArrayBuffer> {
  const numbers: number[] = [];
  for (let i = 0; i < source.items.length; i++) if (pass(i)) numbers.push(i);
  return Uint32Array.from(numbers);
}
