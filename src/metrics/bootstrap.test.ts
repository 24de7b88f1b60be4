import { describe, expect, test } from 'vitest';
import { Rng } from '../core/random.ts';
import { auroc, averagePrecision, bootstrap, pairedBootstrap } from './index.ts';

/** `n` items, every fourth anomalous and `lift` higher. */
function items(seed: number, n: number, lift: number) {
  const labels = Uint8Array.from({ length: n }, (_, i) => (i % 4 === 0 ? 1 : 0));
  return { labels, scores: new Rng(seed).normals(n).map((v, i) => v + lift * labels[i]) };
}

describe('bootstrap', () => {
  test('the same seed gives the same interval, it holds the value, and a higher level is wider', () => {
    const { scores, labels } = items(1, 120, 1);
    const narrow = bootstrap(scores, labels, auroc, { seed: 1, rounds: 300, level: 0.8 })!;
    const wide = bootstrap(scores, labels, auroc, { seed: 1, rounds: 300, level: 0.99 })!;
    expect(bootstrap(scores, labels, auroc, { seed: 1, rounds: 300, level: 0.8 })).toEqual(narrow);
    expect(bootstrap(scores, labels, auroc, { seed: 2, rounds: 300, level: 0.8 })).not.toEqual(narrow);
    const value = auroc(scores, labels)!;
    expect(narrow[0]).toBeLessThan(value);
    expect(narrow[1]).toBeGreaterThan(value);
    expect(wide[0]).toBeLessThan(narrow[0]);
    expect(wide[1]).toBeGreaterThan(narrow[1]);
  });

  test('each round draws as many of each kind as there are', () => {
    const { scores, labels } = items(2, 40, 1);
    bootstrap(
      scores,
      labels,
      (drawn, drawnLabels) => {
        expect([drawn.length, drawnLabels.reduce((n, y) => n + y, 0)]).toEqual([40, 10]);
        for (const [i, score] of drawn.entries()) expect(labels[scores.indexOf(score)]).toBe(drawnLabels[i]);
        return 0;
      },
      { seed: 1, rounds: 3 },
    );
    expect.assertions(3 * 41);
  });

  test('monotone maps of the scores change nothing', () => {
    const { scores, labels } = items(3, 80, 0.7);
    const mapped = Float64Array.from(scores, (v) => Math.exp(2 * v));
    for (const metric of [auroc, averagePrecision]) {
      const options = { seed: 4, rounds: 100 };
      expect(bootstrap(mapped, labels, metric, options)).toEqual(bootstrap(scores, labels, metric, options));
    }
  });

  test('its 90 % interval of a mean holds the true mean in about 90 % of data sets', () => {
    const mean = (scores: Float64Array) => scores.reduce((a, b) => a + b, 0) / scores.length;
    let held = 0;
    for (let seed = 0; seed < 150; seed++) {
      const { scores, labels } = items(seed, 80, 0);
      const [low, high] = bootstrap(scores, labels, mean, { seed, rounds: 100, level: 0.9 })!;
      if (low <= 0 && high >= 0) held++;
    }
    // Four standard errors of 150 data sets are .1.
    expect(held / 150).toBeGreaterThan(0.8);
    expect(held / 150).toBeLessThan(0.99);
  });

  test('undefined metrics and too few items give null, wrong options are refused', () => {
    expect(bootstrap([1, 2, 3], [0, 0, 0], auroc, { seed: 1 })).toBe(null);
    expect(bootstrap([1, 2, 3], [0, 0, 1], auroc, { seed: 1 })).toBe(null);
    expect(bootstrap([1, 2, Number.NaN, 4], [0, 0, 1, 1], auroc, { seed: 1 })).toBe(null);
    expect(bootstrap([1, 2, 3, 4], [0, 0, 1, 1], () => null, { seed: 1 })).toBe(null);
    expect(() => bootstrap([1, 2, 3, 4], [0, 0, 1, 1], auroc, { seed: 1, rounds: 0 })).toThrow('rounds');
    expect(() => bootstrap([1, 2, 3, 4], [0, 0, 1, 1], auroc, { seed: 1, level: 95 })).toThrow('level');
  });
});

describe('pairedBootstrap', () => {
  test('a detector against itself differs by nothing, swapped detectors by the negative', () => {
    const a = items(5, 100, 1.5);
    const b = items(6, 100, 0.5);
    const options = { seed: 1, rounds: 200 };
    const same = pairedBootstrap(a.scores, a.scores, a.labels, auroc, options);
    expect(same).toEqual({ difference: 0, interval: [0, 0] });
    const forth = pairedBootstrap(a.scores, b.scores, a.labels, auroc, options);
    const back = pairedBootstrap(b.scores, a.scores, a.labels, auroc, options);
    expect(forth.difference).toBeCloseTo(auroc(a.scores, a.labels)! - auroc(b.scores, a.labels)!, 12);
    expect(back.interval![0]).toBeCloseTo(-forth.interval![1], 12);
    expect(back.interval![1]).toBeCloseTo(-forth.interval![0], 12);
  });

  test('what is hard for both cancels: narrower than the two intervals apart', () => {
    const { scores, labels } = items(7, 100, 1);
    const nearly = scores.map((v, i) => v + 0.1 * Math.sin(i));
    const options = { seed: 1, rounds: 200 };
    const [low, high] = pairedBootstrap(scores, nearly, labels, auroc, options).interval!;
    const [lowA, highA] = bootstrap(scores, labels, auroc, options)!;
    expect(high - low).toBeLessThan((highA - lowA) / 3);
  });

  test('undefined metrics give null, other lengths are refused', () => {
    const nothing = { difference: null, interval: null };
    expect(pairedBootstrap([1, 2], [1, 2], [0, 0], auroc, { seed: 1 })).toEqual(nothing);
    expect(pairedBootstrap([1, 2], [1, 2], [0, 1], auroc, { seed: 1 })).toEqual({ difference: 0, interval: null });
    expect(() => pairedBootstrap([1], [1, 2], [0, 1], auroc, { seed: 1 })).toThrow('must score the same items');
  });
});
