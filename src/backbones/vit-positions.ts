/**
 * Where a patch lies, told to a vision transformer: learnt embeddings brought to a grid of another size by bicubic
 * resampling, and rotary embeddings, which are a function of the place alone. Both follow from the sizes of a graph, so
 * they are constants in it.
 */
import { float32, type Tensor } from '../core/tensor.ts';
import { constant } from '../graph/leaf.ts';
import * as g from '../graph/ops/index.ts';
import type { Value } from '../graph/value.ts';

/** How learnt embeddings are brought to another grid; always bicubic, with half-pixel centres. */
export interface Resampling {
  /** Added to the number of places per axis before the scale is taken: 0.1 in DINOv2 without registers, else 0. */
  readonly offset: number;
  /** A filter as wide as one output place where the grid shrinks, with its own kernel (a = −½), as DINOv2 with registers. */
  readonly antialias: boolean;
}

/** Keys' cubic kernel (1981) with parameter `a`. */
function cubic(a: number, distance: number): number {
  const x = Math.abs(distance);
  if (x < 1) return (a + 2) * x ** 3 - (a + 3) * x ** 2 + 1;
  return x < 2 ? a * x ** 3 - 5 * a * x ** 2 + 8 * a * x - 4 * a : 0;
}

/**
 * The matrix `[to, from]` that resamples one axis bicubically, as PyTorch does: a = −¾ and the border repeated; with
 * `antialias` a = −½, a support of two output places and weights that are made to sum to 1 at borders.
 */
export function bicubicMatrix(from: number, to: number, { offset, antialias }: Resampling): Tensor {
  const matrix = new Float32Array(to * from);
  const scale = from / (to + offset);
  for (let o = 0; o < to; o++) {
    const row = matrix.subarray(o * from, (o + 1) * from);
    const centre = (o + 0.5) * scale;
    if (antialias) {
      const wide = Math.max(1, scale);
      const first = Math.max(0, Math.trunc(centre - 2 * wide + 0.5));
      const last = Math.min(from, Math.trunc(centre + 2 * wide + 0.5));
      let sum = 0;
      for (let i = first; i < last; i++) sum += cubic(-0.5, (i + 0.5 - centre) / wide);
      for (let i = first; i < last; i++) row[i] = cubic(-0.5, (i + 0.5 - centre) / wide) / sum;
    } else {
      const base = Math.floor(centre - 0.5);
      for (let i = base - 1; i <= base + 2; i++)
        row[Math.min(from - 1, Math.max(0, i))] += cubic(-0.75, i + 0.5 - centre);
    }
  }
  return float32(matrix, [to, from]);
}

/** Embeddings of a square grid of `side` places, `[1, side², D]`, on a grid of h × w: `[1, h·w, D]`. */
export function resampled(
  embeddings: Value,
  side: number,
  [height, width]: readonly [number, number],
  how: Resampling,
): Value {
  if (height === side && width === side) return embeddings;
  const depth = embeddings.shape[2] as number;
  const matrix = (to: number) => constant(bicubicMatrix(side, to, how));
  const rows = g.matMul(matrix(height), g.reshape(embeddings, [side, side * depth])); // [h, side·D]
  const grid = g.matMul(matrix(width), g.reshape(rows, [height, side, depth])); // [h,w,D]
  return g.reshape(grid, [1, height * width, depth]);
}

/** Cosines and sines `[h·w, d]` by which queries and keys are turned. */
export interface Rotary {
  readonly cos: Value;
  readonly sin: Value;
}

/**
 * Rotary embeddings of a grid as DINOv3 has them: places from −1 to 1 along each axis, d / 4 frequencies 100^(−4k/d) for
 * each, the angle 2π times both; rows first, then columns, and all of it twice. d must be a multiple of 4.
 */
export function rotary([height, width]: readonly [number, number], d: number): Rotary {
  const angles = new Float64Array(height * width * d);
  const frequencies = Array.from({ length: d / 4 }, (_, k) => 100 ** ((-4 * k) / d));
  for (let p = 0; p < height * width; p++) {
    const row = (2 * (Math.floor(p / width) + 0.5)) / height - 1;
    const column = (2 * ((p % width) + 0.5)) / width - 1;
    for (let i = 0; i < d; i++) {
      const k = i % (d / 2);
      const place = k < d / 4 ? row : column;
      angles[p * d + i] = 2 * Math.PI * place * frequencies[k % (d / 4)];
    }
  }
  const of = (f: (angle: number) => number) => constant(float32(Float32Array.from(angles, f), [height * width, d]));
  return { cos: of(Math.cos), sin: of(Math.sin) };
}

/**
 * Turns the last h·w of the places of queries or keys `[N, heads, T, d]`; what stands before them – class token and
 * registers – has no place and stays.
 */
export function turned(x: Value, { cos, sin }: Rotary): Value {
  const [, , places, d] = x.shape as [unknown, number, number, number];
  const count = cos.shape[0] as number;
  const [before, patches] = places === count ? [[], x] : splitAt(x, places - count);
  const [a, b] = g.split(patches, [d / 2, d / 2], 3);
  const rotated = g.add(g.mul(patches, cos), g.mul(g.concat([g.neg(b), a], 3), sin));
  return before.length > 0 ? g.concat([...before, rotated], 2) : rotated;
}

function splitAt(x: Value, at: number): [Value[], Value] {
  const [first, rest] = g.split(x, [at, (x.shape[2] as number) - at], 2);
  return [[first], rest];
}
