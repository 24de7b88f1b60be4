/**
 * Linear algebra on the host, for models that learn by statistics: products of dense matrices in row-major typed arrays
 * with float64 sums, and the largest eigenpairs of a symmetric operator that is only ever applied. Small dense
 * decompositions are ml-matrix's; it takes seconds from about 800 rows on, so nothing here hands it more than it must.
 */
import { EigenvalueDecomposition, Matrix } from 'ml-matrix';
import type { Rng } from './random.ts';

/** A dense matrix, row after row. */
export type Rows = Float32Array | Float64Array;

/** A · Bᵀ for A `[n, d]` and B `[m, d]`: `[n, m]`. */
export function timesTransposed(a: Rows, n: number, b: Rows, m: number): Float64Array {
  const d = n > 0 ? a.length / n : 0;
  const out = new Float64Array(n * m);
  for (let i = 0; i < n; i++) {
    const ai = i * d;
    let j = 0;
    // Four rows at a time: each value of A is read once for them, and the four sums do not wait for each other.
    for (; j + 4 <= m; j += 4) {
      const [b0, b1, b2, b3] = [j * d, (j + 1) * d, (j + 2) * d, (j + 3) * d];
      let [s0, s1, s2, s3] = [0, 0, 0, 0];
      for (let k = 0; k < d; k++) {
        const x = a[ai + k];
        s0 += x * b[b0 + k];
        s1 += x * b[b1 + k];
        s2 += x * b[b2 + k];
        s3 += x * b[b3 + k];
      }
      out[i * m + j] = s0;
      out[i * m + j + 1] = s1;
      out[i * m + j + 2] = s2;
      out[i * m + j + 3] = s3;
    }
    for (; j < m; j++) {
      let s = 0;
      for (let k = 0; k < d; k++) s += a[ai + k] * b[j * d + k];
      out[i * m + j] = s;
    }
  }
  return out;
}

/**
 * Adds Aᵀ · B to `out` `[m, d]`, for A `[n, m]` and B `[n, d]`. With `upper` (A and B the same) only what lies on and
 * above the diagonal.
 */
export function addTransposedTimes(out: Float64Array, a: Rows, b: Rows, n: number, upper = false): void {
  const [m, d] = [a.length / n, b.length / n];
  let r = 0;
  for (; r + 4 <= n; r += 4) {
    const [b0, b1, b2, b3] = [r * d, (r + 1) * d, (r + 2) * d, (r + 3) * d];
    for (let i = 0; i < m; i++) {
      const [p, q, s, t] = [a[r * m + i], a[(r + 1) * m + i], a[(r + 2) * m + i], a[(r + 3) * m + i]];
      if (p === 0 && q === 0 && s === 0 && t === 0) continue; // dark borders are common
      for (let j = upper ? i : 0; j < d; j++) {
        out[i * d + j] += p * b[b0 + j] + q * b[b1 + j] + s * b[b2 + j] + t * b[b3 + j];
      }
    }
  }
  for (; r < n; r++) {
    for (let i = 0; i < m; i++) {
      const p = a[r * m + i];
      if (p !== 0) for (let j = upper ? i : 0; j < d; j++) out[i * d + j] += p * b[r * d + j];
    }
  }
}

/** Copies what lies above the diagonal of `[n, n]` below it. */
export function mirrorUpper(matrix: Float64Array, n: number): void {
  for (let i = 0; i < n; i++) for (let j = i + 1; j < n; j++) matrix[j * n + i] = matrix[i * n + j];
}

/** Eigenpairs, the largest first. */
export interface Eigenpairs {
  readonly values: Float64Array;
  /** One unit vector a row, `[k, n]`. */
  readonly vectors: Float64Array;
}

/** All eigenpairs of a symmetric matrix `[n, n]`. Cost grows with n³: 0.2 s at 250, seconds at 800. */
export function eigenSymmetric(matrix: Float64Array, n: number): Eigenpairs {
  const { realEigenvalues, eigenvectorMatrix } = new EigenvalueDecomposition(Matrix.from1DArray(n, n, matrix), {
    assumeSymmetric: true,
  });
  const order = Array.from(realEigenvalues.keys()).sort((i, j) => realEigenvalues[j] - realEigenvalues[i]);
  const vectors = new Float64Array(n * n);
  for (const [k, i] of order.entries()) vectors.set(eigenvectorMatrix.getColumn(i), k * n);
  return { values: Float64Array.from(order, (i) => realEigenvalues[i]), vectors };
}

/** Appends rows to `basis` `[m, n]` after making them orthonormal to it and to each other; dependent ones are dropped. */
function extendBasis(basis: Float64Array[], rows: Float64Array, n: number): number {
  const before = basis.length;
  for (let at = 0; at < rows.length; at += n) {
    const row = rows.slice(at, at + n);
    const length = Math.sqrt(dot(row, row));
    // Twice is enough (Giraud, Langou and Rozložník 2005).
    for (let time = 0; time < 2; time++) {
      for (const other of basis) {
        const s = dot(row, other);
        for (let k = 0; k < n; k++) row[k] -= s * other[k];
      }
    }
    const left = Math.sqrt(dot(row, row));
    if (!(left > 1e-10 * length)) continue;
    for (let k = 0; k < n; k++) row[k] /= left;
    basis.push(row);
  }
  return basis.length - before;
}

function dot(a: Float64Array, b: Float64Array): number {
  let s = 0;
  for (let k = 0; k < a.length; k++) s += a[k] * b[k];
  return s;
}

/** A symmetric positive semi-definite matrix `[n, n]` that is known by what it does. */
export interface Operator {
  readonly size: number;
  /** Rows times the matrix: `[m, n] → [m, n]`. */
  apply(rows: Float64Array, m: number): Promise<Float64Array>;
}

/**
 * The largest eigenpairs of an operator by block Lanczos with full reorthogonalisation (Golub and Underwood 1977; as
 * randomised block Krylov iteration, Musco and Musco 2015). `wanted` says from the values so far how many are needed.
 * Stops when the residual of each of them is below `tolerance` times the largest value, or after `passes`
 * applications.
 */
export async function largestEigenpairs(
  { size, apply }: Operator,
  wanted: (values: Float64Array) => number,
  { block, rng, tolerance = 1e-7, passes = 30 }: { block: number; rng: Rng; tolerance?: number; passes?: number },
): Promise<Eigenpairs> {
  const basis: Float64Array[] = []; // B, orthonormal rows
  const applied: Float64Array[] = []; // B · C
  let next: Float64Array = Float64Array.from(rng.normals(Math.min(block, size) * size));
  let projected: Float64Array = new Float64Array(0); // B · C · Bᵀ
  for (let pass = 1; ; pass++) {
    const added = extendBasis(basis, next, size);
    const before = basis.length - added;
    if (added > 0) {
      next = await apply(joined(basis.slice(before), size), added);
      for (let i = 0; i < added; i++) applied.push(next.subarray(i * size, (i + 1) * size));
      projected = grown(projected, before, basis, applied);
    }
    const m = basis.length;
    const { values, vectors } = eigenSymmetric(projected, m);
    const k = Math.min(wanted(values), m);
    const errors = () => {
      const v = combined(basis, vectors, k, size);
      const cv = combined(applied, vectors, k, size);
      return largestError(v, cv, values, size);
    };
    const isLast = added === 0 || m >= size || pass >= passes || (k < m && errors() <= tolerance * values[0]);
    if (isLast) return { values: values.slice(0, k), vectors: combined(basis, vectors, k, size) };
  }
}

/** max ‖C v − θ v‖ over the rows of V and C V. */
function largestError(v: Float64Array, cv: Float64Array, values: Float64Array, n: number): number {
  let largest = 0;
  for (let i = 0; i * n < v.length; i++) {
    let error = 0;
    for (let j = i * n; j < (i + 1) * n; j++) error += (cv[j] - values[i] * v[j]) ** 2;
    largest = Math.max(largest, Math.sqrt(error));
  }
  return largest;
}

/** B · C · Bᵀ, of which the first `before` rows and columns are known. */
function grown(known: Float64Array, before: number, basis: Float64Array[], applied: Float64Array[]): Float64Array {
  const m = basis.length;
  const out = new Float64Array(m * m);
  for (let i = 0; i < m; i++) {
    for (let j = i; j < m; j++) {
      const value = j < before ? known[i * before + j] : dot(basis[i], applied[j]);
      out[i * m + j] = value;
      out[j * m + i] = value;
    }
  }
  return out;
}

/** The first `k` rows of `weights` `[·, rows.length]` times the rows. */
function combined(rows: readonly Float64Array[], weights: Float64Array, k: number, n: number): Float64Array {
  const out = new Float64Array(k * n);
  for (let i = 0; i < k; i++) {
    for (const [r, row] of rows.entries()) {
      const w = weights[i * rows.length + r];
      for (let j = 0; j < n; j++) out[i * n + j] += w * row[j];
    }
  }
  return out;
}

function joined(rows: readonly Float64Array[], n: number): Float64Array {
  const out = new Float64Array(rows.length * n);
  for (const [i, row] of rows.entries()) out.set(row, i * n);
  return out;
}
