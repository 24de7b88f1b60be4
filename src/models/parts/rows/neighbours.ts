/** Distances to the nearest rows of a bank of normal items: what `knn` is, and a member of `ensemble`. */
import { float32, type Tensors } from '../../../core/tensor.ts';
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

/** The distance of items x to their neighbours, `[N]`, and its squared parts by value, `[N, D]`, which add up to its square. */
export function scoreNeighbours({ neighbours, distance }: Neighbours, net: (group: string) => Scope, x: Value) {
  const knn = net('knn');
  const bank = knn.learnt('bank'); // [M,D]
  const [rows, width] = bank.shape as number[];
  const k = Math.min(neighbours, rows);
  const centred = g.sub(g.flatten(x), knn.learnt('mean')); // [N,D]
  // ½|x − b|² = ½|x|² − x·b + ½|b|²: the nearest have the largest x·b − ½|b|². [N,M]
  const nearness = g.sub(g.matMul(centred, bank, { transposeB: true }), knn.learnt('halves'));
  const { indices } = g.topK(nearness, k); // [N,K]
  const chosen = distance === 'mean' ? indices : g.slice(indices, { 1: [k - 1, k] });
  const near = g.gather(bank, chosen, 0); // [N,K,D] or [N,1,D]
  // From the items themselves, because the difference of large products is inexact.
  const squares = g.square(g.sub(g.reshape(centred, [x.shape[0], 1, width]), near));
  const perValue = g.reduceMean(squares, { axes: [1] }); // [N,D]
  return { parts: perValue, score: g.sqrt(g.reduceSum(perValue, { axes: [1] })) };
}
