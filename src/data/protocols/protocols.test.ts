/** Pooled protocols, other names of protocols, contamination and limits of the test part. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Rng } from '../../core/random.ts';
import type { Source } from '../item.ts';
import { findProtocol, type ProtocolOptions, protocols } from './index.ts';

/** Items without values: `train` and then `test` of each class, the classes in turn. */
function source(train: number, testing: number, classes = 3): Source {
  return {
    name: 'numbered',
    kind: 'table',
    title: 'Numbered',
    licence: 'none',
    shape: [1],
    classes: ['cat', 'dog', 'airplane'].slice(0, classes),
    hash: '',
    items: Array.from({ length: classes * (train + testing) }, (_, i) => ({
      id: String(i),
      class: i % classes,
      part: i < classes * train ? 'train' : 'test',
    })),
    async read() {},
  };
}

const split = (name: string, of: Source, options: Omit<ProtocolOptions, 'rng'> & { seed?: number } = {}) =>
  findProtocol(name).split(of, { class: 'dog', ...options, rng: new Rng(options.seed ?? 1) });
const sum = (labels: Uint8Array) => labels.reduce((n, y) => n + y, 0);

test('alad: parts pooled, 60 % train, 20 % are held out, 20 % of all items test', () => {
  const of = source(80, 20);
  const made = split('alad', of);
  expect(made.test.length).toBe(60);
  expect([...made.train, ...made.validation].every((i) => of.items[i].class === 1)).toBe(true);
  // Each normal item is in one of the lists: nothing is thrown away but the anomalies of the first 80 %.
  expect(made.train.length + made.validation.length + 60 - sum(made.testLabels)).toBe(100);
  expect(made.train.length).toBeGreaterThan(2 * made.validation.length);
  expect([...made.test].some((i) => of.items[i].part === 'train')).toBe(true);
  expect(made.testLabels.every((y, i) => y === Number(of.items[made.test[i]].class !== 1))).toBe(true);
});

test('other names mean the same split, and the run keeps the plain name', () => {
  const of = source(80, 20);
  for (const [alias, name] of [
    ['egbad', 'one-anomaly'],
    ['survey', 'one-anomaly'],
    ['ganomaly', 'one-anomaly'],
    ['deep-svdd', 'one-class'],
  ]) {
    expect(split(alias, of)).toEqual(split(name, of));
    expect(split(alias, of).protocol).toBe(name);
  }
  const names = protocols.flatMap((p) => [p.name, ...(p.aliases ?? [])]);
  expect(new Set(names).size).toBe(names.length);
  expect(() => findProtocol('ganomali')).toThrow('Did you mean "ganomaly"?');
});

describe('contamination', () => {
  test('adds ⌊p · N / (1 − p)⌋ unlabelled anomalies that the test part does not use', () => {
    const of = source(100, 20);
    const clean = split('one-class', of);
    expect(clean.contaminants.length).toBe(0);
    for (const [p, count] of [
      [0.01, 0], // 90 / 99
      [0.05, 4], // 4.5 / 0.95
      [0.1, 10],
      [0.5, 90],
    ]) {
      const contaminated = split('one-class', of, { contamination: p });
      expect(contaminated.contaminants.length).toBe(count);
      expect(contaminated.train.length).toBe(90 + count);
      expect([...contaminated.contaminants].every((i) => of.items[i].class !== 1 && of.items[i].part === 'train')).toBe(
        true,
      );
      expect([...contaminated.contaminants].every((i) => contaminated.train.includes(i))).toBe(true);
      expect(sum(contaminated.trainLabels)).toBe(0);
      // The held-out normals and the test part are those of the clean split.
      expect([contaminated.validation, contaminated.test, contaminated.leakFree]).toEqual([
        clean.validation,
        clean.test,
        true,
      ]);
      expect(contaminated.description).toContain(
        `${count} anomalies, none from the test part, are treated as normal in training`,
      );
    }
  });

  test('takes them out of the test part where all anomalies test', () => {
    const of = source(80, 20);
    const clean = split('one-anomaly', of);
    const contaminated = split('one-anomaly', of, { contamination: 0.1 });
    expect(contaminated.contaminants.length).toBe(16); // 144 normals train
    expect(contaminated.test.length).toBe(clean.test.length - 16);
    expect([...contaminated.test].some((i) => contaminated.contaminants.includes(i))).toBe(false);
    expect([contaminated.validation, contaminated.leakFree]).toEqual([clean.validation, true]);
    expect(contaminated.prevalence).toBeCloseTo(84 / 124, 10);
    expect(contaminated.description).toContain(
      '16 anomalies, taken from the test part, are treated as normal in training',
    );
  });

  test('halves and alad use the anomalies that they leave out of training', () => {
    const of = source(80, 20);
    for (const name of ['half', 'kdd', 'arrhythmia', 'alad']) {
      const [clean, contaminated] = [0, 0.1].map((contamination) => split(name, of, { contamination }));
      const normals = clean.train.length;
      expect(contaminated.contaminants.length).toBe(Math.floor((0.1 * normals) / 0.9));
      expect(contaminated.test).toEqual(clean.test);
      expect(contaminated.train.length).toBe(normals + contaminated.contaminants.length);
    }
  });

  test('the public split of Arrhythmia keeps the anomalies of its training half, whatever the seed', () => {
    const of = source(80, 20);
    const made = split('arrhythmia-public', of, { validationFraction: 0 });
    expect([made.train.length, made.test.length, made.share]).toEqual([150, 150, 0.15]);
    const anomalous = [...made.train].filter((i) => of.items[i].class === 1);
    expect([...made.contaminants].sort((a, b) => a - b)).toEqual(anomalous);
    expect([anomalous.length + sum(made.testLabels), sum(made.trainLabels)]).toEqual([100, 0]);
    expect(split('arrhythmia-public', of, { validationFraction: 0, seed: 2 })).toEqual(made);
    const held = split('arrhythmia-public', of); // what is held out is normal
    expect(held.validation.length).toBe(Math.round(0.1 * (150 - anomalous.length)));
    expect([...held.validation].every((i) => of.items[i].class !== 1)).toBe(true);
    expect(() => split('arrhythmia-public', of, { contamination: 0.1 })).toThrow(
      'leaves the anomalies of its training half in training already',
    );
  });

  test('every split stays disjoint with held-out normals, and follows the seed alone', () => {
    const of = source(60, 30);
    fc.assert(
      fc.property(
        fc.constantFrom('one-class', 'one-anomaly', 'alad', 'half', 'kdd', 'arrhythmia'),
        fc.integer(),
        fc.double({ min: 0, max: 0.2, noNaN: true }),
        fc.integer({ min: 2, max: 100 }),
        (name, seed, contamination, testLimit) => {
          const options = { contamination, testLimit, seed };
          const made = split(name, of, options);
          const all = [...made.train, ...made.validation, ...made.test];
          expect(new Set(all).size).toBe(all.length);
          expect(split(name, of, options)).toEqual(made);
          const { testLabels } = split(name, of, { seed }); // the same classes are anomalous
          expect(testLabels.length).toBeGreaterThan(0);
          expect(made.test.length).toBeLessThanOrEqual(testLimit);
        },
      ),
    );
    const [a, b] = [1, 2].map((seed) => split('one-class', of, { contamination: 0.2, seed }));
    expect(a.contaminants).not.toEqual(b.contaminants);
  });

  test('what cannot be is refused with a sentence', () => {
    const of = source(80, 20);
    expect(() => split('one-class', of, { contamination: 0.6 })).toThrow('must be a number from 0 to 0.5, got 0.6');
    expect(() => split('one-class', of, { contamination: Number.NaN })).toThrow(
      expect.objectContaining({ code: 'contamination' }),
    );
    expect(() => split('one-anomaly', of, { contamination: 0.5 })).toThrow(
      'A contamination of 0.5 needs 144 anomalies beside 144 normal training items, but numbered has 99 to spare in its ' +
        'test part, which must keep one. Lower `contamination`, or choose another class.',
    );
    expect(() => split('labelled', of, { contamination: 0.1 })).toThrow(
      'the protocol labelled also trains on labelled anomalies',
    );
  });
});

test('a limit draws normal items to train on, and leaves the other parts as they are', () => {
  const of = source(80, 20);
  const [all, few] = [undefined, 9].map((trainLimit) => split('one-class', of, { trainLimit }));
  expect([all.train.length, few.train.length]).toEqual([72, 9]);
  expect([...few.train].every((i) => all.train.includes(i))).toBe(true);
  expect([few.validation, few.test]).toEqual([all.validation, all.test]);
  expect(few.description).toContain('Training uses 9 of 72 normal items, chosen by seed.');
  expect(split('one-class', of, { trainLimit: 72 })).toEqual(all);
  expect(split('one-class', of, { trainLimit: 9, seed: 2 }).train).not.toEqual(few.train);
  // The share of contaminants is one of what trains.
  expect(split('one-class', of, { trainLimit: 9, contamination: 0.1 }).train.length).toBe(10);
  for (const trainLimit of [0, 2.5]) {
    expect(() => split('one-class', of, { trainLimit })).toThrow(
      `\`trainLimit\` must be an integer of at least 1, got ${trainLimit}.`,
    );
  }
});

test('a limit draws test items with their share of anomalies', () => {
  const of = source(80, 20);
  const [all, few] = [undefined, 30].map((testLimit) => split('one-class', of, { testLimit }));
  expect([all.test.length, few.test.length, sum(few.testLabels)]).toEqual([60, 30, 20]);
  expect([few.train, few.validation]).toEqual([all.train, all.validation]);
  expect([...few.test].every((i) => all.test.includes(i))).toBe(true);
  expect(few.description).toContain('Testing uses 30 of 60 test items, chosen by seed');
  expect(split('one-class', of, { testLimit: 60 })).toEqual(all);
  expect(split('one-class', of, { testLimit: 30, seed: 2 }).test).not.toEqual(few.test);
  for (const testLimit of [1, 2.5]) {
    expect(() => split('one-class', of, { testLimit })).toThrow(`must be an integer of at least 2, got ${testLimit}.`);
  }
});
