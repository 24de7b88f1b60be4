/**
 * Correlations of all pairs of windows of a series, walked along diagonals j − i = d: there the covariance follows from that
 * of the pair before with two products (SCAMP, Zimmerman et al. 2019). A range of diagonals can be given to each of several
 * workers and the results merged. Several diagonals are walked at once, so that what belongs to a row is read once for several
 * pairs: eight in WebAssembly, or four in JavaScript, which is about a third as fast. Left out: float32.
 */
import { type DiagonalKernel, diagonalKernel, KERNEL_WIDTH, type WalkArrays } from './diagonal-kernel.ts';
import { covarianceAt, restarts, updateFactors, type WindowStatistics } from './window-statistics.ts';

/** The best partners of each window within some diagonals, `[count]` each. */
export interface PartialProfile {
  /** The largest correlation with an earlier window; −Infinity where none was met. */
  readonly left: Float64Array;
  /** The start of that window, −1 where none was met. */
  readonly leftIndex: Int32Array;
  /** The same of later windows. */
  readonly right: Float64Array;
  readonly rightIndex: Int32Array;
}

/** Pairs of windows on the diagonals `from` … `to` − 1 of `count` windows: what their walk costs. */
export function pairsOfDiagonals(count: number, from: number, to = count): number {
  const [first, end] = [Math.min(from, count), Math.min(to, count)];
  return ((end - first) * (2 * count - first - end + 1)) / 2;
}

/** At most `parts` ranges `[from, to)` that share the diagonals from `first` on, with about as many pairs each. */
export function diagonalRanges(count: number, first: number, parts: number): [from: number, to: number][] {
  const ranges: [number, number][] = [];
  const all = pairsOfDiagonals(count, first);
  let from = first;
  for (let part = 1; part <= parts && from < count; part++) {
    // Pairs left after diagonal d: (count − d)(count − d + 1)/2.
    const left = all * (1 - part / parts);
    const to = part === parts ? count : Math.max(from + 1, Math.round(count + 0.5 - Math.sqrt(0.25 + 2 * left)));
    ranges.push([from, to]);
    from = to;
  }
  return ranges;
}

/**
 * The best partners within the diagonals `from` … `to` − 1 (`from` ≥ 1). Flat windows count as correlated to none (0);
 * whoever merges the results sets what they are worth. `kernel` walks eight diagonals at once, by default the one in
 * WebAssembly where there is one; null walks four in JavaScript, to the same correlations (of partners that are exactly as good
 * another may be named).
 */
export function profileOfDiagonals(
  windows: WindowStatistics,
  from: number,
  to = windows.count,
  kernel: DiagonalKernel | null = diagonalKernel(windows.count) ?? null,
): PartialProfile {
  const { count, inverseNorm } = windows;
  const walk = begun(windows, kernel?.arrays);
  const width = kernel ? KERNEL_WIDTH : 4;
  const cov = kernel?.cov ?? new Float64Array(width);
  const end = Math.min(to, count);
  const rows = restarts(windows);
  for (const [part, row] of rows.entries()) {
    const next = rows[part + 1] ?? count;
    for (let d = from; d < end && row + d < count; d += width) {
      const lines = Math.min(width, end - d);
      for (let q = 0; q < lines; q++) cov[q] = row + d + q < count ? before(walk, row, row + d + q) : 0;
      // Rows that all lines of a full group have.
      const common = lines < width ? row : Math.max(row, Math.min(next, count - d - width + 1));
      if (common > row) {
        if (kernel) kernel.walk(d, row, common);
        else walkFour(walk, cov, d, row, common);
      }
      for (let q = 0; q < lines; q++) walkOne(walk, cov[q], d + q, common, Math.min(next, count - d - q));
    }
  }
  // While walking, the factor that all pairs of a window share is left out.
  const correlations = (best: Float64Array) =>
    Float64Array.from(best, (b, i) => (b > Number.NEGATIVE_INFINITY ? b * inverseNorm[i] : b));
  return {
    left: correlations(walk.left),
    leftIndex: walk.leftIndex.slice(),
    right: correlations(walk.right),
    rightIndex: walk.rightIndex.slice(),
  };
}

/** Arrays to walk over, in the memory of a kernel or of their own. */
function begun(windows: WindowStatistics, given?: WalkArrays): Walk {
  const { count, inverseNorm } = windows;
  const [floats, wholes] = [() => new Float64Array(count), () => new Int32Array(count)];
  const arrays = given ?? {
    df: floats(),
    dg: floats(),
    inverse: floats(),
    left: floats(),
    right: floats(),
    leftIndex: wholes(),
    rightIndex: wholes(),
  };
  const { df, dg } = updateFactors(windows);
  arrays.df.set(df);
  arrays.dg.set(dg);
  arrays.inverse.set(inverseNorm);
  arrays.left.fill(Number.NEGATIVE_INFINITY);
  arrays.right.fill(Number.NEGATIVE_INFINITY);
  arrays.leftIndex.fill(-1);
  arrays.rightIndex.fill(-1);
  return { windows, ...arrays };
}

/** One profile of several that lie on different diagonals; of equal correlations the first stays. Changes and returns the first. */
export function mergeProfiles(into: PartialProfile, ...others: readonly PartialProfile[]): PartialProfile {
  for (const { left, leftIndex, right, rightIndex } of others) {
    keepLarger(into.left, into.leftIndex, left, leftIndex);
    keepLarger(into.right, into.rightIndex, right, rightIndex);
  }
  return into;
}

function keepLarger(best: Float64Array, index: Int32Array, other: Float64Array, otherIndex: Int32Array): void {
  for (let i = 0; i < best.length; i++) {
    if (!(other[i] > best[i])) continue;
    best[i] = other[i];
    index[i] = otherIndex[i];
  }
}

interface Walk extends WalkArrays {
  readonly windows: WindowStatistics;
}

/** The covariance from which the update of pair (i, j) leads to that of the definition. */
function before({ windows, df, dg }: Walk, i: number, j: number): number {
  return covarianceAt(windows, i, windows, j) - (df[i] * dg[j] + df[j] * dg[i]);
}

function walkOne(walk: Walk, before: number, d: number, from: number, to: number): void {
  const { df, dg, inverse, left, leftIndex, right, rightIndex } = walk;
  let cov = before;
  for (let i = from; i < to; i++) {
    const j = i + d;
    cov += df[i] * dg[j] + df[j] * dg[i];
    const toRight = cov * inverse[j];
    const toLeft = cov * inverse[i];
    if (toRight > right[i]) {
      right[i] = toRight;
      rightIndex[i] = j;
    }
    if (toLeft > left[j]) {
      left[j] = toLeft;
      leftIndex[j] = i;
    }
  }
}

/** Rows `from` … `to` − 1 of the diagonals d … d + 3; all of them have these rows. `cov` goes on from row to row. */
function walkFour(walk: Walk, cov: Float64Array, d: number, from: number, to: number): void {
  const { df, dg, inverse, left, leftIndex, right, rightIndex } = walk;
  // One by one: what is read from an array by destructuring may be anything, and is kept as such, not as a float64.
  let c0 = cov[0];
  let c1 = cov[1];
  let c2 = cov[2];
  let c3 = cov[3];
  let f0 = df[from + d];
  let f1 = df[from + d + 1];
  let f2 = df[from + d + 2];
  let g0 = dg[from + d];
  let g1 = dg[from + d + 1];
  let g2 = dg[from + d + 2];
  let n0 = inverse[from + d];
  let n1 = inverse[from + d + 1];
  let n2 = inverse[from + d + 2];
  for (let i = from; i < to; i++) {
    const j = i + d;
    const f = df[i];
    const g = dg[i];
    const n = inverse[i];
    const f3 = df[j + 3];
    const g3 = dg[j + 3];
    const n3 = inverse[j + 3];
    c0 += f * g0 + f0 * g;
    c1 += f * g1 + f1 * g;
    c2 += f * g2 + f2 * g;
    c3 += f * g3 + f3 * g;
    const r0 = c0 * n0;
    const r1 = c1 * n1;
    const r2 = c2 * n2;
    const r3 = c3 * n3;
    let best = right[i];
    // Rare once many pairs are seen: the four are looked at together first.
    if (r0 > best || r1 > best || r2 > best || r3 > best) {
      let at = j;
      if (r0 > best) best = r0;
      if (r1 > best) {
        best = r1;
        at = j + 1;
      }
      if (r2 > best) {
        best = r2;
        at = j + 2;
      }
      if (r3 > best) {
        best = r3;
        at = j + 3;
      }
      right[i] = best;
      rightIndex[i] = at;
    }
    const l0 = c0 * n;
    const l1 = c1 * n;
    const l2 = c2 * n;
    const l3 = c3 * n;
    if (l0 > left[j]) {
      left[j] = l0;
      leftIndex[j] = i;
    }
    if (l1 > left[j + 1]) {
      left[j + 1] = l1;
      leftIndex[j + 1] = i;
    }
    if (l2 > left[j + 2]) {
      left[j + 2] = l2;
      leftIndex[j + 2] = i;
    }
    if (l3 > left[j + 3]) {
      left[j + 3] = l3;
      leftIndex[j + 3] = i;
    }
    f0 = f1;
    f1 = f2;
    f2 = f3;
    g0 = g1;
    g1 = g2;
    g2 = g3;
    n0 = n1;
    n1 = n2;
    n2 = n3;
  }
  cov[0] = c0;
  cov[1] = c1;
  cov[2] = c2;
  cov[3] = c3;
}
