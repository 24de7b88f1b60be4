/**
 * Ranks the rows of a table without a normal set: each by its distance to the rows that are most like it, itself left out
 * (Ramaswamy, Rastogi, Shim, SIGMOD 2000; the mean over the neighbours as Angiulli and Pizzuti, PKDD 2002).
 */
import type { Rng } from '../../core/random.ts';

export interface RankedRows {
  /** `[N]`, larger = less like the others. */
  readonly scores: Float32Array;
  /** `[N, D]`: the squared difference of each value from the mean of the neighbours. */
  readonly maps: Float32Array;
}

/**
 * Scores rows `[N, D]`, on scales that compare, by the root mean square of the distances to the `neighbours` nearest of
 * the others, of which a random part of at most `references` stands for all.
 */
export function rankRows(
  rows: Float32Array,
  width: number,
  { neighbours, references, rng }: { readonly neighbours: number; readonly references: number; readonly rng: Rng },
): RankedRows {
  const count = rows.length / width;
  const all = rng.split('references').permutation(count);
  const others = all.subarray(0, Math.min(count, references)).slice().sort();
  const k = Math.min(neighbours, others.length - 1);
  const scores = new Float32Array(count);
  const maps = new Float32Array(rows.length);
  const nearest = new Float64Array(k);
  const which = new Uint32Array(k);
  for (let i = 0; i < count; i++) {
    nearest.fill(Number.POSITIVE_INFINITY);
    for (const j of others) {
      if (j === i) continue;
      let square = 0;
      for (let c = 0; c < width && square < nearest[k - 1]; c++)
        square += (rows[i * width + c] - rows[j * width + c]) ** 2;
      if (square >= nearest[k - 1]) continue;
      let at = k - 1;
      for (; at > 0 && nearest[at - 1] > square; at--) {
        nearest[at] = nearest[at - 1];
        which[at] = which[at - 1];
      }
      nearest[at] = square;
      which[at] = j;
    }
    scores[i] = Math.sqrt(nearest.reduce((sum, v) => sum + v, 0) / k);
    for (let c = 0; c < width; c++) {
      const mean = which.reduce((sum, j) => sum + rows[j * width + c], 0) / k;
      maps[i * width + c] = (rows[i * width + c] - mean) ** 2;
    }
  }
  return { scores, maps };
}
