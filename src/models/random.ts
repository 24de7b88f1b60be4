/**
 * Baseline: a score that knows nothing. It is a hash of the item in exact integer arithmetic, so it is the same on
 * every device and does not depend on the batch. AUROC is near 0.5 and AP near the share of anomalies, but where a table repeats
 * rows: equal rows have one score, and those of KDD99 gave 0.536. In reports of other models its items are drawn instead (`isChance`).
 */
import * as z from 'zod';
import { Rng } from '../core/random.ts';
import { int64, tensor } from '../core/tensor.ts';
import { constant } from '../graph/leaf.ts';
import * as g from '../graph/ops/index.ts';
import { defineModel } from './define.ts';
import { byKind } from './parts/by-kind.ts';
import { itemMap, poolMap } from './parts/maps/pool-map.ts';
import { itemShapeOf } from './parts/shapes.ts';

/** A prime below 2^31: products of two residues fit into an int64. */
const prime = 2147483647;

/**
 * Baseline: a pseudo-random score that depends on the item's values alone. It shows what a metric gives when nothing
 * was learnt: AUROC near 0.5.
 * Images and rows. Nothing is learnt.
 */
export const random = defineModel({
  name: 'random',
  title: 'Random score',
  idea: 'A pseudo-random number in [0, 1) made from the pixels: what a metric gives when nothing was learnt.',
  paper: 'A baseline without a paper.',
  learning: 'baseline',
  isChance: true,
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
    let hash = sum;
    for (const factor of [48271, 69621, 16807])
      hash = g.mod(g.mul(g.add(hash, constant(int64(1))), constant(int64(factor))), constant(int64(prime)));
    const score = g.mul(g.cast(hash, 'float32'), 1 / prime);
    const flat = g.reshape(score, [x.shape[0], ...shape.map(() => 1)]);
    const map = g.add(g.mul(itemMap(x), 0), flat);
    return { map, score };
  },
});
