import { describe, expect, test } from 'vitest';
import { Rng } from '../core/random.ts';
import { type AupimoOptions, aupimo, type MapInput } from './index.ts';

const SIDE = 1000;

/** The maps of anomalib's tests: 1 everywhere, and one more on the first 1e5, 1e4, … 1 pixels; times a factor. */
function golden(factor = 1): MapInput[] {
  const map = new Float32Array(SIDE * SIDE).fill(factor);
  for (let n = 1; n <= 1e5; n *= 10) for (let i = 0; i < n; i++) map[i] += factor;
  const masks = [0, SIDE * SIDE, 1e5].map((ones) => new Uint8Array(SIDE * SIDE).fill(1, 0, ones));
  return masks.map((mask) => ({ map, mask, height: SIDE, width: SIDE }));
}

function measure(maps: readonly MapInput[], options: AupimoOptions) {
  const gathering = aupimo(options);
  for (const map of maps) gathering.add(map);
  return gathering.result();
}

/** Maps of noise, four of them normal and four with a square that is raised. */
function noise(seed: number, side = 200): MapInput[] {
  const rng = new Rng(seed);
  return Array.from({ length: 8 }, (_, n): MapInput => {
    const isInside = (i: number) => n > 3 && i % side < 20 && i < 20 * side;
    const mask = Uint8Array.from({ length: side * side }, (_, i) => (isInside(i) ? 1 : 0));
    const map = rng.normals(side * side, 0, 1).map((v, i) => v + (mask[i] ? n - 2 : 0));
    return { map: Float32Array.from(map), mask, height: side, width: side };
  });
}

describe('AUPIMO', () => {
  const values: [bounds: [number, number], all: number, third: number][] = [
    [[0.1, 1], 0.55, 1],
    [[1e-3, 0.1], 0.03025, 0.3025],
    [[1e-5, 1e-4], 5.5e-5, 5.5e-4],
  ];
  test.each(values)('is that of anomalib for rates in %j', (bounds, all, third) => {
    for (const factor of [1, 10]) {
      const { perMap, mean } = measure(golden(factor), { bounds, thresholds: 7, leastPoints: 2 });
      expect(perMap[0]).toBeNaN();
      expect(perMap[1]).toBeCloseTo(all, 8);
      expect(perMap[2]).toBeCloseTo(third, 8);
      expect(mean).toBeCloseTo((all + third) / 2, 8);
    }
  });

  test('is the sum over all thresholds as the definition has it', () => {
    const maps = noise(1, 60);
    const thresholds = 1000;
    const bounds = [1e-3, 1e-1] as const;
    const { perMap } = measure(maps, { bounds, thresholds });
    const normal = maps.slice(0, 4).map(({ map }) => map);
    const all = Float64Array.from(normal.flatMap((map) => [...map])).sort();
    const [low, high] = [all[0], all[all.length - 1]];
    const levels = Array.from({ length: thresholds }, (_, k) => low + (k * (high - low)) / (thresholds - 1));
    const reach = (own: Float32Array, level: number) => own.filter((v) => v >= level).length / own.length;
    const rates = levels.map((level) => normal.reduce((sum, map) => sum + reach(map, level), 0) / 4);
    const nearest = (rate: number) =>
      rates.reduce((best, r, k) => (Math.abs(r - rate) < Math.abs(rates[best] - rate) ? k : best), 0);
    const [first, last] = [nearest(bounds[1]), nearest(bounds[0])];
    for (const [n, { map, mask }] of maps.entries()) {
      if (n < 4) continue;
      const own = map.filter((_, i) => mask[i]);
      let area = 0;
      for (let k = first; k < last; k++)
        area += (Math.log(rates[k] / rates[k + 1]) * (reach(own, levels[k]) + reach(own, levels[k + 1]))) / 2;
      expect(perMap[n]).toBeCloseTo(area / Math.log(100), 9);
    }
    expect([...perMap.subarray(4)]).toEqual([...perMap.subarray(4)].sort());
  });

  test('needs 31 thresholds in its range, and calls fewer than 300 coarse', () => {
    const few = measure(golden(), { thresholds: 7 });
    expect(few.mean).toBeNull();
    expect(few.reason).toBe(
      'Only 2 of 7 thresholds have between 0.00001 and 0.0001 false-positive pixels; at least 31 are needed: more or larger normal images.',
    );
    const coarse = measure(noise(2), { bounds: [1e-4, 1e-2], thresholds: 500 });
    expect(coarse.points).toBeLessThan(300);
    expect(coarse.warning).toMatch(/^AUPIMO is coarse: its range has only \d+ thresholds/);
    expect(measure(noise(2), { bounds: [1e-4, 1e-2], thresholds: 5000 }).warning).toBeNull();
  });

  test('says why there is none', () => {
    const [normal, , , , anomalous] = noise(3, 40);
    expect(measure([], {}).reason).toBe('There are no maps with masks.');
    expect(measure([anomalous], {}).reason).toBe('There are no maps of normal images.');
    expect(measure([normal], {}).reason).toBe('No map has an anomalous pixel.');
    const flat = { ...normal, map: normal.map.map(() => 1) };
    expect(measure([flat, anomalous], {}).reason).toBe('The maps of the normal images are constant.');
    const broken = { ...normal, map: normal.map.map((v, i) => (i === 3 ? Number.NaN : v)) };
    expect(measure([broken, anomalous], {}).reason).toBe('1 of 3200 pixels of the maps are not a number.');
    const endless = { ...normal, map: normal.map.map((v, i) => (i === 3 ? Number.POSITIVE_INFINITY : v)) };
    expect(measure([endless, anomalous], {}).reason).toBe('The maps of the normal images have infinite values.');
  });

  test('keeps a bounded number of anomalous pixels and stays near the exact values', () => {
    const masks = noise(4).map((one, n) => (n > 3 ? { ...one, mask: one.mask.map(() => 1) } : one));
    const options = { bounds: [1e-4, 1e-2] as const, thresholds: 5000 };
    const exact = measure(masks, options);
    const bounded = measure(masks, { ...options, exactPixels: 30_000 });
    for (const n of [4, 5, 6, 7]) expect(Math.abs(bounded.perMap[n] - exact.perMap[n])).toBeLessThan(1 / 2048);
  });

  test.each([
    [{ bounds: [0, 0.1] }, 'The bounds of AUPIMO must be 0 < lower < upper <= 1, got 0 and 0.1.'],
    [{ bounds: [0.2, 0.1] }, 'The bounds of AUPIMO must be 0 < lower < upper <= 1, got 0.2 and 0.1.'],
    [{ thresholds: 1 }, 'The number of thresholds must be a whole number from 2, got 1.'],
  ] as [AupimoOptions, string][])('refuses %j', (options, message) => {
    expect(() => aupimo(options)).toThrow(message);
  });
});
