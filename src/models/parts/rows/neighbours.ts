/** Distances to the nearest rows of a bank of normal items: what `knn` is, and a member of `ensemble`. */
import { float32, type Tensors } from '../../../core/tensor.ts';
import { constant } from '../../../graph/leaf.ts';
import * as g from '../../../graph/ops/index.ts';
import type { Value } from '../../../graph/value.ts';
import type { Scope } from '../../../nn/scope.ts';
import type { FitItems } from '../../define.ts';
import { sampleItems } from '../fitting/sample.ts';

/** A bank of at most so many items: `knn.mean`, `knn.bank` as seen from it, `knn.halves`. */
export async function fitNeighbours(data: FitItems, bank: number): Promise<Tensors> {
  const { rows, width, items } = await sampleItems(data, bank);
  const mean = new Float64Array(width);
  for (let i = 0; i < items.length; i++) mean[i % width] += items[i] / rows;
  const middle = Float32Array.from(mean);
  // Half the squared length of each item as seen from the mean: near 0 float32 is finest.
  const halves = new Float64Array(rows);
  for (let i = 0; i < items.length; i++) {
    items[i] -= middle[i % width];
    halves[Math.floor(i / width)] += items[i] ** 2 / 2;
  }
  return {
    'knn.mean': float32(middle, [width]),
    'knn.bank': float32(items, [rows, width]),
    'knn.halves': float32(halves, [rows]),
  };
}

/** Which neighbours count: the k-th, or the root mean square of all k. */
export interface Neighbours {
  readonly neighbours: number;
  readonly distance: 'largest' | 'mean';
}

/** Rows of the bank that are looked at as one: the k nearest lie in the k blocks whose nearest rows are nearest. */
const BLOCK = 32;
/** Values of a row up to which blocks pay: the rows of all chosen blocks are fetched for each item. */
const NARROW = 64;
/** Products at a time: rows of the bank, or a share of them, so that large banks do not make large graphs. */
const PIECE = { rows: 1024, most: 64 };

/** The distance of items x to their neighbours, `[N]`, and its squared parts by value, `[N, D]`, which add up to its square. */
export function scoreNeighbours({ neighbours, distance }: Neighbours, net: (group: string) => Scope, x: Value) {
  const knn = net('knn');
  const bank = knn.learnt('bank'); // [M,D]
  const [rows, width] = bank.shape as number[];
  const k = Math.min(neighbours, rows);
  const centred = g.sub(g.flatten(x), knn.learnt('mean')); // [N,D]
  const inBlocks = width <= NARROW && rows >= 4 * k * BLOCK;
  const near = inBlocks
    ? nearestInBlocks(centred, bank, knn.learnt('halves'), k)
    : nearest(centred, bank, knn.learnt('halves'), k);
  const squares = distance === 'mean' ? near : g.slice(near, { 1: [k - 1, k] });
  const perValue = g.reduceMean(squares, { axes: [1] }); // [N,D]
  return { parts: perValue, score: g.sqrt(g.reduceSum(perValue, { axes: [1] })) };
}

/** The squared differences from one row or several, `[N, K, D]`: from the rows themselves, because that of large products is inexact. */
const squaresFrom = (centred: Value, chosen: Value) => g.square(g.sub(g.unsqueeze(centred, 1), chosen));

/** Squared differences from the k nearest rows of the bank, the nearest first, `[N, k, D]`. */
function nearest(centred: Value, bank: Value, halves: Value, k: number): Value {
  // ½|x − b|² = ½|x|² − x·b + ½|b|²: the nearest have the largest x·b − ½|b|². [N,M]
  const nearness = g.sub(g.matMul(centred, bank, { transposeB: true }), halves);
  return squaresFrom(centred, g.gather(bank, g.topK(nearness, k).indices, 0));
}

/**
 * The same for many rows of few values: of the products only the largest of each block is kept, so that no `[N, M]` is ever
 * in memory, and of the chosen blocks all distances are computed from the rows themselves.
 */
function nearestInBlocks(centred: Value, bank: Value, halves: Value, k: number): Value {
  const [rows, width] = bank.shape as number[];
  const blocks = Math.floor(rows / BLOCK);
  // −½|b|² is one more column of the product.
  const one = g.broadcastTo(constant(float32([-1], [1, 1])), [centred.shape[0], 1]);
  const [left, right] = [g.concat([centred, one], 1), g.concat([bank, g.unsqueeze(halves, 1)], 1)];
  const piece = Math.max(PIECE.rows / BLOCK, Math.ceil(blocks / PIECE.most)); // in blocks
  const largest: Value[] = [];
  for (let from = 0; from < blocks; from += piece) {
    const to = Math.min(blocks, from + piece);
    const products = g.matMul(left, g.slice(right, { 0: [from * BLOCK, to * BLOCK] }), { transposeB: true });
    largest.push(g.reduceMax(g.reshape(products, [centred.shape[0], to - from, BLOCK]), { axes: [2] }));
  }
  const chosen = g.topK(g.concat(largest, 1), k).indices; // [N,k]
  const inBlocks = g.reshape(g.slice(bank, { 0: [0, blocks * BLOCK] }), [blocks, BLOCK * width]);
  const candidates = [
    squaresFrom(centred, g.reshape(g.gather(inBlocks, chosen, 0), [centred.shape[0], k * BLOCK, width])),
  ];
  // Rows that fill no block are candidates for every item.
  if (rows > blocks * BLOCK) {
    candidates.push(squaresFrom(centred, g.unsqueeze(g.slice(bank, { 0: [blocks * BLOCK, rows] }), 0)));
  }
  const squares = g.concat(candidates, 1);
  const { indices } = g.topK(g.neg(g.reduceSum(squares, { axes: [2] })), k);
  return g.gatherElements(squares, g.broadcastTo(g.unsqueeze(indices, 2), [centred.shape[0], k, width]), 1);
}
