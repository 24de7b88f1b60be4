import { describe, expect, it } from 'vitest';
import { Rng } from '../core/random.ts';
import { float32 } from '../core/tensor.ts';
import { evaluate } from '../graph/evaluate.ts';
import { input } from '../graph/leaf.ts';
import { mostAlike } from './rad.ts';

const [n, k, height, width, channels] = [2, 3, 3, 4, 5];
const places = height * width;

/** Unit vectors. */
function units(count: number, seed: number): Float32Array {
  const values = new Rng(seed).normals(count * channels, 0, 1);
  return Float32Array.from(values, (v, i) => {
    const from = i - (i % channels);
    return v / Math.hypot(...values.slice(from, from + channels));
  });
}

describe('rad', () => {
  it.each([0, 1, 2])('compares a patch with those at most %i places away', (radius) => {
    const [rows, others] = [units(n * places, 1), units(n * k * places, 2)];
    const value = mostAlike(
      input('rows', [n, places, channels]),
      input('others', [n, k, places, channels]),
      [height, width],
      radius,
    );
    const feeds = { rows: float32(rows, [n, places, channels]), others: float32(others, [n, k, places, channels]) };
    const [found] = evaluate([value], feeds);
    for (let i = 0; i < n; i++) {
      for (let p = 0; p < places; p++) {
        let most = Number.NEGATIVE_INFINITY;
        for (let q = 0; q < places; q++) {
          const [dy, dx] = [Math.floor(p / width) - Math.floor(q / width), (p % width) - (q % width)];
          if (Math.max(Math.abs(dy), Math.abs(dx)) > radius) continue;
          for (let j = 0; j < k; j++) {
            let dot = 0;
            for (let c = 0; c < channels; c++)
              dot += rows[(i * places + p) * channels + c] * others[((i * k + j) * places + q) * channels + c];
            most = Math.max(most, dot);
          }
        }
        expect(Number(found.data[i * places + p])).toBeCloseTo(most, 5);
      }
    }
  });
});
