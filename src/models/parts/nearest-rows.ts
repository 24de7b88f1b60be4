/** The nearest row of a bank for each row of features, in the graph; exact, and in blocks, so that no product is large. */
import { constant } from '../../graph/leaf.ts';
import * as g from '../../graph/ops/index.ts';
import type { Value } from '../../graph/value.ts';

/** Rows of the bank that are compared at a time. */
const BLOCK = 1024;

/** Which row of the bank `[M, D]` is nearest to each of the rows `[N, P, D]`: int64 `[N, P]`; `halves` `[M]` are ½|b|². */
export function nearestRows(rows: Value, bank: Value, halves: Value): Value {
  const size = Number(bank.shape[0]);
  let best: { values: Value; places: Value } | undefined;
  for (let from = 0; from < size; from += BLOCK) {
    const to = Math.min(size, from + BLOCK);
    const part = g.slice(bank, { 0: [from, to] });
    // ½|x − b|² = ½|x|² − x·b + ½|b|²: the nearest has the largest x·b − ½|b|². [N,P,M]
    const nearness = g.sub(g.matMul(rows, part, { transposeB: true }), g.slice(halves, { 0: [from, to] }));
    const { values, indices } = g.topK(nearness, 1);
    const places =
      from === 0
        ? indices
        : g.add(indices, constant({ dtype: 'int64', shape: [], data: BigInt64Array.of(BigInt(from)) }));
    best = best
      ? { values: g.maximum(best.values, values), places: g.where(g.greater(values, best.values), places, best.places) }
      : { values, places };
  }
  const { places } = best!;
  return g.reshape(places, [rows.shape[0], rows.shape[1]]);
}

/**
 * Squared distances `[N, P]` of rows `[N, P, D]` to rows of the bank: from the rows themselves, because the difference of
 * large products is inexact.
 */
export const squaresTo = (rows: Value, bank: Value, places: Value): Value =>
  g.reduceSum(g.square(g.sub(rows, g.gather(bank, places, 0))), { axes: [2] });
