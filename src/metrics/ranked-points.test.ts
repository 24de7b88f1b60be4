import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pValueOf } from './conformal.ts';
import { operatingPoint } from './operating-point.ts';
import { countFrom, heldOutRate, rankedPoints } from './ranked-points.ts';
import { verdictCounts } from './review-band.ts';
import { thresholdForFalseAlarms } from './threshold.ts';

/** Few different values, so that ties and thresholds on scores are common; what is no number is among them. */
const score = fc.oneof(
  fc.integer({ min: -3, max: 3 }).map((v) => v / 2),
  fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0),
  fc.double({ noNaN: true }),
);
const items = fc.array(fc.tuple(score, fc.constantFrom(0, 1)), { maxLength: 40 });
const split = (rows: readonly (readonly [number, number])[]) => ({
  scores: rows.map(([value]) => value),
  labels: rows.map(([, label]) => label),
});

describe('rankedPoints', () => {
  it('gives what operatingPoint gives at any threshold, to the last digit', () => {
    fc.assert(
      fc.property(items, score, (rows, extra) => {
        const { scores, labels } = split(rows);
        const points = rankedPoints(scores, labels);
        for (const threshold of [extra, ...scores]) {
          expect(points.at(threshold)).toEqual(operatingPoint(scores, labels, threshold));
        }
      }),
    );
  });

  it('gives what verdictCounts gives for any band', () => {
    fc.assert(
      fc.property(items, score, score, (rows, low, high) => {
        fc.pre(!Number.isNaN(low) && !Number.isNaN(high));
        const { scores, labels } = split(rows);
        const band = { low, high };
        expect(rankedPoints(scores, labels).verdicts(band)).toEqual(verdictCounts(scores, labels, band));
      }),
    );
  });

  it('refuses labels that are none', () => {
    expect(() => rankedPoints([1, 2], [0, 2])).toThrow('Labels must be 0 (normal) or 1 (anomalous)');
    expect(() => rankedPoints([1], [])).toThrow('same length');
  });
});

describe('countFrom', () => {
  it('counts what counting one by one counts, and gives p-values', () => {
    const numbers = fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 30 });
    fc.assert(
      fc.property(numbers, fc.integer({ min: -1, max: 10 }), (values, threshold) => {
        const sorted = [...values].sort((a, b) => a - b);
        const count = values.filter((v) => v >= threshold).length;
        expect(countFrom(sorted, threshold)).toBe(count);
        expect(pValueOf(sorted, threshold)).toBe(values.length === 0 ? undefined : (1 + count) / (1 + values.length));
      }),
    );
    expect(countFrom([1, 2], Number.NaN)).toBe(0);
  });
});

describe('heldOutRate', () => {
  it('tells of a threshold what the rule that chose it tells, where its neighbours are counted', () => {
    const scores = Array.from({ length: 199 }, (_, i) => i);
    const { threshold, empiricalRate, interval } = thresholdForFalseAlarms(scores, 0.05);
    const found = heldOutRate(countFrom(scores, threshold!), scores.length);
    expect(found).toMatchObject({ normals: 199, empiricalRate, interval });
    expect(found.rateInterval[0]).toBeGreaterThan(0);
  });

  it('knows nothing without normals, and less where neighbours move together or were scored in folds', () => {
    expect(heldOutRate(0, 0)).toEqual({ normals: 0, empiricalRate: null, interval: [0, 1], rateInterval: [0, 1] });
    const width = ([low, high]: readonly [number, number]) => high - low;
    expect(width(heldOutRate(20, 400, { together: 10 }).interval)).toBeGreaterThan(
      width(heldOutRate(20, 400).interval),
    );
    expect(heldOutRate(20, 400, { isCrossFitted: true }).rateInterval[0]).toBe(0);
  });
});
