/**
 * The ways in which the literature turns a data set with classes into an anomaly task. Numbers of different protocols
 * must never be compared: they differ in what is normal, in the training data and in the share of anomalies.
 */
import { DataError, unknownName } from '../core/errors.ts';
import type { Rng } from '../core/random.ts';
import type { Source } from './item.ts';
import { finishSplit, type Split } from './split.ts';

/** What a protocol is told. */
export interface ProtocolOptions {
  /** Name or number of the class that the protocol is about. */
  readonly class: string | number;
  /** Share of the training normals to hold out for validation, [0, 0.9]; default 0.1. */
  readonly validationFraction?: number;
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
  /** Makes the split; a pure function of the source's items, the options and the seed. */
  split(source: Source, options: ProtocolOptions): Split;
}

const oneClass: Protocol = {
  name: 'one-class',
  title: 'One class is normal',
  description:
    'The class is normal and all others are anomalous: its official training part trains, the official test part of ' +
    'all classes tests (Deep SVDD, ICML 2018).',
  needs: ['class'],
  split(source, options) {
    const normal = resolveClass(source, options.class);
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
    const anomalous = resolveClass(source, options.class);
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

/** All protocols. */
export const protocols: readonly Protocol[] = [oneClass, oneAnomaly];

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

/** Item numbers that pass, ascending. */
function numbersWhere(source: Source, pass: (i: number) => boolean): Uint32Array {
  const numbers: number[] = [];
  for (let i = 0; i < source.items.length; i++) if (pass(i)) numbers.push(i);
  return Uint32Array.from(numbers);
}
