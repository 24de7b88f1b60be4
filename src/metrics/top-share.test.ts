import fc from 'fast-check';
import { expect, test } from 'vitest';
import { topShare } from './top-share.ts';

test('flags what reaches the quantile, as np.percentile gives it', () => {
  const scores = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1];
  const labels = [0, 0, 0, 0, 0, 0, 0, 1, 0, 1];
  const found = topShare(scores, labels, 0.2)!;
  expect(found.threshold).toBeCloseTo(0.82, 12); // np.percentile(scores, 80)
  expect(found).toMatchObject({ flagged: 2, precision: 0.5, recall: 0.5, f1: 0.5 });
});

test('R / P is flagged / anomalies: 1.0157 on KDD99', () => {
  const n = 247010;
  const labels = Uint8Array.from({ length: n }, (_, i) => (i < 48639 ? 1 : 0));
  const scores = Float64Array.from({ length: n }, (_, i) => (i * 7919) % n);
  const found = topShare(scores, labels, 0.2)!;
  expect(found.flagged).toBe(49402);
  expect(found.recall / found.precision).toBeCloseTo(1.0157, 4);
});

test('F1 is the harmonic mean', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.double({ noNaN: true }), fc.boolean()), { minLength: 2 }), (items) => {
      const labels = items.map(([, anomalous]) => Number(anomalous));
      const found = topShare(
        items.map(([score]) => score),
        labels,
        0.3,
      );
      if (!found) {
        expect(new Set(labels).size).toBe(1);
        return;
      }
      const { precision, recall, f1 } = found;
      expect(f1).toBeCloseTo(precision + recall === 0 ? 0 : (2 * precision * recall) / (precision + recall), 12);
    }),
  );
  const huge = Number.MAX_VALUE;
  expect(topShare([-huge, huge, -huge, huge], [0, 1, 0, 1], 0.5)).toMatchObject({ flagged: 2, f1: 1 });
  expect(() => topShare([1, 2], [0, 1], 1)).toThrow('above 0 and below 1');
});
