import { describe, expect, it } from 'vitest';
import {
  addTransposedTimes,
  eigenSymmetric,
  largestEigenpairs,
  mirrorUpper,
  type Rows,
  timesTransposed,
} from './linalg.ts';
import { Rng } from './random.ts';

const random = (size: number, stream: string) => Float64Array.from(new Rng(3).split(stream).normals(size));

/** Σ over k of a(i, k) · b(j, k), plainly. */
function product(n: number, m: number, d: number, a: (i: number, k: number) => number, b: typeof a): number[] {
  return Array.from({ length: n * m }, (_, at) => {
    let sum = 0;
    for (let k = 0; k < d; k++) sum += a(Math.floor(at / m), k) * b(at % m, k);
    return sum;
  });
}

const near = (actual: Rows, expected: ArrayLike<number>, tolerance = 1e-9) => {
  expect(actual.length).toBe(expected.length);
  expect(Math.max(...actual.map((v, i) => Math.abs(v - expected[i])))).toBeLessThan(tolerance);
};

describe('products', () => {
  // Sizes around the four that are done at a time.
  it.each([
    [1, 1, 3],
    [5, 7, 6],
    [8, 4, 9],
  ])('of %i, %i and %i', (n, m, d) => {
    const [a, b] = [random(n * d, 'a'), random(m * d, 'b')];
    near(
      timesTransposed(a, n, b, m),
      product(
        n,
        m,
        d,
        (i, k) => a[i * d + k],
        (j, k) => b[j * d + k],
      ),
    );
    const [p, x] = [random(n * m, 'p'), random(n * d, 'x')];
    const out = new Float64Array(m * d).fill(1);
    addTransposedTimes(out, p, x, n);
    const expected = product(
      m,
      d,
      n,
      (i, k) => p[k * m + i],
      (j, k) => x[k * d + j],
    );
    near(
      out,
      expected.map((v) => v + 1),
    );
    const square = new Float64Array(d * d);
    addTransposedTimes(square, x, x, n, true);
    mirrorUpper(square, d);
    near(
      square,
      product(
        d,
        d,
        n,
        (i, k) => x[k * d + i],
        (j, k) => x[k * d + j],
      ),
    );
  });
});

describe('largestEigenpairs', () => {
  /** A Gaussian matrix times its transpose, rank r. */
  const scatter = (n: number, r: number) => {
    const x = random(n * r, 'scatter');
    return timesTransposed(x, n, x, n);
  };
  const operator = (matrix: Float64Array, size: number) => ({
    size,
    apply: async (rows: Float64Array, m: number) => timesTransposed(rows, m, matrix, size),
  });

  it('gives those of the whole decomposition', async () => {
    const n = 60;
    const matrix = scatter(n, 80);
    const all = eigenSymmetric(matrix, n);
    near(
      timesTransposed(all.vectors, n, all.vectors, n),
      Float64Array.from({ length: n * n }, (_, i) => (i % (n + 1) === 0 ? 1 : 0)),
    );
    const some = await largestEigenpairs(operator(matrix, n), () => 5, { block: 6, rng: new Rng(1) });
    near(some.values, all.values.slice(0, 5), 1e-6);
    for (let i = 0; i < 5; i++) {
      const [cosine] = timesTransposed(
        some.vectors.slice(i * n, (i + 1) * n),
        1,
        all.vectors.slice(i * n, (i + 1) * n),
        1,
      );
      expect(Math.abs(cosine)).toBeCloseTo(1, 8);
    }
  });

  it('ends where the matrix has no more to give', async () => {
    const matrix = scatter(20, 3);
    const { values } = await largestEigenpairs(operator(matrix, 20), () => 10, { block: 4, rng: new Rng(1) });
    expect(values.filter((v) => v > 1e-9 * values[0])).toHaveLength(3);
    const none = await largestEigenpairs(operator(new Float64Array(9), 3), () => 2, { block: 2, rng: new Rng(1) });
    near(none.values, [0, 0]);
  });
});
