/**
 * What normal cells of frames look like: rows that stand for all of them, and the unit in which distances to them are told.
 * Half of the rows is chosen from the first half of the training frames and half from the second, and each half is scored by
 * the rows of the other: a training cell never meets itself, and not the frames beside it but at the border of the halves.
 */
import { Cancelled } from '../../../core/errors.ts';
import { float32 } from '../../../core/tensor.ts';
import { input } from '../../../graph/leaf.ts';
import * as g from '../../../graph/ops/index.ts';
import type { Value } from '../../../graph/value.ts';
import type { FitData } from '../../define.ts';
import { greedyCoreset } from '../fitting/coreset.ts';
import { nearestRows, squaresTo } from '../nearest-rows.ts';

/** Rows that are scored at a time. */
const BLOCK = 4096;
/** The quantile of distances of training cells that becomes 1 (Reiss and Hoshen, arXiv 2212.00789, evaluate.py). */
const QUANTILE = 0.999;

export interface CellMemory {
  /** `[M, D]`. */
  readonly rows: Float32Array;
  /** The least squared distance of a training cell, which becomes 0, and the quantile that becomes 1. */
  readonly low: number;
  readonly high: number;
}

/** Squared distances `[N, P]` of rows `[N, P, D]` to the nearest of a memory `[M, D]`. */
export function nearestSquares(rows: Value, memory: Value): Value {
  const halves = g.mul(g.reduceSum(g.square(memory), { axes: [1] }), 0.5); // ½|b|², [M]
  return squaresTo(rows, memory, nearestRows(rows, memory, halves));
}

/**
 * At most `most` of the rows `[n, width]`, of which the first `border` are of the first half of the frames. Both halves must
 * have rows.
 */
export async function chooseMemory(
  rows: Float32Array,
  width: number,
  border: number,
  most: number,
  data: Pick<FitData, 'compile' | 'onEvent' | 'signal' | 'rng'>,
): Promise<CellMemory> {
  const halves = [rows.subarray(0, border * width), rows.subarray(border * width)];
  const chosen: Float32Array[] = [];
  for (const [i, half] of halves.entries()) {
    const count = Math.min(half.length / width, Math.max(1, Math.floor(most / 2)));
    const picked = await greedyCoreset(half, width, count, { ...data, rng: data.rng.split(i) });
    const taken = new Float32Array(count * width);
    for (const [k, row] of picked.chosen.sort().entries())
      taken.set(half.subarray(row * width, (row + 1) * width), k * width);
    chosen.push(taken);
  }
  const scores = new Float64Array(rows.length / width);
  scores.set(await distances(halves[0], chosen[1], width, data));
  scores.set(await distances(halves[1], chosen[0], width, data), border);
  scores.sort();
  const low = scores[0];
  const joined = new Float32Array(chosen[0].length + chosen[1].length);
  joined.set(chosen[0]);
  joined.set(chosen[1], chosen[0].length);
  return { rows: joined, low, high: quantileOf(scores, QUANTILE) };
}

/** Between the two nearest of ascending numbers, as numpy takes it. */
function quantileOf(sorted: Float64Array, q: number): number {
  const place = q * (sorted.length - 1);
  const below = Math.floor(place);
  const [a, b] = [sorted[below], sorted[Math.min(below + 1, sorted.length - 1)]];
  return a + (place - below) * (b - a);
}

/** Squared distances `[n]` of rows `[n, width]` to the nearest of a memory `[m, width]`. */
async function distances(
  rows: Float32Array,
  memory: Float32Array,
  width: number,
  { compile, signal }: Pick<FitData, 'compile' | 'signal'>,
): Promise<Float32Array> {
  const m = memory.length / width;
  const [x, bank] = [input('rows', [1, 'K', width]), input('bank', [m, width])];
  const session = await compile({ name: 'cell-distances', outputs: { y: nearestSquares(x, bank) }, carry: {} });
  const out = new Float32Array(rows.length / width);
  try {
    for (let at = 0; at < out.length; at += BLOCK) {
      if (signal?.aborted) throw new Cancelled();
      const part = rows.slice(at * width, (at + BLOCK) * width);
      const feeds = { rows: float32(part, [1, part.length / width, width]), bank: float32(memory, [m, width]) };
      out.set((await session.run(feeds, { signal })).y.data as Float32Array, at);
    }
  } finally {
    session.close().catch(() => {}); // who cancels does not wait
  }
  return out;
}
