import { describe, expect, it } from 'vitest';
import { fitted, isInside, nearestPoint, pointsInside } from './lasso.ts';

/** An L: the square [0, 4] × [0, 4] without its upper right quarter. */
const corner = [0, 0, 2, 0, 2, 2, 4, 2, 4, 4, 0, 4];

describe('a lasso', () => {
  it('holds what lies in it, also where it is not convex, and in whichever direction it was drawn', () => {
    const points = [1, 1, 3, 1, 1, 3, 3, 3, 5, 3, -1, 1];
    expect(pointsInside(points, corner)).toEqual([0, 2, 3]);
    const back = Array.from({ length: 6 }, (_, i) => corner.slice(10 - 2 * i, 12 - 2 * i)).flat();
    expect(pointsInside(points, back)).toEqual([0, 2, 3]);
  });

  it('that crosses itself leaves out what it goes around twice, and a line of two corners holds nothing', () => {
    const twice = [0, 0, 4, 0, 4, 4, 0, 4, 0, 0, 4, 0, 4, 4, 0, 4];
    expect(isInside(2, 2, twice)).toBe(false);
    const eight = [0, 0, 4, 4, 4, 0, 0, 4];
    expect([isInside(0.5, 2, eight), isInside(3.5, 2, eight), isInside(2, 0.5, eight)]).toEqual([true, true, false]);
    expect(isInside(1, 1, [0, 0, 2, 2])).toBe(false);
    expect(isInside(0, 0, [])).toBe(false);
  });
});

describe('the nearest point', () => {
  it('is found within reach only, and among those that are asked for', () => {
    const points = [0, 0, 10, 0, 12, 0];
    expect(nearestPoint(points, [9, 0], 5)).toBe(1);
    expect(nearestPoint(points, [9, 0], 5, (place) => place !== 1)).toBe(2);
    expect(nearestPoint(points, [5, 0], 4)).toBeUndefined();
  });
});

describe('places that are fitted', () => {
  it('fill the longer side, keep their shape, and stand in the middle', () => {
    expect([...fitted([10, 5, 30, 5, 20, 15])]).toEqual([0, 0.25, 1, 0.25, 0.5, 0.75]);
    expect([...fitted([3, 3, 3, 3])]).toEqual([0.5, 0.5, 0.5, 0.5]);
  });
});
