/**
 * What a protocol is, and what several of them share: classes by name, and what is normal in a source. The protocols
 * themselves lie beside this file.
 */
import { ConfigError, DataError, unknownName } from '../../core/errors.ts';
import type { Rng } from '../../core/random.ts';
import { option, say } from '../../core/text.ts';
import type { Source } from '../item.ts';
import type { SeriesParts } from '../series/source.ts';
import type { Split, SplitOptions } from '../split.ts';

/** What a protocol is told. */
export interface ProtocolOptions extends SplitOptions {
  /** Name or number of the class that the protocol is about; `folder` needs none. */
  readonly class?: string | number;
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
  /** Other names by which the literature knows the same split. Runs keep `name`. */
  readonly aliases?: readonly string[];
  readonly title: string;
  readonly description: string;
  /** Option names it cannot do without. */
  readonly needs: readonly 'class'[];
  /** The class that it is about where none is named. */
  readonly class?: string;
  /** Which steps of series are for training; without it the first of each. */
  readonly parts?: SeriesParts;
  /** Makes the split; a pure function of the source's items, the options and the seed. */
  split(source: Source, options: ProtocolOptions): Split;
}

/** Share of the normal items that test where the data names none for it. */
const TEST_SHARE = 0.2;

/** What is anomalous in a source of folders, or in a source of classes when `about` names the anomaly. */
export function aboutNormal(source: Source, protocol: string, about: string | number | undefined) {
  const { items, classes, normalClass } = source;
  let isAnomalous: (i: number) => boolean;
  let sentence: string;
  if (normalClass !== undefined) {
    if (about !== undefined && resolveClass(source, about) !== normalClass) {
      throw new ConfigError(
        'class-not-needed',
        say`In ${source.name} "${classes[normalClass]}" is normal, so the protocol ${protocol} takes no other class;
          got "${about}". Leave ${option('class')} out.`,
      );
    }
    isAnomalous = (i) => items[i].class !== normalClass;
    sentence = `"${classes[normalClass]}" of ${source.name} is normal.`;
  } else {
    if (protocol === 'folder') {
      throw new ConfigError(
        'protocol-needs-folder',
        say`The protocol folder needs data that says what is normal, but ${source.name} has classes only. Use
          ${option('protocol', items.some((i) => i.part === 'test') ? 'one-class' : 'alad')} and name the normal class
          with ${option('class')}.`,
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
export function normalParts(source: Source, isAnomalous: (i: number) => boolean, rng: Rng, notes: string[]) {
  const list = (part: string) => numbersWhere(source, (i) => source.items[i].part === part && !isAnomalous(i));
  const validation = list('validation');
  let [normals, test] = [list('train'), list('test')];
  if (test.length === 0) {
    const shuffled = rng.split('test').shuffle(normals);
    const count = Math.min(shuffled.length, Math.max(1, Math.round(TEST_SHARE * shuffled.length)));
    [test, normals] = [shuffled.slice(0, count), shuffled.slice(count)];
    notes.push(
      `No separate test set; ${count} normal ${source.kind === 'table' ? 'rows' : 'images'}, chosen by seed, are used for testing.`,
    );
  }
  return { normals, test, ...(validation.length > 0 && { validation }) };
}

/** The error for a protocol that is about a class when none is named. */
export function missingClass(protocol: string, data: string): ConfigError {
  return new ConfigError(
    'missing-class',
    say`The protocol ${protocol} needs a class of ${data}, got none. Name one, for example ${option('class', 0)}.`,
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
  if (number < 0) throw unknownName('class', String(given), source.classes, 'class');
  if (!source.items.some((item) => item.class === number)) {
    if (number === source.normalClass) throw withoutNormals(source);
    throw new DataError(
      'empty-class',
      `The class "${source.classes[number]}" of ${source.name} has no items. Choose another class.`,
    );
  }
  return number;
}

/** The error for data of one's own in which everything is anomalous. */
function withoutNormals({ name, kind, items }: Source): DataError {
  const [things, remedy] =
    kind === 'table'
      ? ['rows', 'Correct the labels']
      : ['images', say`Name the folder of normal images with ${option('folderNames.normal')}`];
  return new DataError(
    'empty-class',
    say`${name} must hold normal ${things} to train on, but all ${items.length} are anomalous. ${remedy}, or add some.`,
  );
}

/** The class that was named; throws ConfigError `missing-class`. */
export function given(options: ProtocolOptions, protocol: string, source: Source): string | number {
  if (options.class === undefined) throw missingClass(protocol, source.name);
  return options.class;
}

/** Item numbers that pass, ascending. */
export function numbersWhere(source: Source, pass: (i: number) => boolean): Uint32Array<ArrayBuffer> {
  const numbers: number[] = [];
  for (let i = 0; i < source.items.length; i++) if (pass(i)) numbers.push(i);
  return Uint32Array.from(numbers);
}

/** The share of labelled anomalies, checked. */
export function fractionOf({ labelledFraction = 1 }: ProtocolOptions): number {
  if (labelledFraction > 0 && labelledFraction <= 1) return labelledFraction;
  throw new ConfigError('labelled-fraction', {
    option: 'labelledFraction',
    value: labelledFraction,
    must: 'a number above 0 and at most 1',
  });
}
