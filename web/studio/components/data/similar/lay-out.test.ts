import { describe, expect, it } from 'vitest';
import { layOut } from './lay-out.ts';
import { nearestTo } from './neighbours.ts';
import { seeded } from './seeded.ts';

/** Two clouds of 40 points in ten dimensions, far from each other. */
function clouds() {
  const random = seeded(7);
  const rows = Float32Array.from({ length: 800 }, (_, i) => random() + (i < 400 ? 0 : 4));
  return { rows, width: 10 };
}

describe('the nearest items', () => {
  it('come by their distance, without the item itself', () => {
    const features = { rows: Float32Array.of(0, 0, 3, 4, 1, 0, 0, 2), width: 2 };
    expect(nearestTo(features, 0, 2)).toEqual([
      { item: 2, distance: 1 },
      { item: 3, distance: 2 },
    ]);
    expect(nearestTo(features, 1, 9).map(({ item }) => item)).toEqual([3, 2, 0]);
  });
});

describe('a map', () => {
  it('keeps apart what lies apart, names the nearest, and is the same every time', () => {
    const shares: number[] = [];
    const { points, nearest } = layOut(clouds(), (share) => shares.push(share));
    expect(points).toHaveLength(160);
    const middle = (from: number) =>
      [0, 1].map((axis) => {
        const own = Array.from({ length: 40 }, (_, i) => points[2 * (from + i) + axis]);
        return own.reduce((sum, value) => sum + value, 0) / 40;
      });
    const [a, b] = [middle(0), middle(40)];
    const away = (i: number, [x, y]: number[]) => Math.hypot(points[2 * i] - x, points[2 * i + 1] - y);
    for (let i = 0; i < 80; i++) {
      expect(nearest[i] < 40).toBe(i < 40);
      expect(away(i, i < 40 ? a : b)).toBeLessThan(away(i, i < 40 ? b : a));
    }
    expect(shares).toEqual([...shares].sort((x, y) => x - y));
    expect(shares[0]).toBeGreaterThan(0);
    expect(shares.at(-1)).toBeLessThanOrEqual(1);
    expect(layOut(clouds()).points).toEqual(points);
  });

  it('is made of few items, and of equal ones', () => {
    const few = layOut({ rows: Float32Array.from({ length: 12 }, (_, i) => i % 7), width: 2 });
    expect(few.points.every(Number.isFinite)).toBe(true);
    expect(layOut({ rows: new Float32Array(60), width: 3 }).points.every(Number.isFinite)).toBe(true);
    expect(() => layOut({ rows: new Float32Array(8), width: 2 })).toThrow('At least 5 items');
  });
});
