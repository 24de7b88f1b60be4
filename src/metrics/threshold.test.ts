import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Rng } from '../core/random.ts';
import { clopperPearson, thresholdForFalseAlarms } from './index.ts';

describe('clopperPearson', () => {
  // Closed forms: 0 of n gives [0, 1 − (α/2)^(1/n)]; the other rows are well-known exact values.
  test.each([
    [0, 10, 0, 0.3084971],
    [10, 10, 0.6915029, 1],
    [5, 10, 0.187086, 0.812914],
    [1, 100, 0.000253146, 0.0544593854],
  ])('%i of %i', (count, total, low, high) => {
    const [a, b] = clopperPearson(count, total);
    expect(a).toBeCloseTo(low, 5);
    expect(b).toBeCloseTo(high, 5);
  });

  test('no trials, many trials and symmetry', () => {
    expect(clopperPearson(0, 0)).toEqual([0, 1]);
    const [low, high] = clopperPearson(1000, 100000);
    expect(low).toBeCloseTo(0.00939, 4);
    expect(high).toBeCloseTo(0.01064, 4);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 300 }), fc.double({ min: 0, max: 1, noNaN: true }), (n, share) => {
        const count = Math.round(share * n);
        const [a, b] = clopperPearson(count, n);
        const [c, d] = clopperPearson(n - count, n);
        expect(a).toBeLessThanOrEqual(count / n);
        expect(b).toBeGreaterThanOrEqual(count / n);
        expect(a + d).toBeCloseTo(1, 9);
        expect(b + c).toBeCloseTo(1, 9);
      }),
    );
  });
});

describe('thresholdForFalseAlarms', () => {
  test('99 scores and 1 %: just above the 99th', () => {
    const t = thresholdForFalseAlarms(
      Array.from({ length: 99 }, (_, i) => i + 1),
      0.01,
    );
    expect(t.threshold).toBeGreaterThan(99);
    expect(t.threshold).toBeLessThan(99.00002);
    expect(t).toMatchObject({ normals: 99, empiricalRate: 0, reason: null });
    expect(t).toMatchObject({ rule: 'false-alarm-rate', basedOn: '99 held-out normal scores', sawLabels: false });
  });

  test('199 scores and 10 %: just above the 180th, 19 alarms', () => {
    const t = thresholdForFalseAlarms(
      Array.from({ length: 199 }, (_, i) => -i),
      0.1,
    );
    expect(t.threshold).toBeGreaterThan(-19);
    expect(t.empiricalRate).toBe(19 / 199);
    expect(t.interval[0]).toBeLessThan(19 / 199);
    expect(t.interval[1]).toBeGreaterThan(0.1);
  });

  test('too few scores: the largest, and a reason', () => {
    const t = thresholdForFalseAlarms(
      Array.from({ length: 50 }, (_, i) => i),
      0.01,
    );
    expect(t.threshold).toBeGreaterThan(49);
    expect(t.reason).toBe(
      'A false-positive rate (false alarms) of 0.01 needs at least 99 held-out normal scores, got 50. The threshold is just above the ' +
        'largest of them; hold out more, or ask for a rate of 0.0197 or more.',
    );
    expect(
      thresholdForFalseAlarms(
        Array.from({ length: 50 }, (_, i) => i),
        0.0197,
      ).reason,
    ).toBe(null);
    expect(thresholdForFalseAlarms([], 0.01)).toMatchObject({ threshold: null, empiricalRate: null, interval: [0, 1] });
  });

  test('wrong rates and scores are refused', () => {
    for (const rate of [0, 1, -1, Number.NaN]) expect(() => thresholdForFalseAlarms([1], rate)).toThrow('above 0');
    expect(() => thresholdForFalseAlarms([1, Number.NaN], 0.1)).toThrow('must be finite');
  });

  test('the held-out scores never alarm more often than wanted, ties included, also after float32 storage', () => {
    const scores = fc.array(
      fc.oneof(fc.integer({ min: -5, max: 5 }), fc.double({ noNaN: true, noDefaultInfinity: true })),
      {
        minLength: 1,
        maxLength: 80,
      },
    );
    fc.assert(
      fc.property(scores, fc.double({ min: 0.005, max: 0.9, noNaN: true }), (s, rate) => {
        const t = thresholdForFalseAlarms(s, rate);
        expect(t.empiricalRate).toBeLessThanOrEqual((rate * (s.length + 1)) / s.length + 1e-9);
        const stored = Math.fround(t.threshold ?? 0);
        if (Number.isFinite(stored)) expect(s.filter((v) => v >= stored).length / s.length).toBe(t.empiricalRate);
      }),
    );
  });

  test('a new normal score alarms at the wanted rate on average', () => {
    const rng = new Rng(1);
    let alarms = 0;
    for (let i = 0; i < 4000; i++) {
      const t = thresholdForFalseAlarms(rng.normals(59), 0.05);
      if (rng.normals(1)[0] >= (t.threshold ?? 0)) alarms++;
    }
    // Exactly 3 / 60 = .05 for continuous scores; four standard errors of 4000 draws are .0138.
    expect(Math.abs(alarms / 4000 - 0.05)).toBeLessThan(0.0138);
  });
});
