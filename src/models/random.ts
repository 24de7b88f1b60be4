/**
 * Baseline: a score that knows nothing. It is a hash of the item and of its place in the batch in exact integer arithmetic, so
 * it is the same on every device. The place is in it because tables repeat rows: with a score of its values alone the few
 * different rows of KDD99 are ranked by chance as whole groups, and AUROC is far from 0.5 (0.536 was seen).
 * AUROC is near 0.5 and AP near the share of anomalies.
 */
import * as z from 'zod';
import { Rng } from '../core/random.ts';
import { int64, tensor } from '../core/tensor.ts';
import { constant } from '../graph/leaf.ts';
import * as g from '../graph/ops/index.ts';
import type { Value } from '../graph/value.ts';
import { defineModel } from './define.ts';
import { byKind } from './parts/by-kind.ts';
import { itemMap, poolMap } from './parts/maps/pool-map.ts';
import { itemShapeOf } from './parts/shapes.ts';

/** A prime below 2^31: products of two residues fit into an int64. */
const prime = 2147483647;

/** 1, 2, 3 … for the items of a batch, int64 `[N]`. */
const placesOf = (scores: Value): Value => g.cast(g.cumSum(g.add(g.mul(g.cast(scores, 'float32'), 0), 1), 0), 'int64');

/**
 * Baseline: a pseudo-random score of the item's values and its place in the batch. It shows what a metric gives when nothing
 * was learnt: AUROC near 0.5.
 * Images and rows. Nothing is learnt.
 */
export const random = defineModel({
  name: 'random',
  title: 'Random score',
  idea: 'A pseudo-random number in [0, 1) made from the pixels: what a metric gives when nothing was learnt.',
  paper: 'A baseline without a paper.',
  learning: 'baseline',
  inputs: ['image', 'table'],
  learns: 'none',
  config: z.strictObject({
    seed: z.int().min(0).default(0).describe('Seed of the hash: another seed, another order of the images.'),
  }),
  presets: {},
  tiny: {},
  score({ seed }, _net, x) {
    const shape = itemShapeOf(x);
    const size = shape.reduce((n, d) => n * d, 1);
    const rng = new Rng(seed, 'random-baseline');
    const weights = BigInt64Array.from({ length: size }, () => BigInt(1 + rng.int(65536)));
    // Pixels in 0 … 255; numbers of a table as finely as sums of their products have room for.
    const scaled = byKind(shape, {
      image: g.add(g.mul(x, 255), 0.5),
      table: g.mul(g.clip(x, -1024, 1023), 65536),
    });
    const levels = g.cast(g.floor(scaled), 'int64');
    const products = g.mul(levels, constant(tensor('int64', shape, weights)));
    const sum = g.add(poolMap('sum', products), constant(int64(12345))); // [N]
    // Three rounds of a multiplicative hash modulo a prime.
    let hash = g.add(sum, g.mul(placesOf(sum), constant(int64(7919))));
    for (const factor of [48271, 69621, 16807])
      hash = g.mod(g.mul(g.add(hash, constant(int64(1))), constant(int64(factor))), constant(int64(prime)));
    const score = g.mul(g.cast(hash, 'float32'), 1 / prime);
    const flat = g.reshape(score, [x.shape[0], ...shape.map(() => 1)]);
    const map = g.add(g.mul(itemMap(x), 0), flat);
    return { map, score };
  },
});
