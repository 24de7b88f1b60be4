import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { labelsAt } from '../../../test/helpers/golden-series.ts';
import { rangeAuc, rangeVus } from './range-auc.ts';

const file = new URL('../../../test/golden/series/uniform-41.json', import.meta.url);
/** 200 draws of numpy's default generator, seed 41, halved. */
const draws: number[] = JSON.parse(readFileSync(file, 'utf8'));
const labels = labelsAt(200, [10, 19], [28, 32], [110, 119]);
const raised = labelsAt(200, [16, 21], [33, 37], [160, 169]);
const scores = draws.map((score, t) => (raised[t] === 1 ? 1 : score));

test.each([
  ['a buffer of the median length', () => rangeAuc(scores, labels), 0.373785466, 0.7108527197],
  ['a buffer of 4', () => rangeAuc(scores, labels, 4), 0.2506464391, 0.6143220816],
  ['the volume up to 200', () => rangeVus(scores, labels, 200), 0.7493254559, 0.876338213],
])('are those of aeon: %s', (_, of, pr, roc) => {
  expect(of()!.pr).toBeCloseTo(pr, 9);
  expect(of()!.roc).toBeCloseTo(roc, 9);
});

test('one label only has none, and a buffer must be a number of steps', () => {
  expect(rangeAuc([1, 2], [0, 0])).toBeNull();
  expect(rangeVus([1, 2], [1, 1], 4)).toBeNull();
  expect(() => rangeAuc(scores, labels, -1)).toThrow('whole number of steps');
});
