/**
 * How far out a score lies among scores of normal items that its detector did not see: −log of the share of these that reach it,
 * looked up in a table of quantiles. Beyond the largest of them the share goes on to fall as it does over the last tenth, as of
 * an exponential tail, so that far and farther differ.
 */
import { float32, type Tensors } from '../../../core/tensor.ts';
import * as g from '../../../graph/ops/index.ts';
import type { Value } from '../../../graph/value.ts';
import type { Scope } from '../../../nn/scope.ts';

/** Quantiles of a table. */
const KNOTS = 256;
/** The share of the largest scores from which the tail beyond follows. */
const TAIL = 0.1;
/** No score counts for more: sums of infinities would be no numbers. */
const FARTHEST = 1e30;

/** Scores `[Q]`, rising, and −log of the share of normal scores that reach each, from normal scores in any order, at least one. */
export function tailTable(scores: ArrayLike<number>): { readonly knots: Float32Array; readonly tails: Float32Array } {
  const sorted = Float64Array.from(scores).sort();
  const n = sorted.length;
  const knots = new Float32Array(KNOTS + 1);
  const tails = new Float32Array(KNOTS + 1);
  const most = Math.log(n + 1);
  for (let j = 0; j < KNOTS; j++) {
    tails[j] = (most * j) / (KNOTS - 1);
    // The score with so many below it: the row itself counts to those that reach it.
    const below = Math.min(n - 1, Math.max(0, (n + 1) * (1 - Math.exp(-tails[j])) - 1));
    const low = Math.floor(below);
    knots[j] = sorted[low] + (below - low) * (sorted[Math.min(n - 1, low + 1)] - sorted[low]);
  }
  const from = Math.floor((1 - TAIL) * (n - 1));
  let excess = 0;
  for (let i = from; i < n; i++) excess += (sorted[i] - sorted[from]) / (n - from);
  const last = sorted[n - 1];
  // Where all scores are the same nothing says how they would go on: by a share of their size.
  knots[KNOTS] = last + (excess || 1e-3 * Math.max(Math.abs(last), 1e-3));
  tails[KNOTS] = most + 1;
  return { knots, tails };
}

/** The tables of detectors, as tensors of one group. */
export function tailTables(group: string, scores: readonly ArrayLike<number>[]): Tensors {
  const tables = scores.map(tailTable);
  const stacked = (key: 'knots' | 'tails') =>
    float32(Float32Array.from(tables.flatMap((table) => [...table[key]])), [tables.length, KNOTS + 1]);
  return { [`${group}.knots`]: stacked('knots'), [`${group}.tails`]: stacked('tails') };
}

/** −log tails `[N, M]` of scores `[N, M]` of M detectors; at least 0, and without an upper end. */
export function tailsIn(tables: Scope, scores: Value): Value {
  const [knots, tails] = ['knots', 'tails'].map((name) => tables.learnt(name)); // [M,Q]
  const [count, size] = knots.shape as number[];
  const each = g.reshape(scores, [scores.shape[0], count, 1]);
  const below = g.reduceSum(g.cast(g.greater(each, knots), 'float32'), { axes: [2] }); // [N,M]
  const upper = g.clip(below, 1, size - 1);
  const at = (table: Value, place: Value) => g.gatherElements(g.transpose(table, [1, 0]), g.cast(place, 'int64'), 0); // [N,M]
  const [low, high] = [at(knots, g.sub(upper, 1)), at(knots, upper)];
  const share = g.clip(g.div(g.sub(scores, low), g.maximum(g.sub(high, low), 1e-30)), 0, FARTHEST);
  const [from, to] = [at(tails, g.sub(upper, 1)), at(tails, upper)];
  return g.add(from, g.mul(share, g.sub(to, from)));
}
