/** Series with known anomalies: what must be found, with which sign, within which margins; and what is refused. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Rng } from '../../core/random.ts';
import { detectChangePoints, detectEntire, detectLast } from './detect.ts';
import type { DetectRequest } from './schemas.ts';

const HOUR = 3_600_000;
const at = (t: number, step = HOUR) => new Date(Date.UTC(2024, 0, 1) + step * t).toISOString();
const noise = (count: number, seed = 1) => new Rng(seed).normals(count);

/** Days of hours around 100 with a swing of 20 and noise of deviation 1. */
function days(hours: number, change: (value: number, t: number) => number = (value) => value, seed = 1) {
  const soft = noise(hours, seed);
  return Array.from({ length: hours }, (_, t) => ({
    timestamp: at(t),
    value: change(100 + 20 * Math.sin((2 * Math.PI * t) / 24) + soft[t], t),
  }));
}

const hourly = (series: DetectRequest['series'], more: Partial<DetectRequest> = {}): DetectRequest => ({
  ...{ granularity: 'hourly', series },
  ...more,
});
const found = (flags: readonly boolean[]) => flags.flatMap((flag, i) => (flag ? [i] : []));

describe('detectEntire', () => {
  const planted = (value: number, t: number) => value + ({ 100: 15, 151: -15, 200: 40 }[t] ?? 0);

  it('finds what was planted into a daily pattern, with its sign, and nothing else', () => {
    const series = days(24 * 14, planted);
    const answer = detectEntire(hourly(series));
    expect(answer.period).toBe(24);
    expect(found(answer.isAnomaly)).toEqual([100, 151, 200]);
    expect(found(answer.isPositiveAnomaly)).toEqual([100, 200]);
    expect(found(answer.isNegativeAnomaly)).toEqual([151]);
    expect(answer.severity[200]).toBeGreaterThan(answer.severity[100]);
    expect(found(answer.severity.map((value) => value > 0))).toEqual([100, 151, 200]);
    for (const [t, value] of answer.expectedValues.entries()) {
      expect(Math.abs(value - (100 + 20 * Math.sin((2 * Math.PI * t) / 24)))).toBeLessThan(2);
      expect(answer.upperMargins[t]).toBeGreaterThan(3);
      expect(answer.upperMargins[t]).toBeLessThan(14);
      expect(answer.lowerMargins[t]).toBe(answer.upperMargins[t]);
    }
  });

  it('finds them under a trend, without a pattern, and without times', () => {
    const trend = detectEntire(hourly(days(24 * 14, (value, t) => planted(value + 0.5 * t, t))));
    expect(trend.period).toBe(24);
    expect(found(trend.isAnomaly)).toEqual([100, 151, 200]);
    const soft = noise(300, 5);
    const plain = Array.from({ length: 300 }, (_, t) => ({ value: soft[t] + (t === 77 ? -12 : 0) }));
    const answer = detectEntire({ series: plain });
    expect(answer.period).toBe(0);
    expect(found(answer.isNegativeAnomaly)).toEqual([77]);
  });

  it('finds a single step that leaves a series that never changes', () => {
    const series = Array.from({ length: 40 }, (_, t) => ({ value: t === 20 ? 6 : 5 }));
    expect(found(detectEntire({ series }).isPositiveAnomaly)).toEqual([20]);
    const same = detectEntire({ series: series.map(() => ({ value: 5 })) });
    expect(found(same.isAnomaly)).toEqual([]);
    expect(Math.min(...same.upperMargins)).toBeGreaterThan(0);
  });

  it('has narrower margins and more anomalies with a higher sensitivity, and the margins say what is anomalous', () => {
    const series = days(24 * 14, planted);
    const margins: number[] = [];
    for (const sensitivity of [0, 50, 85, 95, 99]) {
      const { upperMargins, isAnomaly, expectedValues } = detectEntire(hourly(series, { sensitivity }));
      margins.push(upperMargins[0]);
      const outside = series.map(({ value }, t) => Math.abs(value - expectedValues[t]) > upperMargins[t]);
      expect(isAnomaly).toEqual(outside);
    }
    expect(margins.toSorted((a, b) => b - a)).toEqual(margins);
    expect(new Set(margins).size).toBe(margins.length);
  });

  it('calls no larger share anomalous than it may', () => {
    const series = days(24 * 14, (value, t) => value + (t % 10 === 0 ? 30 + t / 10 : 0));
    const all = found(detectEntire(hourly(series, { period: 24 })).isAnomaly);
    expect(all.length).toBeGreaterThan(25);
    const few = detectEntire(hourly(series, { period: 24, maxAnomalyRatio: 0.02 }));
    expect(found(few.isAnomaly).length).toBe(Math.floor(0.02 * series.length));
    expect(found(few.isAnomaly).every((t) => all.includes(t))).toBe(true);
  });

  it('takes the period that it is told', () => {
    const series = days(24 * 14, planted);
    expect(detectEntire(hourly(series, { period: 48 })).period).toBe(48);
    expect(detectEntire(hourly(series, { period: 0 })).period).toBe(0);
  });

  it('fills what is missing as it is told, and answers for the points that were sent', () => {
    const all = days(24 * 14, planted);
    const series = all.filter((_, t) => t % 13 !== 6 && t !== 201);
    const kept = all.flatMap((_, t) => (t % 13 !== 6 && t !== 201 ? [t] : []));
    for (const imputeMode of ['auto', 'linear', 'previous', 'notFill'] as const) {
      const { isAnomaly, period, expectedValues } = detectEntire(hourly(series, { imputeMode }));
      expect(period).toBe(24);
      expect(expectedValues).toHaveLength(series.length);
      expect(expectedValues.every(Number.isFinite)).toBe(true);
      expect(found(isAnomaly).map((i) => kept[i])).toEqual([100, 151, 200]);
    }
    const fixed = detectEntire(hourly(series, { imputeMode: 'fixed', imputeFixedValue: 1000, period: 0 }));
    const linear = detectEntire(hourly(series, { period: 0 }));
    expect(fixed.expectedValues).not.toEqual(linear.expectedValues);
    expect(detectEntire(hourly(series, { imputeMode: 'zero', period: 0 })).expectedValues).not.toEqual(
      linear.expectedValues,
    );
  });

  it('knows months, years and intervals', () => {
    const soft = noise(48, 3);
    const series = Array.from({ length: 48 }, (_, m) => ({
      timestamp: new Date(Date.UTC(2020, m + 1, 0)).toISOString(),
      value: 50 + soft[m] + (m === 30 ? 40 : 0),
    }));
    expect(found(detectEntire({ series, granularity: 'monthly' }).isAnomaly)).toEqual([30]);
    const every15 = days(96).map(({ value }, t) => ({ value, timestamp: at(t, HOUR / 4) }));
    expect(detectEntire({ series: every15, granularity: 'minutely', customInterval: 15 }).period).toBe(24);
    const micro = days(96).map(({ value }, t) => ({
      value,
      timestamp: `2024-01-01T00:00:00.${String(t).padStart(6, '0')}Z`,
    }));
    expect(detectEntire({ series: micro, granularity: 'microsecond' }).period).toBe(24);
  });

  it.each<[string, string, Partial<DetectRequest>]>([
    ['InvalidSeries', 'must have at least', { granularity: 'minutely' }],
    ['InvalidSeries', 'a whole number of steps', { granularity: 'daily' }],
    [
      'InvalidSeries',
      'sorted by their timestamps',
      {
        series: days(48)
          .reverse()
          .map((one, i) => (i === 0 ? { ...one, timestamp: at(0) } : one)),
      },
    ],
    ['InvalidSeries', 'sorted by their timestamps', { series: [...days(24), ...days(24)] }],
    ['InvalidSeries', 'has no timestamp', { series: days(48).map(({ value }) => ({ value })) }],
    ['InvalidSeries', 'must be a time', { series: days(48).map(({ value }) => ({ value, timestamp: 'noon' })) }],
    ['InvalidPeriod', 'at most a third', { period: 20 }],
    ['InvalidCustomInterval', 'granularity is none', { granularity: 'none', customInterval: 5 }],
  ])('refuses with %s: %s', (code, sentence, more) => {
    const call = () => detectEntire(hourly(days(48), more));
    expect(call).toThrow(sentence);
    expect(call).toThrow(expect.objectContaining({ code, status: 400 }));
  });

  it('answers any series with finite numbers', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.double({ min: -1e100, max: 1e100, noNaN: true }), fc.constantFrom(0, 1)), {
          minLength: 12,
          maxLength: 80,
        }),
        fc.integer({ min: 0, max: 3 }),
        (values, period) => {
          const series = values.map((value, t) => ({ value, timestamp: at(t) }));
          const entire = detectEntire({ series, period });
          const { isAnomaly, expectedValues, upperMargins, severity } = entire;
          expect([...expectedValues, ...upperMargins, ...severity].every(Number.isFinite)).toBe(true);
          expect(found(isAnomaly).length).toBeLessThanOrEqual(0.25 * values.length);
          const last = detectLast({ series, period });
          expect([last.expectedValue, last.upperMargin, last.severity].every(Number.isFinite)).toBe(true);
          const { confidenceScores } = detectChangePoints({ series, granularity: 'hourly', period });
          expect(confidenceScores.every((one) => one >= 0 && one < 1)).toBe(true);
        },
      ),
      { numRuns: 60, seed: 7 },
    );
  });
});

describe('detectLast', () => {
  it('judges the last point by those before it, and not by itself', () => {
    for (const [jump, sign] of [
      [15, 1],
      [-15, -1],
      [0, 0],
      [1e6, 1],
    ] as const) {
      const series = days(24 * 10, (value, t) => (t === 239 ? value + jump : value));
      const answer = detectLast(hourly(series));
      expect(answer.period).toBe(24);
      expect(answer.suggestedWindow).toBe(97);
      expect(Math.abs(answer.expectedValue - (100 + 20 * Math.sin((2 * Math.PI * 239) / 24)))).toBeLessThan(3);
      expect([answer.isPositiveAnomaly, answer.isNegativeAnomaly]).toEqual([sign > 0, sign < 0]);
      expect(answer.severity > 0).toBe(sign !== 0);
    }
  });

  it('goes on with a trend', () => {
    const soft = noise(100, 9);
    const series = Array.from({ length: 100 }, (_, t) => ({ value: 3 * t + soft[t] }));
    const answer = detectLast({ series });
    expect(Math.abs(answer.expectedValue - 297)).toBeLessThan(4);
    expect(answer.isAnomaly).toBe(false);
  });
});

describe('detectChangePoints', () => {
  it('finds where the level changes, and where the slope does', () => {
    const level = days(24 * 14, (value, t) => value + (t >= 160 ? 25 : 0));
    const answer = detectChangePoints({ series: level, granularity: 'hourly' });
    expect(answer.period).toBe(24);
    const [jump, ...others] = found(answer.isChangePoint);
    expect(others).toEqual([]);
    expect(Math.abs(jump - 160)).toBeLessThanOrEqual(3);
    expect(answer.confidenceScores[jump]).toBe(Math.max(...answer.confidenceScores));
    const slope = days(24 * 14, (value, t) => value + (t >= 160 ? 1.5 * (t - 160) : 0));
    const bends = found(detectChangePoints({ series: slope, granularity: 'hourly', period: 24 }).isChangePoint);
    expect(bends.some((t) => Math.abs(t - 160) <= 12)).toBe(true);
  });

  it('takes single points and a steady series for no change', () => {
    const spikes = days(24 * 14, (value, t) => value + (t === 100 || t === 200 ? 60 : 0));
    expect(found(detectChangePoints({ series: spikes, granularity: 'hourly' }).isChangePoint)).toEqual([]);
    const same = days(60).map((one) => ({ ...one, value: 3 }));
    expect(found(detectChangePoints({ series: same, granularity: 'hourly' }).isChangePoint)).toEqual([]);
  });

  it('lets fewer pass with a lower threshold, and refuses a window that is too long', () => {
    const series = days(24 * 14, (value, t) => value + (t >= 90 ? 9 : 0) + (t >= 230 ? 40 : 0));
    const count = (threshold: number) =>
      found(detectChangePoints({ series, granularity: 'hourly', threshold }).isChangePoint).length;
    expect(count(0.9)).toBeGreaterThanOrEqual(count(0.4));
    expect(count(0.4)).toBeGreaterThanOrEqual(count(0.05));
    expect(count(0.01)).toBe(0);
    expect(() => detectChangePoints({ series, granularity: 'hourly', stableTrendWindow: 300 })).toThrow('at most half');
  });
});
