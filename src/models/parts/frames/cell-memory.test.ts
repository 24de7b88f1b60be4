import { describe, expect, it } from 'vitest';
import { Rng } from '../../../core/random.ts';
import { float32 } from '../../../core/tensor.ts';
import * as g from '../../../graph/index.ts';
import { cellDistances } from './cell-memory.ts';

const [frames, cells, held, wide] = [2, 3, 9, { motion: 4, look: 5 }];
const draw = (name: string, rows: number, width: number) => Array.from(new Rng(6).split(name).normals(rows * width));
const values = {
  motion: draw('motion', frames * cells, wide.motion),
  look: draw('look', frames * cells, wide.look),
  motions: draw('motions', held, wide.motion),
  looks: draw('looks', held, wide.look),
};
const row = (list: readonly number[], at: number, width: number) => list.slice(at * width, (at + 1) * width);
const squares = (a: readonly number[], b: readonly number[]) => a.reduce((sum, v, i) => sum + (v - b[i]) ** 2, 0);

function found(alike: number) {
  const given = (list: readonly number[], shape: readonly number[]) =>
    g.constant(float32(Float32Array.from(list), shape));
  const { look, motion } = cellDistances(
    {
      motion: given(values.motion, [frames, cells, wide.motion]),
      look: given(values.look, [frames, cells, wide.look]),
    },
    { motion: given(values.motions, [held, wide.motion]), look: given(values.looks, [held, wide.look]) },
    alike,
  );
  return g.evaluate([look, motion], {}).map((t) => Array.from(t.data, Number));
}

describe('distances of cells', () => {
  it.each([1, 3, 20])('compare motion with the %i cells that look most alike', (alike) => {
    const [look, motion] = found(alike);
    for (let p = 0; p < frames * cells; p++) {
      const byLook = Array.from({ length: held }, (_, m) => ({
        look: squares(row(values.look, p, wide.look), row(values.looks, m, wide.look)),
        motion: squares(row(values.motion, p, wide.motion), row(values.motions, m, wide.motion)),
      })).sort((a, b) => a.look - b.look);
      expect(look[p]).toBeCloseTo(byLook[0].look, 4);
      expect(motion[p]).toBeCloseTo(Math.min(...byLook.slice(0, alike).map((one) => one.motion)), 4);
    }
  });

  it('what looks normal and moves as nothing that looks so is odd by its motion alone', () => {
    const at = (list: readonly number[], width: number) => g.constant(float32(Float32Array.from(list), [1, 1, width]));
    const memory = {
      // Bright cells move, dark ones stand still.
      motion: g.constant(float32([1, 1, 0, 0], [4, 1])),
      look: g.constant(float32([1, 0.9, 0, 0.1], [4, 1])),
    };
    const of = (motion: number, look: number) => {
      const made = cellDistances({ motion: at([motion], 1), look: at([look], 1) }, memory, 2);
      return g.evaluate([made.look, made.motion], {}).map((t) => Number(t.data[0]));
    };
    expect(of(0, 0)).toEqual([0, 0]);
    expect(of(0, 1)).toEqual([0, 1]); // stopped
    expect(of(1, 1)).toEqual([0, 0]);
  });
});
