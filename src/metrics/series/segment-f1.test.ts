import { describe, expect, test } from 'vitest';
import { goldenLabels, goldenScores, labelsAt } from '../../../test/helpers/golden-series.ts';
import { Rng } from '../../core/random.ts';
import { type Segment, segmentsOf } from '../../core/segments.ts';
import { auroc } from '../auroc.ts';
import { averagePrecision } from '../average-precision.ts';
import { f1Max } from '../f1-max.ts';
import { affiliation, affiliationMax } from './affiliation.ts';
import { eventF1, eventF1Max } from './event-f1.ts';
import { pointAdjusted, pointAdjustedArea, pointAdjustedMax } from './point-adjusted.ts';
import { randomScore } from './random-score.ts';
import { rangeF1, rangeF1AtCount, rangeF1Max, rangePrAuc, rangePrecisionRecall } from './range-based.ts';

const near = (found: number | null | undefined, wanted: number) => expect(Math.abs(found! - wanted)).toBeLessThan(1e-5);

describe('values of the published code', () => {
  test.each([
    ['A', 0.239467, 0.497656, 0.333331, 0.941176, 0.6, 0.533734, 0.800622],
    ['B', 0.628171, 0.80875, 0.571424, 1, 1, 0.493818, 0.982361],
    ['C', 1, 1, 0.999995, 1, 1, 1, 1],
    ['D', 0.295697, 0.508906, 0.333331, 1, 1, 0.533734, 0.952514],
  ] as const)('series %s at the best threshold', (name, ap, roc, f1, adjusted, event, range, affiliated) => {
    const scores = goldenScores[name];
    near(averagePrecision(scores, goldenLabels), ap);
    near(auroc(scores, goldenLabels), roc);
    near(f1Max(scores, goldenLabels)?.f1, f1);
    near(pointAdjustedMax(scores, goldenLabels)?.f1, adjusted);
    near(eventF1Max(scores, goldenLabels)?.f1, event);
    near(rangeF1Max(scores, goldenLabels)?.f1, range);
    near(affiliationMax(scores, goldenLabels)?.f1, affiliated);
  });

  test('series B at the threshold .9', () => {
    const given = [goldenScores.B, goldenLabels, 0.9] as const;
    expect(goldenScores.B.filter((score) => score >= 0.9)).toHaveLength(37);
    const plain = pointAdjusted(...given, 100)!;
    near(plain.precision, 0.594595);
    near(plain.recall, 0.55);
    near(plain.f1, 0.571429);
    const adjusted = pointAdjusted(...given)!;
    near(adjusted.precision, 0.727273);
    near(adjusted.recall, 1);
    near(adjusted.f1, 0.842105);
    near(eventF1(...given)?.f1, 0.745763);
    near(rangeF1(...given)?.f1, 0.424713);
    near(affiliation(...given)?.f1, 0.884788);
  });
});

/** Labels of equal segments at equal distances. */
const equalSegments = (length: number, share: number, count: number) => {
  const period = Math.round(length / share);
  return Uint8Array.from({ length: period * count }, (_, t) => (t % period < length ? 1 : 0));
};

describe('point adjustment', () => {
  const scores = randomScore(1e6 + 1000);

  // Share of anomalous steps, length of a segment, best point-adjusted F1 of a random score by its expectations.
  test.each([
    [0.01, 100, 0.485],
    [0.01, 1000, 0.848],
    [0.05, 10, 0.368],
    [0.05, 50, 0.667],
    [0.05, 100, 0.772],
    [0.05, 500, 0.923],
    [0.05, 1000, 0.954],
    [0.12, 10, 0.556],
    [0.12, 100, 0.877],
    [0.12, 500, 0.963],
    [0.27, 100, 0.941],
  ])('a random score does well by it: share %d, length %i', (share, length, wanted) => {
    // By expectations, over all shares p of steps called: recall 1 − (1 − p)^length, false alarms (1 − share)·p.
    const expected = Array.from({ length: 20_000 }, (_, i) => {
      const p = (i + 1) / 20_000;
      const found = share * (1 - (1 - p) ** length);
      return (2 * found) / (found + (1 - share) * p + share);
    });
    expect(Math.max(...expected)).toBeCloseTo(wanted, 3);
    const count = Math.min(1000, Math.floor((1e6 * share) / length));
    const labels = equalSegments(length, share, count);
    const found = pointAdjustedMax(scores.subarray(0, labels.length), labels)!.f1;
    expect(Math.abs(found - wanted)).toBeLessThan(0.01 + 0.5 / Math.sqrt(count)); // the recall of so few segments varies
    expect(found).toBeGreaterThan((1.4 * 2 * share) / (1 + share)); // the best plain F1 of a random score
  });

  test('PA%K lies between point adjustment and plain F1, and its area is the mean of their best values', () => {
    const { B } = goldenScores;
    const f1s = Array.from({ length: 101 }, (_, k) => {
      const least = Math.min(...B);
      const distance = (Math.max(...B) - least) / 99;
      // An alarm of a sweep is a score above its threshold: one that reaches the next number.
      const above = (j: number) =>
        Math.min(...B.filter((score) => score > (j === 99 ? Infinity : j * distance + least)));
      return Math.max(...Array.from({ length: 100 }, (_, j) => pointAdjusted(B, goldenLabels, above(j), k)!.f1));
    });
    for (let k = 1; k <= 100; k++) expect(f1s[k]).toBeLessThanOrEqual(f1s[k - 1]);
    expect(f1s[0]).toBeCloseTo(pointAdjustedMax(B, goldenLabels)!.f1, 12);
    const area = f1s.reduce((sum, f1) => sum + f1, -(f1s[0] + f1s[100]) / 2) / 100;
    expect(pointAdjustedArea(B, goldenLabels)).toBeCloseTo(area, 12);
  });

  test('a segment is adjusted where more than K % of it are alarms', () => {
    const labels = labelsAt(20, [5, 8]);
    const scores = labelsAt(20, [6, 6]);
    expect(pointAdjusted(scores, labels, 1, 24)).toEqual({ precision: 1, recall: 1, f1: 1 });
    expect(pointAdjusted(scores, labels, 1, 25)).toEqual({ precision: 1, recall: 0.25, f1: 0.4 });
    expect(pointAdjusted(scores, labels, 2)).toEqual({ precision: null, recall: 0, f1: 0 });
  });
});

describe('range precision and recall', () => {
  const [longer, shorter] = [
    [0, 0, 1, 1, 1, 1, 1, 0, 1, 1, 1],
    [0, 1, 1, 1, 0, 1, 1, 1, 0, 0, 0],
  ];
  const plain = { existence: 0, cardinality: 'one' } as const;
  test.each([
    ['one range', [0, 0, 1, 1, 1, 1, 1], [0, 1, 1, 1, 1, 0, 0], plain, 0.75, 0.6, 0.666667],
    ['apart', [1, 1, 0, 0, 0], [0, 0, 0, 1, 1], plain, 0, 0, 0],
    ['two ranges', longer, shorter, plain, 0.666667, 0.4, 0.5],
    ['pieces count', longer, shorter, { existence: 0 }, 0.666667, 0.2, 0.307692],
    ['the middle counts', longer, shorter, { ...plain, bias: 'middle' }, 0.75, 0.333333, 0.461538],
    ['both count', longer, shorter, { existence: 0, bias: 'middle' }, 0.75, 0.166667, 0.272727],
    ['three ranges', [...longer, 0, 0], [0, 1, 1, 1, 0, 1, 1, 1, 0, 0, 1, 1, 1], plain, 0.555556, 0.566667, 0.561056],
    ['one for all', [0, 0, 1, 1, 0, 1, 1, 0, 1, 1, 0], [0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1], plain, 0.6, 1, 0.75],
  ] as const)('are those of aeon: %s', (_, labels, alarms, options, precision, recall, f1) => {
    const found = rangePrecisionRecall(alarms, labels, options)!;
    near(found.precision, precision);
    near(found.recall, recall);
    near(found.f1, f1);
  });

  test('front and back bias are each other’s mirror images', () => {
    const [y, p] = [labelsAt(12, [2, 8]), labelsAt(12, [0, 3], [5, 5])];
    const front = rangePrecisionRecall(p, y, { bias: 'front' })!;
    const back = rangePrecisionRecall(p.slice().reverse(), y.slice().reverse(), { bias: 'back' })!;
    expect(front.recall).toBeCloseTo(back.recall, 12);
    expect(front.precision).toBeCloseTo(back.precision!, 12);
    // Steps 2, 3 and 5 weigh 7, 6 and 4 of 28, in two pieces.
    expect(front.recall).toBeCloseTo(0.2 + (0.8 * 17) / 28 / 2, 12);
  });

  test('the area and F1 at a number of ranges are those of aeon', () => {
    near(rangePrAuc([0, 0.1, 1, 0.5, 0.1, 0], [0, 1, 1, 1, 0, 0]), 0.9791667);
    const given = [
      [0.4, 0.1, 1, 0.5, 0.1, 0, 0.4, 0.5],
      [0, 1, 1, 1, 0, 0, 1, 0],
    ] as const;
    near(rangeF1AtCount(...given), 0.5);
    near(rangeF1AtCount(...given, 3), 0.8);
  });
});

describe('affiliation', () => {
  /** The means as sums over a fine grid. */
  function onAGrid(alarms: ArrayLike<number>, labels: ArrayLike<number>) {
    const fine = 200;
    const n = labels.length;
    const events = segmentsOf(labels);
    const called = segmentsOf(alarms);
    const distance = (y: number, { begin, end }: Segment) => Math.max(0, begin - y, y - end);
    const [precisions, recalls]: [number[], number[]] = [[], []];
    for (const [i, { begin, end }] of events.entries()) {
      const from = i === 0 ? 0 : (events[i - 1].end + begin) / 2;
      const to = i === events.length - 1 ? n : (end + events[i + 1].begin) / 2;
      const [inAlarm, inEvent]: [number[], number[]] = [[], []];
      const cut = called
        .map((c) => ({ begin: Math.max(c.begin, from), end: Math.min(c.end, to) }))
        .filter((c) => c.begin < c.end);
      for (let y = from + 0.5 / fine; y < to; y += 1 / fine) {
        const d = distance(y, { begin, end });
        const rest = end - begin + Math.min(d, begin - from) + Math.min(d, to - end);
        if (cut.some((c) => y >= c.begin && y < c.end)) inAlarm.push(d === 0 ? 1 : 1 - rest / (to - from));
        const nearest = Math.min(...cut.map((c) => distance(y, c)));
        const lost = Math.min(nearest, y - from) + Math.min(nearest, to - y);
        if (d === 0) inEvent.push(cut.length === 0 ? 0 : 1 - lost / (to - from));
      }
      const mean = (values: number[]) => values.reduce((a, b) => a + b, 0) / values.length;
      if (inAlarm.length > 0) precisions.push(mean(inAlarm));
      recalls.push(mean(inEvent));
    }
    const mean = (values: number[]) => values.reduce((a, b) => a + b, 0) / values.length;
    return { precision: mean(precisions), recall: mean(recalls) };
  }

  test('its exact integrals are those of a fine grid', () => {
    const rng = new Rng(2);
    for (let round = 0; round < 30; round++) {
      const labels = labelsAt(
        60,
        [rng.int(5), 6 + rng.int(6)],
        [20, 20 + rng.int(6)],
        [40 + rng.int(8), 48 + rng.int(12)],
      );
      const alarms = Uint8Array.from({ length: 60 }, () => (rng.int(8) === 0 ? 1 : 0));
      if (!alarms.includes(1)) continue;
      const [found, wanted] = [affiliation(alarms, labels, 1)!, onAGrid(alarms, labels)];
      expect(Math.abs(found.precision! - wanted.precision)).toBeLessThan(1e-3);
      expect(Math.abs(found.recall - wanted.recall)).toBeLessThan(1e-3);
    }
  });

  test('a random score gets about .8 by it', () => {
    const found = affiliationMax(randomScore(200), goldenLabels)!.f1;
    expect(found).toBeGreaterThan(0.65);
    expect(found).toBeLessThan(0.9);
  });
});

describe('what all of them keep', () => {
  const best = { pointAdjustedMax, eventF1Max, rangeF1Max, affiliationMax };
  const at = { pointAdjusted, eventF1, rangeF1, affiliation };

  test.each(Object.entries(best))('%s: a perfect score gets 1, also with segments at both ends', (_, of) => {
    for (const labels of [goldenLabels, labelsAt(30, [0, 3], [29, 29]), labelsAt(2, [1, 1])]) {
      expect(of(labels, labels)!.f1).toBeCloseTo(1, 12);
    }
  });

  test.each(Object.entries(best))('%s: time reversed or scores scaled give the same', (_, of) => {
    const rng = new Rng(4);
    const scores = Float64Array.from(goldenLabels, (y) => (rng.int(64) + 8 * y) / 64); // exact when scaled
    const { f1 } = of(scores, goldenLabels)!;
    expect(of(scores.slice().reverse(), goldenLabels.slice().reverse())!.f1).toBeCloseTo(f1, 12);
    expect(
      of(
        scores.map((score) => 4 * score - 8),
        goldenLabels,
      )!.f1,
    ).toBeCloseTo(f1, 12);
  });

  test.each(Object.entries(best))('%s is reached at its threshold', (name, of) => {
    const { f1, threshold } = of(goldenScores.A, goldenLabels)!;
    const next = Math.min(...goldenScores.A.filter((score) => score > threshold));
    expect(at[name.replace('Max', '') as keyof typeof at](goldenScores.A, goldenLabels, next)!.f1).toBeCloseTo(f1, 12);
  });

  test.each(Object.entries({ ...best, pointAdjustedArea }))('%s: undefined for one label, no step and NaN', (_, of) => {
    expect(of([1, 2, 3], [0, 0, 0])).toBeNull();
    expect(of([1, 2, 3], [1, 1, 1])).toBeNull();
    expect(of([1], [1])).toBeNull();
    expect(of([], [])).toBeNull();
    expect(of([1, Number.NaN], [0, 1])).toBeNull();
    expect(of([1, Infinity], [0, 1])).toBeNull();
  });

  test.each(Object.entries(at))('%s: no alarm has no precision', (_, of) => {
    expect(of(goldenScores.A, goldenLabels, 9)).toEqual({ precision: null, recall: 0, f1: 0 });
    expect(of([1, 2], [0, 0], 1)).toBeNull();
  });

  test('a constant score has no alarms in a sweep', () => {
    expect(pointAdjustedMax(new Float64Array(200), goldenLabels)?.f1).toBe(0);
  });
});
