import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { auroc, averagePrecision, f1Max, measureItems, prCurve, rocCurve, undefinedReason } from './index.ts';

// Expected values: scikit-learn 1.2.1 and the reference implementations of the series metrics, to 1e-5.

const close = (value: number | null | undefined, wanted: number, tolerance = 1e-5) =>
  expect(Math.abs((value ?? Number.NaN) - wanted)).toBeLessThanOrEqual(tolerance);

/** x ← (1103515245·x + 12345) mod 2^31 from seed 1; values x / 2^31. */
function lcg(n: number): number[] {
  let x = 1n;
  return Array.from({ length: n }, () => {
    x = (1103515245n * x + 12345n) % 2147483648n;
    return Number(x) / 2147483648;
  });
}

describe('golden values', () => {
  test.each([
    { s: [0.1, 0.4, 0.35, 0.8], y: [0, 0, 1, 1], roc: 0.75, ap: 0.833333, f1: 0.8, at: 0.35 },
    { s: [0.5, 0.5, 0.5, 0.9, 0.1], y: [0, 1, 1, 1, 0], roc: 0.833333, ap: 0.833333, f1: 0.857143, at: 0.5 },
    { s: [2.3, 1.6, 2.6, 7.9, 3.3], y: [0, 0, 0, 1, 1], roc: 1, ap: 1, f1: 1, at: 3.3 },
  ])('scores $s', ({ s, y, roc, ap, f1, at }) => {
    const { values, reasons } = measureItems({ scores: s, labels: y });
    close(values.auroc, roc);
    close(values.ap, ap);
    close(values.f1Max, f1);
    expect(f1Max(s, y)?.threshold).toBe(at);
    expect(reasons).toEqual({});
  });

  test('clamping scores to 0–1 loses order: AUROC falls from 1 to .9', () => {
    const s = [0.2, 0.5, 0.9, 1.4, 1.2, 1.3, 1.9, 2.5];
    const y = [0, 0, 0, 1, 0, 0, 1, 1];
    const clamped = s.map((v) => Math.min(1, Math.max(0, (v - 0.8) / (1.0 - 0.2) + 0.5)));
    expect(auroc(s, y)).toBe(1);
    close(auroc(clamped, y), 0.9);
  });

  test('a float32 sigmoid loses order: AUROC falls from 1 to .5', () => {
    const s = [30, 31, 40, 45, 50, 60];
    const y = [0, 0, 0, 1, 1, 1];
    const squashed = s.map((v) => Math.fround(1 / Math.fround(1 + Math.fround(Math.exp(-v)))));
    expect(auroc(s, y)).toBe(1);
    expect(auroc(squashed, y)).toBe(0.5);
  });

  test('pixels of two 8x8 maps', () => {
    const map: number[] = [];
    const truth: number[] = [];
    for (let i = 0; i < 2; i++) {
      for (let r = 0; r < 8; r++) {
        for (let c = 0; c < 8; c++) {
          map.push((((64 * i + 8 * r + c) * 37) % 101) / 101);
          const first = (r >= 2 && r <= 3 && c >= 2 && c <= 4) || (r === 6 && c === 6);
          truth.push((i === 0 ? first : r >= 1 && r <= 4 && c === 5) ? 1 : 0);
        }
      }
    }
    const raised = map.map((v, i) => v + 0.6 * truth[i]);
    close(auroc(raised, truth), 0.878011);
    close(averagePrecision(raised, truth), 0.605525);
    close(f1Max(raised, truth)?.f1, 0.625);
    close(f1Max(raised, truth)?.threshold, 1.124752);
    close(auroc(map, truth), 0.438617);
  });

  test('a series of 300 points', () => {
    const inside = (t: number, from: number, to: number) => t >= from && t <= to;
    const t300 = Array.from({ length: 300 }, (_, t) => t);
    const s = t300.map((t) => ((37 * t) % 101) / 101 + (inside(t, 98, 107) ? 0.8 : inside(t, 203, 205) ? 0.5 : 0));
    const y = t300.map((t) => (inside(t, 100, 109) || inside(t, 200, 202) ? 1 : 0));
    close(averagePrecision(s, y), 0.379614);
    close(auroc(s, y), 0.772045);
    close(f1Max(s, y)?.f1, 0.54545);
  });

  test('the random stream', () => {
    const wanted = [0.5138700781, 0.1757413032, 0.3086515162, 0.5345338867, 0.9476279253];
    for (const [i, r] of lcg(5).entries()) close(r, wanted[i], 1e-10);
  });

  describe('a series of 200 points, segments 40–69 and 130–139', () => {
    const r = lcg(200);
    const y = r.map((_, t) => ((t >= 40 && t <= 69) || (t >= 130 && t <= 139) ? 1 : 0));
    const b = r.map((v, t) => ((t >= 43 && t <= 72) || (t >= 133 && t <= 142) ? v + 0.5 : v));
    const cases = {
      A: { s: r, ap: 0.239467, roc: 0.497656, f1: 0.333331 },
      B: { s: b, ap: 0.628171, roc: 0.80875, f1: 0.571424 },
      C: { s: r.map((v, t) => (y[t] ? 1 : 0.5 * v)), ap: 1, roc: 1, f1: 0.999995 },
      D: { s: r.map((v, t) => (t === 55 || t === 135 ? 2 : 0.5 * v)), ap: 0.295697, roc: 0.508906, f1: 0.333331 },
    };
    test.each(Object.entries(cases))('%s', (_, { s, ap, roc, f1 }) => {
      close(averagePrecision(s, y), ap);
      close(auroc(s, y), roc);
      close(f1Max(s, y)?.f1, f1); // the reference adds a tiny eps to P + R
    });

    test('B above .9: 37 alarms, precision .594595, recall .55, F1 .571429', () => {
      const alarms = b.filter((v) => v > 0.9);
      expect(alarms.length).toBe(37);
      const curve = prCurve(b, y);
      const k = curve?.thresholds.indexOf(Math.min(...alarms)) ?? -1;
      const p = curve?.precision[k] ?? 0;
      const recall = curve?.recall[k] ?? 0;
      close(p, 0.594595);
      close(recall, 0.55);
      close((2 * p * recall) / (p + recall), 0.571429);
    });
  });

  test('the worst ranking gives the lower bound of AP: about 1 + (1 − π) ln(1 − π) / π', () => {
    const n = 20000;
    const y = Array.from({ length: n }, (_, i) => (i < 0.355 * n ? 1 : 0));
    const s = y.map((_, i) => i);
    close(averagePrecision(s, y), 1 + (0.645 * Math.log(0.645)) / 0.355, 1e-3);
    expect(auroc(s, y)).toBe(0);
  });
});

describe('edges', () => {
  test('one kind only, no items and NaN give null and a reason', () => {
    for (const [s, y] of [
      [
        [1, 2],
        [0, 0],
      ],
      [
        [1, 2],
        [1, 1],
      ],
      [[], []],
      [
        [1, Number.NaN],
        [0, 1],
      ],
    ]) {
      const { values, reasons } = measureItems({ scores: s, labels: y });
      expect(values).toMatchObject({ auroc: null, ap: null, f1Max: null });
      expect(f1Max(s, y)).toBe(null);
      expect(reasons.auroc).toBe(undefinedReason(s, y));
      expect(rocCurve(s, y)).toBe(null);
      expect(prCurve(s, y)).toBe(null);
    }
    expect(measureItems({ scores: [1, 2], labels: [0, 0] }).values.prevalence).toBe(0);
    expect(undefinedReason([1, 2], [0, 0])).toBe('All 2 items are normal; both kinds are needed.');
  });

  test('infinite scores keep their order', () => {
    const inf = Number.POSITIVE_INFINITY;
    expect(auroc([-inf, 0, inf, inf], [0, 0, 1, 1])).toBe(1);
    expect(auroc([-inf, -0, 0, inf], [0, 1, 0, 1])).toBe(0.875);
  });

  test('wrong lengths and labels are refused', () => {
    expect(() => auroc([1, 2], [1])).toThrow('same length');
    expect(() => auroc([1, 2], [1, 2])).toThrow('Labels must be 0 (normal) or 1 (anomalous), got 2 at position 1.');
  });

  test('F1 uses >=, and of equal values the lowest threshold', () => {
    expect(f1Max([3, 2, 2, 1], [1, 0, 1, 0])).toEqual({ f1: 0.8, threshold: 2 });
    expect(f1Max([5, 4, 3], [0, 1, 1])?.threshold).toBe(3);
    expect(f1Max([4, 3, 2, 1], [1, 0, 0, 1])).toEqual({ f1: 2 / 3, threshold: 1 });
  });

  test('the ROC curve starts at (0, 0), ends at (1, 1), and its area is the AUROC', () => {
    const s = lcg(300).map((v) => Math.round(v * 40));
    const y = s.map((v, i) => ((v * 7 + i) % 3 === 0 ? 1 : 0));
    const roc = rocCurve(s, y);
    if (!roc) throw new Error('no curve');
    const { falseAlarmRate: x, recall } = roc;
    expect([x[0], recall[0], x.at(-1), recall.at(-1)]).toEqual([0, 0, 1, 1]);
    let area = 0;
    for (let k = 1; k < x.length; k++) area += ((x[k] - x[k - 1]) * (recall[k] + recall[k - 1])) / 2;
    close(area, auroc(s, y) ?? 0, 1e-12);
  });
});

/** Scores with many ties, and labels of both kinds. */
const ranked = fc
  .array(fc.tuple(fc.integer({ min: -20, max: 20 }), fc.integer({ min: 0, max: 1 })), { minLength: 2, maxLength: 60 })
  .filter((rows) => rows.some(([, y]) => y === 0) && rows.some(([, y]) => y === 1))
  .map((rows) => ({ s: rows.map(([s]) => s), y: rows.map(([, y]) => y) }));

describe('properties', () => {
  test('AUROC is the share of pairs in order, a tie counting one half', () => {
    fc.assert(
      fc.property(ranked, ({ s, y }) => {
        let wins = 0;
        let pairs = 0;
        for (let i = 0; i < s.length; i++) {
          for (let j = 0; j < s.length; j++) {
            if (y[i] !== 1 || y[j] !== 0) continue;
            pairs++;
            wins += s[i] > s[j] ? 1 : s[i] === s[j] ? 0.5 : 0;
          }
        }
        expect(auroc(s, y)).toBe(wins / pairs);
      }),
    );
  });

  test('strictly monotone maps change neither AUROC nor AP nor F1-max', () => {
    const maps = [(v: number) => 3 * v - 7, (v: number) => Math.exp(v / 3), (v: number) => Math.atan(v), Math.cbrt];
    fc.assert(
      fc.property(ranked, fc.constantFrom(...maps), ({ s, y }, map) => {
        const mapped = s.map(map);
        expect(auroc(mapped, y)).toBe(auroc(s, y));
        expect(averagePrecision(mapped, y)).toBe(averagePrecision(s, y));
        expect(f1Max(mapped, y)?.f1).toBe(f1Max(s, y)?.f1);
      }),
    );
  });

  test('swapping the labels gives 1 − AUROC; a constant score gives .5 and AP = prevalence', () => {
    fc.assert(
      fc.property(ranked, ({ s, y }) => {
        const swapped = y.map((v) => 1 - v);
        close(auroc(s, swapped), 1 - (auroc(s, y) ?? 0), 1e-12);
        const constant = s.map(() => 0.3);
        expect(auroc(constant, y)).toBe(0.5);
        close(averagePrecision(constant, y), measureItems({ scores: s, labels: y }).values.prevalence ?? 0, 1e-12);
      }),
    );
  });

  test('AP and F1-max equal the definition at every threshold', () => {
    fc.assert(
      fc.property(ranked, ({ s, y }) => {
        const positives = y.filter((v) => v === 1).length;
        let ap = 0;
        let best = 0;
        let recallBefore = 0;
        for (const t of [...new Set(s)].sort((a, b) => b - a)) {
          const alarms = s.filter((v) => v >= t).length;
          const hits = s.filter((v, i) => v >= t && y[i] === 1).length;
          ap += (hits / positives - recallBefore) * (hits / alarms);
          recallBefore = hits / positives;
          best = Math.max(best, (2 * hits) / (alarms + positives));
        }
        close(averagePrecision(s, y), ap, 1e-12);
        expect(f1Max(s, y)?.f1).toBe(best);
      }),
    );
  });
});
