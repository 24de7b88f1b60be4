/**
 * Tail probabilities of the columns of a table from their empirical distributions, learnt once and looked up in the graph by
 * bisection: what ECOD and COPOD are made of. A row counts to the sample that it is compared with, as where it is appended to
 * the training rows, so that no tail is empty and no logarithm infinite.
 */
import * as z from 'zod';
import type { Tensors } from '../../core/tensor.ts';
import { float32 } from '../../core/tensor.ts';
import * as g from '../../graph/ops/index.ts';
import type { Value } from '../../graph/value.ts';
import type { Scope } from '../../nn/scope.ts';
import type { FitItems } from '../define.ts';
import { sampleItems } from './fitting/sample.ts';
import { channelsOf, countOf } from './shapes.ts';

/** Greater than any value of an item. */
const BEYOND = 3e38;

/** Rows whose values make the distributions. */
export const tailsConfig = z.strictObject({
  sample: z
    .int()
    .min(1)
    .max(100000)
    .default(10000)
    .describe(
      'Largest number of training rows whose values make the distributions, a random sample if there are more.',
    ),
});

/** Learns the tails from a sample of the training rows. */
export async function fitTails({ sample }: z.infer<typeof tailsConfig>, data: FitItems): Promise<Tensors> {
  const { width, items } = await sampleItems(data, sample);
  return learnTails(items, width);
}

/** Of each value of a row, `[N, D]`: −log of the share of the sample that is at most, and at least, as large. */
export interface Tails {
  readonly left: Value;
  readonly right: Value;
  /** The tail on the side to which the column is skewed: the left one where its skewness is negative. */
  readonly skewed: Value;
}

/** Distinct values of each column, how many rows lie at or below each, and the side of the skew, from rows `[N, D]`, N ≥ 1. */
function learnTails(items: Float32Array, width: number): Tensors {
  const rows = items.length / width;
  const columns = Array.from({ length: width }, (_, c) =>
    Float32Array.from({ length: rows }, (_, r) => items[r * width + c]).sort(),
  );
  const distinct = columns.map((column) => column.filter((value, i) => i === 0 || value !== column[i - 1]).length);
  // Bisection takes whole powers of two, less one.
  const size = 2 ** Math.ceil(Math.log2(Math.max(...distinct) + 1)) - 1;
  const values = new Float32Array(size * width).fill(BEYOND);
  const counts = new Float32Array((size + 1) * width);
  const isLeft = new Float32Array(width);
  for (const [c, column] of columns.entries()) {
    let at = 0;
    for (let r = 1; r <= rows; r++) {
      if (r < rows && column[r] === column[r - 1]) continue;
      values[at * width + c] = column[r - 1];
      counts[++at * width + c] = r;
    }
    isLeft[c] = Number(thirdMoment(column) < 0);
  }
  return {
    'tails.values': float32(values, [size, width]),
    'tails.counts': float32(counts, [size + 1, width]),
    'tails.isLeft': float32(isLeft, [width]),
    'tails.rows': float32([rows], [1]),
  };
}

/** Has the sign of the skewness. */
function thirdMoment(values: Float32Array): number {
  if (values[0] === values[values.length - 1]) return 0;
  let [mean, sum] = [0, 0];
  for (const value of values) mean += value / values.length;
  for (const value of values) sum += (value - mean) ** 3;
  return sum;
}

/** The tails of rows x `[N, D]`, from what was learnt. */
export function tailsOf(tails: Scope, x: Value): Tails {
  const values = tails.learnt('values'); // [P,D], rising, then filled up
  const rows = tails.learnt('rows');
  const [size, width] = [countOf(values), channelsOf(values)];
  const at = (table: Value, place: Value) => g.gatherElements(table, g.cast(place, 'int64'), 0);
  const isAtMost = (value: Value) => g.sub(1, g.cast(g.greater(value, x), 'float32'));
  let step = (size + 1) / 2;
  let place = g.mul(isAtMost(g.slice(values, { 0: [step - 1, step] })), step); // distinct values at most x, [N,D]
  for (step /= 2; step >= 1; step /= 2) {
    place = g.add(place, g.mul(isAtMost(at(values, g.add(place, step - 1))), step));
  }
  const isOne = g.cast(g.equal(at(values, g.maximum(g.sub(place, 1), 0)), x), 'float32');
  const counts = tails.learnt('counts');
  const [atMost, below] = [place, g.sub(place, isOne)].map((p) => at(counts, p));
  const whole = g.log(g.add(rows, 1));
  const left = g.sub(whole, g.log(g.add(atMost, 1)));
  const right = g.sub(whole, g.log(g.add(g.sub(rows, below), 1)));
  const isLeft = g.reshape(tails.learnt('isLeft'), [1, width]);
  return { left, right, skewed: g.add(g.mul(left, isLeft), g.mul(right, g.sub(1, isLeft))) };
}
