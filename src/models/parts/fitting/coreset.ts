/**
 * A few rows that stand for many: greedy k-centre selection (Gonzalez 1985; PatchCore, Roth et al. 2022, algorithm 1),
 * which takes the row that is farthest from all taken ones, again and again. The choice is exact, but made in rounds:
 * distances only fall, so among the rows that were farthest at the last look the farthest is the farthest of all as
 * long as it stays above the rest. A round brings the distances of all rows up to date in one matrix product.
 */
import { Cancelled } from '../../../core/errors.ts';
import type { Rng } from '../../../core/random.ts';
import { float32 } from '../../../core/tensor.ts';
import { input } from '../../../graph/leaf.ts';
import * as g from '../../../graph/ops/index.ts';
import type { FitData } from '../../define.ts';

/** Rows that are looked at in a round, and those that it takes at most; rows taken before that are compared at a time. */
const ROUND = { candidates: 1024, taken: 64, before: 256 };

/**
 * Indices of `count` of the `[n, width]` rows, in the order of their choice; the first is drawn by `rng`, unless rows
 * `taken` before are given, to which these are added. With it the largest distance of a row to its nearest chosen one.
 */
export async function greedyCoreset(
  rows: Float32Array,
  width: number,
  count: number,
  {
    compile,
    onEvent,
    signal,
    rng,
    taken: before = new Float32Array(),
  }: Pick<FitData, 'compile' | 'onEvent' | 'signal'> & { readonly rng: Rng; readonly taken?: Float32Array },
): Promise<{ readonly chosen: Uint32Array; readonly radius: number }> {
  const n = rows.length / width;
  const candidates = Math.min(ROUND.candidates, n);
  const all = input('rows', [n, width]);
  const halves = input('halves', [n]); // ½|x|²
  const distances = input('distances', [n]); // ½ of the squared distance to the nearest chosen row
  const taken = input('taken', ['K', width]);
  const products = g.matMul(all, taken, { transposeB: true }); // [n,K]
  const own = g.mul(g.reduceSum(g.square(taken), { axes: [1] }), 0.5); // [K]
  const nearest = g.reduceMax(g.sub(products, own), { axes: [1] });
  const after = g.minimum(distances, g.maximum(g.sub(halves, nearest), 0));
  const { values, indices } = g.topK(after, candidates);
  const session = await compile({
    name: 'coreset',
    outputs: { after, values, indices, found: g.gather(all, indices, 0) },
    carry: { after: 'distances' },
  });
  try {
    const squares = Float32Array.from({ length: n }, (_, i) => halfSquare(rows, i * width, width));
    await session.setState({
      rows: float32(rows, [n, width]),
      halves: float32(squares),
      distances: float32(new Float32Array(n).fill(3e38)),
    });
    const chosen = new Uint32Array(count);
    let [done, feed] = [0, before];
    if (before.length === 0) {
      chosen[done++] = rng.int(n);
      feed = rows.slice(chosen[0] * width, (chosen[0] + 1) * width);
    }
    let radius = 0;
    const begin = performance.now();
    const take = (rows: Float32Array) => {
      if (signal?.aborted) throw new Cancelled();
      return session.run({ taken: float32(rows, [rows.length / width, width]) }, { signal });
    };
    for (; feed.length > ROUND.before * width; feed = feed.subarray(ROUND.before * width))
      await take(feed.slice(0, ROUND.before * width));
    for (;;) {
      const out = await take(feed);
      const [far, numbers, found] = [
        out.values.data as Float32Array,
        out.indices.data as BigInt64Array,
        out.found.data as Float32Array,
      ];
      radius = Math.sqrt(2 * far[0]);
      const rate = (1000 * done) / (performance.now() - begin);
      onEvent({ type: 'progress', task: 'coreset', done, total: count, unit: 'patches', rate });
      if (done === count) break;
      const picked = roundOf(found, width, far, candidates < n, Math.min(ROUND.taken, count - done));
      feed = new Float32Array(picked.length * width);
      for (const [k, i] of picked.entries()) {
        chosen[done++] = Number(numbers[i]);
        feed.set(found.subarray(i * width, (i + 1) * width), k * width);
      }
    }
    return { chosen, radius };
  } finally {
    session.close().catch(() => {}); // who cancels does not wait
  }
}

/** Numbers of a row after which a sum of squares is looked at. */
const PART = 16;

/** Positions of the candidates that are farthest in turn, as long as none outside can be farther; at least one. */
function roundOf(rows: Float32Array, width: number, halves: Float32Array, hasOthers: boolean, most: number): number[] {
  const distances = halves.slice();
  const outside = hasOthers ? distances[distances.length - 1] : Number.NEGATIVE_INFINITY;
  const picked: number[] = [];
  while (picked.length < most) {
    let farthest = 0;
    for (let i = 1; i < distances.length; i++) if (distances[i] > distances[farthest]) farthest = i;
    if (picked.length > 0 && distances[farthest] < outside) break;
    picked.push(farthest);
    const at = farthest * width;
    for (let i = 0; i < distances.length; i++) {
      const least = 2 * distances[i];
      let sum = 0;
      // Most rows are farther than from another: a part of the sum says so.
      for (let j = 0; j < width && sum < least; ) {
        for (const end = Math.min(width, j + PART); j < end; j++) {
          const difference = rows[at + j] - rows[i * width + j];
          sum += difference * difference;
        }
      }
      if (sum < least) distances[i] = sum / 2;
    }
    distances[farthest] = Number.NEGATIVE_INFINITY;
  }
  return picked;
}

function halfSquare(rows: Float32Array, from: number, width: number): number {
  let sum = 0;
  for (let k = from; k < from + width; k++) sum += rows[k] * rows[k];
  return sum / 2;
}
