/** Motion of cells against frames whose motion is known. */
import { describe, expect, it } from 'vitest';
import { Rng } from '../../../core/random.ts';
import { float32 } from '../../../core/tensor.ts';
import { evaluate } from '../../../graph/evaluate.ts';
import { constant } from '../../../graph/leaf.ts';
import { greySquare, judgedFrame } from './frames.ts';
import { aroundCells, blockMotion, displacements, motionHistograms } from './motion.ts';

const side = 32;
const texture = new Rng(3).uniforms(side * side);

/** A frame of noise, black outside, with what is at (y, x) from (y − dy, x − dx). */
const shifted = (dy: number, dx: number) =>
  Float32Array.from(texture, (_, i) => {
    const [y, x] = [Math.floor(i / side) - dy, (i % side) - dx];
    return y >= 0 && x >= 0 && y < side && x < side ? texture[y * side + x] : 0;
  });
const frame = (data: Float32Array) => constant(float32(data, [1, 1, side, side]));

describe('block matching', () => {
  it.each([
    [0, 0],
    [0, 2],
    [-3, 1],
    [2, -2],
  ])('finds a frame moved by %i down and %i right', (dy, dx) => {
    const [found] = evaluate([blockMotion(frame(shifted(dy, dx)), frame(texture), 3)], {});
    const by = displacements(3);
    for (let y = 4; y < 12; y++)
      for (let x = 4; x < 12; x++) expect(by[Number(found.data[16 * y + x])]).toEqual([dy, dx]);
  });

  it('leaves blocks without texture, and those that noise changes, where they are', () => {
    const flat = new Float32Array(side * side).fill(0.6);
    const noisy = new Rng(4).normals(side * side, 0.6, 0.01);
    for (const now of [flat, noisy]) {
      const [found] = evaluate([blockMotion(frame(now), frame(flat), 3)], {});
      expect(Array.from(found.data, Number).every((k) => k === 0)).toBe(true);
    }
  });
});

describe('histograms of motion', () => {
  const grid = { cells: 4, reach: 4 };
  const of = (dy: number, dx: number) => {
    const [y] = evaluate([motionHistograms(frame(shifted(dy, dx)), frame(texture), grid)], {});
    const cell = 5; // second row, second column
    return Array.from(y.data.slice(cell * 21, (cell + 1) * 21), Number);
  };

  it('put all of a still cell into no change, no speed and no direction', () => {
    const cell = of(0, 0);
    cell.forEach((v, i) => {
      expect(v).toBeCloseTo(i === 0 || i === 8 ? 1 : 0, 5);
    });
  });

  it('tell direction and speed', () => {
    for (const [dy, dx, direction] of [
      [0, 2, 0],
      [2, 0, 2],
      [0, -2, 4],
      [-2, 0, 6],
    ]) {
      const cell = of(dy, dx);
      expect(cell[8 + 2]).toBeCloseTo(1, 5); // half of the reach
      expect(cell[8 + 5 + direction]).toBeCloseTo(1, 5);
      expect(cell.slice(0, 8).reduce((a, b) => a + b)).toBeCloseTo(1, 5);
    }
    expect(of(0, 4)[8 + 4]).toBeCloseTo(1, 5);
    const oblique = of(-1, 2); // between up right and right
    expect(oblique[13] + oblique[20]).toBeCloseTo(1, 5);
    expect(Math.min(oblique[13], oblique[20])).toBeGreaterThan(0.3);
  });
});

it('means of 3 × 3 cells count nothing beyond the border', () => {
  const values = constant(
    float32(
      [1, 2, 3, 4, 5, 6, 7, 8, 9].flatMap((v) => [v, -v]),
      [1, 9, 2],
    ),
  );
  const [around] = evaluate([aroundCells(values, 3)], {});
  const rows = Array.from({ length: 9 }, (_, i) =>
    [around.data[2 * i], around.data[2 * i + 1]].map((v) => Number(v) * 9),
  );
  for (const [i, v] of [
    [4, 45],
    [0, 12],
    [5, 33],
  ]) {
    expect(rows[i][0]).toBeCloseTo(v, 4);
    expect(rows[i][1]).toBeCloseTo(-v, 4);
  }
});

describe('frames of windows', () => {
  it('are the one that the window stands for, and grey squares of any sides', () => {
    const x = constant(float32(new Rng(5).uniforms(2 * 3 * 3 * 10 * 14), [2, 3, 3, 10, 14]));
    const [middle, before, grey] = evaluate([judgedFrame(x), judgedFrame(x, -1), greySquare(judgedFrame(x), 8)], {});
    const all = evaluate([x], {})[0].data;
    const size = 3 * 10 * 14;
    expect(Array.from(middle.data.slice(0, 5), Number)).toEqual(
      Array.from((all as Float32Array).slice(size, size + 5)),
    );
    expect(Array.from(before.data.slice(0, 5), Number)).toEqual(Array.from((all as Float32Array).slice(0, 5)));
    expect(grey.shape).toEqual([2, 1, 8, 8]);
  });
});
