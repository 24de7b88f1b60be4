import { expect, test } from 'vitest';
import { Rng } from '../../../core/random.ts';
import { float32 } from '../../../core/tensor.ts';
import { evaluate } from '../../../graph/evaluate.ts';
import { constant } from '../../../graph/leaf.ts';
import { blurMatrix, smoothMap } from './smooth-map.ts';

/** A map of the values after a blur. */
function blurred(values: Float32Array, size: readonly [number, number], smoothing: number): number[] {
  const [height, width] = size;
  const grid = constant(float32(values, [1, 1, height, width]));
  return Array.from(evaluate([smoothMap(grid, size, smoothing)], {})[0].data, Number);
}

test('the blur grows with the shorter side: 4, as published, is a sixty-fourth of it', () => {
  const spot = (height: number, width: number) => {
    const values = new Float32Array(height * width);
    values[(height >> 1) * width + (width >> 1)] = 1;
    return values;
  };
  for (const [height, width] of [
    [64, 64],
    [128, 200],
    [300, 128],
  ] as const) {
    const map = blurred(spot(height, width), [height, width], 4);
    const deviation = Math.min(height, width) / 64;
    const [rows, columns] = [blurMatrix(height, deviation).data, blurMatrix(width, deviation).data];
    const [i, j] = [height >> 1, width >> 1];
    for (const [di, dj] of [
      [0, 0],
      [1, 0],
      [2, -3],
    ]) {
      const wanted = Number(rows[(i + di) * height + i]) * Number(columns[(j + dj) * width + j]);
      expect(map[(i + di) * width + j + dj]).toBeCloseTo(wanted, 6);
    }
  }
});

test('less than an eighth of a pixel, and 0, leave a map as it is', () => {
  const values = new Rng(1).uniforms(256);
  for (const smoothing of [0, 1]) expect(blurred(values, [16, 16], smoothing)).toEqual([...values]);
});
