import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Rng } from '../core/random.ts';
import {
  f1Max,
  operatingPoint,
  reviewBand,
  thresholdByValue,
  thresholdForCost,
  thresholdForFalseAlarms,
  thresholdForFBeta,
  thresholdForMissRate,
  tnrAtFnr,
  tprAtFpr,
  verdict,
  verdictCounts,
} from './index.ts';

const range = (n: number, from = 0) => Array.from({ length: n }, (_, i) => from + i);

/** Scores with many ties, and labels of both kinds. */
const ranked = fc
  .array(fc.tuple(fc.integer({ min: -20, max: 20 }), fc.integer({ min: 0, max: 1 })), { minLength: 2, maxLength: 60 })
  .filter((rows) => rows.some(([, y]) => y === 0) && rows.some(([, y]) => y === 1))
  .map((rows) => ({ s: rows.map(([s]) => s), y: rows.map(([, y]) => y) }));

describe('operatingPoint', () => {
  test('39 hits and 17 false alarms among 100 and 100: precision .696, recall .39, F1 .5', () => {
    const scores = [...range(100).map((i) => (i < 17 ? 2 : 0)), ...range(100).map((i) => (i < 39 ? 2 : 0))];
    const labels = range(200).map((i) => (i < 100 ? 0 : 1));
    const at = operatingPoint(scores, labels, 1);
    expect(at).toMatchObject({ truePositives: 39, falsePositives: 17, trueNegatives: 83, falseNegatives: 61 });
    expect(at.precision).toBeCloseTo(0.696, 3);
    expect([at.missRate, at.falseAlarmRate]).toEqual([0.61, 0.17]);
    expect(thresholdForFBeta(scores, labels).fBeta).toBeGreaterThan(0.5); // alarming always has F1 2/3
    expect(at.missInterval[0]).toBeLessThan(0.61);
    expect(at.missInterval[1]).toBeGreaterThan(0.61);
  });

  test('rates without items are null', () => {
    expect(operatingPoint([], [], 1)).toMatchObject({ precision: null, falseAlarmRate: null, missRate: null });
    expect(operatingPoint([0], [0], 1)).toMatchObject({ precision: null, falseAlarmRate: 0, missRate: null });
  });
});

describe('rates at fixed rates', () => {
  test('never more errors than allowed, and the most that this allows', () => {
    const rate = fc.constantFrom(0, 0.01, 0.05, 0.1, 0.25, 0.5, 1);
    fc.assert(
      fc.property(ranked, rate, ({ s, y }, wanted) => {
        const points = [...s, Number.POSITIVE_INFINITY].map((t) => operatingPoint(s, y, t));
        const recalls = points.filter((p) => p.falseAlarmRate! <= wanted).map((p) => 1 - p.missRate!);
        const quiet = points.filter((p) => p.missRate! <= wanted).map((p) => 1 - p.falseAlarmRate!);
        expect(tprAtFpr(s, y, wanted)).toBeCloseTo(Math.max(...recalls), 12);
        expect(tnrAtFnr(s, y, wanted)).toBeCloseTo(Math.max(...quiet), 12);
      }),
    );
  });

  test('undefined and refused', () => {
    expect([tprAtFpr([1], [0], 0.1), tnrAtFnr([1], [1], 0.1)]).toEqual([null, null]);
    for (const rate of [-0.1, 1.1, Number.NaN]) {
      expect(() => tprAtFpr([1, 2], [0, 1], rate)).toThrow('The false-positive rate must be at least 0');
      expect(() => tnrAtFnr([1, 2], [0, 1], rate)).toThrow('The miss rate must be at least 0');
    }
  });
});

describe('thresholdForMissRate', () => {
  test('99 anomalies and 5 %: the fifth, which misses four of them', () => {
    const t = thresholdForMissRate([...range(99, 1), 0], [...range(99).map(() => 1), 0], 0.05);
    expect(t).toMatchObject({ threshold: 5, rule: 'miss-rate', sawLabels: true, reason: null });
    expect(t.basedOn).toBe('1 normal and 99 anomalous scores with labels');
    expect(t.onThese).toMatchObject({ falseNegatives: 4, falsePositives: 0 });
  });

  test('too few or no anomalies: a reason', () => {
    const few = thresholdForMissRate(
      range(10),
      range(10).map(() => 1),
      0.05,
    );
    expect(few.threshold).toBe(0);
    expect(few.reason).toBe(
      'A miss rate of 0.05 needs at least 19 anomalous scores, got 10. The threshold is the lowest of them; label ' +
        'more anomalies, or ask for a rate of 0.091 or more.',
    );
    expect(
      thresholdForMissRate(
        range(10),
        range(10).map(() => 1),
        0.091,
      ).reason,
    ).toBe(null);
    const none = thresholdForMissRate([1, 2], [0, 0], 0.05);
    expect(none).toMatchObject({ threshold: null, onThese: null });
    expect(none.reason).toContain('no anomalous scores');
  });

  test('wrong rates and scores are refused', () => {
    for (const rate of [0, 1, Number.NaN]) expect(() => thresholdForMissRate([1], [1], rate)).toThrow('above 0');
    expect(() => thresholdForMissRate([1, Number.NaN], [1, 0], 0.1)).toThrow('must be finite');
  });

  test('the anomalies that chose it are never missed more often than wanted, also after float32 storage', () => {
    const scores = fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(scores, fc.double({ min: 0.01, max: 0.9, noNaN: true }), (s, rate) => {
        const t = thresholdForMissRate(
          s,
          s.map(() => 1),
          rate,
        );
        const allowed = (rate * (s.length + 1)) / s.length + 1e-9;
        expect(t.onThese?.missRate).toBeLessThanOrEqual(allowed);
        const stored = Math.fround(t.threshold!);
        if (Number.isFinite(stored)) expect(s.filter((v) => v < stored).length / s.length).toBe(t.onThese?.missRate);
      }),
    );
  });

  test('a new anomaly is missed at the wanted rate on average', () => {
    const rng = new Rng(1);
    const labels = range(39).map(() => 1);
    let misses = 0;
    for (let i = 0; i < 3000; i++) {
      const t = thresholdForMissRate(rng.normals(39), labels, 0.05);
      if (rng.normals(1)[0] < t.threshold!) misses++;
    }
    // Exactly 2 / 40 = .05 for continuous scores; four standard errors of 3000 draws are .016.
    expect(Math.abs(misses / 3000 - 0.05)).toBeLessThan(0.016);
  });
});

describe('thresholdForFBeta', () => {
  test('beta 1 is F1-max, and every beta is the best over all thresholds', () => {
    fc.assert(
      fc.property(ranked, fc.constantFrom(0.25, 0.5, 1, 2, 4), ({ s, y }, beta) => {
        const values = s.map((t) => {
          const { truePositives: tp, falsePositives: fp, falseNegatives: fn } = operatingPoint(s, y, t);
          return ((1 + beta ** 2) * tp) / ((1 + beta ** 2) * tp + beta ** 2 * fn + fp);
        });
        const found = thresholdForFBeta(s, y, beta);
        expect(found.fBeta).toBeCloseTo(Math.max(...values), 12);
        expect(thresholdForFBeta(s, y).threshold).toBe(f1Max(s, y)?.threshold);
      }),
    );
  });

  test('a larger beta never raises the threshold', () => {
    fc.assert(
      fc.property(ranked, ({ s, y }) => {
        const [half, one, two] = [0.5, 1, 2].map((beta) => thresholdForFBeta(s, y, beta).threshold!);
        expect(one).toBeLessThanOrEqual(half);
        expect(two).toBeLessThanOrEqual(one);
      }),
    );
  });

  test('one kind only gives null and a reason, a wrong beta is refused', () => {
    expect(thresholdForFBeta([1, 2], [0, 0])).toMatchObject({
      threshold: null,
      fBeta: null,
      reason: 'All 2 items are normal; both kinds are needed.',
    });
    expect(() => thresholdForFBeta([1, 2], [0, 1], 0)).toThrow('The beta of F-beta must be a number above 0, got 0.');
  });
});

describe('thresholdForCost', () => {
  test('the least expected cost of all thresholds, never and always alarming among them', () => {
    const cost = fc.integer({ min: 1, max: 50 });
    fc.assert(
      fc.property(
        ranked,
        cost,
        cost,
        fc.double({ min: 0.01, max: 0.99, noNaN: true }),
        ({ s, y }, a, b, prevalence) => {
          const found = thresholdForCost(s, y, { falseAlarm: a, miss: b, prevalence });
          const costOf = (t: number) => {
            const { missRate, falseAlarmRate } = operatingPoint(s, y, t);
            return prevalence * b * missRate! + (1 - prevalence) * a * falseAlarmRate!;
          };
          const all = [...s, Number.POSITIVE_INFINITY].map(costOf);
          expect(found.expectedCost?.here).toBeCloseTo(Math.min(...all), 10);
          expect(costOf(found.threshold!)).toBeCloseTo(Math.min(...all), 10);
          expect(found.expectedCost?.alwaysAlarming).toBeCloseTo(costOf(Math.min(...s)), 10);
          expect(found.expectedCost?.neverAlarming).toBeCloseTo(prevalence * b, 10);
        },
      ),
    );
  });

  test('dear misses lower it, dear false alarms raise it; never alarming is said', () => {
    const s = [1, 2, 3, 4, 5, 6, 7, 8];
    const y = [0, 0, 0, 1, 0, 1, 1, 1];
    expect(thresholdForCost(s, y, { falseAlarm: 1, miss: 100 }).threshold).toBe(4);
    expect(thresholdForCost(s, y, { falseAlarm: 100, miss: 1 }).threshold).toBe(6);
    expect(thresholdForCost(s, y, { falseAlarm: 1, miss: 1 }).costs.prevalence).toBe(0.5);
    const never = thresholdForCost([1, 2], [1, 0], { falseAlarm: 1, miss: 1, prevalence: 0.01 });
    expect(never.threshold).toBeGreaterThan(2);
    expect(never.reason).toContain('never alarming is cheaper');
    expect(never.onThese).toMatchObject({ truePositives: 0, falsePositives: 0 });
  });

  test('undefined and refused', () => {
    expect(thresholdForCost([1], [0], { falseAlarm: 1, miss: 1 })).toMatchObject({ threshold: null, onThese: null });
    expect(thresholdForCost([], [], { falseAlarm: 1, miss: 1 }).costs.prevalence).toBe(null);
    expect(() => thresholdForCost([1], [0], { falseAlarm: 0, miss: 0 })).toThrow('not both 0');
    expect(() => thresholdForCost([1], [0], { falseAlarm: -1, miss: 2 })).toThrow('at least 0');
    expect(() => thresholdForCost([1], [0], { falseAlarm: 1, miss: 2, prevalence: 1 })).toThrow('The prevalence');
  });
});

describe('review band', () => {
  const normals = range(199);
  const upper = thresholdForFalseAlarms(normals, 0.01);

  test('by two false-alarm rates: from normals alone', () => {
    const band = reviewBand(thresholdForFalseAlarms(normals, 0.1), upper);
    expect(band).toMatchObject({ sawLabels: false, basedOn: '199 held-out normal scores', reason: null });
    expect([0, band.low, band.high, 500, Number.NaN].map((s) => verdict(s, band))).toEqual([
      'pass',
      'review',
      'alarm',
      'alarm',
      'review',
    ]);
    const { normal, anomalous } = verdictCounts([...normals, 190, 500], [...normals.map(() => 0), 1, 1], band);
    expect(normal).toEqual({ pass: 180, review: 18, alarm: 1 });
    expect(anomalous).toEqual({ pass: 0, review: 1, alarm: 1 });
  });

  test('by miss rate and false-alarm rate: labels took part', () => {
    const band = reviewBand(
      thresholdForMissRate(
        range(99, 150),
        range(99).map(() => 1),
        0.02,
      ),
      upper,
    );
    expect(band).toMatchObject({ low: 151, sawLabels: true, reason: null });
    expect(band.high).toBeGreaterThan(197);
  });

  test('crossed thresholds need no review; a missing one is refused', () => {
    const crossed = reviewBand(thresholdByValue(300), upper);
    expect([crossed.low, crossed.high]).toEqual([upper.threshold, upper.threshold]);
    expect(crossed.reason).toContain('both wishes hold');
    expect(() => reviewBand(upper, thresholdForFalseAlarms([], 0.1))).toThrow('the upper one has no value');
  });
});

test('a threshold by value says so, and must be finite', () => {
  expect(thresholdByValue(1.5)).toMatchObject({ threshold: 1.5, rule: 'value', sawLabels: false, reason: null });
  expect(() => thresholdByValue(Number.NaN)).toThrow('The threshold must be a finite number, got NaN.');
});
