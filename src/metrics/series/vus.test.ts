import { describe, expect, test } from 'vitest';
import { goldenLabels, goldenScores, labelsAt } from '../../../test/helpers/golden-series.ts';
import { Rng } from '../../core/random.ts';
import { segmentsOf } from '../../core/segments.ts';
import { auroc } from '../auroc.ts';
import { averagePrecision } from '../average-precision.ts';
import { softCurves, type Volumes, vus, vusF1 } from './vus.ts';

/** The definition, word by word: a loop over lengths, thresholds and steps. */
function byDefinition(scores: ArrayLike<number>, labels: ArrayLike<number>, window: number): Volumes {
  const n = scores.length;
  const all = Array.from(scores);
  const sorted = [...all].sort((a, b) => b - a);
  const segments = segmentsOf(labels).map(({ begin, end }) => [begin, end - 1]);
  const positives = Array.from(labels).reduce((a, b) => a + b, 0);
  const sum = { pr: 0, roc: 0 };
  for (let length = 0; length <= window; length++) {
    const reach = Math.floor(length / 2);
    const soft = Array.from(labels);
    for (const [first, last] of segments) {
      for (let t = 0; t < n; t++) {
        const distance = t < first ? first - t : t - last;
        if (distance >= 1 && distance <= reach) soft[t] += Math.sqrt(1 - distance / length);
      }
    }
    const capped = soft.map((value) => Math.min(value, 1));
    const zones: number[][] = [];
    for (const [first, last] of segments) {
      const before = zones.at(-1);
      if (before && before[1] >= first - reach) before[1] = last + reach;
      else zones.push([first - reach, last + reach]);
    }
    let [recallBefore, falseBefore] = [0, 0];
    for (let k = 0; k < 250; k++) {
      const threshold = sorted[k === 249 ? n - 1 : Math.floor(k * ((n - 1) / 249))];
      const called = all.map((score) => (score >= threshold ? 1 : 0));
      const alarms = called.reduce<number>((a, b) => a + b, 0);
      const now = capped.map((value, t) => (labels[t] === 1 ? 1 : value * called[t]));
      const found = now.reduce((a, value, t) => a + value * called[t], 0);
      const anomalies = (positives + now.reduce((a, b) => a + b, 0)) / 2;
      const touched = zones.filter(([first, last]) => called.slice(Math.max(first, 0), last + 1).includes(1)).length;
      const recall = Math.min(found / anomalies, 1) * (touched / zones.length);
      const falseRate = (alarms - found) / (n - anomalies);
      sum.pr += (recall - recallBefore) * (found / alarms);
      sum.roc += ((falseRate - falseBefore) * (recall + recallBefore)) / 2;
      [recallBefore, falseBefore] = [recall, falseRate];
    }
    sum.roc += ((1 - falseBefore) * (1 + recallBefore)) / 2;
  }
  return { pr: sum.pr / (window + 1), roc: sum.roc / (window + 1) };
}

describe('volumes under the surface', () => {
  test.each([
    ['A', 10, 0.274122, 0.568983],
    ['B', 10, 0.713441, 0.860561],
    ['C', 10, 1, 1],
    ['D', 10, 0.331394, 0.579862],
    ['B', 4, 0.672215, 0.834467],
    ['B', 0, 0.628171, 0.80875],
  ] as const)('of the published code: %s, window %i', (name, window, pr, roc) => {
    const found = vus(goldenScores[name], goldenLabels, window)!;
    expect(Math.abs(found.pr - pr)).toBeLessThan(1e-5);
    expect(Math.abs(found.roc - roc)).toBeLessThan(1e-5);
  });

  test.each([
    ['no buffer', labelsAt(300, [40, 50], [52, 52], [200, 220]), 0],
    ['flanks that meet', labelsAt(300, [40, 50], [53, 53], [55, 60], [66, 70], [77, 90], [200, 220]), 31],
    ['short segments within reach of many', labelsAt(300, [10, 10], [12, 12], [15, 15], [16, 17], [21, 21]), 25],
    ['segments at both ends', labelsAt(300, [0, 3], [6, 8], [290, 299]), 40],
    ['a buffer longer than the series', labelsAt(30, [3, 4], [20, 21]), 80],
    ['every other step', Uint8Array.from({ length: 120 }, (_, t) => t & 1), 7],
  ])('are those of the definition: %s', (_, labels, window) => {
    const rng = new Rng(3);
    for (const levels of [8, 1e6]) {
      const scores = Float64Array.from(labels, (y) => rng.int(levels) + (y * levels) / 3);
      const [found, wanted] = [vus(scores, labels, window)!, byDefinition(scores, labels, window)];
      expect(found.pr).toBeCloseTo(wanted.pr, 12);
      expect(found.roc).toBeCloseTo(wanted.roc, 12);
    }
  });

  test('without a buffer they are AP and AUROC, where 250 thresholds hold all scores', () => {
    const rng = new Rng(5);
    const scores = Float64Array.from(goldenLabels, (y) => rng.int(90) + 20 * y);
    const { pr, roc } = vus(scores, goldenLabels, 0)!;
    expect(pr).toBeCloseTo(averagePrecision(scores, goldenLabels)!, 12);
    expect(roc).toBeCloseTo(auroc(scores, goldenLabels)!, 12);
  });

  test('the direction of time changes nothing', () => {
    const forth = vus(goldenScores.B, goldenLabels, 24)!;
    const back = vus(goldenScores.B.slice().reverse(), goldenLabels.slice().reverse(), 24)!;
    expect(back.pr).toBeCloseTo(forth.pr, 12);
    expect(back.roc).toBeCloseTo(forth.roc, 12);
  });

  test('at a threshold they are those of the published code, with labels that are made anew for each buffer', () => {
    const found = vusF1(goldenScores.B, goldenLabels, 10, 0.9)!;
    expect(Math.abs(found.recall - 0.591666)).toBeLessThan(1e-5);
    expect(Math.abs(found.precision! - 0.659211)).toBeLessThan(1e-5);
    expect(Math.abs(found.f1 - 0.623571)).toBeLessThan(1e-5);
    expect(vusF1(goldenScores.B, goldenLabels, 0, 0.9)!.f1).toBeCloseTo(0.571429, 5);
    expect(vusF1(goldenScores.B, goldenLabels, 10, 9)).toEqual({ precision: null, recall: 0, f1: 0 });
    expect(vusF1(goldenLabels, goldenLabels, 10, 1)!.f1).toBeCloseTo(1, 12);
    expect(vusF1([1, 2], [0, 0], 10, 1)).toBeNull();
  });

  test('a constant score gets the share of anomalies and half of the ROC surface', () => {
    const { pr, roc } = vus(new Float64Array(200), goldenLabels, 0)!;
    expect(pr).toBeCloseTo(0.2, 12);
    expect(roc).toBeCloseTo(0.5, 12);
  });

  test('one label only, or no step, has none; a window must be a number of steps', () => {
    expect(vus([1, 2], [0, 0], 3)).toBeNull();
    expect(vus([1, 2], [1, 1], 3)).toBeNull();
    expect(vus([1], [1], 3)).toBeNull();
    expect(vus([], [], 3)).toBeNull();
    expect(vus([1, Number.NaN], [0, 1], 3)).toBeNull();
    expect(() => vus([1, 2], [0, 1], 1.5)).toThrow('The buffer must be a whole number of steps from 0 on, got 1.5.');
  });

  test('a million steps take seconds', { timeout: 30_000 }, () => {
    const rng = new Rng(7);
    const labels = Uint8Array.from({ length: 1e6 }, (_, t) => (t % 2000 >= 1900 ? 1 : 0));
    const scores = Float64Array.from(labels, (y) => rng.uniform() + y / 2);
    const begin = performance.now();
    const { pr } = vus(scores, labels, 100)!;
    expect(performance.now() - begin).toBeLessThan(10_000);
    expect(pr).toBeGreaterThan(0.2);
  });
});

test('the curves are those whose areas the volumes average', () => {
  const rng = new Rng(5);
  const labels = labelsAt(900, [100, 119], [400, 409], [700, 704]);
  const scores = Float64Array.from(labels, (label) => rng.normals(1)[0] + 1.5 * label);
  const curves = softCurves(scores, labels, 30)!;
  const { pr, roc } = vus(scores, labels, 30)!;
  expect(curves.volumes.pr).toBeCloseTo(pr, 12);
  expect(curves.volumes.roc).toBeCloseTo(roc, 12);
  expect(curves.areas).toHaveLength(31);
  expect(curves.areas[0].pr).toBeCloseTo(vus(scores, labels, 0)!.pr, 12);
  const area = curves.recall.reduce(
    (sum, r, k) => sum + (r - (k > 0 ? curves.recall[k - 1] : 0)) * curves.precision[k],
    0,
  );
  expect(area).toBeCloseTo(curves.areas[30].pr, 12);
  expect(softCurves([1, 2], [0, 0], 3)).toBeNull();
});
