/** What the names of folders, labels and splits mean: the usual words, and those that the caller gives. */
import type { Part } from './item.ts';

/** Names of folders, in a CSV file of labels, instead of the usual ones; upper and lower case are the same. */
export interface LayoutOptions {
  /** Where normal images lie, instead of `good`, `ok`, `normal` and the like. */
  readonly normal?: string | readonly string[];
  /** Where anomalous images lie; without it every folder that is neither of normal images nor of masks. */
  readonly abnormal?: string | readonly string[];
  /** Where masks lie, beside `ground_truth`, `gt`, `mask` and `masks`. */
  readonly mask?: string | readonly string[];
}

/** Names that mean the same, as `plain` writes them. */
const usual = {
  normal: ['good', 'ok', 'normal', 'normals', 'pass', 'defect_free'],
  abnormal: [
    ...['abnormal', 'anomaly', 'anomalies', 'anomalous', 'bad', 'defect', 'defects', 'defective'],
    ...['nok', 'not_ok', 'ko', 'ng', 'not_good', 'fail', 'faulty', 'reject'],
  ],
  mask: ['ground_truth', 'groundtruth', 'gt', 'mask', 'masks'],
};
const parts: Readonly<Record<Part, readonly string[]>> = {
  train: ['train', 'training'],
  validation: ['validation', 'valid', 'val'],
  test: ['test', 'testing', 'test_public'],
};

/** Small letters, one sign between words, one form of each accented letter. */
const plain = (name: string) =>
  name
    .normalize('NFC')
    .trim()
    .toLowerCase()
    .replace(/[\s-]+/g, '_');

/** The words of one data set. */
export class LayoutWords {
  private readonly given: { readonly normal?: string[]; readonly abnormal?: string[]; readonly mask?: string[] };

  constructor(options: LayoutOptions = {}) {
    const list = (names?: string | readonly string[]) => (names === undefined ? undefined : [names].flat().map(plain));
    this.given = { normal: list(options.normal), abnormal: list(options.abnormal), mask: list(options.mask) };
  }

  /** The part that a name means; none for a name that was given another meaning. */
  part(name: string): Part | undefined {
    const word = plain(name);
    if (this.allGiven.includes(word)) return undefined;
    return (Object.keys(parts) as Part[]).find((part) => parts[part].includes(word));
  }

  isMask(name: string): boolean {
    const word = plain(name);
    return this.given.mask?.includes(word) || (usual.mask.includes(word) && !this.allGiven.includes(word));
  }

  /**
   * The label that a name means. Any name that is not one of a normal label is a defect's, unless the caller said which
   * names are; undefined for the rest.
   */
  label(name: string): 'normal' | 'abnormal' | undefined {
    const word = plain(name);
    if (this.given.normal?.includes(word)) return 'normal';
    if (this.given.abnormal?.includes(word)) return 'abnormal';
    if (usual.normal.includes(word)) return this.given.normal ? undefined : 'normal';
    return this.given.abnormal ? undefined : 'abnormal';
  }

  /** True for `bad`, `defect` and the like, which say nothing about the kind of defect. */
  isGeneral(name: string): boolean {
    const word = plain(name);
    return usual.abnormal.includes(word) || this.given.abnormal?.includes(word) === true;
  }

  /** A name that the caller gave for something, where none of the names that are used so is that. */
  idle(used: Readonly<Record<keyof LayoutOptions, readonly string[]>>) {
    for (const meaning of ['normal', 'abnormal', 'mask'] as const) {
      const there = new Set(used[meaning].map(plain));
      const name = this.given[meaning]?.find((one) => !there.has(one));
      if (name !== undefined) return { meaning, name };
    }
    return undefined;
  }

  /** A name that the caller gave and that none of `names` is. */
  missing(names: Iterable<string>): string | undefined {
    const there = new Set([...names].map(plain));
    return this.allGiven.find((name) => !there.has(name));
  }

  private get allGiven(): string[] {
    return Object.values(this.given).flatMap((list) => list ?? []);
  }
}
