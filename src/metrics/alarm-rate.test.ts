import { describe, expect, it } from 'vitest';
import { Rng } from '../core/random.ts';
import { alarmRate, countAlarms, poissonInterval, thresholdForAlarmRate } from './alarm-rate.ts';

describe('the interval of a count', () => {
  it('is that of Garwood', () => {
    // χ²(0.025; 2k)/2 and χ²(0.975; 2k + 2)/2.
    for (const [count, low, high] of [
      [0, 0, 3.68888],
      [1, 0.0253178, 5.57164],
      [5, 1.62349, 11.6683],
      [20, 12.2165, 30.8884],
    ]) {
      const found = poissonInterval(count);
      expect(found[0]).toBeCloseTo(low, 4);
      expect(found[1]).toBeCloseTo(high, 3);
    }
  });
});

describe('a threshold for a rate of alarms', () => {
  it('counts alarms after the rule, not steps, and keeps one back', () => {
    const rng = new Rng(3);
    const scores = Float64Array.from({ length: 20_000 }, () => rng.uniform());
    for (const rule of [{}, { gap: 20 }, { least: 2 }, { gap: 5, coolDown: 50 }]) {
      const { threshold, alarms } = thresholdForAlarmRate(
        [scores.subarray(0, 9000), scores.subarray(9000)],
        0.001,
        rule,
      );
      expect(alarms).toBeLessThanOrEqual(19);
      expect(alarms).toBeGreaterThanOrEqual(17);
      expect(countAlarms([scores.subarray(0, 9000), scores.subarray(9000)], threshold!, rule)).toBe(alarms);
    }
    const joined = thresholdForAlarmRate([scores], 0.001, { gap: 2000 });
    expect(joined.threshold).toBeLessThan(thresholdForAlarmRate([scores], 0.001, {}).threshold!);
  });

  it('makes new normal steps alarm at about the rate', () => {
    const rng = new Rng(8);
    const part = () => Float64Array.from({ length: 50_000 }, () => rng.uniform() ** 2);
    const { threshold } = thresholdForAlarmRate([part()], 0.002, { gap: 3 });
    const { rate, interval } = alarmRate([part()], threshold, { gap: 3 });
    expect(rate).toBeGreaterThan(0.0013);
    expect(rate).toBeLessThan(0.0027);
    expect(interval[0]).toBeLessThan(0.002);
    expect(interval[1]).toBeGreaterThan(rate!);
  });

  it('lies above all scores where the steps do not suffice, and says so', () => {
    const { threshold, reason, interval } = thresholdForAlarmRate([[1, 2, 5, 2]], 0.1, {});
    expect(threshold).toBeGreaterThan(5);
    expect(reason).toMatch(/at least 10 held-out normal steps, got 4/);
    expect(interval[1]).toBeCloseTo(3.68888 / 4, 4);
    expect(thresholdForAlarmRate([], 0.1, {})).toMatchObject({ threshold: null });
    expect(() => thresholdForAlarmRate([[1]], 0, {})).toThrow('must be above 0');
  });
});
